package observe_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

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

func TestSyncMetrics(t *testing.T) {
	registry := prometheus.NewPedanticRegistry()
	st := &shelf{entries: 2345, keys: []padron.DataKey{
		{Purpose: "seal", Group: "personal", Messages: 7}, {Purpose: "seal", Group: "personal", Messages: 5}, {Purpose: "index", Messages: 0},
	}}
	m := observe.NewSync(registry, st)
	m.Retry("status_503")
	m.Retry("status_503")
	for _, run := range []padron.Run{
		{Outcome: padron.OutcomeCompleted, Read: 100, Inserted: 90, Quarantined: 10, StartedAt: time.Unix(1000, 0), Duration: 2 * time.Second},
		{Outcome: padron.OutcomeSkipped},
		{Outcome: padron.OutcomeFailed, Read: 30, Inserted: 1, Unchanged: 29, StartedAt: time.Unix(2000, 0), Duration: time.Second},
	} {
		if err := m.Ended(t.Context(), &run); err != nil {
			t.Fatal(err)
		}
	}
	const want = `
# HELP padron_key_messages The most messages that one data key sealed.
# TYPE padron_key_messages gauge
padron_key_messages{group="",purpose="index"} 0
padron_key_messages{group="personal",purpose="seal"} 7
# HELP padron_provider_retries_total Requests to the provider that were tried again, by why.
# TYPE padron_provider_retries_total counter
padron_provider_retries_total{reason="status_503"} 2
# HELP padron_quarantine_entries Rejected records in quarantine.
# TYPE padron_quarantine_entries gauge
padron_quarantine_entries 2345
# HELP padron_sync_customers_total Customers by what a run did with them.
# TYPE padron_sync_customers_total counter
padron_sync_customers_total{outcome="deleted"} 0
padron_sync_customers_total{outcome="duplicate"} 0
padron_sync_customers_total{outcome="inserted"} 91
padron_sync_customers_total{outcome="quarantined"} 10
padron_sync_customers_total{outcome="unchanged"} 29
padron_sync_customers_total{outcome="updated"} 0
# HELP padron_sync_last_completed_timestamp_seconds When a run of this process last completed, Unix time.
# TYPE padron_sync_last_completed_timestamp_seconds gauge
padron_sync_last_completed_timestamp_seconds 1002
# HELP padron_sync_last_run_customers_per_second Customers read a second by the last run.
# TYPE padron_sync_last_run_customers_per_second gauge
padron_sync_last_run_customers_per_second 30
# HELP padron_sync_last_run_duration_seconds How long the last run took.
# TYPE padron_sync_last_run_duration_seconds gauge
padron_sync_last_run_duration_seconds 1
# HELP padron_sync_runs_total Runs by how they ended.
# TYPE padron_sync_runs_total counter
padron_sync_runs_total{outcome="completed"} 1
padron_sync_runs_total{outcome="failed"} 1
padron_sync_runs_total{outcome="skipped"} 1
`
	if err := testutil.GatherAndCompare(registry, strings.NewReader(want)); err != nil {
		t.Error(err)
	}
	st.err = errors.New("gone")
	if err := m.Ended(t.Context(), &padron.Run{Outcome: padron.OutcomeCompleted}); !errors.Is(err, st.err) {
		t.Errorf("error %v", err)
	}
}

// TestFresh: the last completed run counts, whatever came after it; before the
// first one, the process's start.
func TestFresh(t *testing.T) {
	start := time.Date(2026, 1, 2, 3, 0, 0, 0, time.UTC)
	now := start
	st := &shelf{}
	check := observe.Fresh(st, time.Hour, func() time.Time { return now })
	ended := func(at time.Duration, outcome padron.Outcome) {
		run := padron.Run{Outcome: outcome, StartedAt: start.Add(at - time.Minute), Duration: time.Minute}
		st.runs = append([]padron.Run{run}, st.runs...)
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
		{4 * time.Hour, func() { st.err = errors.New("gone") }, false},
	}
	for i, s := range steps {
		now = start.Add(s.at)
		s.do()
		if err := check(t.Context()); (err == nil) != s.healthy {
			t.Errorf("step %d: %v, want healthy %v", i, err, s.healthy)
		}
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
