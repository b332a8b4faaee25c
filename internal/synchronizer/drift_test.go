package synchronizer_test

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"padron"
	"padron/internal/synchronizer"
)

const driftCanary = "oro-canary"

// drift makes the records' schema another one: a field that nobody knows in all,
// a field missing in one of four, and a number where text was in one of ten. What
// is so is never told with a value.
func drift(records []map[string]any) []map[string]any {
	for i, r := range records {
		r["nivel"] = driftCanary
		r[strings.Repeat("4", 16)] = 1 // a value in the place of a name
		if i%4 == 0 {
			delete(r, "color_favorito")
		}
		if i%10 == 1 {
			r["codigo_zip"] = 99501
		}
	}
	return records
}

// driftOf100 is what a run over a hundred such records reports.
var driftOf100 = map[string]padron.Drift{
	"nivel": {Unknown: 100, Unusual: true}, "(withheld)": {Unknown: 100, Unusual: true},
	"color_favorito": {Missing: 25, Unusual: true}, "codigo_zip": {Kind: 10, Unusual: true},
}

// TestDriftIsReported by field and count, to whoever reads the report, the
// history or the log, once a run and only while it is news.
func TestDriftIsReported(t *testing.T) {
	onBoth(t, func(t *testing.T, r *register) {
		var log bytes.Buffer
		p := newPeople(100)
		cfg := r.config(p)
		cfg.Logger = slog.New(slog.NewTextHandler(&log, nil))
		if run := r.mustSync(cfg); len(run.Drift()) > 0 || strings.Contains(log.String(), "not as usual") {
			t.Errorf("before any drift: %v, %s", run.Drift(), log.String())
		}
		p.edit(drift)
		run := r.mustSync(cfg)
		if diff := cmp.Diff(driftOf100, run.Drift()); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		stored, err := r.store.Run(t.Context(), run.ID)
		if diff := cmp.Diff(driftOf100, stored.Drift()); diff != "" || err != nil {
			t.Errorf("history, %v (-want +got):\n%s", err, diff)
		}
		if n := strings.Count(log.String(), "not as usual"); n != 1 || !strings.Contains(log.String(), "nivel unknown 100") || strings.Contains(log.String(), "canary") {
			t.Errorf("told %d times in %s", n, log.String())
		}
		log.Reset()
		if run := r.mustSync(cfg); len(run.Unusual) > 0 || run.Drift()["nivel"].Unknown != 100 || strings.Contains(log.String(), "not as usual") {
			t.Errorf("the run after: %v, %s", run.Drift(), log.String())
		}
	})
}

// TestDriftOfPartitions is added up, over interruptions too, and told by finish.
func TestDriftOfPartitions(t *testing.T) {
	onBoth(t, func(t *testing.T, r *register) {
		var log bytes.Buffer
		p := newPeople(100)
		p.edit(drift)
		cfg := r.config(p)
		cfg.Logger = slog.New(slog.NewTextHandler(&log, nil))
		r.divide(cfg, 2)
		ctx, stop := context.WithCancelCause(t.Context())
		stopped := cfg
		stopped.OnProgress = func(synchronizer.Progress) { stop(errKilled) }
		if _, err := synchronizer.RunPart(ctx, stopped, divisible(cfg), padron.PartRef{Part: 1, Of: 2}); err == nil {
			t.Fatal("not stopped")
		}
		r.part(cfg, 1, 2)
		r.part(cfg, 2, 2)
		run := r.mustFinish(cfg)
		if diff := cmp.Diff(driftOf100, run.Drift()); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		if n := strings.Count(log.String(), "not as usual"); n != 1 {
			t.Errorf("told %d times in %s", n, log.String())
		}
	})
}

// TestRefusalNamesTheDrift: a run that is refused since more than half of the
// records are not valid says in which field.
func TestRefusalNamesTheDrift(t *testing.T) {
	r, p := newRegister(t), newPeople(2000)
	p.edit(func(records []map[string]any) []map[string]any {
		for _, record := range records {
			record["codigo_zip"] = 99501
		}
		return records
	})
	run, err := r.sync(r.config(p))
	if run.Outcome != padron.OutcomeRefused || !strings.Contains(err.Error(), "(codigo_zip of another type 1000)") || strings.Contains(err.Error(), "99501") {
		t.Errorf("%s, %v", run.Outcome, err)
	}
}
