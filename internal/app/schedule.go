package app

import (
	"context"
	"math/rand/v2"
	"time"

	"padron"
	"padron/internal/observe"
	"padron/internal/synchronizer"
)

// SyncEvery does runs, one after the other, until ctx ends: the first at once,
// each next one a period after the last began, give or take a tenth, so that
// many tasks do not come at the same second; a run that takes longer is followed
// at once. A run is skipped while one of another process is under way. What fails
// is logged and tried again in the next run. Only settings with which no run could
// begin are an error.
func (a *App) SyncEvery(ctx context.Context, period time.Duration, metrics *observe.Sync) error {
	o := SyncOptions{
		OnRetry:    metrics.Retry,
		OnBreaker:  metrics.Breaker,
		OnProgress: func(p synchronizer.Progress) { metrics.Progress(p.Read, p.Expected) },
	}
	if _, _, err := a.syncConfig(ctx, o); err != nil {
		return err
	}
	every(ctx, period, func() {
		metrics.Began()
		run, err := a.Sync(ctx, o)
		if run.ID == "" && err != nil {
			a.Logger.ErrorContext(ctx, "no run began", "error", err.Error())
			run.Outcome = padron.OutcomeFailed
		}
		metrics.Ended(&run)
	})
	return nil
}

// every calls do at once and then about a period after it was last called, never
// twice at a time, until ctx ends.
func every(ctx context.Context, period time.Duration, do func()) {
	for ctx.Err() == nil {
		next := time.Now().Add(jittered(period))
		do()
		wait(ctx, time.Until(next))
	}
}

// jittered returns 0.9 to 1.1 times d.
func jittered(d time.Duration) time.Duration {
	return d - d/10 + rand.N(d/5+1) //nolint:gosec // spreads load, guards nothing
}

// wait waits until the time has passed or ctx ends.
func wait(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
