package synchronizer_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"padron"
	"padron/internal/provider"
	"padron/internal/synchronizer"
)

// partitionTries is how often a partition, and the end of a divided run, is begun
// before a person would look at it.
const partitionTries = 3

// tortured is one partition in the torture test: each try of it is killed
// somewhere, or not.
type tortured struct {
	cfg      synchronizer.Config
	ref      padron.PartRef
	killedAt [partitionTries]int64
	// during is called while it reads.
	during func()
}

// run tries the partition until it is complete.
func (p *tortured) run(ctx context.Context) error {
	var err error
	for _, killedAt := range p.killedAt {
		if _, err = p.try(ctx, killedAt); err == nil {
			return nil
		}
	}
	return err
}

func (p *tortured) try(ctx context.Context, killedAt int64) (padron.Run, error) {
	ctx, kill := context.WithCancelCause(ctx)
	defer kill(nil)
	cfg := p.cfg
	cfg.OnProgress = func(pr synchronizer.Progress) {
		p.during()
		if killedAt > 0 && pr.Read >= killedAt {
			kill(errKilled)
		}
	}
	return synchronizer.RunPart(ctx, cfg, divisible(p.cfg), p.ref)
}

// divide does a divided run on such a day, all its partitions at once.
func (h *torture) divide(d day) (padron.Run, error) {
	h.t.Helper()
	cfg := h.settings(d)
	cfg.DivisionTTL = time.Nanosecond // whoever comes next need not wait
	parts := 1 + h.rng.IntN(4)
	if _, err := synchronizer.Divide(h.t.Context(), cfg, divisible(cfg), synchronizer.Division{Parts: parts, Replace: true}); err != nil {
		return padron.Run{Outcome: padron.OutcomeFailed}, err
	}
	mutate := sync.OnceFunc(func() {
		if d.mutated {
			h.mutate()
		}
	})
	all := make([]*tortured, parts)
	for i := range all {
		all[i] = &tortured{cfg: cfg, ref: padron.PartRef{Part: i + 1, Of: parts}, during: mutate}
		for n := range partitionTries - 1 {
			if d.killedAt > 0 {
				all[i].killedAt[n] = h.rng.Int64N(2 * d.killedAt)
			}
		}
	}
	var group sync.WaitGroup
	for _, p := range all {
		group.Go(func() { _ = p.run(h.t.Context()) }) // the end says what is missing
	}
	group.Wait()
	run, err := synchronizer.Finish(h.t.Context(), cfg)
	for n := 1; n < partitionTries && run.Outcome == padron.OutcomeFailed; n++ {
		run, err = synchronizer.Finish(h.t.Context(), cfg)
	}
	if run.ID == "" {
		run.Outcome = padron.OutcomeFailed
	}
	return run, err
}

// TestTortureDivided: the same days for divided runs, with ordinary ones between.
func TestTortureDivided(t *testing.T) {
	for seed := uint64(1); seed <= 2; seed++ {
		t.Run(fmt.Sprintf("SQLite, seed %d", seed), func(t *testing.T) { newTorture(t, seed, newRegister(t)).dividedRuns(30) })
		t.Run(fmt.Sprintf("MySQL, seed %d", seed), func(t *testing.T) { newTorture(t, seed, newMySQLRegister(t)).dividedRuns(30) })
	}
}

func (h *torture) dividedRuns(runs int) {
	outcomes := map[padron.Outcome]int{}
	for n := range runs {
		before := h.names()
		if h.rng.IntN(2) == 0 {
			h.mutate()
		}
		d := h.day()
		d.paging = provider.ByPage
		do, name := h.divide, "divided run"
		if h.rng.IntN(4) == 0 {
			do, name = h.run, "run"
		}
		run, err := do(d)
		outcomes[run.Outcome]++
		if sum := run.Inserted + run.Updated + run.Unchanged + run.Quarantined + run.Duplicates; run.Read != sum {
			h.t.Errorf("%s %d: read %d, but the parts add up to %d", name, n, run.Read, sum)
		}
		h.check(fmt.Sprintf("%s %d (%+v): %s, %v", name, n, d, run.Outcome, err), d, run, before)
		if n%10 == 9 {
			h.quiet(n)
		}
		if h.t.Failed() {
			return
		}
	}
	if outcomes[padron.OutcomeCompleted] < runs/10 || outcomes[padron.OutcomeFailed] == 0 {
		h.t.Errorf("outcomes %v: the days are not mixed", outcomes)
	}
}
