package synchronizer

import (
	"context"
	"errors"
	"fmt"

	"padron"
)

// RunPart is one partition of the divided run that is open, from where it stands
// to its end, under the fencing token of the plan. It deletes nobody. A partition
// that is complete is left alone.
//
// Another attempt at the same partition, another plan and another run each make it
// stop, with an error.
func RunPart(ctx context.Context, cfg Config, from Divisible, ref padron.PartRef) (padron.Run, error) {
	cfg = cfg.withDefaults()
	plan, err := openPlan(ctx, &cfg)
	if err != nil {
		return padron.Run{}, err
	}
	if ref.Of != len(plan.Parts) {
		return padron.Run{}, padron.Invalid("--partition", "the open run is divided in %d, not in %d", len(plan.Parts), ref.Of)
	}
	if plan.Source != cfg.Provider.Source() {
		return padron.Run{}, padron.Errorf(padron.CodeInvalid,
			"the run was planned with another provider, paging style or page size: use the same settings for every part of a divided run")
	}
	if part := plan.Parts[ref.Part-1]; part.Done {
		return ended(&cfg, plan, part.Report, nil), nil
	}
	lease, part, err := beginPart(ctx, &cfg, plan, ref.Part)
	if err != nil {
		return padron.Run{}, err
	}
	cfg.Provider = from.Range(part.First, part.End)
	ctx, end := withStop(ctx)
	defer end()
	ctx, span := traceRun(ctx, "partition", plan.RunID)
	held, stop := keepLease(ctx, &cfg, lease, cfg.DivisionTTL)
	defer stop()
	run := padron.Run{ID: plan.RunID, Version: cfg.Version, StartedAt: cfg.Now().UTC()}
	err = orCause(held, runPart(held, &cfg, lease, &part, &run))
	run.Duration = cfg.Now().Sub(run.StartedAt)
	run = ended(&cfg, plan, run, err)
	endRun(span, &run, err)
	return run, err
}

// openPlan returns the plan whose partitions are to be run or finished.
func openPlan(ctx context.Context, cfg *Config) (*padron.Plan, error) {
	plan, err := cfg.Store.Plan(ctx)
	if err == nil && plan == nil {
		return nil, errNoPlan
	}
	return plan, err
}

// beginPart begins an attempt at a partition, under the rules of its plan.
func beginPart(ctx context.Context, cfg *Config, plan *padron.Plan, number int) (padron.Lease, padron.Part, error) {
	planned, err := cfg.Store.Run(ctx, plan.RunID)
	if err != nil {
		return padron.Lease{}, padron.Part{}, err
	}
	cfg.Full, cfg.Force = plan.Full, planned.Forced
	lease, part, err := cfg.Store.BeginPart(ctx, padron.Lease{Holder: cfg.Holder, Token: plan.Token}, number)
	if err == nil {
		err = cfg.Store.Renew(ctx, lease, cfg.DivisionTTL)
	}
	if errors.Is(err, padron.ErrLeaseLost) {
		err = padron.Errorf(padron.CodeUnavailable, "the divided run %s has ended or was given up for another one", plan.RunID)
	}
	return lease, part, err
}

// ended completes the report of a partition.
func ended(cfg *Config, plan *padron.Plan, run padron.Run, err error) padron.Run {
	run.ID, run.Version = plan.RunID, cfg.Version
	run.Outcome, run.Error = outcomeOf(err)
	cfg.Logger.Info("partition ended", "run_id", run.ID, "outcome", string(run.Outcome), "read", run.Read, "error", run.Error)
	return run
}

// runPart reads a partition from where it stands, and marks it complete.
func runPart(ctx context.Context, cfg *Config, lease padron.Lease, part *padron.Part, run *padron.Run) error {
	p := newPass(cfg, lease, run)
	defer func() { run.Stages = p.stages.report() }()
	if err := p.beginPart(ctx, part); err != nil {
		return err
	}
	if err := p.read(ctx, part.Cursor); err != nil {
		return err
	}
	on, done := afterStop(ctx, batchTime)
	defer done()
	return p.applyPart(on, &padron.Batch{}, true, noTurn())
}

