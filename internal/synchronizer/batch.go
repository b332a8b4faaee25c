package synchronizer

import (
	"context"
	"fmt"
	"slices"

	"go.opentelemetry.io/otel/trace"

	"padron"
	"padron/internal/provider"
)

// item is one record on its way: valid with its fingerprint, or rejected.
type item struct {
	record      *padron.Record
	customer    padron.Customer
	fingerprint padron.Fingerprint
	warnings    []padron.Warning
	reasons     []padron.Reason
}

// batch is what one transaction writes.
type batch struct {
	items []item
	// cursor is where the provider goes on after the last page in it.
	cursor string
	// paged says that the provider can be resumed after a page in it.
	paged bool
	// whole: it ends where a page ends.
	whole bool
	// from are the spans of these pages.
	from []trace.SpanContext
}

// newBatch has room for a batch's items, which are large, so that they are not
// moved while it fills. It takes that of a batch that is done, if it can.
func (p *pass) newBatch(size int) *batch {
	select {
	case items := <-p.spare:
		if cap(items) >= size {
			return &batch{items: items}
		}
	default:
	}
	return &batch{items: make([]item, 0, size)}
}

// reuse takes the room of a batch that is planned, without what was in it.
func (p *pass) reuse(b *batch) {
	clear(b.items)
	select {
	case p.spare <- b.items[:0]:
	default: // there is enough
	}
}

// end notes that the page is in it to its end.
func (b *batch) end(page *provider.Page) {
	b.cursor, b.whole = page.Cursor, true
	b.paged = b.paged || page.Cursor != ""
}

// validate validates the record.
func (it *item) validate() { it.customer, it.warnings, it.reasons = it.record.Validate() }

// identify fingerprints the customer, if there is one.
func (it *item) identify(s Sealer) {
	if len(it.reasons) == 0 {
		it.fingerprint = s.Fingerprint(&it.customer)
	}
}

// prepare validates and fingerprints a batch, a few records at a time, which are
// still near when their fingerprint is made.
func (p *pass) prepare(b *batch) {
	const few = 64
	for part := range slices.Chunk(b.items, few) {
		p.judge(part)
	}
}

func (p *pass) judge(items []item) {
	end := p.stages.begin(padron.StageValidate)
	for i := range items {
		items[i].validate()
	}
	end()
	defer p.stages.begin(padron.StageFingerprint)()
	for i := range items {
		items[i].identify(p.cfg.Sealer)
	}
}

// believe looks at what was read so far, this batch included, and returns an
// error where it cannot be the provider's customers as they are.
func (p *pass) believe() error {
	if distinct := p.seen.GetCardinality(); uint64(p.run.Duplicates) > manyRepeats+timesRepeated*distinct { //nolint:gosec // never negative
		return padron.Errorf(padron.CodeUnavailable, "the provider repeats itself without end: %d repeats of %d customers; "+
			"check PADRON_PROVIDER_PAGING", p.run.Duplicates, distinct)
	}
	if p.cfg.Force != "" {
		return nil
	}
	if p.run.Quarantined >= manyRejected && 2*p.run.Quarantined > p.run.Read {
		return fmt.Errorf("%w: %d of the %d records read so far are not valid, more than half%s; the rest was not written: "+
			"check whether the provider's format has changed (padron quarantine list); if it is to be so, do one run with --force and the reason",
			errRefused, p.run.Quarantined, p.run.Read, p.drifted())
	}
	return p.believeChanges()
}

const (
	// timesRepeated and manyRepeats bound how often a pass may meet customers
	// again: a provider that breaks off is read again, one that has no end is not.
	timesRepeated, manyRepeats = 10, 10_000
	// manyRejected is from how many on a share of rejected records counts.
	manyRejected = 1000
	// fewChanges never refuse a run: in a small register a share means little.
	fewChanges = 100
)

// believeChanges refuses a batch with which more of the known customers would
// have changed than the limit allows: a provider that garbles a field of
// everybody must not overwrite the register. The share is that of the customers
// read so far, so that a change of everybody is met in the first batch, and in
// the first batch of the next run again.
func (p *pass) believeChanges() error {
	known := p.run.Updated + p.run.Unchanged
	if p.run.Updated < fewChanges || float64(p.run.Updated) <= p.cfg.MaxChange*float64(known) {
		return nil
	}
	return fmt.Errorf("%w: %d of the %d known customers read so far have changed, more than PADRON_SYNC_MAX_CHANGE=%v allows; "+
		"the rest was not written: check the provider; if the change is real, do one run with --force and the reason",
		errRefused, p.run.Updated, known, p.cfg.MaxChange)
}

