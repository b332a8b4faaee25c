package storetest

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"padron"
	"padron/internal/store"
)

// divisionTTL is how long the plans of these tests keep the lease.
const divisionTTL = 10 * time.Minute

// divided stores a plan of three partitions, the last of which is empty, and
// returns the lease it was planned under.
func (f *fixture) divided(run string) (padron.Lease, *padron.Plan) {
	f.t.Helper()
	lease := f.lease()
	f.ok(f.store.StartRun(f.t.Context(), lease, &padron.Run{ID: run, StartedAt: f.clock.now()}))
	plan := &padron.Plan{RunID: run, Token: lease.Token, Source: "s", Full: true, Parts: []padron.Part{
		{Part: 1, First: 1, End: 5}, {Part: 2, First: 5}, {Part: 3, First: 1, End: 1, Done: true},
	}}
	f.ok(f.store.Divide(f.t.Context(), lease, plan, divisionTTL))
	return lease, plan
}

// state is how far a partition is, for a batch.
func state(cursor, seen string, read int64, done bool) *padron.PartState {
	return &padron.PartState{Cursor: cursor, Seen: []byte(seen), Report: padron.Run{Read: read}, Done: done}
}

func (f *fixture) begin(st store.Engine, lease padron.Lease, part int) padron.Lease {
	f.t.Helper()
	held, _, err := st.BeginPart(f.t.Context(), lease, part)
	f.ok(err)
	return held
}

func testPlan(t *testing.T, f *fixture) {
	ctx := t.Context()
	if plan := must(f.store.Plan(ctx))(f); plan != nil {
		t.Fatalf("a plan before any: %+v", plan)
	}
	f.apply(f.lease(), &padron.Batch{Checkpoint: &padron.Checkpoint{RunID: "old", Fresh: true, SavedAt: epoch}})
	f.clock.advance(time.Hour)
	_, want := f.divided("r1")
	other := f.again()
	got := must(other.Plan(ctx))(f)
	for i := range got.Parts {
		got.Parts[i].Report = padron.Run{} // its JSON form has empty lists for none
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("plan (-want +got):\n%s", diff)
	}
	if cp := must(f.store.Checkpoint(ctx))(f); cp != nil {
		t.Errorf("a plan kept the checkpoint %+v", cp)
	}
}

// testPlanHoldsTheLease: a plan outlives its process, until nobody renews it.
func testPlanHoldsTheLease(t *testing.T, f *fixture) {
	ctx := t.Context()
	lease, _ := f.divided("r1")
	other := f.again()
	f.ok(f.store.Close())
	if _, err := other.Acquire(ctx, "next", time.Minute); !errors.Is(err, padron.ErrLeaseHeld) {
		t.Fatalf("the lease of a plan: %v, want ErrLeaseHeld", err)
	}
	f.clock.advance(divisionTTL - time.Second)
	f.ok(other.Renew(ctx, f.begin(other, lease, 1), divisionTTL))
	f.clock.advance(divisionTTL - time.Second)
	if _, err := other.Acquire(ctx, "next", time.Minute); !errors.Is(err, padron.ErrLeaseHeld) {
		t.Fatalf("a partition renewed the lease: %v, want ErrLeaseHeld", err)
	}
	f.clock.advance(2 * time.Second)
	next := must(other.Acquire(ctx, "next", time.Minute))(f)
	if _, _, err := other.BeginPart(ctx, lease, 1); !errors.Is(err, padron.ErrLeaseLost) {
		t.Errorf("a partition of a plan that was given up: %v, want ErrLeaseLost", err)
	}
	f.ok(other.StartRun(ctx, next, &padron.Run{ID: "r2", StartedAt: epoch}))
	if plan := must(other.Plan(ctx))(f); plan != nil {
		t.Errorf("another run left the plan %+v", plan)
	}
}

// testPartitions: each has its own place, and the latest attempt alone writes.
func testPartitions(t *testing.T, f *fixture) {
	ctx := t.Context()
	lease, _ := f.divided("r1")
	other := f.again()
	one, two := f.begin(f.store, lease, 1), f.begin(other, lease, 2)
	f.apply(one, &padron.Batch{Upserts: []padron.SealedCustomer{Customer(1)}, Part: state("page:2", "a", 10, false)})
	f.ok(other.Apply(ctx, two, &padron.Batch{Upserts: []padron.SealedCustomer{Customer(2)}, Part: state("page:9", "b", 20, true), At: epoch}))
	f.apply(one, &padron.Batch{}) // nothing to write is no error
	again, part, err := other.BeginPart(ctx, lease, 1)
	f.ok(err)
	if part.Cursor != "page:2" || part.Report.Read != 10 || part.Done || part.Attempt != 2 || part.First != 1 || part.End != 5 {
		t.Errorf("partition 1 begun again: %+v", part)
	}
	late := &padron.Batch{Upserts: []padron.SealedCustomer{Customer(3)}, Part: state("page:3", "x", 30, true), At: epoch}
	if err := f.store.Apply(ctx, one, late); !errors.Is(err, padron.ErrLeaseLost) {
		t.Errorf("an attempt that another one followed wrote: %v, want ErrLeaseLost", err)
	}
	f.ok(other.Apply(ctx, again, &padron.Batch{Part: state("page:5", "c", 40, true), At: epoch}))
	seen := must(f.store.PartsSeen(ctx, 1))(f)
	if diff := cmp.Diff([][]byte{[]byte("a"), []byte("c")}, seen); diff != "" {
		t.Errorf("seen by partition 1 (-want +got):\n%s", diff)
	}
	if all := must(f.store.PartsSeen(ctx, 0))(f); len(all) != 3 {
		t.Errorf("seen by all in %d parts, want 3", len(all))
	}
	plan := must(f.store.Plan(ctx))(f)
	if missing := plan.Missing(); len(missing) != 0 || plan.Parts[0].Report.Read != 40 || plan.Parts[1].Report.Read != 20 {
		t.Errorf("plan %+v, missing %v", plan, missing)
	}
	if n := must(f.store.Count(ctx))(f); n != 2 {
		t.Errorf("%d customers, want 2", n)
	}
	if _, _, err := f.store.BeginPart(ctx, lease, 4); err == nil {
		t.Error("a partition that is not planned was begun")
	}
}

