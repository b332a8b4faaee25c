package e2e

import (
	"net/http"
	"strconv"
	"strings"
	"testing"

	"padron/internal/provider/providertest"
)

// TestServeEvery: runs follow one another, the provider's changes arrive, and
// health and metrics tell of it; a stop ends it cleanly.
func TestServeEvery(t *testing.T) {
	sample, url := provide(t, providertest.Options{Customers: 50, Seed: 3, Dirty: -1}, func(n int64, _ http.ResponseWriter, _ *http.Request) {
		if n == 1 {
			panic(http.ErrAbortHandler) // the connection breaks, and the request is tried again
		}
	})
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
	samples, retries := scrape(t, admin), 0.0
	for name, n := range samples {
		if strings.HasPrefix(name, "padron_provider_retries_total{") {
			retries += n
		}
	}
	if samples[`padron_sync_runs_total{outcome="completed"}`] < 2 || samples[`padron_sync_customers_total{outcome="inserted"}`] != 55 || retries != 1 {
		t.Errorf("%v retries, metrics %v", retries, samples)
	}
	p.stop(t)
}

// TestServeBesideAnotherRun: while another process has the register, runs are
// skipped, the data grow old, and health says so; then all is well again.
func TestServeBesideAnotherRun(t *testing.T) {
	_, url := provide(t, providertest.Options{Customers: 30, Seed: 4, Dirty: 0.1}, nil)
	dir := t.TempDir()
	env := []string{"PADRON_PROVIDER_URL=" + url}
	mustRun(t, dir, env, "synchronizer", "plan", "--partitions", "1")
	p := start(t, dir, env, "synchronizer", "serve", "--every", "1s", "--max-age", "1s", "--admin-listen", "127.0.0.1:0")
	admin, _ := waitForLog(t, p, "serving")["admin"].(string)
	for _, entry := range waitForLogs(t, p, "run ended", 3) {
		if entry["outcome"] != "skipped" {
			t.Fatalf("a run beside another: %v", entry)
		}
	}
	// The second run began at least 0.9 s after the first, the third 1.8 s.
	if a := call(t, http.MethodGet, admin+"/healthz", "", ""); a.status != http.StatusServiceUnavailable || !strings.Contains(a.body, "failing: runs") {
		t.Errorf("healthz: %d %s", a.status, a.body)
	}
	before := scrape(t, admin)
	if before["padron_sync_lag_seconds"] < 1.8 || before[`padron_sync_runs_total{outcome="skipped"}`] < 2 || before["padron_sync_last_completed_timestamp_seconds"] != 0 {
		t.Errorf("metrics: %v", before)
	}
	mustRun(t, dir, env, "synchronizer", "run", "--partition", "1/1")
	mustRun(t, dir, env, "synchronizer", "finish")
	n := 1
	for waitForLogs(t, p, "run ended", n)[n-1]["outcome"] != "completed" {
		n++
	}
	waitForLogs(t, p, "run ended", n+1) // by then run n is in the metrics
	after := scrape(t, admin)
	if after["padron_sync_lag_seconds"] > before["padron_sync_lag_seconds"] || after[`padron_sync_runs_total{outcome="completed"}`] < 1 ||
		after["padron_quarantine_entries"] < 1 || after[`padron_sync_stage_seconds_count{stage="validate"}`] < 1 ||
		after[`padron_provider_breaker_state{state="closed"}`] != 1 || after[`padron_key_messages{group="",purpose="quarantine"}`] < 1 {
		t.Errorf("metrics: %v", after)
	}
}

// scrape reads metrics as Prometheus does: each sample by its name and labels.
func scrape(t *testing.T, admin string) map[string]float64 {
	t.Helper()
	a := call(t, http.MethodGet, admin+"/metrics", "", "")
	if a.status != http.StatusOK {
		t.Fatalf("metrics: %d %s", a.status, a.body)
	}
	samples := map[string]float64{}
	for line := range strings.Lines(a.body) {
		name, text, found := strings.Cut(strings.TrimSpace(line), " ")
		if value, err := strconv.ParseFloat(text, 64); found && err == nil && !strings.HasPrefix(line, "#") {
			samples[name] = value
		}
	}
	return samples
}

func TestServeChecksItsFlags(t *testing.T) {
	for _, args := range [][]string{{"--every", "0s"}, {"--every", "soon"}, {"--every", "1h", "--max-age", "1m"}} {
		r := run(t, t.TempDir(), []string{"PADRON_PROVIDER_URL=http://127.0.0.1:9/"}, "synchronizer", append([]string{"serve"}, args...)...)
		if r.code != 2 || !strings.Contains(r.stderr, args[len(args)-2]) {
			t.Errorf("%q: exit %d, %s", args, r.code, r.stderr)
		}
	}
}
