package synthtest

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestSameTwice synthesizes the production environment twice, each time by a
// process of its own, and wants the same bytes: a template that differs by the
// order of a map would be a change to review and to deploy.
func TestSameTwice(t *testing.T) {
	at, configs := root(t), t.TempDir()
	text, err := os.ReadFile(filepath.Join(at, "config", "prod.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(configs, "prod.yaml"), text, 0o600); err != nil {
		t.Fatal(err)
	}
	made := func() map[string]string {
		out := t.TempDir()
		run(t, at, "--config", configs, "--out", out)
		return deployed(t, filepath.Join(out, "prod"))
	}
	first, second := made(), made()
	if len(first) == 0 {
		t.Fatal("nothing was made")
	}
	if diff := cmp.Diff(first, second); diff != "" {
		t.Errorf("made twice of the same sources (-first +second)\n%s", diff)
	}
}

// deployed returns the files that a deployment reads, by name. What the CDK
// writes beside them for people names its own temporary folder.
func deployed(t *testing.T, dir string) map[string]string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	for _, e := range entries {
		if e.IsDir() || strings.HasSuffix(e.Name(), ".metadata.json") || e.Name() == "validation-report.json" {
			continue
		}
		text, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		files[e.Name()] = string(text)
	}
	return files
}
