// Package storetest is what every storage engine of the register must do, as a
// suite of tests that each engine runs.
package storetest

import (
	"sync"
	"testing"
	"time"

	"padron"
	"padron/internal/store"
)

// Open returns a migrated, empty register that ends with the test, and how to
// open the same one again as another process would. now is the engine's clock.
type Open func(t *testing.T, now func() time.Time) (first store.Engine, again func() store.Engine)

// Run runs the suite against an engine.
func Run(t *testing.T, open Open) {
	t.Helper()
	for name, test := range map[string]func(*testing.T, *fixture){
		"Schema": testSchema, "Lease": testLease, "LeaseExpires": testLeaseExpires, "ClockJumps": testClockJumps, "LeaseOfTheLivingStays": testLeaseOfTheLivingStays, "Fencing": testFencing,
		"Turns": testTurns, "TurnsAreFenced": testTurnsAreFenced,
		"ApplyAndLookup": testApplyAndLookup, "ApplyIsAllOrNothing": testApplyIsAllOrNothing, "LargeBatch": testLargeBatch,
		"DeleteAndRevive": testDeleteAndRevive, "Live": testLive, "Checkpoint": testCheckpoint, "Runs": testRuns,
		"Keys": testKeys, "SharedKeyRace": testSharedKeyRace, "List": testList, "Filters": testFilters, "Search": testSearch, "Parts": testParts, "RevokedAtOnce": testRevokedAtOnce,
		"Quarantine": testQuarantine, "QuarantineAges": testQuarantineAges, "ManyRejected": testManyRejected, "Tokens": testTokens, "Audit": testAudit, "AuditFilters": testAuditFilters,
		"Plan": testPlan, "PlanHoldsTheLease": testPlanHoldsTheLease, "Partitions": testPartitions,
		"NumbersAreReserved": testNumbersAreReserved, "Claim": testClaim, "ClaimAfterOthers": testClaimAfterOthers,
		"AuditTogether": testAuditTogether, "ReadersDuringApply": testReadersDuringApply, "Canceled": testCanceled,
	} {
		t.Run(name, func(t *testing.T) {
			c := &clock{at: epoch}
			f := &fixture{t: t, clock: c}
			f.store, f.again = open(t, c.now)
			test(t, f)
		})
	}
}

// epoch is when every test begins.
var epoch = time.Date(2025, 3, 4, 5, 6, 7, 0, time.UTC)

// clock is a clock that a test moves.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// fixture is a register under test.
type fixture struct {
	t     *testing.T
	store store.Engine
	again func() store.Engine
	clock *clock
}

func (f *fixture) lease() padron.Lease {
	f.t.Helper()
	lease, err := f.store.Acquire(f.t.Context(), "test", time.Minute)
	if err != nil {
		f.t.Fatal(err)
	}
	return lease
}

func (f *fixture) apply(lease padron.Lease, b *padron.Batch) {
	f.t.Helper()
	if b.At.IsZero() {
		b.At = epoch
	}
	if err := f.store.Apply(f.t.Context(), lease, b); err != nil {
		f.t.Fatal(err)
	}
}

// put stores customers with the numbers, under ids that sort like them.
func (f *fixture) put(lease padron.Lease, numbers ...padron.Number) []padron.SealedCustomer {
	f.t.Helper()
	rows := make([]padron.SealedCustomer, len(numbers))
	for i, n := range numbers {
		rows[i] = Customer(n)
	}
	f.apply(lease, &padron.Batch{Upserts: rows})
	return rows
}

func (f *fixture) ok(err error) {
	f.t.Helper()
	if err != nil {
		f.t.Fatal(err)
	}
}

// must turns the answer of a call into its value: must(call())(f).
func must[T any](v T, err error) func(*fixture) T {
	return func(f *fixture) T {
		f.t.Helper()
		f.ok(err)
		return v
	}
}
