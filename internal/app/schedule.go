package app

import (
	"context"
	"math/rand/v2"
	"time"

	"padron"
	"padron/internal/observe"
)

// SyncEvery does runs, one after the other, until ctx ends: the first at once,
// each next one a period after the last began, give or take a tenth, so that
// many tasks do not come at the same second; a run that takes longer is followed
// at once. What fails is logged and tried again in the next run. Only settings
// with which no run could begin are an error.
func (a *App) SyncEvery(ctx context.Context, period time.Duration, metrics *observe.Sync) error {
	o := SyncOptions{OnRetry: metrics.Retry}
	if _, _, err := a.syncConfig(ctx, o); err != nil {
		return err
	}
	for ctx.Err() == nil {
		next := time.Now().Add(jittered(period))
		run, err := a.Sync(ctx, o)
		if run.ID == "" && err != nil {
			a.Logger.ErrorContext(ctx, "no run began", "error", err.Error())
			run.Outcome = padron.OutcomeFailed
		}
		if err := metrics.Ended(context.WithoutCancel(ctx), &run); err != nil {
			a.Logger.WarnContext(ctx, "the metrics are not up to date", "error", err.Error())
		}
		wait(ctx, time.Until(next))
	}
	return nil
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
