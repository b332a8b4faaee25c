// Package observe is what a running service shows of itself: metrics and traces
// for machines, and health for whoever restarts it. Nothing here is personal.
package observe

import (
	"github.com/prometheus/client_golang/prometheus"

	"padron"
)

// Breaker states, as the provider's circuit breaker calls them.
const (
	BreakerClosed   = "closed"
	BreakerHalfOpen = "half-open"
	BreakerOpen     = "open"
)

// Sync is the metrics of a synchronizer; docs/operations.md lists them. Counters
// are of this process. What others can change too, such as the age of the last
// completed run, is read when the metrics are asked for: see [Register]. It is
// safe for concurrent use.
type Sync struct {
	customers *prometheus.CounterVec
	runs      *prometheus.CounterVec
	retries   *prometheus.CounterVec
	purged    prometheus.Counter
	stages    *prometheus.HistogramVec
	breaker   *prometheus.GaugeVec
	rate      prometheus.Gauge
	duration  prometheus.Gauge
	running   prometheus.Gauge
	read      prometheus.Gauge
	expected  prometheus.Gauge
}

// NewSync returns the metrics, registered with r.
func NewSync(r prometheus.Registerer) *Sync {
	s := &Sync{
		customers: counter("padron_sync_customers_total", "Customers by what a run did with them.", "outcome"),
		runs:      counter("padron_sync_runs_total", "Runs by how they ended.", "outcome"),
		retries:   counter("padron_provider_retries_total", "Requests to the provider that were tried again, by why.", "reason"),
		purged:    prometheus.NewCounter(prometheus.CounterOpts{Name: "padron_quarantine_purged_total", Help: "Rejected records removed because nobody had sent them for too long."}),
		stages: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "padron_sync_stage_seconds", Help: "Where the time of a run went, by stage; stages work at the same time.",
			Buckets: prometheus.ExponentialBuckets(0.01, 4, 10), // to 44 minutes
		}, []string{"stage"}),
		breaker: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "padron_provider_breaker_state", Help: "1 for the state of the circuit breaker before the provider, 0 for the others.",
		}, []string{"state"}),
		rate:     gauge("padron_sync_last_run_customers_per_second", "Customers read a second by the last run."),
		duration: gauge("padron_sync_last_run_duration_seconds", "How long the last run took."),
		running:  gauge("padron_sync_running", "1 while a run is under way."),
		read:     gauge("padron_sync_pass_read_customers", "Customers that the run under way has read so far."),
		expected: gauge("padron_sync_pass_expected_customers", "Customers that the run under way is likely to read, as the last one did; 0 is unknown."),
	}
	r.MustRegister(s.customers, s.runs, s.retries, s.purged, s.stages, s.breaker, s.rate, s.duration, s.running, s.read, s.expected)
	s.Breaker(BreakerClosed)
	for _, outcome := range []padron.Outcome{padron.OutcomeCompleted, padron.OutcomeSkipped, padron.OutcomeRefused, padron.OutcomeFailed} {
		s.runs.WithLabelValues(string(outcome)) // 0 is there from the start
	}
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

// Breaker notes the state that the circuit breaker before the provider is in.
func (s *Sync) Breaker(state string) {
	for _, known := range []string{BreakerClosed, BreakerHalfOpen, BreakerOpen} {
		value := 0.0
		if known == state {
			value = 1
		}
		s.breaker.WithLabelValues(known).Set(value)
	}
}

// Began notes that a run is under way.
func (s *Sync) Began() { s.running.Set(1) }

// Progress notes how far the run under way is. expected 0 is unknown.
func (s *Sync) Progress(read, expected int64) {
	s.read.Set(float64(read))
	s.expected.Set(float64(expected))
}

// Ended counts a run, and what it did.
func (s *Sync) Ended(run *padron.Run) {
	s.running.Set(0)
	s.Progress(0, 0)
	s.runs.WithLabelValues(string(run.Outcome)).Inc()
	for outcome, n := range map[string]int64{
		"inserted": run.Inserted, "updated": run.Updated, "unchanged": run.Unchanged,
		"deleted": run.Deleted, "quarantined": run.Quarantined, "duplicate": run.Duplicates,
	} {
		s.customers.WithLabelValues(outcome).Add(float64(n))
	}
	if run.Outcome == padron.OutcomeSkipped {
		return
	}
	s.purged.Add(float64(run.Purged))
	for stage, took := range run.Stages {
		s.stages.WithLabelValues(string(stage)).Observe(took.Seconds())
	}
	s.rate.Set(run.Rate())
	s.duration.Set(run.Duration.Seconds())
}
