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
		"picture":        {"![x](https://example.com/track)", "!\u200b[x](https://example.com/track)"},
		"tag":            {"<img src=x><!-- padron: review -->", "<\u200bimg src=x><\u200b!-- padron: review -->"},
		"mixed case":     {"<ImG src=x><Video src=x>", "<\u200bImG src=x><\u200bVideo src=x>"},
		"spelt mention":  {"&#64;everybody &commat;all", "&\u200b#64;everybody &\u200bcommat;all"},
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
	if !strings.HasPrefix(got, "**The document is longer") || !strings.HasSuffix(got, "line of the document\n```\n") {
		t.Errorf("it begins %q and ends %q", got[:100], got[len(got)-200:])
	}
	if got, err := github.Tame("x" + strings.Repeat("é", 60_000)); err != nil || !utf8.ValidString(got) {
		t.Errorf("one long line: %v, valid: %v", err, utf8.ValidString(got))
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
