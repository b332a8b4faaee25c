package github

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/google/go-github/v88/github"
)

// longest is how much of a document goes into a comment, in bytes: GitHub takes
// 65,536 characters.
const longest = 60_000

// ownMark begins the comment that is replaced when the review is made anew.
const ownMark = "<!-- padron: review -->\n"

// Comment puts the Markdown document onto the pull request: one comment, which
// a later call replaces. The document was made where code of the pull request
// ran, so it is taken as data: see [Tame].
func (r *Repository) Comment(ctx context.Context, pull int, document string) error {
	tame, err := Tame(document)
	if err != nil {
		return err
	}
	body := &github.IssueComment{Body: github.Ptr(ownMark + tame)}
	for c, err := range r.client.Issues.ListCommentsIter(ctx, r.owner, r.name, pull, nil) {
		if err != nil {
			return fmt.Errorf("comments of pull request %d: %w", pull, err)
		}
		if strings.HasPrefix(c.GetBody(), ownMark) && c.GetUser().GetType() == "Bot" {
			_, _, err := r.client.Issues.EditComment(ctx, r.owner, r.name, c.GetID(), body)
			return wrap("change the comment", err)
		}
	}
	_, _, err = r.client.Issues.CreateComment(ctx, r.owner, r.name, pull, body)
	return wrap("comment", err)
}

func wrap(what string, err error) error {
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}

// ReadDocument reads a document of ten megabytes at most.
func ReadDocument(path string) (string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", err
	}
	if !info.Mode().IsRegular() || info.Size() > 10<<20 {
		return "", fmt.Errorf("%s is no file of ten megabytes at most", path)
	}
	b, err := os.ReadFile(path) //nolint:gosec // the file that was asked for
	return string(b), err
}

// harmless puts a space without width where a tag, an entity, a picture or a
// mention would begin: in a block of code, too, what is seen stays the same. An
// entity can spell any of the others.
var harmless = strings.NewReplacer("<", "<\u200b", "&", "&\u200b", "![", "!\u200b[", "@", "@\u200b")

// Tame makes a document that somebody else wrote harmless in a comment: nobody
// is mentioned by it, nothing is loaded, nothing hidden stands in it, and it
// fits. A document that is no text is an error.
func Tame(document string) (string, error) {
	if !utf8.ValidString(document) || strings.TrimSpace(document) == "" {
		return "", errors.New("the review document is empty, or no UTF-8 text")
	}
	visible := strings.Map(func(c rune) rune {
		// Format characters turn the direction of text, or hide in it.
		if c != '\n' && c != '\t' && (unicode.IsControl(c) || unicode.Is(unicode.Cf, c)) {
			return -1
		}
		return c
	}, document)
	return cut(harmless.Replace(visible)), nil
}

// cut ends a document that is too long at a line, and says so before anything
// else: below a block of code that was left open nobody would read it.
func cut(document string) string {
	if len(document) <= longest {
		return document
	}
	document = document[:longest]
	if i := strings.LastIndexByte(document, '\n'); i > 0 {
		document = document[:i]
	}
	document = strings.ToValidUTF8(document, "") // a line longer than that
	// A block of code that was cut open is closed.
	if strings.Count(document, "\n```")%2 == 1 {
		document += "\n```"
	}
	return "**The document is longer than a comment can be. The whole is in the workflow's artifact.**\n\n" + document + "\n"
}
