package synchronizer

import (
	"context"
	"fmt"
	"slices"

	"github.com/RoaringBitmap/roaring/v2"

	"padron"
	"padron/internal/provider"
)

// deleteMissing marks deleted whom a complete pass did not see, if they are few
// enough to be believed.
func (p *pass) deleteMissing(ctx context.Context) error {
	defer p.stages.begin(padron.StageDelete)()
	missing, before, err := p.missing(ctx)
	if err != nil || missing.IsEmpty() {
		return err
	}
	if err := p.believeDeletions(missing.GetCardinality(), before); err != nil {
		return err
	}
	unidentified := p.run.Warnings[padron.WarningUnidentified]
	if p.paged || p.run.ResumedFrom != "" {
		again, err := p.confirm(ctx, missing)
		if err != nil || missing.IsEmpty() {
			return err
		}
		unidentified = max(unidentified, again)
	}
	if held, err := p.hold(ctx, missing, unidentified); held || err != nil {
		return err
	}
	p.run.Deleted = int64(missing.GetCardinality()) //nolint:gosec // at most 2^32
	if p.cfg.DryRun {
		return nil
	}
	return p.deleteAll(ctx, missing)
}

// missing returns the live customers that were neither seen nor held, and how
// many were live before the run.
//
// Everybody seen or held is live, so that where there are as many of them as live
// customers, nobody is missing: the server counts faster than it tells them all.
// One that cannot, as it was gone for a moment or takes too long for so many, tells
// them all, a few at a time. Whom a dry run would insert is not there.
func (p *pass) missing(ctx context.Context) (*roaring.Bitmap, uint64, error) {
	missing, live := roaring.New(), uint64(0)
	count, err := p.cfg.Store.Count(ctx)
	if all := uint64(count) == p.seen.OrCardinality(p.held); err == nil && all && !p.cfg.DryRun { //nolint:gosec // never negative
		return missing, 0, nil
	}
	for n, err := range p.cfg.Store.Live(ctx) {
		if err != nil {
			return nil, 0, err
		}
		live++
		if !p.seen.Contains(uint32(n)) && !p.held.Contains(uint32(n)) {
			missing.Add(uint32(n))
		}
	}
	inserted := uint64(p.run.Inserted) //nolint:gosec // never negative
	if p.cfg.DryRun {
		inserted = 0
	}
	return missing, live - min(live, inserted), nil
}

// hold says whether to delete nobody this time: a record without a usable id may
// be a customer's who now seems to be missing. Only as many such records as the
// last trusted run met are known to be nobody's.
func (p *pass) hold(ctx context.Context, missing *roaring.Bitmap, unidentified int64) (bool, error) {
	if p.cfg.Force != "" || unidentified == 0 {
		return false, nil
	}
	before, err := lastUnidentified(ctx, p.cfg.Store)
	if err != nil || unidentified <= before {
		return false, err
	}
	held := int64(missing.GetCardinality()) //nolint:gosec // at most 2^32
	p.run.Warnings[padron.WarningDeletionsHeld] = held
	p.cfg.Logger.WarnContext(ctx, "customers are missing, but are not deleted: records without a usable id may be theirs; "+
		"if they are really gone, do one run with --force and the reason", "missing", held, "unidentified", unidentified)
	return true, nil
}

// lastUnidentified returns how many records without a usable id the last
// complete run met that held no deletion back; 0 where there was none.
func lastUnidentified(ctx context.Context, runs history) (int64, error) {
	recent, err := runs.Runs(ctx, 100)
	for i := range recent {
		r := &recent[i]
		if r.Outcome == padron.OutcomeCompleted && r.ResumedFrom == "" && r.Warnings[padron.WarningDeletionsHeld] == 0 {
			return r.Warnings[padron.WarningUnidentified], nil
		}
	}
	return 0, err
}

// believeDeletions refuses a pass that would delete more than the limit: a provider that
// answers with half its customers by mistake must not empty the register.
func (p *pass) believeDeletions(missing, before uint64) error {
	if p.cfg.Force != "" || float64(missing) <= p.cfg.MaxDelete*float64(before) {
		return nil
	}
	return fmt.Errorf("%w: %d of %d customers would be deleted, more than PADRON_SYNC_MAX_DELETE=%v allows; "+
		"nothing was deleted: check the provider; if they are really gone, do one run with --force and the reason",
		errRefused, missing, before, p.cfg.MaxDelete)
}

// confirm reads the provider once more and takes back whom it finds: a customer
// that moved to an earlier page while we read, because another one was removed,
// was not seen but is there. So is everybody behind a first page that a cache
// answered twice, which is how a provider that does not page looks. It returns how
// many records had no usable id.
func (p *pass) confirm(ctx context.Context, missing *roaring.Bitmap) (unidentified int64, err error) {
	for page, err := range p.cfg.Provider.Pages(ctx, "") {
		if err != nil {
			return 0, fmt.Errorf("confirm the deletions: %w", err)
		}
		ids := identities(page)
		unidentified += int64(len(page.Records) - len(ids))
		known, err := p.cfg.Store.Lookup(ctx, ids)
		if err != nil {
			return 0, err
		}
		for _, k := range known {
			missing.Remove(uint32(k.Number))
		}
		if missing.IsEmpty() {
			return unidentified, nil
		}
	}
	return unidentified, ctx.Err()
}

func identities(page provider.Page) []padron.CustomerID {
	ids := make([]padron.CustomerID, 0, len(page.Records))
	for i := range page.Records {
		if id, ok := page.Records[i].Identity(); ok {
			ids = append(ids, id)
		}
	}
	return ids
}

func (p *pass) deleteAll(ctx context.Context, missing *roaring.Bitmap) error {
	const most = 10_000 // numbers a call
	all := missing.ToArray()
	for chunk := range slices.Chunk(all, most) {
		numbers := make([]padron.Number, len(chunk))
		for i, n := range chunk {
			numbers[i] = padron.Number(n)
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err := p.delete(ctx, numbers); err != nil {
			return err
		}
	}
	return nil
}

// delete marks customers deleted, all of them even if told to stop.
func (p *pass) delete(ctx context.Context, numbers []padron.Number) error {
	ctx, done := afterStop(ctx, batchTime)
	defer done()
	return p.cfg.Store.Delete(ctx, p.lease, numbers, p.cfg.Now().UTC())
}
