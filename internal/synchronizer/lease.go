package synchronizer

import (
	"context"
	"crypto/rand"
	"errors"
	"time"

	"padron"
)

// keepLease renews the lease in the background, to ttl each time, until stop is
// called. The returned context ends, with [padron.ErrLeaseLost] as its cause,
// when another run took the lease; every write checks the fencing token besides.
func keepLease(ctx context.Context, cfg *Config, lease padron.Lease, ttl time.Duration) (held context.Context, stop func()) {
	held, cancel := context.WithCancelCause(ctx)
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		renewLoop(held, cfg, lease, ttl, cancel)
	}()
	return held, func() {
		cancel(nil)
		<-stopped
	}
}

// release gives the lease back, even in a run that was told to stop.
func release(ctx context.Context, cfg *Config, lease padron.Lease) {
	ctx, stop := afterStop(ctx, reportTime)
	defer stop()
	ctx, done := context.WithTimeout(ctx, finishTime)
	defer done()
	if err := cfg.Store.Release(ctx, lease); err != nil {
		cfg.Logger.Warn("the lease was not given back; it expires by itself", "error", err.Error())
	}
}

func renewLoop(ctx context.Context, cfg *Config, lease padron.Lease, ttl time.Duration, cancel context.CancelCauseFunc) {
	tick := time.NewTicker(cfg.LeaseTTL / 3)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		err := cfg.Store.Renew(ctx, lease, ttl)
		if errors.Is(err, padron.ErrLeaseLost) {
			cancel(padron.ErrLeaseLost)
			return
		}
		if err != nil && ctx.Err() == nil {
			cfg.Logger.Warn("the lease could not be renewed yet", "error", err.Error())
		}
	}
}

// newRunID returns an id that sorts by time and is unique by chance.
func newRunID(at time.Time) string {
	return at.Format("20060102T150405.000Z") + "-" + rand.Text()[:8]
}
