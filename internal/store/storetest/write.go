package storetest

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"padron"
)

func testSchema(t *testing.T, f *fixture) {
	ctx := t.Context()
	f.ok(f.store.Migrate(ctx)) // again changes nothing
	f.ok(f.store.Ping(ctx))
	all := must(f.store.Migrations(ctx))(f)
	if len(all) == 0 {
		t.Fatal("no migrations")
	}
	for _, m := range all {
		if m.AppliedAt.IsZero() || m.Name == "" {
			t.Errorf("migration %d %q is pending", m.Version, m.Name)
		}
	}
}

func testLease(t *testing.T, f *fixture) {
	ctx := t.Context()
	first := must(f.store.Acquire(ctx, "first", time.Minute))(f)
	other := f.again()
	if _, err := other.Acquire(ctx, "second", time.Minute); !errors.Is(err, padron.ErrLeaseHeld) {
		t.Fatalf("the second holder: %v, want ErrLeaseHeld", err)
	}
	if _, err := f.store.Acquire(ctx, "again", time.Minute); !errors.Is(err, padron.ErrLeaseHeld) {
		t.Errorf("the same process again: %v, want ErrLeaseHeld", err)
	}
	f.ok(f.store.Renew(ctx, first, time.Minute))
	f.ok(f.store.Release(ctx, first))
	second := must(other.Acquire(ctx, "second", time.Minute))(f)
	if second.Token <= first.Token || second.Holder != "second" {
		t.Errorf("second lease %+v after %+v", second, first)
	}
	f.ok(f.store.Release(ctx, first)) // lost: left alone
	if err := other.Renew(ctx, second, time.Minute); err != nil {
		t.Errorf("a stale release took the lease: %v", err)
	}
	f.ok(other.Release(ctx, second))
}

func testLeaseExpires(t *testing.T, f *fixture) {
	ctx := t.Context()
	stalled := must(f.store.Acquire(ctx, "stalled", time.Minute))(f)
	other := f.again()
	f.clock.advance(59 * time.Second)
	if _, err := other.Acquire(ctx, "next", time.Minute); !errors.Is(err, padron.ErrLeaseHeld) {
		t.Fatalf("before the expiry: %v, want ErrLeaseHeld", err)
	}
	f.clock.advance(2 * time.Second)
	next := must(other.Acquire(ctx, "next", time.Minute))(f)
	if next.Token <= stalled.Token {
		t.Errorf("token %d after %d", next.Token, stalled.Token)
	}
	if err := f.store.Renew(ctx, stalled, time.Minute); !errors.Is(err, padron.ErrLeaseLost) {
		t.Errorf("the stalled holder renews: %v, want ErrLeaseLost", err)
	}
	f.ok(other.Release(ctx, next))
}

// testClockJumps: a clock that jumps ahead costs a living holder its lease, but
// nothing is written twice; one that jumps back keeps nobody out whose lease's
// holder has gone.
func testClockJumps(t *testing.T, f *fixture) {
	ctx := t.Context()
	living := must(f.store.Acquire(ctx, "living", time.Minute))(f)
	other := f.again()
	f.clock.advance(24 * time.Hour)
	next := must(other.Acquire(ctx, "next", time.Minute))(f)
	if err := f.store.Apply(ctx, living, &padron.Batch{Upserts: []padron.SealedCustomer{Customer(1)}, At: epoch}); !errors.Is(err, padron.ErrLeaseLost) {
		t.Errorf("who lost the lease by a jump writes: %v, want ErrLeaseLost", err)
	}
	f.ok(other.Apply(ctx, next, &padron.Batch{Upserts: []padron.SealedCustomer{Customer(1)}, At: epoch}))
	f.ok(other.Release(ctx, next))
	f.ok(f.store.Close())
	gone := f.again()
	must(gone.Acquire(ctx, "gone", time.Minute))(f)
	f.clock.advance(-24 * time.Hour)
	if _, err := other.Acquire(ctx, "next", time.Minute); !errors.Is(err, padron.ErrLeaseHeld) {
		t.Errorf("beside a living holder: %v, want ErrLeaseHeld", err)
	}
	f.ok(gone.Close())
	must(other.Acquire(ctx, "next", time.Minute))(f)
}

// testLeaseOfTheLivingStays: who took the lease from a stalled holder keeps it
// when that one wakes up and goes.
func testLeaseOfTheLivingStays(t *testing.T, f *fixture) {
	ctx := t.Context()
	stalled := must(f.store.Acquire(ctx, "stalled", time.Minute))(f)
	other, third := f.again(), f.again()
	f.clock.advance(2 * time.Minute)
	living := must(other.Acquire(ctx, "living", time.Minute))(f)
	f.ok(f.store.Release(ctx, stalled))
	if _, err := third.Acquire(ctx, "third", time.Minute); !errors.Is(err, padron.ErrLeaseHeld) {
		t.Errorf("a third holder: %v, want ErrLeaseHeld", err)
	}
	f.ok(other.Renew(ctx, living, time.Minute))
	f.ok(other.Release(ctx, living))
}

