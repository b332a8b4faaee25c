// Package synchronizer is one run of padron's main job: it takes the lease,
// reads the provider's customers page by page from the checkpoint on, validates
// them, seals what is new or changed, writes each batch together with its
// checkpoint, and at the end of a complete pass marks deleted whom the provider
// no longer lists.
//
// A run can be killed at any point: what a batch wrote stays, and the next run
// goes on from the last checkpoint. It writes customers and never opens one.
package synchronizer

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"time"

	"padron"
	"padron/internal/provider"
	"padron/internal/store"
)

// Store is what a run needs of the register.
type Store interface {
	store.Leases
	store.Register
	store.Positions
	store.Divisions
	store.Partitions
	store.Runs
	store.Quarantine
}

// Provider yields the provider's records; [provider.Client] is one.
type Provider interface {
	// Pages yields pages from the cursor on, "" for the start.
	Pages(ctx context.Context, cursor string) iter.Seq2[provider.Page, error]
	// Source identifies provider and paging: cursors of one source are of no
	// use to another.
	Source() string
}

// Sealer turns customers into what the store may keep; [seal.Sealer] is one.
type Sealer interface {
	Fingerprint(c *padron.Customer) padron.Fingerprint
	Seal(ctx context.Context, c *padron.Customer, f padron.Fingerprint) (padron.SealedCustomer, error)
	RecordSealer
	// TakeMessages returns how many messages each key sealed since the last call.
	TakeMessages() map[padron.KeyID]int64
}

// RecordSealer seals rejected records for quarantine.
type RecordSealer interface {
	// RejectedID names the quarantine entry of a record and its reasons.
	RejectedID(r *padron.Record, reasons []padron.Reason) string
	SealRecord(ctx context.Context, r *padron.Record, id string) (padron.Sealed, padron.KeyID, error)
}

// Progress is how far a run is.
type Progress struct {
	Read    int64
	Elapsed time.Duration
	// Expected is how many records the last complete run read; 0 is unknown.
	Expected int64
}

// Config is everything a run needs. Store, Provider and Sealer are required.
type Config struct {
	Store    Store
	Provider Provider
	Sealer   Sealer
	// Holder names this process in the lease, for people.
	Holder string
	// MaxDelete is the share of live customers, 0 to 1, that may vanish in one
	// run before it refuses to delete any.
	MaxDelete float64
	// MaxChange is the share of the known customers read so far, 0 to 1, that
	// may have changed before a run refuses to write more. Fewer than 100
	// changes never refuse.
	MaxChange float64
	// KeepRejected is how long a quarantine entry stays that no run met again; a
	// run that completes removes the older ones. 0 removes none.
	KeepRejected time.Duration
	// Force lifts both limits for this run; it says why, and is recorded.
	Force string
	// DryRun counts what a run would do and writes nothing.
	DryRun bool
	// Full rewrites every customer under a fresh data key, changed or not, and
	// starts from the beginning.
	Full bool
	// LeaseTTL is how long the lease outlives a stalled process; default 30 s.
	LeaseTTL time.Duration
	// Version is this program's, for the report.
	Version string
	// DivisionTTL is how long a divided run outlives its last sign of life; default
	// 15 min, which must cover a task that died until it was started again.
	DivisionTTL time.Duration
	// BatchSize is how many records one transaction takes. 0 adapts it to the
	// store: 500 to 4000, as many as take about 250 ms.
	BatchSize int
	// OnProgress is called after each batch, if not nil.
	OnProgress func(Progress)
	Logger     *slog.Logger
	Now        func() time.Time
}

const (
	defaultLeaseTTL    = 30 * time.Second
	defaultDivisionTTL = 15 * time.Minute
	// checkpointEvery bounds what a kill repeats where no batch writes.
	checkpointEvery = 5 * time.Second
	// checkpointAge is how old a checkpoint may be to resume from: the pages
	// before it have had that long to change.
	checkpointAge = 6 * time.Hour
	// finishTime is how long a run may take to write its report.
	finishTime = 5 * time.Second
)

