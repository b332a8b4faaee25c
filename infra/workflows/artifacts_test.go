package workflows_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestArtifactsAreNamedOnce: `gh run download --name` takes the newest artifact of
// that name of any workflow, so one that a document has a person download is left
// by one workflow alone.
func TestArtifactsAreNamedOnce(t *testing.T) {
	left := map[string][]string{}
	for _, w := range load(t) {
		for _, job := range w.Jobs {
			for _, step := range job.Steps {
				if name, ok := step.With["name"].(string); ok && strings.HasPrefix(step.Uses, "actions/upload-artifact@") && !slices.Contains(left[name], w.File) {
					left[name] = append(left[name], w.File)
				}
			}
		}
	}
	files, err := filepath.Glob(filepath.Join(root, "docs", "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	downloads := 0
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`gh run download --name (\S+)`).FindAllStringSubmatch(string(text), -1) {
			downloads++
			if by := left[m[1]]; len(by) != 1 {
				t.Errorf("%s: %s: the artifact is left by %q", filepath.Base(file), m[0], by)
			}
		}
	}
	if downloads == 0 {
		t.Error("no document downloads an artifact: does the search still find it?")
	}
}
