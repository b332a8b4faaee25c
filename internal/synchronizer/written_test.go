package synchronizer_test

import (
	"context"
	"slices"
	"sync"
	"testing"

	"padron"
	"padron/internal/store"
)

// TestMetAgainInAFirstRun: who comes twice in a first run, however far apart, is
// there once, though the store is not asked about those who cannot be there; and
// a first run that was cut short goes on with those it has written.
func TestMetAgainInAFirstRun(t *testing.T) {
	for name, open := range map[string]func(*testing.T) *register{"sqlite": newRegister, "mysql": newMySQLRegister} {
		t.Run(name, func(t *testing.T) {
			r, p := open(t), newPeople(95)
			p.edit(func(all []map[string]any) []map[string]any {
				return slices.Concat(all, []map[string]any{all[3], all[50], all[94]})
			})
			cfg := r.config(p)
			cfg.Store = &failing{r.store, 6}
			run, err := r.sync(cfg)
			if err == nil {
				t.Fatal("the sixth write has not failed")
			}
			cfg.Store = r.store
			rest := r.mustSync(cfg)
			if n := len(r.names()); n != 95 || run.Inserted+rest.Inserted != 95 || rest.Duplicates != 3 {
				t.Errorf("%d customers of 95; %d and then %d inserted, %d twice", n, run.Inserted, rest.Inserted, rest.Duplicates)
			}
			whole := open(t)
			want(t, whole.mustSync(whole.config(p)), counts{Read: 98, Inserted: 95, Duplicates: 3})
		})
	}
}

// behind is a store that writes a batch when the second one after it was looked
// up, which is as late as it can be.
type behind struct {
	store.Engine
	lookups, writes, batches int
	looked                   *sync.Cond
}

func (b *behind) Lookup(ctx context.Context, ids []padron.CustomerID) (map[padron.CustomerID]padron.Known, error) {
	known, err := b.Engine.Lookup(ctx, ids)
	b.looked.L.Lock()
	defer b.looked.L.Unlock()
	b.lookups++
	b.looked.Broadcast()
	return known, err
}

func (b *behind) Apply(ctx context.Context, lease padron.Lease, batch *padron.Batch) error {
	if err := takeTurn(batch); err != nil {
		return err
	}
	b.looked.L.Lock()
	b.writes++
	for b.lookups < min(b.writes+2, b.batches) {
		b.looked.Wait()
	}
	b.looked.L.Unlock()
	return b.Engine.Apply(ctx, lease, batch)
}

// TestMetAgainBeforeItIsWritten: who comes again while the batch with them is on
// its way is known.
func TestMetAgainBeforeItIsWritten(t *testing.T) {
	for far := 1; far <= 4; far++ {
		r, p := newRegister(t), newPeople(60)
		p.edit(func(all []map[string]any) []map[string]any {
			all[10*far+5] = all[3] // so many batches later
			return all
		})
		cfg := r.config(p)
		cfg.Store = &behind{Engine: r.store, batches: 6, looked: sync.NewCond(new(sync.Mutex))}
		want(t, r.mustSync(cfg), counts{Read: 60, Inserted: 59, Duplicates: 1})
		if n := len(r.names()); n != 59 {
			t.Errorf("%d batches later: %d customers, want 59", far, n)
		}
	}
}
