package bench

import (
	"bytes"
	"errors"
	"log/slog"
	"maps"
	"os"
	"runtime/pprof"
	"slices"

	"padron/bench/report"
	"padron/bench/stages"
	"padron/internal/app"
	"padron/internal/config"
)

// work is what a first run does, by the functions that do it.
var work = []stages.Stage{
	{Name: "reading HTTP", Functions: []string{"net/http.", "crypto/tls.", "padron/internal/provider.(*stall"}},
	{Name: "decoding JSON", Functions: []string{"padron/internal/provider.", "github.com/go-json-experiment/json", "encoding/json"}},
	{Name: "checking, fingerprinting", Functions: []string{"padron.", "padron/internal/synchronizer.(*item)", "padron/internal/synchronizer.(*pass).prepare", "padron/internal/seal.(*Sealer).Fingerprint"}},
	{Name: "sealing and blind indexes", Functions: []string{"padron/internal/seal", "github.com/tink-crypto/"}},
	{Name: "deciding what to write", Functions: []string{"padron/internal/synchronizer.", "github.com/RoaringBitmap/"}},
	{Name: "database driver", Functions: []string{"padron/internal/store/", "github.com/go-sql-driver/", "database/sql."}},
	{Name: "garbage collection", Functions: []string{"runtime.gcBgMarkWorker", "runtime.gcAssist", "runtime.bgsweep", "runtime.bgscavenge", "runtime.gcStart", "runtime.gcMarkTermination"}},
	{Name: "the Go scheduler", Functions: []string{"runtime.mcall", "runtime.schedule", "runtime.findRunnable", "runtime.park_m", "runtime.mstart", "runtime.sysmon"}},
}

// measureProfile takes a profile of first runs, in this process, and notes how
// the machine's processors were shared by provider, synchronizer and database.
func measureProfile(h *harness, r *recorder) {
	for _, stage := range append(slices.Clone(work), stages.Stage{Name: stages.Rest}) {
		r.part.Declare(report.Figure{Name: stage.Name, What: stage.Name, Short: stage.Name, Unit: "%"})
	}
	r.part.Declare(
		report.Figure{Name: "synchronizer", What: "processors that the synchronizer kept busy", Short: "synchronizer", Unit: "processors"},
		report.Figure{Name: "server", What: "processors that the database server kept busy", Short: "database server", Unit: "processors"},
		report.Figure{Name: "provider", What: "processors that the sample provider kept busy", Short: "sample provider", Unit: "processors"},
	)
	from, done := h.provide(h.scale, dirty)
	defer done()
	for range h.rounds {
		to := h.register()
		h.settle()
		for _, share := range h.profiled(r, to, from) {
			r.add(share.Name, 100*share.Part)
		}
		h.drop(to)
	}
	r.note("Shares of the synchronizer's processor time in first runs of %s customers. What runtime, standard library and kernel do "+
		"counts for the stage that they do it for.", report.Number(float64(h.scale)))
}

// profiled is a first run under the profiler.
func (h *harness) profiled(r *recorder, to register, from source) []stages.Share {
	h.Helper()
	a := h.open(to, from)
	defer a.Close()
	processes := map[string]int{"synchronizer": os.Getpid(), "server": h.pid(), "provider": from.pid}
	before := map[string]float64{}
	for name, pid := range processes {
		before[name] = report.Processor(pid)
	}
	var text bytes.Buffer
	check(h, pprof.StartCPUProfile(&text))
	took := timed(func() {
		run, err := a.Sync(h.Context(), app.SyncOptions{})
		check(h, err)
		if run.Inserted < int64(h.scale)*98/100 {
			h.Fatalf("%d customers were written", run.Inserted)
		}
	})
	pprof.StopCPUProfile()
	for _, name := range slices.Sorted(maps.Keys(processes)) {
		r.add(name, (report.Processor(processes[name])-before[name])/took.Seconds())
	}
	shares, err := stages.Sum(&text, work)
	if errors.Is(err, stages.ErrNoSamples) {
		return nil // the run was too short for one
	}
	check(h, err)
	return shares
}

// open opens a register as the synchronizer does, in this process.
func (h *harness) open(to register, from source) *app.App {
	h.Helper()
	env := map[string]string{"PADRON_DB": to.url, "PADRON_KEYS": "file:" + to.keys, "PADRON_PROVIDER_URL": from.url}
	cfg := must(config.Load(func(string) (string, bool) { return "", false }, env))(h)
	return must(app.Open(h.Context(), cfg, slog.New(slog.DiscardHandler)))(h)
}
