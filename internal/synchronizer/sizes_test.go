package synchronizer_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"testing"
	"time"

	"padron"
	"padron/internal/provider"
	"padron/internal/store"
)

// ready is a provider whose pages are there already.
type ready []provider.Page

func (ready) Source() string { return "ready" }

func (r ready) Pages(context.Context, string) iter.Seq2[provider.Page, error] {
	return func(yield func(provider.Page, error) bool) {
		for _, page := range r {
			if !yield(page, nil) {
				return
			}
		}
	}
}

// pagesOf are so many people in pages of 1000.
func pagesOf(t *testing.T, n int) ready {
	t.Helper()
	var out ready
	for from := 0; from < n; from += 1000 {
		page := provider.Page{Cursor: fmt.Sprintf("page:%d", len(out)+2)}
		for i := from; i < min(from+1000, n); i++ {
			page.Records = append(page.Records, provider.DecodeRecord(marshal(t, person(i+1))))
		}
		out = append(out, page)
	}
	return out
}

// TestSlowStoreGetsSmallBatches: batches shrink to what the store takes in the
// time of a transaction, pages in parts, and nobody is lost or met twice. Each
// write shrinks those that are not made yet, of which there are five at most.
func TestSlowStoreGetsSmallBatches(t *testing.T) {
	r, clock := newRegister(t), newTicker()
	const people = 24_500
	var sizes []int // of one write after the other
	cfg := r.config(newPeople(0))
	cfg.Provider = pagesOf(t, people)
	cfg.Store = &slow{r.store, clock, func(b *padron.Batch) time.Duration {
		sizes = append(sizes, len(b.Upserts))
		return time.Duration(len(b.Upserts)) * time.Millisecond
	}}
	cfg.Now, cfg.BatchSize = clock.now, 0
	want(t, r.mustSync(cfg), counts{Read: people, Inserted: people})
	if len(sizes) < 8 || slices.Max(sizes) > 4000 || slices.Max(sizes[7:]) > 500 {
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
	if err := takeTurn(b); err != nil {
		return err
	}
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
