package storetest

import (
	"errors"
	"testing"
	"time"

	"padron"
)

// waiting is a batch on its way, whose turn has not come.
type waiting struct {
	come chan error // what its turn is told
	done chan error
}

// wait begins to apply a batch, until its turn is asked for.
func (f *fixture) wait(lease padron.Lease, b *padron.Batch) *waiting {
	f.t.Helper()
	w := &waiting{make(chan error), make(chan error, 1)}
	asked := make(chan struct{})
	b.Turn = func() error {
		close(asked)
		b.At = epoch
		b.Checkpoint = &padron.Checkpoint{RunID: "r", Cursor: "page:2", SavedAt: epoch}
		return <-w.come
	}
	go func() { w.done <- f.store.Apply(f.t.Context(), lease, b) }()
	select {
	case <-asked:
	case err := <-w.done:
		f.t.Fatalf("the batch has ended without its turn: %v", err)
	}
	return w
}

func (w *waiting) take(told error) error {
	w.come <- told
	return <-w.done
}

// testTurns: a batch waits for the one before it and keeps it from nothing, what
// its turn sets is written, and with an error it writes nothing.
func testTurns(t *testing.T, f *fixture) {
	ctx, lease := t.Context(), f.lease()
	second := f.wait(lease, &padron.Batch{Upserts: []padron.SealedCustomer{Customer(2)}})
	f.put(lease, 1)
	f.ok(f.store.Renew(ctx, lease, time.Minute))
	if n := must(f.store.Count(ctx))(f); n != 1 {
		t.Errorf("%d customers before the turn of the second, want 1", n)
	}
	f.ok(second.take(nil))
	if cp := must(f.store.Checkpoint(ctx))(f); cp == nil || cp.Cursor != "page:2" {
		t.Errorf("checkpoint %+v in place of what the turn set", cp)
	}
	fault := errors.New("the one before it failed")
	if err := f.wait(lease, &padron.Batch{Upserts: []padron.SealedCustomer{Customer(3)}}).take(fault); !errors.Is(err, fault) {
		t.Errorf("%v, want the error of its turn", err)
	}
	if n := must(f.store.Count(ctx))(f); n != 2 {
		t.Errorf("%d customers, want 2", n)
	}
	f.put(lease, 3)
}

// testTurnsAreFenced: who loses the lease while a batch waits for its turn writes
// nothing, and leaves nothing in the way of who has it.
func testTurnsAreFenced(t *testing.T, f *fixture) {
	stalled := f.lease()
	late := f.wait(stalled, &padron.Batch{Upserts: []padron.SealedCustomer{Customer(1)}})
	other := f.again()
	f.clock.advance(2 * time.Minute)
	living := must(other.Acquire(t.Context(), "living", time.Minute))(f)
	if err := late.take(nil); !errors.Is(err, padron.ErrLeaseLost) {
		t.Errorf("%v, want ErrLeaseLost", err)
	}
	f.ok(other.Apply(t.Context(), living, &padron.Batch{Upserts: []padron.SealedCustomer{Customer(1)}, At: epoch}))
	late = f.wait(stalled, &padron.Batch{Upserts: []padron.SealedCustomer{Customer(2)}})
	f.ok(other.Apply(t.Context(), living, &padron.Batch{Upserts: []padron.SealedCustomer{Customer(3)}, At: epoch}))
	if err := late.take(errors.New("any")); err == nil {
		t.Error("a batch was written in spite of its turn's error")
	}
	if n := must(f.store.Count(t.Context()))(f); n != 2 {
		t.Errorf("%d customers, want 2", n)
	}
}
