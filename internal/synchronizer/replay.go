package synchronizer

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"padron"
)

// RecordOpener opens rejected records; [seal.Opener] is one.
type RecordOpener interface {
	OpenRecord(ctx context.Context, q *padron.QuarantineEntry) (padron.Record, error)
}

// Replayed is what a replay did. Replayed = Inserted + Updated + Unchanged.
type Replayed struct {
	Replayed  int64 `json:"replayed"`
	Inserted  int64 `json:"inserted"`
	Updated   int64 `json:"updated"`
	Unchanged int64 `json:"unchanged"`
	// Rejected are entries that do not validate today either, and stay. Outdated
	// are those that the last complete run did not meet again, so that they are
	// not what the provider has; and those of a customer with a later entry, which
	// is the one that counts and ends them when it moves in, or whom a run has
	// brought meanwhile.
	Rejected int64 `json:"rejected"`
	Outdated int64 `json:"outdated"`
}

// Replay validates quarantined records again and writes those that pass, as a
// run would: after a newer version of the rules, they need not wait for the
// provider. ids are the entries to replay; none are all. A customer's valid
// record ends all of its entries. It needs the lease: while a run holds it the
// error is [padron.ErrLeaseHeld]. An id that is not in quarantine is
// [padron.ErrNotFound], and nothing is replayed.
func Replay(ctx context.Context, cfg Config, open RecordOpener, ids []string) (Replayed, error) {
	cfg = cfg.withDefaults()
	lease, err := cfg.Store.Acquire(ctx, cfg.Holder, cfg.LeaseTTL)
	if err != nil {
		return Replayed{}, err
	}
	defer release(ctx, &cfg, lease)
	held, stop := keepLease(ctx, &cfg, lease, cfg.LeaseTTL)
	defer stop()
	p := newPass(&cfg, lease, &padron.Run{ID: newRunID(cfg.Now().UTC())})
	if p.last, err = cfg.Store.LastNumber(held); err != nil {
		return Replayed{}, err
	}
	out := Replayed{}
	err = p.replay(held, open, ids, &out)
	out.Inserted, out.Updated, out.Unchanged = p.run.Inserted, p.run.Updated, p.run.Unchanged
	out.Replayed = out.Inserted + out.Updated + out.Unchanged
	out.Outdated += p.run.Duplicates
	cfg.Logger.InfoContext(ctx, "quarantine replayed", "inserted", out.Inserted, "updated", out.Updated, "unchanged", out.Unchanged,
		"rejected", out.Rejected, "outdated", out.Outdated, "error", errorText(err))
	return out, err
}

func (p *pass) replay(ctx context.Context, open RecordOpener, ids []string, out *Replayed) error {
	all, err := p.entries(ctx)
	if err != nil {
		return err
	}
	chosen, err := choose(all, ids)
	if err != nil {
		return err
	}
	// Of two entries that turn out to be one customer's the later one counts.
	slices.SortStableFunc(chosen, func(a, b padron.QuarantineEntry) int { return b.LastSeen.Compare(a.LastSeen) })
	stale, err := staleEntries(ctx, p.cfg.Store, all)
	if err != nil {
		return err
	}
	latest := latestOf(all)
	for chunk := range slices.Chunk(chosen, p.sizer.limit()) {
		b, moved, err := p.reopenAll(ctx, open, chunk, func(e *padron.QuarantineEntry) bool {
			return stale[e.ID] || e.CustomerID != "" && latest[e.CustomerID] != e.ID
		}, out)
		if err != nil {
			return err
		}
		pl, err := p.plan(ctx, b)
		if err != nil {
			return err
		}
		pl.batch.Moved = moved
		if err := p.carryOut(ctx, pl, noTurn()); err != nil {
			return err
		}
	}
	return nil
}

// reopenAll returns what of the entries is valid today, and their ids.
func (p *pass) reopenAll(ctx context.Context, open RecordOpener, entries []padron.QuarantineEntry, old func(*padron.QuarantineEntry) bool, out *Replayed) (*batch, []string, error) {
	b, moved := &batch{}, []string{}
	for i := range entries {
		e := &entries[i]
		if old(e) {
			out.Outdated++
			continue
		}
		it, err := p.reopen(ctx, open, e.ID)
		if err != nil {
			return nil, nil, err
		}
		if len(it.reasons) > 0 {
			out.Rejected++
			continue
		}
		outdated, err := p.overtaken(ctx, e, it.customer.ID)
		if err != nil {
			return nil, nil, err
		}
		if outdated {
			out.Outdated++
			continue
		}
		b.items, moved = append(b.items, it), append(moved, e.ID)
	}
	return b, moved, nil
}