// testNumbersAreReserved: two partitions never get the same, and nobody's is
// given again. An id that is there under another number is told.
func testNumbersAreReserved(t *testing.T, f *fixture) {
	ctx := t.Context()
	first := f.lease()
	f.put(first, 1, 7)
	f.ok(f.store.Release(ctx, first))
	lease, _ := f.divided("r1")
	other := f.again()
	one, two := f.begin(f.store, lease, 1), f.begin(other, lease, 2)
	a := must(f.store.ReserveNumbers(ctx, one, 5))(f)
	b := must(other.ReserveNumbers(ctx, two, 1))(f)
	c := must(f.store.ReserveNumbers(ctx, one, 1))(f)
	if a != 8 || b != 13 || c != 14 {
		t.Errorf("numbers from %d, %d and %d, want 8, 13 and 14", a, b, c)
	}
	mine, theirs := Customer(a), Customer(b)
	theirs.ID = mine.ID
	f.apply(one, &padron.Batch{Upserts: []padron.SealedCustomer{mine}, Part: state("page:2", "a", 1, false)})
	err := other.Apply(ctx, two, &padron.Batch{Upserts: []padron.SealedCustomer{theirs, Customer(c)}, Part: state("page:6", "b", 1, false), At: epoch})
	if !errors.Is(err, padron.ErrTaken) {
		t.Errorf("an id that another partition wrote: %v, want ErrTaken", err)
	}
	if n := must(f.store.Count(ctx))(f); n != 3 {
		t.Errorf("%d customers, want 3: half a batch was written", n)
	}
	if plan := must(f.store.Plan(ctx))(f); plan.Parts[1].Cursor != "" {
		t.Errorf("the place of a batch that failed was saved: %+v", plan.Parts[1])
	}
}

// testClaim: who finishes a divided run has it alone, and can be followed where
// it died.
func testClaim(t *testing.T, f *fixture) {
	ctx := t.Context()
	lease, _ := f.divided("r1")
	one := f.begin(f.store, lease, 1)
	f.ok(f.store.Release(ctx, lease))
	other := f.again()
	finisher := must(f.store.Acquire(ctx, "finisher", time.Minute))(f)
	f.ok(f.store.Claim(ctx, finisher))
	if err := f.store.Apply(ctx, one, &padron.Batch{Part: state("page:2", "a", 1, true), At: epoch}); !errors.Is(err, padron.ErrLeaseLost) {
		t.Errorf("a partition wrote after the claim: %v, want ErrLeaseLost", err)
	}
	if _, _, err := f.store.BeginPart(ctx, finisher, 1); !errors.Is(err, padron.ErrLeaseLost) {
		t.Errorf("a partition was begun after the claim: %v, want ErrLeaseLost", err)
	}
	if _, err := other.Acquire(ctx, "second finisher", time.Minute); !errors.Is(err, padron.ErrLeaseHeld) {
		t.Errorf("two finish at once: %v, want ErrLeaseHeld", err)
	}
	f.ok(f.store.Close()) // as if it had been killed
	next := must(other.Acquire(ctx, "next finisher", time.Minute))(f)
	f.ok(other.Claim(ctx, next))
	run := &padron.Run{ID: "r1", Outcome: padron.OutcomeFailed, StartedAt: epoch}
	f.ok(other.FinishRun(ctx, next, run))
	if plan := must(other.Plan(ctx))(f); plan == nil || !plan.Finishing || plan.Token != next.Token {
		t.Errorf("plan after a failed end: %+v", plan)
	}
	run.Outcome = padron.OutcomeCompleted
	f.ok(other.FinishRun(ctx, next, run))
	if plan := must(other.Plan(ctx))(f); plan != nil {
		t.Errorf("a completed run left the plan %+v", plan)
	}
}

// testClaimAfterOthers: a plan between whose partitions and end somebody else
// wrote is worth nothing.
func testClaimAfterOthers(t *testing.T, f *fixture) {
	ctx := t.Context()
	lease, _ := f.divided("r1")
	f.ok(f.store.Release(ctx, lease))
	f.ok(f.store.Release(ctx, f.lease()))
	if err := f.store.Claim(ctx, f.lease()); !errors.Is(err, padron.ErrLeaseLost) {
		t.Errorf("a claim after another holder: %v, want ErrLeaseLost", err)
	}
}
