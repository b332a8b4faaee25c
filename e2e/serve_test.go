package e2e

import (
	"net/http"
	"strings"
	"testing"

	"padron/internal/provider/providertest"
)

// TestServeEvery: runs follow one another, the provider's changes arrive, and
// health and metrics tell of it; a stop ends it cleanly.
func TestServeEvery(t *testing.T) {
	sample, url := provide(t, providertest.Options{Customers: 50, Seed: 3, Dirty: -1}, nil)
	dir := t.TempDir()
	p := start(t, dir, nil, "synchronizer", "serve", "--every", "1s", "--provider-url", url, "--admin-listen", "127.0.0.1:0")
	admin, _ := waitForLog(t, p, "serving")["admin"].(string)
	if first := waitForLog(t, p, "run ended"); first["outcome"] != "completed" || first["inserted"] != 50.0 {
		t.Fatalf("first run: %v", first)
	}
	sample.Mutate(providertest.Mutation{Add: 0.1, Seed: 1})
	n := 1
	for waitForLogs(t, p, "run ended", n)[n-1]["inserted"] != 5.0 {
		n++
	}
	waitForLogs(t, p, "run ended", n+1) // by then run n is in the metrics
	if a := call(t, http.MethodGet, admin+"/healthz", "", ""); a.status != http.StatusOK {
		t.Errorf("healthz: %d %s", a.status, a.body)
	}
	a := call(t, http.MethodGet, admin+"/metrics", "", "")
	for _, want := range []string{`padron_sync_runs_total{outcome="completed"}`, `padron_sync_customers_total{outcome="inserted"} 55`} {
		if !strings.Contains(a.body, want) {
			t.Errorf("the metrics lack %s", want)
		}
	}
	p.stop(t)
}

func TestServeChecksItsFlags(t *testing.T) {
	for _, args := range [][]string{{"--every", "0s"}, {"--every", "soon"}, {"--every", "1h", "--max-age", "1m"}} {
		r := run(t, t.TempDir(), []string{"PADRON_PROVIDER_URL=http://127.0.0.1:9/"}, "synchronizer", append([]string{"serve"}, args...)...)
		if r.code != 2 || !strings.Contains(r.stderr, args[len(args)-2]) {
			t.Errorf("%q: exit %d, %s", args, r.code, r.stderr)
		}
	}
}
