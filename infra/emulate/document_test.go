package emulate_test

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"padron/infra/cdkout"
	"padron/infra/emulate"
	"padron/infra/synthtest"
)

// account starts an empty account, which ends with the test.
func account(t *testing.T, id string) *emulate.Account {
	t.Helper()
	root, err := cdkout.Root()
	if err != nil {
		t.Fatal(err)
	}
	a, err := emulate.Start(t.Context(), root, id)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := a.Stop(); err != nil {
			t.Error(err)
		}
	})
	return a
}

// TestDocument keeps docs/emulation.md what the extension and the templates say.
func TestDocument(t *testing.T) {
	a := account(t, "000000000000")
	var environments []emulate.Environment
	for _, name := range synthtest.Environments(t) {
		environments = append(environments, emulate.Environment{Name: name, Counts: a.Count(synthtest.Load(t, name))})
	}
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "emulation.md"))
	if err != nil {
		t.Fatal(err)
	}
	if string(text) != emulate.Document(environments) {
		t.Error("docs/emulation.md is stale: go run ./cmd/padron-infra emulate --write, in infra")
	}
}

// TestNothingIdle keeps the extension small: what no template needs goes.
func TestNothingIdle(t *testing.T) {
	used := map[string]bool{}
	for _, name := range synthtest.Environments(t) {
		for _, r := range synthtest.Load(t, name).Resources() {
			used[r.Type] = true
		}
	}
	idle := slices.DeleteFunc(account(t, "000000000000").Extension(), func(typ string) bool { return used[typ] })
	if len(idle) > 0 {
		t.Errorf("no template has these types of the extension: %v", idle)
	}
}
