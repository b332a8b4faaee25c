package reach_test

import (
	"os"
	"path/filepath"
	"testing"

	"padron/infra/reach"
	"padron/infra/synthtest"
)

// views are all environments, as the document shows them.
func views(t *testing.T) []reach.View {
	t.Helper()
	var list []reach.View
	for _, name := range synthtest.Environments(t) {
		env := synthtest.Config(t, name)
		n, err := reach.New(synthtest.Load(t, name), env)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, reach.See(n, env))
	}
	return list
}

// TestDocument is what a developer sees who changes a security group: what
// gets through now and did not before.
func TestDocument(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "reachability.md"))
	if err != nil {
		t.Fatal(err)
	}
	all := views(t)
	if string(text) == reach.Document(all) {
		return
	}
	t.Error("docs/reachability.md is stale. Where the change is meant: go run ./cmd/padron-infra reach --write, in infra")
	before := reach.Tables(string(text))
	for _, v := range all {
		for _, line := range reach.Diff(before[v.Env.Name], v.Matrix) {
			t.Errorf("%s: %s", v.Env.Name, line)
		}
	}
}

// TestTables reads the document's matrices back.
func TestTables(t *testing.T) {
	all := views(t)
	tables := reach.Tables(reach.Document(all))
	for _, v := range all {
		if len(tables[v.Env.Name]) < 5 {
			t.Errorf("%s: %d rows", v.Env.Name, len(tables[v.Env.Name]))
		}
		for _, line := range reach.Diff(tables[v.Env.Name], v.Matrix) {
			t.Errorf("%s: %s", v.Env.Name, line)
		}
	}
}
