package observe_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"padron"
	"padron/internal/observe"
)

// shelf is a store with runs, quarantine entries and keys in it.
type shelf struct {
	runs    []padron.Run
	entries int64
	keys    []padron.DataKey
	err     error
}

func (s *shelf) Runs(_ context.Context, limit int) ([]padron.Run, error) {
	return s.runs[:min(limit, len(s.runs))], s.err
}

func (s *shelf) CountQuarantine(context.Context) (int64, error) { return s.entries, s.err }

func (s *shelf) Keys(context.Context) ([]padron.DataKey, error) { return s.keys, s.err }

// observed is a registry with every metric of a synchronizer, after some runs.
func observed(st *shelf, now func() time.Time, log io.Writer) *prometheus.Registry {
	registry := prometheus.NewPedanticRegistry()
	m := observe.NewSync(registry)
	observe.NewRegister(registry, st, observe.NewFreshness(st, now), slog.New(slog.NewTextHandler(log, nil)))
	m.Retry("status_503")
	m.Retry("status_503")
	m.Breaker(observe.BreakerOpen)
	for _, run := range []padron.Run{
		{Outcome: padron.OutcomeCompleted, Read: 100, Inserted: 90, Quarantined: 10, Purged: 2, Duration: 2 * time.Second},
		{Outcome: padron.OutcomeSkipped, Read: 77},
		{
			Outcome: padron.OutcomeFailed, Read: 30, Inserted: 1, Unchanged: 29, Duration: time.Second,
			Stages: map[padron.Stage]time.Duration{padron.StageSeal: time.Minute},
		},
	} {
		m.Began()
		m.Progress(5, 10)
		m.Ended(&run)
	}
	m.Began()
	m.Progress(40, 100)
	return registry
}

func TestSyncMetrics(t *testing.T) {
	start := time.Unix(5000, 0)
	st := &shelf{
		runs:    []padron.Run{{Outcome: padron.OutcomeFailed, StartedAt: time.Unix(3000, 0)}, {Outcome: padron.OutcomeCompleted, StartedAt: time.Unix(1000, 0), Duration: 2500 * time.Millisecond}},
		entries: 2345, keys: []padron.DataKey{
			{Purpose: "seal", Group: "personal", Messages: 7}, {Purpose: "seal", Group: "personal", Messages: 5}, {Purpose: "index", Messages: 0},
		},
	}
	var log strings.Builder
	registry := observed(st, func() time.Time { return start }, &log)
	const want = `
# HELP padron_key_messages The most messages that one data key sealed.
# TYPE padron_key_messages gauge
padron_key_messages{group="",purpose="index"} 0
padron_key_messages{group="personal",purpose="seal"} 7
# HELP padron_provider_breaker_state 1 for the state of the circuit breaker before the provider, 0 for the others.
# TYPE padron_provider_breaker_state gauge
padron_provider_breaker_state{state="closed"} 0
padron_provider_breaker_state{state="half-open"} 0
padron_provider_breaker_state{state="open"} 1
# HELP padron_provider_retries_total Requests to the provider that were tried again, by why.
# TYPE padron_provider_retries_total counter
padron_provider_retries_total{reason="status_503"} 2
# HELP padron_quarantine_entries Rejected records in quarantine.
# TYPE padron_quarantine_entries gauge
padron_quarantine_entries 2345
# HELP padron_quarantine_purged_total Rejected records removed because nobody had sent them for too long.
# TYPE padron_quarantine_purged_total counter
padron_quarantine_purged_total 2
# HELP padron_sync_customers_total Customers by what a run did with them.
# TYPE padron_sync_customers_total counter
padron_sync_customers_total{outcome="deleted"} 0
padron_sync_customers_total{outcome="duplicate"} 0
padron_sync_customers_total{outcome="inserted"} 91
padron_sync_customers_total{outcome="quarantined"} 10
padron_sync_customers_total{outcome="unchanged"} 29
padron_sync_customers_total{outcome="updated"} 0
# HELP padron_sync_lag_seconds How long ago a run last completed, by whichever process; before the first one the age of this process.
# TYPE padron_sync_lag_seconds gauge
padron_sync_lag_seconds 3997.5
# HELP padron_sync_last_completed_timestamp_seconds When a run last completed, Unix time; 0 for never.
# TYPE padron_sync_last_completed_timestamp_seconds gauge
padron_sync_last_completed_timestamp_seconds 1002.5
# HELP padron_sync_last_run_customers_per_second Customers read a second by the last run.
# TYPE padron_sync_last_run_customers_per_second gauge
padron_sync_last_run_customers_per_second 30
# HELP padron_sync_last_run_duration_seconds How long the last run took.
# TYPE padron_sync_last_run_duration_seconds gauge
padron_sync_last_run_duration_seconds 1
# HELP padron_sync_pass_expected_customers Customers that the run under way is likely to read, as the last one did; 0 is unknown.
# TYPE padron_sync_pass_expected_customers gauge
padron_sync_pass_expected_customers 100
# HELP padron_sync_pass_read_customers Customers that the run under way has read so far.
# TYPE padron_sync_pass_read_customers gauge
padron_sync_pass_read_customers 40
# HELP padron_sync_running 1 while a run is under way.
# TYPE padron_sync_running gauge
padron_sync_running 1
# HELP padron_sync_runs_total Runs by how they ended.
# TYPE padron_sync_runs_total counter
padron_sync_runs_total{outcome="completed"} 1
padron_sync_runs_total{outcome="failed"} 1
padron_sync_runs_total{outcome="refused"} 0
padron_sync_runs_total{outcome="skipped"} 1
# HELP padron_sync_stage_seconds Where the time of a run went, by stage; stages work at the same time.
# TYPE padron_sync_stage_seconds histogram
padron_sync_stage_seconds_bucket{stage="seal",le="0.01"} 0
padron_sync_stage_seconds_bucket{stage="seal",le="0.04"} 0
padron_sync_stage_seconds_bucket{stage="seal",le="0.16"} 0
padron_sync_stage_seconds_bucket{stage="seal",le="0.64"} 0
padron_sync_stage_seconds_bucket{stage="seal",le="2.56"} 0
padron_sync_stage_seconds_bucket{stage="seal",le="10.24"} 0
padron_sync_stage_seconds_bucket{stage="seal",le="40.96"} 0
padron_sync_stage_seconds_bucket{stage="seal",le="163.84"} 1
padron_sync_stage_seconds_bucket{stage="seal",le="655.36"} 1
padron_sync_stage_seconds_bucket{stage="seal",le="2621.44"} 1
padron_sync_stage_seconds_bucket{stage="seal",le="+Inf"} 1
padron_sync_stage_seconds_sum{stage="seal"} 60
padron_sync_stage_seconds_count{stage="seal"} 1
`
	if err := testutil.GatherAndCompare(registry, strings.NewReader(want)); err != nil {
		t.Error(err)
	}
	// Without its database the synchronizer still tells how old the data are.
	st.err, start = errors.New("gone"), start.Add(time.Second)
	const blind = `
# HELP padron_sync_lag_seconds How long ago a run last completed, by whichever process; before the first one the age of this process.
# TYPE padron_sync_lag_seconds gauge
padron_sync_lag_seconds 3998.5
`
	if err := testutil.GatherAndCompare(registry, strings.NewReader(blind), "padron_sync_lag_seconds", "padron_quarantine_entries", "padron_key_messages"); err != nil {
		t.Error(err)
	}
	if !strings.Contains(log.String(), "part=quarantine error=gone") {
		t.Errorf("log %s", log.String())
	}
}