// lookup asks the store about every id in the batch, those of rejected records
// included. What the two batches before it write may not be in the store yet.
func (p *pass) lookup(ctx context.Context, b *batch) (map[padron.CustomerID]padron.Known, error) {
	ids := make([]padron.CustomerID, 0, len(b.items))
	for i := range b.items {
		it := &b.items[i]
		if len(it.reasons) == 0 {
			ids = append(ids, it.customer.ID)
		} else if id, ok := it.record.Identity(); ok {
			ids = append(ids, id)
		}
	}
	end := p.stages.begin(padron.StageLookup)
	known, err := p.cfg.Store.Lookup(ctx, p.written.perhaps(ids))
	end()
	if err != nil {
		return nil, err
	}
	for _, id := range ids {
		for _, writes := range p.ahead {
			if k, ok := writes[id]; ok {
				known[id] = k
			}
		}
	}
	return known, nil
}

// count adds what is counted of every record.
func (p *pass) count(it *item) {
	p.run.Read++
	for _, w := range it.warnings {
		p.run.Warnings[w]++
	}
	for _, name := range it.record.Unknown {
		p.run.NoteUnknown(name, 1)
	}
}

// decide says whether the customer is to be written, and under which number.
func (p *pass) decide(it *item, known map[padron.CustomerID]padron.Known) (padron.Number, bool) {
	id := it.customer.ID
	k, ok := known[id]
	switch {
	case ok && p.seen.Contains(uint32(k.Number)):
		p.duplicate(k.Fingerprint != it.fingerprint)
		return 0, false
	case !ok:
		return p.insert(id, it, known)
	case k.Deleted:
		p.run.Inserted++
	case k.Fingerprint != it.fingerprint:
		p.run.Updated++
	default:
		p.run.Unchanged++
		p.see(k.Number)
		return k.Number, p.cfg.Full
	}
	p.write(known, id, padron.Known{Number: k.Number, Fingerprint: it.fingerprint})
	return k.Number, true
}

// insert gives a new customer the next number. A dry run, whose inserts the
// store never sees, remembers the id by itself.
func (p *pass) insert(id padron.CustomerID, it *item, known map[padron.CustomerID]padron.Known) (padron.Number, bool) {
	if p.cfg.DryRun {
		h := p.hash(id)
		if _, ok := p.fresh[h]; ok {
			p.duplicate(false)
			return 0, false
		}
		p.fresh[h] = struct{}{}
	}
	p.last++
	p.run.Inserted++
	p.written.add(id)
	p.write(known, id, padron.Known{Number: p.last, Fingerprint: it.fingerprint})
	return p.last, true
}

// write notes a customer that this batch writes.
func (p *pass) write(known map[padron.CustomerID]padron.Known, id padron.CustomerID, k padron.Known) {
	known[id] = k
	p.writes[id] = k
	p.see(k.Number)
}

func (p *pass) see(n padron.Number) {
	p.seen.Add(uint32(n))
	p.pending.Add(uint32(n))
}

func (p *pass) duplicate(conflict bool) {
	p.run.Duplicates++
	p.run.Warnings[padron.WarningDuplicate]++
	if conflict {
		p.run.Warnings[padron.WarningConflict]++
	}
}

// reject puts a record on its way into quarantine. The customer it names, if it
// names one, has not vanished.
func (p *pass) reject(ctx context.Context, it *item, known map[padron.CustomerID]padron.Known, out *padron.Batch) error {
	p.run.Quarantined++
	for _, r := range it.reasons {
		p.run.Reasons[r]++
	}
	id, named := it.record.Identity()
	if !named {
		p.run.Warnings[padron.WarningUnidentified]++
	}
	if k, ok := known[id]; ok && named && !k.Deleted {
		p.held.Add(uint32(k.Number))
		p.pending.Add(uint32(k.Number))
	}
	if p.cfg.DryRun {
		return nil
	}
	entry := p.cfg.Sealer.RejectedID(it.record, it.reasons)
	sealed, key, err := p.cfg.Sealer.SealRecord(ctx, it.record, entry)
	if err != nil {
		return err
	}
	if named {
		p.quarantined[p.hash(id)] = struct{}{}
	}
	out.Rejected = append(out.Rejected, padron.Rejected{
		ID: entry, CustomerID: id, Reasons: it.reasons, RunID: p.run.ID, Record: sealed, Key: key,
	})
	return nil
}

// seal seals the customers to be written.
func (p *pass) seal(ctx context.Context, items []*item, numbers []padron.Number) ([]padron.SealedCustomer, error) {
	defer p.stages.begin(padron.StageSeal)()
	now := p.cfg.Now().UTC()
	sealed := make([]padron.SealedCustomer, len(items))
	for i, it := range items {
		row, err := p.cfg.Sealer.Seal(ctx, &it.customer, it.fingerprint)
		if err != nil {
			return nil, err
		}
		row.Number, row.UpdatedAt = numbers[i], now
		sealed[i] = row
	}
	return sealed, nil
}
