package controls_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"padron/infra/controls"
	"padron/infra/synthtest"
)

func estates(t *testing.T) []*controls.Estate {
	t.Helper()
	var list []*controls.Estate
	for _, name := range synthtest.Environments(t) {
		list = append(list, &controls.Estate{Assembly: synthtest.Load(t, name), Env: synthtest.Config(t, name)})
	}
	return list
}

// TestControls proves that every environment has its controls.
func TestControls(t *testing.T) {
	for _, e := range estates(t) {
		for _, c := range controls.In(e.Env) {
			t.Run(e.Env.Name+"/"+c.ID, func(t *testing.T) {
				for _, missing := range c.Check(e) {
					t.Error(missing)
				}
			})
		}
	}
}

// TestMutations takes each control away from a copy, and wants its own check to
// notice. What else does is written down in docs/controls.md.
func TestMutations(t *testing.T) {
	caught := controls.Mutate(estates(t))
	for _, c := range caught {
		switch {
		case len(c.Environments) == 0: // a feature that is off everywhere: the document says so
		case c.Removed < len(c.Environments):
			t.Errorf("%s: the removal found nothing to remove", c.Control.ID)
		case !c.Own:
			t.Errorf("%s: its check stays green without it", c.Control.ID)
		}
	}
	if len(caught) < 40 {
		t.Errorf("%d controls, want 40 or more", len(caught))
	}
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "controls.md"))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(string(text), "\n"), strings.Split(controls.Document(caught), "\n")); diff != "" {
		t.Errorf("docs/controls.md is stale: go run ./cmd/padron-infra controls --write, in infra (-is +wanted)\n%s", diff)
	}
}

var (
	idForm   = regexp.MustCompile(`^[a-z]+\.[a-z0-9]+(-[a-z0-9]+)*$`)
	pciForm  = regexp.MustCompile(`^(1[0-2]|[1-9])\.[0-9]+\.[0-9]+(\.[0-9]+)*$`)
	nistForm = regexp.MustCompile(`^(AC|AT|AU|CA|CM|CP|IA|IR|MA|MP|PE|PL|PM|PS|PT|RA|SA|SC|SI|SR)-[0-9]+(\([0-9]+\))?$`)
	cisForm  = regexp.MustCompile(`^[1-5]\.[0-9]+(\.[0-9]+)?$`)
)

// TestReferences reads the list itself: ids are unique, references are ones
// that the standards could have.
func TestReferences(t *testing.T) {
	seen := map[string]bool{}
	for _, c := range controls.All() {
		if seen[c.ID] || !idForm.MatchString(c.ID) {
			t.Errorf("%s: the id is used twice or is not stack.what", c.ID)
		}
		seen[c.ID] = true
		if c.What == "" || strings.HasSuffix(c.What, ".") || strings.Contains(c.What, "|") {
			t.Errorf("%s: What is one clause without a full stop, not %q", c.ID, c.What)
		}
		if len(c.PCI)+len(c.NIST)+len(c.CIS) == 0 {
			t.Errorf("%s: nobody asks for it", c.ID)
		}
		wellFormed(t, c.ID, c.PCI, pciForm)
		wellFormed(t, c.ID, c.NIST, nistForm)
		wellFormed(t, c.ID, c.CIS, cisForm)
	}
}

func wellFormed(t *testing.T, id string, references []string, form *regexp.Regexp) {
	t.Helper()
	for _, r := range references {
		if !form.MatchString(r) {
			t.Errorf("%s: %q is no reference of the form %s", id, r, form)
		}
	}
}
