package synchronizer_test

import (
	"context"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"padron"
	"padron/internal/store"
)

// ticker is a clock that goes only when it is told to.
type ticker struct {
	mu sync.Mutex
	at time.Time
}

func newTicker() *ticker { return &ticker{at: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)} }

func (c *ticker) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *ticker) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// slow is a store whose writes take time by the clock, one after the other.
type slow struct {
	store.Engine
	clock *ticker
	took  func(b *padron.Batch) time.Duration
}

func (s *slow) Apply(ctx context.Context, lease padron.Lease, b *padron.Batch) error {
	if err := takeTurn(b); err != nil {
		return err
	}
	s.clock.advance(s.took(b))
	return s.Engine.Apply(ctx, lease, b)
}

// takeTurn waits until a batch is the only one.
func takeTurn(b *padron.Batch) error {
	if b.Turn == nil {
		return nil
	}
	return b.Turn()
}

// TestStagesAreMeasured: the report says how long each stage took, and the
// history keeps it.
func TestStagesAreMeasured(t *testing.T) {
	r, clock := newRegister(t), newTicker()
	cfg := r.config(newPeople(35))
	cfg.Store = &slow{r.store, clock, func(*padron.Batch) time.Duration { return time.Second }}
	cfg.Now = clock.now
	run := r.mustSync(cfg)
	if got := run.Stages[padron.StageWrite]; got != 4*time.Second {
		t.Errorf("four writes of a second took %v by the report", got)
	}
	want := []padron.Stage{
		padron.StageDecide, padron.StageDecode, padron.StageDelete, padron.StageFetch, padron.StageFetchBlocked, padron.StageFingerprint,
		padron.StageLookup, padron.StageSeal, padron.StageSealBlocked, padron.StageSealIdle, padron.StageValidate, padron.StageValidateBlocked,
		padron.StageValidateIdle, padron.StageWrite, padron.StageWriteIdle,
	}
	if got := slices.Sorted(maps.Keys(run.Stages)); !slices.Equal(got, want) {
		t.Errorf("stages %v, want %v", got, want)
	}
	// Provider and decoder have clocks of their own.
	if run.Stages[padron.StageFetch] <= 0 || run.Stages[padron.StageDecode] <= 0 {
		t.Errorf("fetching took %v, decoding %v", run.Stages[padron.StageFetch], run.Stages[padron.StageDecode])
	}
	kept, err := r.store.Run(t.Context(), run.ID)
	if err != nil {
		t.Fatal(err)
	}
	if got := kept.Stages[padron.StageWrite]; got != 4*time.Second {
		t.Errorf("the history says that writing took %v", got)
	}
}
