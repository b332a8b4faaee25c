package synchronizer

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/RoaringBitmap/roaring/v2"

	"padron"
)

// Finish ends the divided run that is open, when every partition is complete: it
// adds up what they saw and counted, deletes whom none of them saw under the same
// limits as a run of one process, and writes the report. Until then it returns an
// error that names what is missing, and deletes nothing. Of two at once one is
// skipped.
func Finish(ctx context.Context, cfg Config) (padron.Run, error) {
	cfg = cfg.withDefaults()
	plan, err := openPlan(ctx, &cfg)
	if err != nil {
		return padron.Run{}, err
	}
	if missing := plan.Missing(); len(missing) > 0 {
		return padron.Run{}, padron.Errorf(padron.CodeUnavailable, "partitions that are not complete: %s: run them again, then finish", list(missing))
	}
	planned, err := cfg.Store.Run(ctx, plan.RunID)
	if err != nil {
		return padron.Run{}, err
	}
	// Counts that an earlier try at the end wrote are added up anew.
	run := padron.Run{ID: planned.ID, Forced: planned.Forced, Version: cfg.Version, StartedAt: planned.StartedAt}
	ctx, end := withStop(ctx)
	defer end()
	ctx, span := traceRun(ctx, "finish", run.ID)
	err = finishLeased(ctx, &cfg, plan, &run)
	run.Duration = cfg.Now().Sub(run.StartedAt)
	run.Outcome, run.Error = outcomeOf(err)
	endRun(span, &run, err)
	logEnd(&cfg, run)
	if run.Outcome == padron.OutcomeSkipped {
		return run, nil
	}
	return run, err
}

// list names partitions, the first few of them.
func list(parts []padron.PartRef) string {
	const most = 20
	names := make([]string, 0, most)
	for _, ref := range parts[:min(most, len(parts))] {
		names = append(names, ref.String())
	}
	if len(parts) > most {
		names = append(names, fmt.Sprintf("and %d more", len(parts)-most))
	}
	return strings.Join(names, ", ")
}

// finishLeased takes the lease over from the plan, and holds it to the end. From
// the claim on no partition writes.
func finishLeased(ctx context.Context, cfg *Config, plan *padron.Plan, run *padron.Run) error {
	if !plan.Finishing {
		if err := cfg.Store.Release(ctx, padron.Lease{Token: plan.Token}); err != nil {
			return err
		}
	}
	lease, err := cfg.Store.Acquire(ctx, cfg.Holder, cfg.LeaseTTL)
	if err != nil {
		return err
	}
	defer release(ctx, cfg, lease)
	held, stop := keepLease(ctx, cfg, lease, cfg.LeaseTTL)
	defer stop()
	if err := cfg.Store.Claim(held, lease); err != nil {
		if errors.Is(err, padron.ErrLeaseLost) {
			return errNoPlan
		}
		return err
	}
	cfg.Full, cfg.Force = plan.Full, run.Forced
	err = orCause(held, mergeParts(held, cfg, lease, plan, run))
	if err == nil {
		err = orCause(held, purge(held, cfg, lease, run))
	}
	return errors.Join(err, finish(ctx, cfg, lease, *run, err))
}

// mergeParts adds the partitions up and decides the deletions.
func mergeParts(ctx context.Context, cfg *Config, lease padron.Lease, plan *padron.Plan, run *padron.Run) (err error) {
	p := newPass(cfg, lease, run)
	defer func() { run.Stages = p.stages.report() }()
	// Much has happened since the first page was read: who is missing is looked
	// for once more.
	p.paged = true
	twice := int64(0)
	for i := range plan.Parts {
		addReport(run, &plan.Parts[i].Report)
		parts, err := cfg.Store.PartsSeen(ctx, plan.Parts[i].Part)
		if err != nil {
			return err
		}
		seen := roaring.New()
		if err := addSeen(seen, parts); err != nil {
			return err
		}
		twice += int64(seen.AndCardinality(p.seen)) //nolint:gosec // at most 2^32
		p.seen.Or(seen)
	}
	countOnce(run, twice)
	if p.usual, err = lastComplete(ctx, cfg.Store); err != nil {
		return err
	}
	p.noteDrift(ctx)
	if err := p.believe(); err != nil {
		return fmt.Errorf("of all partitions together, and nothing was deleted: %w", err)
	}
	return p.deleteMissing(ctx)
}

// addReport adds the counts of a partition to those of a run.
func addReport(run, part *padron.Run) {
	run.Read += part.Read
	run.Inserted += part.Inserted
	run.Updated += part.Updated
	run.Unchanged += part.Unchanged
	run.Quarantined += part.Quarantined
	run.Duplicates += part.Duplicates
	for reason, n := range part.Reasons {
		run.Reasons[reason] += n
	}
	for warning, n := range part.Warnings {
		run.Warnings[warning] += n
	}
	for _, name := range part.UnknownFields {
		run.NoteUnknown(name, part.Unknown[name])
	}
	if n := part.Unknown[padron.MoreUnknown]; n > 0 {
		run.NoteUnknown(padron.MoreUnknown, n)
	}
}

// countOnce counts customers that n partitions too many met, because pages
// shifted, as repeats. Who came second found them unchanged, but for a race.
func countOnce(run *padron.Run, n int64) {
	for _, count := range []*int64{&run.Unchanged, &run.Updated, &run.Inserted} {
		less := min(n, *count)
		*count -= less
		n -= less
		run.Duplicates += less
		if less > 0 {
			run.Warnings[padron.WarningDuplicate] += less
		}
	}
}
