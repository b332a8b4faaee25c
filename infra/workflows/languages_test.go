package workflows_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var (
	block   = regexp.MustCompile("(?s)```sh\n(.*?)```")
	comment = regexp.MustCompile(`\s+#.*`)
	outline = regexp.MustCompile(`(?m)^\s*(#+ |\| *-|\||\d+\. |- )`)
)

// TestLanguagesSayTheSame: a document in Spanish has the commands of the English
// one, and its headings, rows and points in the same order.
func TestLanguagesSayTheSame(t *testing.T) {
	var spanish []string
	for _, place := range []string{"*.es.md", filepath.Join("docs", "*.es.md")} {
		files, err := filepath.Glob(filepath.Join(root, place))
		if err != nil {
			t.Fatal(err)
		}
		spanish = append(spanish, files...)
	}
	if len(spanish) < 3 {
		t.Fatalf("the documents in Spanish are %q: does the search still find them?", spanish)
	}
	for _, file := range spanish {
		es, en := read(t, file), read(t, strings.TrimSuffix(file, ".es.md")+".md")
		es = strings.ReplaceAll(es, "ARCHIVO", "FILE")
		if diff := cmp.Diff(commandsOf(en), commandsOf(es)); diff != "" {
			t.Errorf("the commands of %s (-English +Spanish):\n%s", filepath.Base(file), diff)
		}
		if diff := cmp.Diff(outlineOf(en), outlineOf(es)); diff != "" {
			t.Errorf("the outline of %s (-English +Spanish):\n%s", filepath.Base(file), diff)
		}
	}
}

func read(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// commandsOf are the lines of the document's commands, without their comments.
func commandsOf(text string) (all []string) {
	for _, m := range block.FindAllStringSubmatch(text, -1) {
		for line := range strings.Lines(m[1]) {
			all = append(all, strings.TrimSpace(comment.ReplaceAllString(line, "")))
		}
	}
	return all
}

// outlineOf is how the lines begin that are a heading, a row or a point, outside of
// blocks of code.
func outlineOf(text string) []string {
	text = regexp.MustCompile("(?s)```.*?```").ReplaceAllString(text, "")
	begin := outline.FindAllString(text, -1)
	for i := range begin {
		begin[i] = strings.TrimSpace(begin[i])
	}
	return slices.DeleteFunc(begin, func(s string) bool { return strings.HasPrefix(s, "| -") })
}
