package observe

import (
	"context"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"padron"
)

// scrapeTime bounds what is asked of the store for one scrape: less than the
// least that a scraper waits.
const scrapeTime = 3 * time.Second

// RegisterStore is what the metrics of a register read.
type RegisterStore interface {
	CountQuarantine(ctx context.Context) (int64, error)
	Keys(ctx context.Context) ([]padron.DataKey, error)
}

// Register is the metrics of what stands in the register, read whenever they are
// asked for: other processes change it, too. What cannot be read is left out of
// the answer, so that it shows as a gap and not as a figure of long ago; the age
// of the last completed run goes on growing.
type Register struct {
	store  RegisterStore
	fresh  *Freshness
	logger *slog.Logger

	lag, completed, quarantine, messages *prometheus.Desc
}

// NewRegister returns the metrics, registered with r.
func NewRegister(r prometheus.Registerer, st RegisterStore, fresh *Freshness, logger *slog.Logger) *Register {
	m := &Register{
		store: st, fresh: fresh, logger: logger,
		lag: prometheus.NewDesc("padron_sync_lag_seconds",
			"How long ago a run last completed, by whichever process; before the first one the age of this process.", nil, nil),
		completed:  prometheus.NewDesc("padron_sync_last_completed_timestamp_seconds", "When a run last completed, Unix time; 0 for never.", nil, nil),
		quarantine: prometheus.NewDesc("padron_quarantine_entries", "Rejected records in quarantine.", nil, nil),
		messages:   prometheus.NewDesc("padron_key_messages", "The most messages that one data key sealed.", []string{"purpose", "group"}, nil),
	}
	r.MustRegister(m)
	return m
}

// Describe implements [prometheus.Collector].
func (m *Register) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{m.lag, m.completed, m.quarantine, m.messages} {
		out <- d
	}
}

// Collect implements [prometheus.Collector].
func (m *Register) Collect(out chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), scrapeTime)
	defer cancel()
	last, err := m.fresh.Last(ctx)
	m.warn(ctx, "runs", err)
	out <- value(m.lag, m.fresh.Age(last).Seconds())
	out <- value(m.completed, unix(last))
	entries, err := m.store.CountQuarantine(ctx)
	if m.warn(ctx, "quarantine", err) {
		out <- value(m.quarantine, float64(entries))
	}
	keys, err := m.store.Keys(ctx)
	if m.warn(ctx, "keys", err) {
		for at, n := range mostMessages(keys) {
			out <- value(m.messages, float64(n), at[0], at[1])
		}
	}
}

// warn reports whether there was no error, and logs one that there was.
func (m *Register) warn(ctx context.Context, part string, err error) bool {
	if err != nil {
		m.logger.WarnContext(ctx, "a metric could not be read", "part", part, "error", err.Error())
	}
	return err == nil
}

// mostMessages returns the most messages of one key, by purpose and group.
func mostMessages(keys []padron.DataKey) map[[2]string]int64 {
	most := map[[2]string]int64{}
	for i := range keys {
		at := [2]string{string(keys[i].Purpose), keys[i].Group}
		most[at] = max(most[at], keys[i].Messages)
	}
	return most
}

func value(d *prometheus.Desc, v float64, labels ...string) prometheus.Metric {
	return prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
}

// unix is a time as Prometheus writes it.
func unix(t time.Time) float64 {
	if t.IsZero() {
		return 0
	}
	return float64(t.UnixMilli()) / 1000
}
