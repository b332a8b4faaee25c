package synchronizer

import (
	"context"
	"errors"
	"fmt"

	"padron"
	"padron/internal/provider"
)

// Divisible is a provider whose pages can be shared out; [provider.Client] is
// one.
type Divisible interface {
	// Extent says how the provider pages, and how many pages there are.
	Extent(ctx context.Context) (provider.Extent, error)
	// Range returns the pages from first to the one before end.
	Range(first, end int) *provider.Range
}

// Division says how to divide a run.
type Division struct {
	// Parts is how many partitions, 1 to [padron.MaxParts].
	Parts int
	// Replace begins anew where a divided run is open.
	Replace bool
}

var errNoPlan = padron.Errorf(padron.CodeUnavailable, "no divided run is open: begin one with synchronizer plan")

// Divide begins a run that is divided among processes: it takes the lease, finds
// out how the provider pages, and stores a plan, which has the lease from then
// on. [RunPart] is each partition of it, and [Finish] its end. The error is
// [padron.ErrLeaseHeld] while another run, divided or not, has the register.
func Divide(ctx context.Context, cfg Config, from Divisible, d Division) (*padron.Plan, error) {
	cfg = cfg.withDefaults()
	lease, err := acquireToDivide(ctx, &cfg, d.Replace)
	if err != nil {
		return nil, err
	}
	started := cfg.Now().UTC()
	run := padron.Run{ID: newRunID(started), Forced: cfg.Force, Version: cfg.Version, StartedAt: started}
	plan := &padron.Plan{RunID: run.ID, Token: lease.Token, Source: cfg.Provider.Source(), Full: cfg.Full}
	held, stop := keepLease(ctx, &cfg, lease, cfg.LeaseTTL)
	err = cfg.Store.StartRun(held, lease, &run)
	if err == nil {
		plan.Parts, err = shareOut(held, &cfg, from, d.Parts)
	}
	stop() // it would shorten the lease of the plan
	if err == nil {
		err = cfg.Store.Divide(ctx, lease, plan, cfg.DivisionTTL)
	}
	if err != nil {
		err = errors.Join(orCause(held, err), finish(ctx, &cfg, lease, run, err))
		release(ctx, &cfg, lease)
		return nil, err
	}
	return plan, nil
}

// acquireToDivide takes the lease, from an open divided run too if told so.
func acquireToDivide(ctx context.Context, cfg *Config, replace bool) (padron.Lease, error) {
	open, err := cfg.Store.Plan(ctx)
	if err != nil {
		return padron.Lease{}, err
	}
	if open != nil && replace && !open.Finishing {
		if err := cfg.Store.Release(ctx, padron.Lease{Token: open.Token}); err != nil {
			return padron.Lease{}, err
		}
	}
	lease, err := cfg.Store.Acquire(ctx, cfg.Holder, cfg.LeaseTTL)
	if errors.Is(err, padron.ErrLeaseHeld) && open != nil {
		return lease, fmt.Errorf("the divided run %s is open: finish it, or give it up with --replace: %w", open.RunID, err)
	}
	return lease, err
}

// shareOut divides the provider's pages evenly. The last partition reads to the
// end, wherever that is by then. A provider that does not page by number is one
// partition; the others have nothing to do.
func shareOut(ctx context.Context, cfg *Config, from Divisible, n int) ([]padron.Part, error) {
	extent, err := from.Extent(ctx)
	if err != nil {
		return nil, err
	}
	parts := make([]padron.Part, n)
	for i := range parts {
		parts[i] = padron.Part{Part: i + 1, First: 1 + i*extent.Pages/n, End: 1 + (i+1)*extent.Pages/n}
	}
	parts[n-1].End = 0
	if extent.Paging != provider.ByPage {
		cfg.Logger.WarnContext(ctx, "the run cannot be divided, as the provider does not page by number: the first partition reads everything; "+
			"if it takes page numbers besides its links, set PADRON_PROVIDER_PAGING=page", "paging", string(extent.Paging))
		for i := range parts {
			parts[i].First, parts[i].End = 1, 1
		}
		parts[0].First, parts[0].End = 0, 0
	}
	for i := range parts {
		parts[i].Done = parts[i].Empty()
	}
	return parts, nil
}
