package cdkout

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func write(t *testing.T, root, name, text string) {
	t.Helper()
	path := filepath.Join(root, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestFresh changes one file after the other, and wants the templates to be
// stale exactly where one was that they are made of.
func TestFresh(t *testing.T) {
	root := t.TempDir()
	for _, name := range []string{"go.mod", "go.sum", "cdk.json", "config/dev.yaml", "estate/keys.go", "estate/keys_test.go", "reach/reach.go"} {
		write(t, root, name, "as it was")
	}
	if err := os.Mkdir(filepath.Join(root, "cdk.out"), 0o750); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		what, file string
		fresh      bool
	}{
		{"nothing was made", "cdk.json", false},
		{"a stack", "estate/keys.go", false},
		{"a configuration", "config/dev.yaml", false},
		{"another configuration", "config/prod.yaml", false},
		{"a library", "go.sum", false},
		{"the first decision", "ledger/ledger.yaml", false},
		{"a test", "estate/keys_test.go", true},
		{"a reader of templates", "reach/reach.go", true},
	} {
		write(t, root, c.file, c.what)
		if got, err := Fresh(root); got != c.fresh || err != nil {
			t.Errorf("%s: fresh is %t (%v), want %t", c.what, got, err, c.fresh)
		}
		sum, err := Sum(root)
		if err != nil {
			t.Fatal(err)
		}
		if err := Mark(root, sum); err != nil {
			t.Fatal(err)
		}
		if got, err := Fresh(root); !got || err != nil {
			t.Errorf("%s, and made anew: fresh is %t (%v)", c.what, got, err)
		}
	}
}

// TestSources asks Go what the synthesis is made of: a package that is missing
// among the sources could change and leave the templates as they were.
func TestSources(t *testing.T) {
	const module = "padron/infra/"
	out, err := exec.CommandContext(t.Context(), "go", "list", "-deps", module+"synth").Output()
	if err != nil {
		t.Fatal(err)
	}
	for name := range strings.FieldsSeq(string(out)) {
		folder, ours := strings.CutPrefix(name, module)
		if ours && folder != "cdkout" && !slices.Contains(sources, folder) {
			t.Errorf("the synthesis uses %s: add it to sources", folder)
		}
	}
}
