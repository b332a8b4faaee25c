package github_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"padron/infra/github"
	"padron/infra/github/githubtest"
)

// TestOneComment replaces the review of an earlier push, and leaves what a
// person wrote, even with the same first line.
func TestOneComment(t *testing.T) {
	server, repository := open(t)
	const imitated = "<!-- padron: review -->\nmine"
	server.Comments[7] = []githubtest.Text{{ID: 1, Author: "somebody", Body: imitated}}
	for _, document := range []string{"# First\n", "# Second\n"} {
		if err := repository.Comment(t.Context(), 7, document); err != nil {
			t.Fatal(err)
		}
	}
	got := server.Comments[7]
	if len(got) != 2 || got[0].Body != imitated || !strings.HasSuffix(got[1].Body, "# Second\n") {
		t.Errorf("comments are %+v", got)
	}
}

func TestTame(t *testing.T) {
	for name, tt := range map[string]struct{ in, want string }{
		"plain":          {"| a | b |\n|---|---|\n", "| a | b |\n|---|---|\n"},
		"mention":        {"hello @everybody", "hello @\u200beverybody"},
		"picture":        {"![x](https://example.com/track)", "!&#91;x](https://example.com/track)"},
		"tag":            {"<img src=x><!-- padron: review -->", "&lt;img src=x>&lt;!-- padron: review -->"},
		"turned text":    {"a\u202eb\u200bc", "abc"},
		"control":        {"a\x1b[31mb\r\n", "a[31mb\n"},
		"red is allowed": {"🔴 replaced", "🔴 replaced"},
	} {
		if got, err := github.Tame(tt.in); err != nil || got != tt.want {
			t.Errorf("%s: %q %v, want %q", name, got, err, tt.want)
		}
	}
	for _, bad := range []string{"", " \n", "a\xff"} {
		if got, err := github.Tame(bad); err == nil {
			t.Errorf("%q is taken as %q", bad, got)
		}
	}
}

// TestLongDocumentIsCut ends at a line and closes the block of code that it cuts
// open.
func TestLongDocumentIsCut(t *testing.T) {
	got, err := github.Tame("# Title\n```\n" + strings.Repeat("é line of the document\n", 5000) + "```\n")
	if err != nil {
		t.Fatal(err)
	}
	if n := utf8.RuneCountInString(got); n > 65_000 || !utf8.ValidString(got) {
		t.Errorf("%d characters are left, valid: %v", n, utf8.ValidString(got))
	}
	if !strings.Contains(got, "line of the document\n```\n\n**The document is longer") {
		t.Errorf("it ends %q", got[len(got)-200:])
	}
}

// TestOneIssue opens an issue once, and then brings that up to date.
func TestOneIssue(t *testing.T) {
	server, repository := open(t)
	server.Issues = []githubtest.Text{{Number: 1, Title: "another", Body: "kept"}}
	for _, document := range []string{"one", "two"} {
		if n, err := repository.Issue(t.Context(), "drift", "It drifted", document); err != nil || n != 2 {
			t.Fatalf("issue %d: %v", n, err)
		}
	}
	if got := server.Issues; len(got) != 2 || got[0].Body != "kept" || got[1].Title != "It drifted" || got[1].Body != "two" {
		t.Errorf("issues are %+v", got)
	}
}
