package importtest

import (
	"maps"
	"slices"
	"strings"
	"testing"
)

const root = "../.."

// TestImports holds the module to the rules.
func TestImports(t *testing.T) {
	g, err := load(root)
	if err != nil {
		t.Fatal(err)
	}
	for _, fault := range check(g) {
		t.Error(fault)
	}
}

// TestLoad: the graph is that of this module, not an empty one.
func TestLoad(t *testing.T) {
	g, err := load(root)
	if err != nil {
		t.Fatal(err)
	}
	for pkg, imported := range map[string]string{
		"":                      "encoding/json",
		"internal/synchronizer": full("internal/provider"),
		"internal/store/sqlite": full("internal/store"),
		"cmd/padron":            full("internal/provider/providertest"),
	} {
		if !slices.Contains(g[full(pkg)], imported) {
			t.Errorf("%s imports %v, without %s", full(pkg), g[full(pkg)], imported)
		}
	}
	if slices.Contains(g[full("")], "testing") {
		t.Error("test files are in the graph")
	}
	if _, ok := g[full("internal/importtest")]; !ok {
		t.Errorf("this package is not among %v", slices.Sorted(maps.Keys(g)))
	}
}

// TestRulesCatch feeds each rule the edge it is there for, directly and, for
// packages of this module, through another one.
func TestRulesCatch(t *testing.T) {
	for _, r := range rules {
		t.Run(r.name, func(t *testing.T) {
			importer, imported := full(r.breach[0]), r.breach[1]
			local := strings.HasPrefix(imported, "internal/") || strings.HasPrefix(imported, "cmd/")
			if local {
				imported = full(imported)
			}
			wantFault(t, graph{importer: {imported}}, importer, imported, r.name, r.why)
			if local {
				// A package that nobody has placed is in no rule's way.
				between := full("between")
				wantFault(t, graph{importer: {between}, between: {imported}}, importer, imported, r.name, "through "+between)
			}
		})
	}
}

// wantFault checks that one fault of the graph's says all of it.
func wantFault(t *testing.T, g graph, parts ...string) {
	t.Helper()
	faults := check(g)
	for _, fault := range faults {
		if !slices.ContainsFunc(parts, func(p string) bool { return !strings.Contains(fault, p) }) {
			return
		}
	}
	t.Errorf("%v: no fault names all of %q, among\n%s", g, parts, strings.Join(faults, "\n"))
}

// TestRulesSpare: what is allowed raises no fault.
func TestRulesSpare(t *testing.T) {
	for importer, imported := range map[string]string{
		"":                               "net/netip",
		"internal/synchronizer":          full("internal/store"),
		"internal/reader":                full("internal/seal"),
		"internal/store/mysql":           "github.com/go-sql-driver/mysql",
		"internal/seal/kmswrap":          full("internal/seal"),
		"internal/store/storetest":       "testing",
		"internal/app/apptest":           full("internal/provider/providertest"),
		"internal/provider/providertest": "github.com/RoaringBitmap/roaring/v2",
		"cmd/padron":                     full("internal/provider/providertest"),
		"cmd/synchronizer":               full("internal/app"),
		"internal/api":                   full("internal/reader"),
		"internal/console":               "net/http",
	} {
		if faults := check(graph{full(importer): {imported}}); len(faults) > 0 {
			t.Errorf("%s may import %s, but: %v", importer, imported, faults)
		}
	}
}

// TestLayers: imports point down, and stay in a subtree on one level.
func TestLayers(t *testing.T) {
	for importer, imported := range map[string]string{
		"":                   "internal/config",
		"internal/config":    "internal/app",
		"internal/seal":      "internal/access",
		"internal/access":    "internal/audit",
		"internal/api":       "internal/console",
		"internal/reader":    "internal/api",
		"internal/buildinfo": "internal/cli",
	} {
		wantFault(t, graph{full(importer): {full(imported)}}, full(importer), full(imported), "imports point down")
	}
}

func TestNewPackageWantsAPlace(t *testing.T) {
	wantFault(t, graph{full("internal/report"): nil}, full("internal/report"), "has no place", "rules_test.go")
	wantFault(t, graph{full("cmd/padron"): {full("internal/report")}}, full("internal/report"), "nowhere")
}

// TestTable: every rule says whom it is for and why, under a name of its own.
func TestTable(t *testing.T) {
	names := map[string]bool{}
	for _, r := range rules {
		if r.name == "" || names[r.name] || r.why == "" || len(r.who) == 0 || len(r.what) == 0 || r.breach[1] == "" {
			t.Errorf("rule %q is not complete, or is there twice", r.name)
		}
		names[r.name] = true
	}
	placed := map[string]bool{}
	for _, p := range places {
		for _, pattern := range p.packages {
			if placed[pattern] {
				t.Errorf("%s has two places", pattern)
			}
			placed[pattern] = true
		}
	}
}

func TestMatches(t *testing.T) {
	tests := []struct {
		pattern, path string
		want          bool
	}{
		{"", "padron", true},
		{"", "padron/internal/seal", false},
		{"...", "padron", true},
		{"...", "padron/cmd/padron", true},
		{"...", "os", false},
		{"...", "padronized/x", false},
		{"internal/seal", "padron/internal/seal", true},
		{"internal/seal", "padron/internal/seal/filewrap", false},
		{"internal/seal/...", "padron/internal/seal", true},
		{"internal/seal/...", "padron/internal/seal/filewrap", true},
		{"internal/seal/...", "padron/internal/sealing", false},
		{"other", "github.com/google/go-cmp/cmp", true},
		{"other", "net/http", false},
		{"other", "padron/internal/seal", false},
		{"std:net", "net", true},
		{"std:net", "net/netip", false},
		{"std:os/...", "os/exec", true},
		{"std:os/...", "padron/os", false},
		{"github.com/tink-crypto/...", "github.com/tink-crypto/tink-go/v2/aead", true},
		{"github.com/tink-crypto/...", "github.com/tink/x", false},
	}
	for _, tt := range tests {
		if got := matches(tt.pattern, tt.path); got != tt.want {
			t.Errorf("%q and %s: %v", tt.pattern, tt.path, got)
		}
	}
}
