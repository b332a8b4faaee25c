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

// Replayed is what a replay did. Replayed = Inserted + Updated + Unchanged; the
// other entries were looked at and stay.
type Replayed struct {
	Replayed  int64 `json:"replayed"`
	Inserted  int64 `json:"inserted"`
	Updated   int64 `json:"updated"`
	Unchanged int64 `json:"unchanged"`
	// Rejected are entries that do not validate today either; Outdated are those
	// of a customer with a later entry, which is the one that counts.
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
	latest := latestOf(all)
	for chunk := range slices.Chunk(chosen, p.cfg.BatchSize) {
		b := &batch{}
		for _, e := range chunk {
			if latest[e.CustomerID] != e.ID {
				out.Outdated++
				continue
			}
			it, err := p.reopen(ctx, open, e.ID)
			if err != nil {
				return err
			}
			if len(it.reasons) > 0 {
				out.Rejected++
				continue
			}
			b.items = append(b.items, it)
		}
		pl, err := p.plan(ctx, b)
		if err != nil {
			return err
		}
		if err := p.carryOut(ctx, pl); err != nil {
			return err
		}
	}
	return nil
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

// latestOf returns the id of each customer's latest entry.
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
	it := item{}
	if it.record, err = open.OpenRecord(ctx, &e); err != nil {
		return item{}, fmt.Errorf("quarantine entry %q: %w", id, err)
	}
	it.validate()
	it.identify(p.cfg.Sealer)
	return it, nil
}
