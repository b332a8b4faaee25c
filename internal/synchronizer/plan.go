package synchronizer

import (
	"context"
	"maps"
	"slices"

	"github.com/RoaringBitmap/roaring/v2"
	"go.opentelemetry.io/otel/trace"

	"padron"
)

// plan is what is to be done about a batch: what one transaction writes, and
// what is true when it has. Plans are made one ahead: while the store writes one,
// the next one is looked up and sealed.
type plan struct {
	batch padron.Batch
	// run is the report with this batch in it.
	run    padron.Run
	cursor string
	paged  bool
	// whole: it ends where a page ends.
	whole bool
	// seen are the customers met in this batch.
	seen *roaring.Bitmap
	span trace.Span
}

// plan decides what each record of the batch means, and seals what is to be
// written. It must not run while another one does.
func (p *pass) plan(ctx context.Context, b *batch) (*plan, error) {
	known, err := p.lookup(ctx, b)
	if err != nil {
		return nil, err
	}
	if err := p.reserve(ctx, b, known); err != nil {
		return nil, err
	}
	decided := p.stages.begin(padron.StageDecide)
	p.pending, p.writes = roaring.New(), map[padron.CustomerID]padron.Known{}
	out := &plan{cursor: b.cursor, paged: b.paged, whole: b.whole, seen: p.pending}
	var upserts []*item
	var numbers []padron.Number
	for i := range b.items {
		it := &b.items[i]
		p.count(it)
		if len(it.reasons) > 0 {
			if err := p.reject(ctx, it, known, &out.batch); err != nil {
				return nil, err
			}
			continue
		}
		if _, ok := p.quarantined[p.hash(it.customer.ID)]; ok {
			out.batch.Cleared = append(out.batch.Cleared, it.customer.ID)
		}
		if n, changed := p.decide(it, known); changed {
			upserts, numbers = append(upserts, it), append(numbers, n)
		}
	}
	if err := p.believe(); err != nil {
		return nil, err
	}
	out.run, p.ahead = snapshot(p.run), p.writes
	decided()
	if p.cfg.DryRun {
		return out, nil
	}
	out.batch.Upserts, err = p.seal(ctx, upserts, numbers)
	return out, err
}

// snapshot is a report that later counts do not change.
func snapshot(run *padron.Run) padron.Run {
	out := *run
	out.Reasons, out.Warnings = maps.Clone(run.Reasons), maps.Clone(run.Warnings)
	out.UnknownFields, out.Unknown = slices.Clone(run.UnknownFields), maps.Clone(run.Unknown)
	return out
}

// carryOut writes a plan, with the checkpoint. It must not run while another one
// does; it may while the next plan is made.
func (p *pass) carryOut(ctx context.Context, pl *plan) error {
	p.marks.move(pl)
	if !p.cfg.DryRun {
		if err := p.applyIfDue(ctx, &pl.batch); err != nil {
			return err
		}
	}
	p.done = pl.run
	p.paged = p.paged || pl.paged
	return nil
}

// applyIfDue writes the batch; one with nothing to write is left out until a
// checkpoint is due, so that unchanged customers cost no write.
func (p *pass) applyIfDue(ctx context.Context, b *padron.Batch) error {
	writes := len(b.Upserts)+len(b.Rejected)+len(b.Cleared)+len(b.Moved) > 0
	if !writes && p.marks.behind() {
		return nil // nothing to write, nor a place to go on from
	}
	if !writes && p.cfg.Now().Sub(p.marks.savedAt) < checkpointEvery {
		return nil
	}
	return p.apply(ctx, b)
}

func (p *pass) apply(ctx context.Context, b *padron.Batch) (err error) {
	defer p.stages.begin(padron.StageWrite)()
	if p.lease.Part > 0 {
		return p.applyPart(ctx, b, false)
	}
	if b.Checkpoint, err = p.checkpoint(); err != nil {
		return err
	}
	b.Messages = p.cfg.Sealer.TakeMessages()
	b.At = p.cfg.Now().UTC()
	if err := p.store(ctx, b); err != nil {
		return err
	}
	if b.Checkpoint != nil {
		p.saved()
	}
	return nil
}

// store writes a batch, and learns from it how large the next ones should be.
func (p *pass) store(ctx context.Context, b *padron.Batch) error {
	started := p.cfg.Now()
	err := p.cfg.Store.Apply(ctx, p.lease, b)
	p.sizer.wrote(len(b.Upserts)+len(b.Rejected)+len(b.Cleared), p.cfg.Now().Sub(started))
	return err
}