func testFencing(t *testing.T, f *fixture) {
	ctx := t.Context()
	stale := f.lease()
	f.put(stale, 1)
	f.ok(f.store.Release(ctx, stale))
	current := f.lease()
	run := &padron.Run{ID: "r1", StartedAt: epoch}
	for what, err := range map[string]error{
		"Apply":     f.store.Apply(ctx, stale, &padron.Batch{Upserts: []padron.SealedCustomer{Customer(2)}, At: epoch}),
		"Delete":    f.store.Delete(ctx, stale, []padron.Number{1}, epoch),
		"StartRun":  f.store.StartRun(ctx, stale, run),
		"FinishRun": f.store.FinishRun(ctx, stale, run),
		"Renew":     f.store.Renew(ctx, stale, time.Minute),
	} {
		if !errors.Is(err, padron.ErrLeaseLost) {
			t.Errorf("%s under a lost lease: %v, want ErrLeaseLost", what, err)
		}
	}
	if n := must(f.store.Count(ctx))(f); n != 1 {
		t.Errorf("%d customers: a lost lease wrote", n)
	}
	f.put(current, 2)
}

func testApplyAndLookup(t *testing.T, f *fixture) {
	ctx, lease := t.Context(), f.lease()
	rows := f.put(lease, 1, 2, 3)
	changed := Customer(2)
	changed.Personal, changed.Fingerprint[0] = padron.Sealed("changed"), changed.Fingerprint[0]+1
	changed.UpdatedAt = epoch.Add(time.Hour)
	f.apply(lease, &padron.Batch{Upserts: []padron.SealedCustomer{changed}})
	got := must(f.store.Customer(ctx, ID(2), padron.Whole))(f)
	if diff := cmp.Diff(changed, got); diff != "" {
		t.Errorf("customer 2 (-want +got):\n%s", diff)
	}
	known := must(f.store.Lookup(ctx, []padron.CustomerID{ID(1), ID(2), ID(9), "ñandú"}))(f)
	want := map[padron.CustomerID]padron.Known{
		ID(1): {Number: 1, Fingerprint: rows[0].Fingerprint}, ID(2): {Number: 2, Fingerprint: changed.Fingerprint},
	}
	if diff := cmp.Diff(want, known); diff != "" {
		t.Errorf("known (-want +got):\n%s", diff)
	}
	if none := must(f.store.Lookup(ctx, nil))(f); len(none) != 0 {
		t.Errorf("looking nobody up found %v", none)
	}
	if last := must(f.store.LastNumber(ctx))(f); last != 3 {
		t.Errorf("last number %d, want 3", last)
	}
	odd := Customer(4)
	odd.ID = padron.CustomerID(strings.Repeat("ñ", 63) + "🌻")
	f.apply(lease, &padron.Batch{Upserts: []padron.SealedCustomer{odd}})
	if diff := cmp.Diff(odd, must(f.store.Customer(ctx, odd.ID, padron.Whole))(f)); diff != "" {
		t.Errorf("an id of 64 characters (-want +got):\n%s", diff)
	}
	f.apply(lease, &padron.Batch{}) // nothing to write is no error
}

func testApplyIsAllOrNothing(t *testing.T, f *fixture) {
	ctx, lease := t.Context(), f.lease()
	f.put(lease, 1)
	thief := Customer(7)
	thief.ID = ID(1) // the id of number 1
	nobody := Customer(0)
	for what, bad := range map[string]padron.SealedCustomer{"an id of another number": thief, "no number": nobody} {
		err := f.store.Apply(ctx, lease, &padron.Batch{
			Upserts:  []padron.SealedCustomer{Customer(5), bad},
			Rejected: []padron.Rejected{{ID: "q_1", Reasons: []padron.Reason{padron.ReasonMalformed}}}, At: epoch,
			Checkpoint: &padron.Checkpoint{RunID: "r", Cursor: "page:2", SavedAt: epoch},
		})
		if err == nil {
			t.Fatalf("%s was written", what)
		}
	}
	if n := must(f.store.Count(ctx))(f); n != 1 {
		t.Errorf("%d customers, want 1: half a batch was written", n)
	}
	if q := must(f.store.Quarantine(ctx, "", 10))(f); len(q) != 0 {
		t.Errorf("quarantine %v of a batch that failed", q)
	}
	if cp := must(f.store.Checkpoint(ctx))(f); cp != nil {
		t.Errorf("checkpoint %v of a batch that failed", cp)
	}
}

func testLargeBatch(t *testing.T, f *fixture) {
	ctx, lease := t.Context(), f.lease()
	const size = 5000
	rows := make([]padron.SealedCustomer, size)
	ids := make([]padron.CustomerID, size)
	for i := range rows {
		rows[i] = Customer(padron.Number(i + 1))
		ids[i] = rows[i].ID
	}
	f.apply(lease, &padron.Batch{Upserts: rows})
	if known := must(f.store.Lookup(ctx, ids))(f); len(known) != size {
		t.Errorf("%d of %d are known", len(known), size)
	}
	if n := must(f.store.Count(ctx))(f); n != size {
		t.Errorf("%d customers, want %d", n, size)
	}
}