// overtaken reports whether an entry that nobody could tell the customer of is
// that of a customer who is in the register by now: a run brought what the
// provider had, which is later, and could not know that it ends the entry.
func (p *pass) overtaken(ctx context.Context, e *padron.QuarantineEntry, id padron.CustomerID) (bool, error) {
	if e.CustomerID != "" {
		return false, nil
	}
	known, err := p.cfg.Store.Lookup(ctx, []padron.CustomerID{id})
	k, there := known[id]
	return there && !k.Deleted, err
}

// entries returns everything in quarantine, and notes whose it is.
func (p *pass) entries(ctx context.Context) ([]padron.QuarantineEntry, error) {
	var all []padron.QuarantineEntry
	err := p.eachQuarantined(ctx, func(e *padron.QuarantineEntry) {
		p.quarantined[p.hash(e.CustomerID)] = struct{}{}
		all = append(all, *e)
	})
	return all, err
}

// choose returns the entries with the ids, or all where there are none.
func choose(all []padron.QuarantineEntry, ids []string) ([]padron.QuarantineEntry, error) {
	if len(ids) == 0 {
		return all, nil
	}
	chosen := make([]padron.QuarantineEntry, 0, len(ids))
	for _, id := range slices.Compact(slices.Sorted(slices.Values(ids))) {
		at, ok := slices.BinarySearchFunc(all, id, func(e padron.QuarantineEntry, id string) int { return cmp.Compare(e.ID, id) })
		if !ok {
			return nil, fmt.Errorf("quarantine entry %q: %w", id, padron.ErrNotFound)
		}
		chosen = append(chosen, all[at])
	}
	return chosen, nil
}

// staleEntries returns the ids of the entries that no run has met since the last
// complete one began. The provider lists those customers no more, or no longer so;
// somebody who was deleted must not come back by what was sent before.
func staleEntries(ctx context.Context, runs history, entries []padron.QuarantineEntry) (map[string]bool, error) {
	current, completed, err := currentRuns(ctx, runs)
	stale := map[string]bool{}
	if err != nil || !completed {
		return stale, err
	}
	for i := range entries {
		if !current[entries[i].RunID] {
			stale[entries[i].ID] = true
		}
	}
	return stale, nil
}

// currentRuns returns the last run that completed, those that it went on from, and
// those after it, and whether there was one.
func currentRuns(ctx context.Context, runs history) (ids map[string]bool, completed bool, err error) {
	const most = 1000 // a run that is further away was long before what is in quarantine
	recent, err := runs.Runs(ctx, most)
	ids = map[string]bool{}
	from := ""
	for i := range recent {
		r := &recent[i]
		switch {
		case !completed:
			completed = r.Outcome == padron.OutcomeCompleted
			ids[r.ID], from = true, r.ResumedFrom
		case r.ID == from:
			ids[r.ID], from = true, r.ResumedFrom
		}
	}
	return ids, completed, err
}

// latestOf returns the id of each customer's latest entry; entries without a
// customer are nobody's.
func latestOf(all []padron.QuarantineEntry) map[padron.CustomerID]string {
	latest, seen := map[padron.CustomerID]string{}, map[padron.CustomerID]int64{}
	for i := range all {
		e := &all[i]
		if at := e.LastSeen.UnixMilli(); at >= seen[e.CustomerID] {
			latest[e.CustomerID], seen[e.CustomerID] = e.ID, at
		}
	}
	return latest
}

// reopen opens an entry's record and validates it by the rules of today.
func (p *pass) reopen(ctx context.Context, open RecordOpener, id string) (item, error) {
	e, err := p.cfg.Store.QuarantineEntry(ctx, id)
	if err != nil {
		return item{}, err
	}
	record, err := open.OpenRecord(ctx, &e)
	if err != nil {
		return item{}, fmt.Errorf("quarantine entry %q: %w", id, err)
	}
	it := item{record: &record}
	it.validate()
	it.identify(p.cfg.Sealer)
	return it, nil
}
