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
// what is true when it has. Plans are made ahead: while the store writes two,
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
	out.run = snapshot(p.run)
	p.ahead[0], p.ahead[1] = p.ahead[1], p.writes
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