// beginPart loads where the partition stands.
func (p *pass) beginPart(ctx context.Context, part *padron.Part) error {
	if err := p.loadQuarantined(ctx); err != nil {
		return err
	}
	seen, err := p.cfg.Store.PartsSeen(ctx, part.Part)
	if err != nil {
		return err
	}
	if err := addSeen(p.seen, seen); err != nil {
		return err
	}
	addReport(p.run, &part.Report)
	if part.Cursor != "" {
		p.run.ResumedFrom = p.run.ID
	}
	p.done = snapshot(p.run)
	p.marks.cursor, p.marks.kept, p.marks.report, p.marks.savedAt = part.Cursor, part.Cursor, &p.done, p.cfg.Now()
	return nil
}

// reserve gets numbers for the new customers of a batch: partitions that write at
// once must not give the same one twice. Repeats within the batch leave some
// unused.
func (p *pass) reserve(ctx context.Context, b *batch, known map[padron.CustomerID]padron.Known) error {
	if p.lease.Part == 0 {
		return nil
	}
	fresh := 0
	for i := range b.items {
		if _, ok := known[b.items[i].customer.ID]; !ok && len(b.items[i].reasons) == 0 {
			fresh++
		}
	}
	if fresh == 0 {
		return nil
	}
	first, err := p.cfg.Store.ReserveNumbers(ctx, p.lease, fresh)
	p.last = first - 1
	return err
}

// maxCrossings bounds how often one batch may meet customers that another
// partition has just written.
const maxCrossings = 10

// applyPart writes a batch of a partition, with how far it is. Where another
// partition was faster with somebody new, because pages shifted, that one's
// number counts, and the rest of the batch is written.
func (p *pass) applyPart(ctx context.Context, b *padron.Batch, done bool, before *turn) (err error) {
	b.Messages, b.At = p.cfg.Sealer.TakeMessages(), p.cfg.Now().UTC()
	for range maxCrossings {
		if b.Part, err = p.partState(done); err != nil {
			return err
		}
		if err = p.store(ctx, b, before); !errors.Is(err, padron.ErrTaken) {
			break
		}
		if err := p.uncross(ctx, b); err != nil {
			return err
		}
	}
	if err == nil && b.Part != nil {
		p.saved()
	}
	return err
}

// partState returns what to save of a partition now; nil where the provider
// cannot be resumed in the middle.
func (p *pass) partState(done bool) (*padron.PartState, error) {
	if p.marks.behind() && !done {
		return nil, nil //nolint:nilnil // nothing to save is not a fault
	}
	seen, err := p.seenSince()
	if err != nil {
		return nil, err
	}
	return &padron.PartState{Cursor: p.marks.cursor, Seen: seen, Report: p.corrected(*p.marks.report), Done: done}, nil
}

// uncross leaves out who is there by now under a number of another partition.
func (p *pass) uncross(ctx context.Context, b *padron.Batch) error {
	ids := make([]padron.CustomerID, len(b.Upserts))
	for i := range b.Upserts {
		ids[i] = b.Upserts[i].ID
	}
	known, err := p.cfg.Store.Lookup(ctx, ids)
	if err != nil {
		return fmt.Errorf("find whom another partition wrote: %w", err)
	}
	rest := make([]padron.SealedCustomer, 0, len(b.Upserts))
	for i := range b.Upserts {
		row := &b.Upserts[i]
		if k, ok := known[row.ID]; ok && k.Number != row.Number {
			p.marks.pending.Remove(uint32(row.Number))
			p.marks.within.Remove(uint32(row.Number))
			p.crossed++
			continue
		}
		rest = append(rest, *row)
	}
	b.Upserts = rest
	return nil
}

// corrected is a report that counts whom another partition inserted as repeats.
func (p *pass) corrected(run padron.Run) padron.Run {
	if p.crossed == 0 {
		return run
	}
	run = snapshot(&run)
	run.Inserted -= p.crossed
	run.Duplicates += p.crossed
	run.Warnings[padron.WarningDuplicate] += p.crossed
	return run
}
