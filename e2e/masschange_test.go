package e2e

import (
	"strings"
	"testing"

	"padron/internal/provider/providertest"
)

// TestMassChangesNeedAPerson: a run that would delete or change too many ends
// with exit code 1 and writes none of it; a reason lets one through, and stands in
// the history; what is no reason is wrong usage.
func TestMassChangesNeedAPerson(t *testing.T) {
	const customers = 1000
	for name, mutation := range map[string]providertest.Mutation{
		"deletions": {Remove: 0.3, Seed: 1}, "changes": {Change: 0.9, Seed: 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			sample, url := provide(t, providertest.Options{Customers: customers, Seed: 1}, nil)
			syncOnce(t, dir, url)
			before, _ := opened(t, dir)
			mutated := sample.Mutate(mutation)
			for range 2 {
				got, r := syncOnce(t, dir, url)
				if r.code != 1 || got["outcome"] != "refused" || !strings.Contains(r.stderr, "--force") {
					t.Fatalf("exit code %d, %v: %s", r.code, got["outcome"], r.stderr)
				}
				if after, n := opened(t, dir); after != before {
					t.Fatalf("a refused run left %d customers, not the same", n)
				}
			}
			env := []string{"PADRON_PROVIDER_URL=" + url}
			if r := run(t, dir, env, "synchronizer", "run", "--force", "too short"); r.code != 2 {
				t.Errorf("no reason: exit code %d", r.code)
			}
			const reason = "the provider has cleaned up"
			got, r := syncOnce(t, dir, url, "--force", reason)
			if r.code != 0 || got["forced"] != reason {
				t.Fatalf("exit code %d, forced %v: %s", r.code, got["forced"], r.stderr)
			}
			wantCounts(t, got, map[string]float64{"deleted": float64(mutated.Removed), "updated": float64(mutated.Changed)})
			history := decode[map[string][]report](t, mustRun(t, dir, nil, "padron", "runs", "--json").stdout)["runs"]
			if len(history) != 4 || history[0]["forced"] != reason || history[1]["outcome"] != "refused" {
				t.Errorf("history %v", history)
			}
		})
	}
}