// documented finds the metrics in the table of the document.
var documented = regexp.MustCompile("(?m)^\\| `(padron_[a-z_]+)")

// TestMetricsAreDocumented: every metric is in the table, and nothing else.
func TestMetricsAreDocumented(t *testing.T) {
	text, err := os.ReadFile("../../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	for _, found := range documented.FindAllStringSubmatch(string(text), -1) {
		want = append(want, found[1])
	}
	slices.Sort(want)
	families, err := observed(&shelf{keys: []padron.DataKey{{Purpose: "index"}}}, time.Now, io.Discard).Gather()
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, f := range families {
		got = append(got, f.GetName())
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("docs/operations.md and the program differ (-document +program):\n%s", diff)
	}
}

// TestFresh: the last completed run counts, whatever came after it; before the
// first one, the process's start.
func TestFresh(t *testing.T) {
	start := time.Date(2026, 1, 2, 3, 0, 0, 0, time.UTC)
	now := start
	st := &shelf{}
	fresh := observe.NewFreshness(st, func() time.Time { return now })
	check := fresh.Within(time.Hour)
	ended := func(at time.Duration, outcome padron.Outcome) {
		run := padron.Run{Outcome: outcome, StartedAt: start.Add(at - time.Minute), Duration: time.Minute}
		st.runs = append([]padron.Run{run}, st.runs...)
	}
	manyFailed := func() {
		for range 150 {
			ended(4*time.Hour, padron.OutcomeFailed)
		}
	}
	steps := []struct {
		at      time.Duration
		do      func()
		healthy bool
	}{
		{time.Hour, func() {}, true},
		{time.Hour + 1, func() {}, false},
		{2 * time.Hour, func() { ended(2*time.Hour, padron.OutcomeFailed) }, false},
		{2 * time.Hour, func() { ended(2*time.Hour, padron.OutcomeCompleted) }, true},
		{3 * time.Hour, func() { ended(3*time.Hour, padron.OutcomeRefused) }, true},
		{3*time.Hour + 1, func() {}, false},
		{4 * time.Hour, func() { ended(4*time.Hour, padron.OutcomeCompleted) }, true},
		{4 * time.Hour, manyFailed, true},
		{5*time.Hour + 1, func() {}, false},
		{4 * time.Hour, func() { st.err = errors.New("gone") }, false},
	}
	for i, s := range steps {
		now = start.Add(s.at)
		s.do()
		if err := check(t.Context()); (err == nil) != s.healthy {
			t.Errorf("step %d: %v, want healthy %v", i, err, s.healthy)
		}
	}
	now = start.Add(-time.Hour) // the clock was put back
	if age := fresh.Age(start); age != 0 {
		t.Errorf("age %v", age)
	}
}

func TestHealth(t *testing.T) {
	var log strings.Builder
	failing := map[string]error{"a": nil, "b": nil, "c": nil}
	checks := map[string]func(context.Context) error{}
	for name := range failing {
		checks[name] = func(context.Context) error { return failing[name] }
	}
	h := observe.Health(slog.New(slog.NewTextHandler(&log, nil)), checks)
	get := func() *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/healthz", nil))
		return w
	}
	if w := get(); w.Code != http.StatusOK || w.Body.String() != `{"status":"ok"}`+"\n" {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	failing["a"], failing["c"] = errors.New("reason-a"), errors.New("reason-c")
	w := get()
	if w.Code != http.StatusServiceUnavailable || !strings.Contains(w.Body.String(), `"detail":"failing: a, c"`) || strings.Contains(w.Body.String(), "reason") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if kind := w.Header().Get("Content-Type"); kind != "application/problem+json" || !strings.Contains(log.String(), "reason-c") {
		t.Errorf("type %s, log %s", kind, log.String())
	}
}
