package observe

import (
	"context"
	"fmt"
	"sync"
	"time"

	"padron"
)

// History is where runs are looked up, newest first.
type History interface {
	Runs(ctx context.Context, limit int) ([]padron.Run, error)
}

// Freshness knows when a run last completed, whichever process did it. It is safe
// for concurrent use.
type Freshness struct {
	runs    History
	now     func() time.Time
	started time.Time

	mu   sync.Mutex
	last time.Time
}

// NewFreshness asks the history with the clock now.
func NewFreshness(runs History, now func() time.Time) *Freshness {
	return &Freshness{runs: runs, now: now, started: now()}
}

// Last returns when a run last completed, zero for none so far. With an error it
// is the latest that was known before.
func (f *Freshness) Last(ctx context.Context) (time.Time, error) {
	const most = 100 // older ones are remembered, or too old to matter
	runs, err := f.runs.Runs(ctx, most)
	f.mu.Lock()
	defer f.mu.Unlock()
	for i := range runs {
		if runs[i].Outcome != padron.OutcomeCompleted {
			continue
		}
		if at := runs[i].StartedAt.Add(runs[i].Duration); at.After(f.last) {
			f.last = at
		}
	}
	return f.last, err
}

// Age returns how old a completion is. Before the first one, zero, the age of
// this process counts.
func (f *Freshness) Age(last time.Time) time.Duration {
	if last.IsZero() {
		last = f.started
	}
	return max(0, f.now().Sub(last))
}

// Within returns a check that fails when no run has completed for the age.
func (f *Freshness) Within(age time.Duration) func(context.Context) error {
	return func(ctx context.Context) error {
		last, err := f.Last(ctx)
		if err != nil {
			return err
		}
		if since := f.Age(last); since > age {
			return fmt.Errorf("no run has completed for %v, more than %v", since.Round(time.Second), age)
		}
		return nil
	}
}
