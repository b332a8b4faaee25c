package bench

import (
	"time"

	"padron/bench/report"
)

const perSecond = "customers/s"

var syncFigures = []report.Figure{
	{
		Name: "limit", Short: "bare LOAD DATA", Unit: perSecond,
		What: "bare `LOAD DATA LOCAL` of the same sealed rows into a table with the same indexes: the limit",
	},
	{Name: "first", Short: "the first run", Unit: perSecond, What: "first synchronization", Goals: []report.Goal{{Of: "limit", Least: 0.7}}},
	{Name: "unchanged", Short: "the unchanged run", Unit: perSecond, What: "the next one, nothing changed", Goals: []report.Goal{{Of: "first", Least: 2.5}}},
	{Name: "changed", Short: "1% changed", Unit: perSecond, What: "the next one, 1% changed", Goals: []report.Goal{{Of: "unchanged", Least: 0.8}}},
	{Name: "customers-written", Short: "customers written, unchanged", Unit: "rows", What: "rows of customers that the unchanged run wrote, as the server counts"},
	{Name: "rows-written", Short: "all rows written, unchanged", Unit: "rows", What: "rows of all tables that it wrote: its lease, report, checkpoints and last batch, and each rejected record counted once more"},
	{Name: "log-written", Short: "log written, unchanged", Unit: "bytes", What: "what the server wrote to its log meanwhile (`Innodb_os_log_written`)"},
	{Name: "pages-written", Short: "pages written, unchanged", Unit: "bytes", What: "what it wrote to its tables meanwhile (`Innodb_data_written`)"},
}

// measureSync synchronizes everybody for the first time, nobody changed, and one
// in a hundred changed; beside it the limit. Which of the two comes first changes
// from round to round.
func measureSync(h *harness, r *recorder) {
	r.part.Declare(syncFigures...)
	from, done := h.provide(h.customers, dirty)
	defer done()
	var bare rows
	for round := range h.rounds {
		if round%2 == 1 {
			r.add("limit", h.rate(bareLoad(h, bare)))
		}
		to := h.register()
		h.settle()
		r.add("first", h.rate(h.first(to, from)))
		if round == 0 {
			bare = dump(h, to)
		}
		h.settle()
		r.unchanged(to, from)
		h.change(from, "0.01")
		did, o := h.synchronize(to, from)
		if want := int64(h.customers / 100); o.Updated != want {
			h.Fatalf("%d were updated, want %d", o.Updated, want)
		}
		r.add("changed", h.rate(did.took))
		h.drop(to)
		if round%2 == 0 {
			r.add("limit", h.rate(bareLoad(h, bare)))
		}
	}
	r.note("%s customers from `padron provider` in a process of its own; times are a process's from its start to its end.", report.Number(float64(h.customers)))
}

// rate is in customers a second. Everything counts the customers that the
// provider sends, so that a ratio of rates is one of times.
func (h *harness) rate(took time.Duration) float64 { return float64(h.customers) / took.Seconds() }

// first does a first run.
func (h *harness) first(to register, from source) time.Duration {
	h.Helper()
	did, o := h.synchronize(to, from)
	if o.Inserted < o.Read*98/100 || o.Inserted == 0 {
		h.Fatalf("%d of %d customers were written", o.Inserted, o.Read)
	}
	return did.took
}

func (r *recorder) unchanged(to register, from source) {
	r.Helper()
	var did ran
	var o outcome
	w := r.written(to, func() { did, o = r.synchronize(to, from) })
	if o.Inserted+o.Updated+o.Deleted != 0 || w.customers != 0 {
		r.Fatalf("nothing changed, but the run says %+v and the server %+v", o, w)
	}
	r.add("unchanged", r.rate(did.took))
	r.add("customers-written", float64(w.customers))
	r.add("rows-written", float64(w.rows))
	r.add("log-written", float64(w.log))
	r.add("pages-written", float64(w.pages))
}
