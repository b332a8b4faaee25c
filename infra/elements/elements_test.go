package elements_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"padron/infra/cdkout"
	"padron/infra/controls"
	"padron/infra/elements"
	"padron/infra/synthtest"
)

func root(t *testing.T) string {
	t.Helper()
	at, err := cdkout.Root()
	if err != nil {
		t.Fatal(err)
	}
	return at
}

// TestFresh compares the section with the sources of today: a line that moved
// makes it stale, a construct that went is an error.
func TestFresh(t *testing.T) {
	at := root(t)
	kept, err := os.ReadFile(filepath.Join(at, "..", "docs", "architecture.md"))
	if err != nil {
		t.Fatal(err)
	}
	now, err := elements.Insert(string(kept), at)
	if err != nil {
		t.Fatal(err)
	}
	if string(kept) != now {
		t.Error("docs/architecture.md is stale: go run ./cmd/padron-infra elements --write, in infra")
	}
}

// TestMade asks that the production templates have what each element names.
func TestMade(t *testing.T) {
	a := synthtest.Load(t, "prod")
	for _, e := range elements.All() {
		for _, typ := range e.Types {
			if len(a.Resources(typ)) == 0 {
				t.Errorf("%s: prod has no %s", e.Name, typ)
			}
		}
	}
}

// TestProven asks that each element names proofs, and that they exist: a
// control that prod has, or a test.
func TestProven(t *testing.T) {
	var ids []string
	for _, c := range controls.In(synthtest.Config(t, "prod")) {
		ids = append(ids, c.ID)
	}
	at := root(t)
	for _, e := range elements.All() {
		if len(e.Proofs) == 0 || len(e.Types) == 0 {
			t.Errorf("%s has no proof or no type", e.Name)
		}
		for _, proof := range e.Proofs {
			folder, name, _ := strings.Cut(proof, ".")
			if strings.HasPrefix(name, "Test") && !slices.Contains(tests(t, filepath.Join(at, folder)), name) ||
				!strings.HasPrefix(name, "Test") && !slices.Contains(ids, proof) {
				t.Errorf("%s: there is no %s", e.Name, proof)
			}
		}
	}
}

// tests returns the names of the folder's tests.
func tests(t *testing.T, folder string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(folder, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, name := range files {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Recv == nil && strings.HasPrefix(f.Name.Name, "Test") {
				names = append(names, f.Name.Name)
			}
		}
	}
	return names
}

// TestGone takes the construct away: the error names the element and the file.
func TestGone(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "x.go"), []byte("a\nb(\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	e := elements.Element{Name: "a thing", File: "x.go", Construct: "b("}
	if line, err := e.Line(dir); err != nil || line != 2 {
		t.Errorf("line %d, %v; want 2", line, err)
	}
	e.Construct = "c("
	if _, err := e.Line(dir); err == nil || !strings.Contains(err.Error(), "a thing") || !strings.Contains(err.Error(), "x.go") {
		t.Errorf("error %v, want one that names the thing and the file", err)
	}
	if _, err := elements.Insert("no section", dir); err == nil {
		t.Error("a document without the section has no error")
	}
}
