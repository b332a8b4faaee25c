package synchronizer

import (
	"context"
	"maps"
	"slices"
	"sync"

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
	// adds: all that it writes of customers are new ones.
	adds bool
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
	last := p.last
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
	out.adds = !slices.ContainsFunc(numbers, func(n padron.Number) bool { return n <= last })
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

// carryOut writes a plan, with the checkpoint, after those before it. It may do so
// while the next plan is made and, where both only add customers, while the next
// one is carried out.
func (p *pass) carryOut(ctx context.Context, pl *plan, before *turn) error {
	if !pl.writes() || p.cfg.DryRun || p.lease.Part > 0 {
		if err := before.wait(); err != nil {
			return err
		}
		p.marks.move(pl)
		if err := p.applyIfDue(ctx, pl, before); err != nil {
			return err
		}
	} else {
		pl.batch.Turn = sync.OnceValue(func() error {
			if err := before.wait(); err != nil {
				return err
			}
			p.marks.move(pl)
			return p.complete(&pl.batch)
		})
		if err := p.store(ctx, &pl.batch, before); err != nil {
			return err
		}
	}
	p.done = pl.run
	p.paged = p.paged || pl.paged
	return nil
}

func (pl *plan) writes() bool {
	b := &pl.batch
	return len(b.Upserts)+len(b.Rejected)+len(b.Cleared)+len(b.Moved) > 0
}

// applyIfDue writes a plan of a partition, or a checkpoint that is due: unchanged
// customers cost no write.
func (p *pass) applyIfDue(ctx context.Context, pl *plan, before *turn) error {
	switch {
	case p.cfg.DryRun:
		return nil
	case pl.writes():
		return p.apply(ctx, &pl.batch, before)
	case p.marks.behind(): // nothing to write, nor a place to go on from
		return nil
	case p.cfg.Now().Sub(p.marks.savedAt) < checkpointEvery:
		return nil
	}
	return p.apply(ctx, &pl.batch, before)
}

func (p *pass) apply(ctx context.Context, b *padron.Batch, before *turn) error {
	if p.lease.Part > 0 {
		return p.applyPart(ctx, b, false, before)
	}
	if err := p.complete(b); err != nil {
		return err
	}
	return p.store(ctx, b, before)
}

// complete sets what a batch has besides its records.
func (p *pass) complete(b *padron.Batch) (err error) {
	b.Messages, b.At = p.cfg.Sealer.TakeMessages(), p.cfg.Now().UTC()
	b.Checkpoint, err = p.checkpoint()
	return err
}

// store writes a batch, and learns from it how large the next ones should be: by
// the time since the one before it was in the store.
func (p *pass) store(ctx context.Context, b *padron.Batch, before *turn) error {
	since := p.cfg.Now()
	err := p.cfg.Store.Apply(ctx, p.lease, b)
	if err == nil && b.Checkpoint != nil {
		p.saved()
	}
	if _ = before.wait(); before.at.After(since) {
		since = before.at
	}
	took := p.cfg.Now().Sub(since)
	p.stages.add(padron.StageWrite, took)
	p.sizer.wrote(len(b.Upserts)+len(b.Rejected)+len(b.Cleared), took)
	return err
}