func testDeleteAndRevive(t *testing.T, f *fixture) {
	ctx, lease := t.Context(), f.lease()
	rows := f.put(lease, 1, 2, 3)
	f.ok(f.store.Delete(ctx, lease, []padron.Number{2, 99}, epoch))
	f.ok(f.store.Delete(ctx, lease, []padron.Number{2}, epoch)) // again changes nothing
	f.ok(f.store.Delete(ctx, lease, nil, epoch))
	if _, err := f.store.Customer(ctx, ID(2), padron.Whole); !errors.Is(err, padron.ErrNotFound) {
		t.Errorf("a deleted customer: %v, want ErrNotFound", err)
	}
	if found := must(f.store.Search(ctx, padron.IndexUserName, rows[1].Indexes[padron.IndexUserName], 10, padron.Whole))(f); len(found) != 0 {
		t.Error("a deleted customer is found by search")
	}
	if known := must(f.store.Lookup(ctx, []padron.CustomerID{ID(2)}))(f); !known[ID(2)].Deleted || known[ID(2)].Number != 2 {
		t.Errorf("known of a deleted customer: %+v", known)
	}
	f.put(lease, 2)
	if diff := cmp.Diff(rows[1], must(f.store.Customer(ctx, ID(2), padron.Whole))(f)); diff != "" {
		t.Errorf("revived (-want +got):\n%s", diff)
	}
	if err := f.store.Delete(ctx, lease, make([]padron.Number, 10_001), epoch); err == nil {
		t.Error("10,001 deletions in one call were taken")
	}
}

func testLive(t *testing.T, f *fixture) {
	ctx, lease := t.Context(), f.lease()
	f.put(lease, 5, 1, 3, 2)
	f.ok(f.store.Delete(ctx, lease, []padron.Number{3}, epoch))
	var got []padron.Number
	for n, err := range f.store.Live(ctx) {
		f.ok(err)
		got = append(got, n)
		f.put(lease, 5) // a writer is not kept out
	}
	if !slices.Equal(got, []padron.Number{1, 2, 5}) {
		t.Errorf("live: %v", got)
	}
	for _, err := range f.store.Live(ctx) {
		f.ok(err)
		break
	}
}

func testCheckpoint(t *testing.T, f *fixture) {
	ctx, lease := t.Context(), f.lease()
	if cp := must(f.store.Checkpoint(ctx))(f); cp != nil {
		t.Fatalf("a checkpoint before any: %+v", cp)
	}
	save := func(run, cursor string, fresh bool, seen string) {
		t.Helper()
		f.apply(lease, &padron.Batch{Checkpoint: &padron.Checkpoint{
			RunID: run, Source: "s", Cursor: cursor, Seen: [][]byte{[]byte(seen)}, Fresh: fresh, SavedAt: epoch,
		}})
	}
	save("old", "page:9", true, "x")
	save("r1", "page:2", true, "a")
	save("r1", "page:3", false, "b")
	want := &padron.Checkpoint{RunID: "r1", Source: "s", Cursor: "page:3", Seen: [][]byte{[]byte("a"), []byte("b")}, SavedAt: epoch}
	if diff := cmp.Diff(want, must(f.store.Checkpoint(ctx))(f)); diff != "" {
		t.Errorf("checkpoint (-want +got):\n%s", diff)
	}
	run := &padron.Run{ID: "r1", Outcome: padron.OutcomeFailed, StartedAt: epoch}
	f.ok(f.store.FinishRun(ctx, lease, run))
	if cp := must(f.store.Checkpoint(ctx))(f); cp == nil {
		t.Error("a failed run dropped the checkpoint")
	}
	for _, outcome := range []padron.Outcome{padron.OutcomeCompleted, padron.OutcomeRefused} {
		save("r1", "page:4", false, "c")
		run.Outcome = outcome
		f.ok(f.store.FinishRun(ctx, lease, run))
		if cp := must(f.store.Checkpoint(ctx))(f); cp != nil {
			t.Errorf("a %s run kept the checkpoint", outcome)
		}
	}
}

func testCanceled(t *testing.T, f *fixture) {
	lease := f.lease()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := f.store.Apply(ctx, lease, &padron.Batch{Upserts: []padron.SealedCustomer{Customer(1)}, At: epoch}); !errors.Is(err, context.Canceled) {
		t.Errorf("a canceled write: %v", err)
	}
	if _, err := f.store.Customers(ctx, padron.Filter{}, "", 1, padron.Whole); !errors.Is(err, context.Canceled) {
		t.Errorf("a canceled read: %v", err)
	}
	f.put(lease, 1)
}
