package synchronizer_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http/httptest"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"padron"
	"padron/internal/provider"
	"padron/internal/provider/providertest"
	"padron/internal/seal"
	"padron/internal/synchronizer"
)

// torture is a register and a provider whose days go from bad to worse, and what
// is true of both.
type torture struct {
	*register
	rng    *rand.Rand
	sample *providertest.Server
	url    string
	// known are all names that the provider ever gave a customer.
	known map[padron.CustomerID]map[string]bool
	// last is the store of the last run.
	last *interrupting
	// happened counts interruptions by their kind.
	happened map[string]int
}

func newTorture(t *testing.T, seed uint64, in *register) *torture {
	t.Helper()
	h := &torture{register: in, rng: rand.New(rand.NewPCG(seed, 7)), known: map[padron.CustomerID]map[string]bool{}, happened: map[string]int{}}
	var err error
	if h.sample, err = providertest.New(providertest.Options{Customers: 300, Seed: seed, Dirty: 0.03}); err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(h.sample)
	t.Cleanup(srv.Close)
	h.url = srv.URL + providertest.CollectionPath
	h.truth()
	return h
}

// truth returns the provider's customers by id, and remembers their names.
func (h *torture) truth() map[padron.CustomerID]string {
	out := map[padron.CustomerID]string{}
	h.sample.Truth(func(id string, record map[string]any) bool {
		name, _ := record["user_name"].(string)
		out[padron.CustomerID(id)] = name
		if h.known[padron.CustomerID(id)] == nil {
			h.known[padron.CustomerID(id)] = map[string]bool{}
		}
		h.known[padron.CustomerID(id)][name] = true
		return true
	})
	return out
}

func (h *torture) mutate() {
	h.sample.Mutate(providertest.Mutation{
		Change: h.rng.Float64() * 0.2, Add: h.rng.Float64() * 0.04, Remove: h.rng.Float64() * 0.04, Seed: h.rng.Uint64(),
	})
	h.truth()
}

// day is what goes wrong in one run.
type day struct {
	faults   map[string]float64
	lies     bool // the provider answers well, and not the truth
	killedAt int64
	mutated  bool // while we read
	paging   provider.Paging
	// at a write
	interruption interruption
	// force: a person has looked at why the last run refused.
	force string
}

func (h *torture) day() day {
	d := day{faults: map[string]float64{}, paging: []provider.Paging{"auto", "page", "link", "none"}[h.rng.IntN(4)]}
	kinds := slices.Sorted(maps.Keys(providertest.FaultKinds()))
	kinds = slices.DeleteFunc(kinds, func(kind string) bool { return kind == "rate" }) // it would be waited for
	for range h.rng.IntN(4) {
		kind := kinds[h.rng.IntN(len(kinds))]
		d.faults[kind] = h.rng.Float64() * 0.4
		d.lies = d.lies || kind == "half" || kind == "empty"
	}
	if h.rng.IntN(3) == 0 {
		d.killedAt = 1 + h.rng.Int64N(300)
	}
	d.mutated = h.rng.IntN(4) == 0
	d.interruption = h.interruption()
	return d
}

// settings are those of a run on such a day.
func (h *torture) settings(d day) synchronizer.Config {
	h.t.Helper()
	h.sample.SetFaults(providertest.Faults{Odds: d.faults}, h.rng.Uint64())
	client, err := provider.New(provider.Config{
		URL: h.url, Paging: d.paging, PageSize: 1 + h.rng.IntN(60) + 10, Concurrency: 1 + h.rng.IntN(6), Retries: 4,
		RetryBase: time.Nanosecond, RetryMax: time.Nanosecond, HeaderTimeout: 50 * time.Millisecond, StallTimeout: 20 * time.Millisecond,
		MaxPage: 4 << 20, MaxBody: 4 << 20,
	})
	if err != nil {
		h.t.Fatal(err)
	}
	sealer, err := seal.NewSealer(h.t.Context(), h.wrapper, h.store)
	if err != nil {
		h.t.Fatal(err)
	}
	st := &interrupting{Engine: h.store, in: h.register, what: d.interruption}
	h.last = st
	return synchronizer.Config{
		Store: st, Now: st.now, Provider: client, Sealer: sealer, Holder: "torture", MaxDelete: 0.1, MaxChange: 1, Force: d.force, BatchSize: 1 + h.rng.IntN(80),
	}
}

