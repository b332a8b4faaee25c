package synchronizer_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"padron"
	"padron/internal/store"
)

// TestSlowStoreGetsSmallBatches: batches shrink to what the store takes in the
// time of a transaction, pages in parts, and nobody is lost or met twice.
func TestSlowStoreGetsSmallBatches(t *testing.T) {
	r, clock := newRegister(t), newTicker()
	const people = 12_000
	cfg := r.config(newPeople(people))
	var mu sync.Mutex
	var sizes []int
	cfg.Store = &slow{r.store, clock, func(b *padron.Batch) time.Duration {
		mu.Lock()
		defer mu.Unlock()
		sizes = append(sizes, len(b.Upserts))
		return time.Duration(len(b.Upserts)) * time.Millisecond
	}}
	cfg.Now, cfg.BatchSize = clock.now, 0
	want(t, r.mustSync(cfg), counts{Read: people, Inserted: people})
	if most, last := slices.Max(sizes), sizes[len(sizes)-2]; most > 4000 || last > 500 {
		t.Errorf("batches of %v", sizes)
	}
}

// failing is a store whose nth write fails.
type failing struct {
	store.Engine
	left int
}

var errDisk = errors.New("the disk is full")

func (f *failing) Apply(ctx context.Context, lease padron.Lease, b *padron.Batch) error {
	if f.left--; f.left == 0 {
		return errDisk
	}
	return f.Engine.Apply(ctx, lease, b)
}

// TestFailureWithinAPage: a page of which a part was written is read again as a
// whole, and whom that part had is unchanged, not met twice.
func TestFailureWithinAPage(t *testing.T) {
	r, p := newRegister(t), newPeople(35) // pages of 10, in parts of 4, 4 and 2
	cfg := r.config(p)
	cfg.BatchSize, cfg.Store = 4, &failing{r.store, 5}
	run, err := r.sync(cfg)
	if !errors.Is(err, errDisk) {
		t.Fatal(err)
	}
	want(t, run, counts{Read: 14, Inserted: 14})
	cp, err := r.store.Checkpoint(t.Context())
	if err != nil || cp == nil || cp.Cursor != "page:2" {
		t.Fatalf("checkpoint %+v, %v", cp, err)
	}
	cfg.Store = r.store
	again := r.mustSync(cfg)
	want(t, again, counts{Read: 25, Inserted: 21, Unchanged: 4})
	if again.ResumedFrom != run.ID || len(r.names()) != 35 {
		t.Errorf("resumed from %q, %d customers", again.ResumedFrom, len(r.names()))
	}
}