func (c *Config) withDefaults() Config {
	d := *c
	if d.LeaseTTL <= 0 {
		d.LeaseTTL = defaultLeaseTTL
	}
	if d.DivisionTTL <= 0 {
		d.DivisionTTL = defaultDivisionTTL
	}
	if d.Logger == nil {
		d.Logger = slog.New(slog.DiscardHandler)
	}
	if d.Now == nil {
		d.Now = time.Now
	}
	if d.OnProgress == nil {
		d.OnProgress = func(Progress) {}
	}
	return d
}

// Run does one run and returns its report. The report is complete whatever the
// outcome; the error is nil for a completed or skipped run, and says why for a
// refused or failed one.
func Run(ctx context.Context, cfg Config) (padron.Run, error) {
	cfg = cfg.withDefaults()
	started := cfg.Now().UTC()
	run := padron.Run{ID: newRunID(started), DryRun: cfg.DryRun, Forced: cfg.Force, Version: cfg.Version, StartedAt: started}
	ctx, end := withStop(ctx)
	defer end()
	ctx, span := traceRun(ctx, "run", run.ID)
	err := runLeased(ctx, &cfg, &run)
	run.Duration = cfg.Now().Sub(started)
	run.Outcome, run.Error = outcomeOf(err)
	endRun(span, &run, err)
	logEnd(&cfg, run)
	if run.Outcome == padron.OutcomeSkipped {
		return run, nil
	}
	return run, err
}

// logEnd writes the line of a run's end, divided or not. Metrics and alarms are
// counted from it: who renames a field changes them too.
func logEnd(cfg *Config, run padron.Run) {
	cfg.Logger.Info("run ended", "run_id", run.ID, "outcome", string(run.Outcome), "read", run.Read,
		"inserted", run.Inserted, "updated", run.Updated, "unchanged", run.Unchanged, "deleted", run.Deleted,
		"quarantined", run.Quarantined, "duration", run.Duration.String(), "error", run.Error)
}

// runLeased holds the lease around the pass, and writes the run's beginning and
// end into the history. A dry run needs neither.
func runLeased(ctx context.Context, cfg *Config, run *padron.Run) error {
	if cfg.DryRun {
		return runPass(ctx, cfg, padron.Lease{}, run)
	}
	lease, err := cfg.Store.Acquire(ctx, cfg.Holder, cfg.LeaseTTL)
	if err != nil {
		return err
	}
	defer release(ctx, cfg, lease)
	held, stop := keepLease(ctx, cfg, lease, cfg.LeaseTTL)
	defer stop()
	if err := cfg.Store.StartRun(held, lease, run); err != nil {
		return err
	}
	err = orCause(held, runPass(held, cfg, lease, run))
	if err == nil {
		err = orCause(held, purge(held, cfg, lease, run))
	}
	return errors.Join(err, finish(ctx, cfg, lease, *run, err))
}

// orCause returns why ctx ended where err only says that it did.
func orCause(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); err != nil && cause != nil && errors.Is(err, context.Canceled) {
		return cause
	}
	return err
}

// finish writes the final report, even for a run that was told to stop.
func finish(ctx context.Context, cfg *Config, lease padron.Lease, run padron.Run, err error) error {
	ctx, stop := afterStop(ctx, reportTime)
	defer stop()
	ctx, cancel := context.WithTimeout(ctx, finishTime)
	defer cancel()
	run.Duration = cfg.Now().Sub(run.StartedAt)
	run.Outcome, run.Error = outcomeOf(err)
	if err := cfg.Store.FinishRun(ctx, lease, &run); err != nil && !errors.Is(err, padron.ErrLeaseLost) {
		return fmt.Errorf("write the run's report: %w", err)
	}
	return nil
}

// errRefused marks a pass that would have deleted or changed too many.
var errRefused = errors.New("refused")

// errorText is an error's text, "" for none.
func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// outcomeOf says how a run with that error ended, and why, for the report.
func outcomeOf(err error) (padron.Outcome, string) {
	switch {
	case err == nil:
		return padron.OutcomeCompleted, ""
	case errors.Is(err, padron.ErrLeaseHeld):
		return padron.OutcomeSkipped, ""
	case errors.Is(err, errRefused):
		return padron.OutcomeRefused, err.Error()
	case errors.Is(err, context.Canceled):
		return padron.OutcomeFailed, "interrupted; the next run goes on from here"
	}
	return padron.OutcomeFailed, err.Error()
}