// run does one run on such a day.
func (h *torture) run(d day) (padron.Run, error) {
	h.t.Helper()
	cfg := h.settings(d)
	ctx, kill := context.WithCancelCause(h.t.Context())
	defer kill(nil)
	mutated := !d.mutated
	cfg.OnProgress = func(p synchronizer.Progress) {
		if !mutated {
			mutated = true
			h.mutate()
		}
		if d.killedAt > 0 && p.Read >= d.killedAt {
			kill(errKilled)
		}
	}
	return synchronizer.Run(ctx, cfg)
}

var errKilled = errors.New("killed")

// check holds the register to what may be expected after the run.
func (h *torture) check(what string, d day, run padron.Run, before map[padron.CustomerID]string) {
	h.t.Helper()
	h.interrupted(what, run)
	now, truth := h.names(), h.truth()
	for id, name := range now {
		if !h.known[id][name] {
			h.t.Errorf("%s: customer %s was invented, or has a name that is none of theirs", what, id)
		}
	}
	completed := run.Outcome == padron.OutcomeCompleted
	for id := range before {
		_, live := now[id]
		_, listed := truth[id]
		// A provider that tells the same lie twice, in the confirming reading too, is
		// believed; the next quiet run shows that it is made good.
		if !live && (listed && !d.lies || !completed) {
			h.t.Errorf("%s: customer %s was lost", what, id)
		}
	}
	if !completed || d.lies || d.mutated || run.ResumedFrom != "" {
		return
	}
	for id, name := range truth {
		if now[id] != name {
			h.t.Errorf("%s: customer %s is %q in the register, %q at the provider", what, id, now[id], name)
		}
	}
	if run.Warnings[padron.WarningDeletionsHeld] == 0 && len(now) != len(truth) {
		h.t.Errorf("%s: %d customers in the register, %d at the provider", what, len(now), len(truth))
	}
}

// TestTorture: run after run with random faults, kills and a provider that
// changes under our hands; nobody is lost, doubled, invented or risen again, and
// a quiet run puts everything right. PADRON_TORTURE is how many runs.
func TestTorture(t *testing.T) {
	runs := 60
	if s := os.Getenv("PADRON_TORTURE"); s != "" {
		var err error
		if runs, err = strconv.Atoi(s); err != nil {
			t.Fatal(err)
		}
	}
	const each = 200 // then a new register and a new seed
	for seed := uint64(1); runs > 0; seed++ {
		t.Run(fmt.Sprintf("SQLite, seed %d", seed), func(t *testing.T) { newTorture(t, seed, newRegister(t)).runs(min(runs, each)) })
		t.Run(fmt.Sprintf("MySQL, seed %d", seed), func(t *testing.T) { newTorture(t, seed, newMySQLRegister(t)).runs(min(runs, each)) })
		runs -= each
	}
}

func (h *torture) runs(runs int) {
	outcomes := map[padron.Outcome]int{}
	for n := range runs {
		before := h.names()
		if h.rng.IntN(2) == 0 {
			h.mutate()
		}
		d := h.day()
		run, err := h.run(d)
		outcomes[run.Outcome]++
		h.check(fmt.Sprintf("run %d (%+v): %s, %v", n, d, run.Outcome, err), d, run, before)
		if n%10 == 9 {
			h.quiet(n)
		}
		if h.t.Failed() {
			return
		}
	}
	if outcomes[padron.OutcomeCompleted] < runs/10 || outcomes[padron.OutcomeFailed] < runs/10 {
		h.t.Errorf("outcomes %v: the days are not mixed", outcomes)
	}
	h.t.Logf("outcomes %v, interruptions %v", outcomes, h.happened)
	if runs >= 60 && len(h.happened) < len(interruptions) {
		h.t.Errorf("interruptions %v: the days are not mixed", h.happened)
	}
}

// quiet does runs without faults, for which a person lifted the limits: the first
// may go on from a checkpoint, and the second puts everything right.
func (h *torture) quiet(n int) {
	h.t.Helper()
	for range 2 {
		d := day{paging: provider.Auto, force: "the register fell behind"}
		before := h.names()
		run, err := h.run(d)
		if err != nil {
			h.t.Fatalf("quiet run after %d: %v", n, err)
		}
		h.check(fmt.Sprintf("quiet run after %d: %s, %v", n, run.Outcome, err), d, run, before)
	}
}
