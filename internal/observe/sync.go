// Package observe is what a running service shows of itself: metrics for
// machines, and health for whoever restarts it. Nothing here is personal.
package observe

import (
	"context"
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"padron"
)

// Sync is the metrics of a synchronizer. It is safe for concurrent use.
type Sync struct {
	store      SyncStore
	customers  *prometheus.CounterVec
	runs       *prometheus.CounterVec
	retries    *prometheus.CounterVec
	rate       prometheus.Gauge
	duration   prometheus.Gauge
	completed  prometheus.Gauge
	quarantine prometheus.Gauge
	messages   *prometheus.GaugeVec
}

// SyncStore is what the metrics read after each run.
type SyncStore interface {
	CountQuarantine(ctx context.Context) (int64, error)
	Keys(ctx context.Context) ([]padron.DataKey, error)
}

// NewSync returns the metrics, registered with r:
//
//   - padron_sync_customers_total{outcome}: inserted, updated, unchanged, deleted, quarantined, duplicate
//   - padron_sync_runs_total{outcome}: completed, skipped, refused, failed
//   - padron_sync_last_run_customers_per_second, padron_sync_last_run_duration_seconds
//   - padron_sync_last_completed_timestamp_seconds: when this process last completed a run, Unix time
//   - padron_provider_retries_total{reason}
//   - padron_quarantine_entries
//   - padron_key_messages{purpose,group}: the most messages that one data key sealed, of at most 2^31
func NewSync(r prometheus.Registerer, st SyncStore) *Sync {
	s := &Sync{
		store:      st,
		customers:  counter("padron_sync_customers_total", "Customers by what a run did with them.", "outcome"),
		runs:       counter("padron_sync_runs_total", "Runs by how they ended.", "outcome"),
		retries:    counter("padron_provider_retries_total", "Requests to the provider that were tried again, by why.", "reason"),
		rate:       gauge("padron_sync_last_run_customers_per_second", "Customers read a second by the last run."),
		duration:   gauge("padron_sync_last_run_duration_seconds", "How long the last run took."),
		completed:  gauge("padron_sync_last_completed_timestamp_seconds", "When a run of this process last completed, Unix time."),
		quarantine: gauge("padron_quarantine_entries", "Rejected records in quarantine."),
		messages: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "padron_key_messages", Help: "The most messages that one data key sealed.",
		}, []string{"purpose", "group"}),
	}
	r.MustRegister(s.customers, s.runs, s.retries, s.rate, s.duration, s.completed, s.quarantine, s.messages)
	return s
}

func counter(name, help, label string) *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, []string{label})
}

func gauge(name, help string) prometheus.Gauge {
	return prometheus.NewGauge(prometheus.GaugeOpts{Name: name, Help: help})
}

// Retry counts a request to the provider that is tried again.
func (s *Sync) Retry(reason string) { s.retries.WithLabelValues(reason).Inc() }

// Ended counts a run, and reads what it left in the store.
func (s *Sync) Ended(ctx context.Context, run *padron.Run) error {
	s.runs.WithLabelValues(string(run.Outcome)).Inc()
	for outcome, n := range map[string]int64{
		"inserted": run.Inserted, "updated": run.Updated, "unchanged": run.Unchanged,
		"deleted": run.Deleted, "quarantined": run.Quarantined, "duplicate": run.Duplicates,
	} {
		s.customers.WithLabelValues(outcome).Add(float64(n))
	}
	if run.Outcome == padron.OutcomeSkipped {
		return nil
	}
	s.rate.Set(run.Rate())
	s.duration.Set(run.Duration.Seconds())
	if run.Outcome == padron.OutcomeCompleted {
		s.completed.Set(float64(run.StartedAt.Add(run.Duration).UnixMilli()) / 1000)
	}
	return s.read(ctx)
}

// read looks at what stands in the store.
func (s *Sync) read(ctx context.Context) error {
	entries, err := s.store.CountQuarantine(ctx)
	if err != nil {
		return err
	}
	s.quarantine.Set(float64(entries))
	keys, err := s.store.Keys(ctx)
	if err != nil {
		return err
	}
	most := map[[2]string]int64{}
	for i := range keys {
		at := [2]string{string(keys[i].Purpose), keys[i].Group}
		most[at] = max(most[at], keys[i].Messages)
	}
	for at, n := range most {
		s.messages.WithLabelValues(at[0], at[1]).Set(float64(n))
	}
	return nil
}

// History is where completed runs are looked up.
type History interface {
	Runs(ctx context.Context, limit int) ([]padron.Run, error)
}

// Fresh returns a check that fails when no run, of this process or another,
// completed within the age; until then the process's own start counts.
func Fresh(h History, age time.Duration, now func() time.Time) func(context.Context) error {
	started := now()
	return func(ctx context.Context) error {
		runs, err := h.Runs(ctx, 100)
		if err != nil {
			return err
		}
		last := started
		for i := range runs {
			if runs[i].Outcome != padron.OutcomeCompleted {
				continue
			}
			if at := runs[i].StartedAt.Add(runs[i].Duration); at.After(last) {
				last = at
			}
		}
		if since := now().Sub(last); since > age {
			return fmt.Errorf("no run has completed for %v, more than %v", since.Round(time.Second), age)
		}
		return nil
	}
}
