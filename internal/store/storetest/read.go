package storetest

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"padron"
)

func testRuns(t *testing.T, f *fixture) {
	ctx, lease := t.Context(), f.lease()
	killed := &padron.Run{ID: "r1", StartedAt: epoch}
	f.ok(f.store.StartRun(ctx, lease, killed))
	if got := must(f.store.Run(ctx, "r1"))(f); got.Outcome != padron.OutcomeRunning {
		t.Errorf("a run under way is %s", got.Outcome)
	}
	done := &padron.Run{ID: "r2", StartedAt: epoch.Add(time.Minute)}
	f.ok(f.store.StartRun(ctx, lease, done))
	if got := must(f.store.Run(ctx, "r1"))(f); got.Outcome != padron.OutcomeFailed || got.Error != "interrupted" {
		t.Errorf("a run that never ended is %s %q", got.Outcome, got.Error)
	}
	done.Outcome, done.Read, done.Inserted, done.Duration = padron.OutcomeCompleted, 7, 7, 1500*time.Millisecond
	done.Reasons, done.Warnings = map[padron.Reason]int64{"id:missing": 2}, map[padron.Warning]int64{padron.WarningLuhn: 1}
	done.UnknownFields, done.Unknown, done.Unusual = []string{"nuevo"}, map[string]int64{"nuevo": 3, padron.MoreUnknown: 2}, []string{"nuevo"}
	f.ok(f.store.FinishRun(ctx, lease, done))
	if diff := cmp.Diff(*done, must(f.store.Run(ctx, "r2"))(f)); diff != "" {
		t.Errorf("run (-want +got):\n%s", diff)
	}
	var ids []string
	for _, r := range must(f.store.Runs(ctx, 10))(f) {
		ids = append(ids, r.ID)
	}
	if !slices.Equal(ids, []string{"r2", "r1"}) {
		t.Errorf("runs %v, want the newest first", ids)
	}
	if few := must(f.store.Runs(ctx, 1))(f); len(few) != 1 {
		t.Errorf("%d runs, asked for 1", len(few))
	}
	if _, err := f.store.Run(ctx, "none"); !errors.Is(err, padron.ErrNotFound) {
		t.Errorf("an unknown run: %v", err)
	}
}

func dataKey(id padron.KeyID, p padron.Purpose, group string) padron.DataKey {
	return padron.DataKey{ID: id, Purpose: p, Group: group, Wrapped: []byte{byte(id)}, KEK: "file:1", CreatedAt: epoch.Add(time.Duration(id))}
}

func testKeys(t *testing.T, f *fixture) {
	ctx, lease := t.Context(), f.lease()
	seal := dataKey(1<<62, padron.PurposeSeal, "personal")
	seal.CreatedAt = epoch
	f.ok(f.store.AddKey(ctx, seal))
	f.ok(f.store.AddKey(ctx, dataKey(2, padron.PurposeSeal, "personal")))
	f.apply(lease, &padron.Batch{Messages: map[padron.KeyID]int64{seal.ID: 40}})
	f.apply(lease, &padron.Batch{Messages: map[padron.KeyID]int64{seal.ID: 2}})
	seal.Messages = 42
	if diff := cmp.Diff(seal, must(f.store.Key(ctx, seal.ID))(f)); diff != "" {
		t.Errorf("key (-want +got):\n%s", diff)
	}
	if _, err := f.store.Key(ctx, 3); !errors.Is(err, padron.ErrNotFound) {
		t.Errorf("an unknown key: %v", err)
	}
	if all := must(f.store.Keys(ctx))(f); len(all) != 2 {
		t.Errorf("%d keys, want 2", len(all))
	}
	if err := f.store.AddKey(ctx, seal); err == nil {
		t.Error("a key was added twice")
	}
}

func testSharedKeyRace(t *testing.T, f *fixture) {
	ctx, other := t.Context(), f.again()
	var wg sync.WaitGroup
	kept := make([]padron.DataKey, 16)
	for i := range kept {
		wg.Go(func() {
			st := f.store
			if i%2 == 1 {
				st = other
			}
			var err error
			if kept[i], err = st.EnsureKey(ctx, padron.PurposeIndex, freshKey(padron.KeyID(i+1), padron.PurposeIndex)); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	for _, k := range kept {
		if k.ID != kept[0].ID || len(k.Wrapped) != 1 || k.Wrapped[0] != byte(k.ID) {
			t.Fatalf("two keys of one purpose: %d and %d", kept[0].ID, k.ID)
		}
	}
	if page := must(f.store.EnsureKey(ctx, padron.PurposePage, freshKey(99, padron.PurposePage)))(f); page.ID != 99 {
		t.Errorf("another purpose got key %d", page.ID)
	}
	never := func() (padron.DataKey, error) { return padron.DataKey{}, errNotAsked }
	if page := must(other.EnsureKey(ctx, padron.PurposePage, never))(f); page.ID != 99 {
		t.Errorf("the key that is there is key %d", page.ID)
	}
	if _, err := f.store.EnsureKey(ctx, padron.PurposeQuarantine, never); !errors.Is(err, errNotAsked) {
		t.Errorf("a key that cannot be made: %v", err)
	}
}

var errNotAsked = errors.New("no key is made here")

func freshKey(id padron.KeyID, p padron.Purpose) func() (padron.DataKey, error) {
	return func() (padron.DataKey, error) { return dataKey(id, p, ""), nil }
}

func testList(t *testing.T, f *fixture) {
	ctx, lease := t.Context(), f.lease()
	rows := make([]padron.SealedCustomer, 0, 4)
	for i, id := range []padron.CustomerID{"a", "B", "ñ", "10", "9"} {
		c := Customer(padron.Number(i + 1))
		c.ID = id
		rows = append(rows, c)
	}
	f.apply(lease, &padron.Batch{Upserts: rows})
	var got []padron.CustomerID
	for after := padron.CustomerID(""); ; {
		page := must(f.store.Customers(ctx, padron.Filter{}, after, 2, padron.Whole))(f)
		if len(page) == 0 {
			break
		}
		for i := range page {
			got = append(got, page[i].ID)
		}
		after = got[len(got)-1]
	}
	if want := []padron.CustomerID{"10", "9", "B", "a", "ñ"}; !slices.Equal(got, want) {
		t.Errorf("listed %v, want %v: bytewise", got, want)
	}
	if _, err := f.store.Customer(ctx, "A", padron.Whole); !errors.Is(err, padron.ErrNotFound) {
		t.Errorf("an id in another case: %v, want ErrNotFound", err)
	}
}

func testFilters(t *testing.T, f *fixture) {
	ctx, lease := t.Context(), f.lease()
	rows := f.put(lease, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10)
	three, seven := int64(3), int64(7)
	for name, c := range map[string]struct {
		filter padron.Filter
		keep   func(p *padron.Profile) bool
	}{
		"all":    {padron.Filter{}, func(*padron.Profile) bool { return true }},
		"colour": {padron.Filter{FavoriteColor: "añil"}, func(p *padron.Profile) bool { return p.FavoriteColor == "añil" }},
		"type":   {padron.Filter{CarType: "SUV"}, func(p *padron.Profile) bool { return p.CarType == "SUV" }},
		"from": {padron.Filter{RegisteredFrom: rows[4].Profile.RegisteredAt},
			func(p *padron.Profile) bool { return !p.RegisteredAt.Before(rows[4].Profile.RegisteredAt) }},
		"to": {padron.Filter{RegisteredTo: rows[4].Profile.RegisteredAt},
			func(p *padron.Profile) bool { return p.RegisteredAt.Before(rows[4].Profile.RegisteredAt) }},
		"purchases": {padron.Filter{PurchasesMin: &three, PurchasesMax: &seven}, func(p *padron.Profile) bool { return p.Purchases >= 3 && p.Purchases <= 7 }},
		"together": {padron.Filter{FavoriteColor: "rojo", CarType: "Sedan", PurchasesMin: &three},
			func(p *padron.Profile) bool {
				return p.FavoriteColor == "rojo" && p.CarType == "Sedan" && p.Purchases >= 3
			}},
	} {
		var want, got []padron.CustomerID
		for i := range rows {
			if c.keep(&rows[i].Profile) {
				want = append(want, rows[i].ID)
			}
		}
		for _, r := range must(f.store.Customers(ctx, c.filter, "", 100, padron.Whole))(f) {
			got = append(got, r.ID)
		}
		if !slices.Equal(want, got) || len(want) == 0 {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
	}
}

func testSearch(t *testing.T, f *fixture) {
	ctx, lease := t.Context(), f.lease()
	rows := []padron.SealedCustomer{Customer(3), Customer(1), Customer(2)}
	rows[0].Indexes[padron.IndexZipCode] = rows[1].Indexes[padron.IndexZipCode]
	f.apply(lease, &padron.Batch{Upserts: rows})
	for _, index := range padron.Indexes() {
		found := must(f.store.Search(ctx, index, rows[2].Indexes[index], 10, padron.Whole))(f)
		if len(found) != 1 || found[0].ID != rows[2].ID {
			t.Errorf("%s finds %d customers", index, len(found))
		}
	}
	both := must(f.store.Search(ctx, padron.IndexZipCode, rows[0].Indexes[padron.IndexZipCode], 10, padron.Whole))(f)
	if len(both) != 2 || both[0].ID != ID(1) || both[1].ID != ID(3) {
		t.Errorf("a shared zip code finds %d, want 2 in id order", len(both))
	}
	if few := must(f.store.Search(ctx, padron.IndexZipCode, rows[0].Indexes[padron.IndexZipCode], 1, padron.Whole))(f); len(few) != 1 {
		t.Errorf("%d found, asked for 1", len(few))
	}
	if none := must(f.store.Search(ctx, padron.IndexCardNumber, padron.BlindIndex{}, 10, padron.Whole))(f); len(none) != 0 {
		t.Errorf("nobody's index finds %d", len(none))
	}
}

func testQuarantine(t *testing.T, f *fixture) {
	ctx, lease := t.Context(), f.lease()
	reject := func(run string, at time.Time, entries ...padron.Rejected) {
		t.Helper()
		for i := range entries {
			entries[i].RunID = run
		}
		f.apply(lease, &padron.Batch{Rejected: entries, At: at})
	}
	a := padron.Rejected{ID: "q_a", CustomerID: "7", Reasons: []padron.Reason{"id:x", "ip_address:null"}, Record: padron.Sealed("one"), Key: 5}
	b := padron.Rejected{ID: "q_b", Reasons: []padron.Reason{padron.ReasonMalformed}, Record: padron.Sealed{}, Key: 5}
	reject("r1", epoch, a, b, b)
	a.Record, a.Key = padron.Sealed("two"), 6
	reject("r2", epoch.Add(time.Hour), a)
	got := must(f.store.QuarantineEntry(ctx, "q_a"))(f)
	want := padron.QuarantineEntry{
		ID: "q_a", CustomerID: "7", Reasons: a.Reasons, RunID: "r2", FirstSeen: epoch, LastSeen: epoch.Add(time.Hour), Count: 2,
		Record: padron.Sealed("two"), Key: 6,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("entry (-want +got):\n%s", diff)
	}
	first := must(f.store.Quarantine(ctx, "", 1))(f)
	rest := must(f.store.Quarantine(ctx, "q_a", 10))(f)
	if len(first) != 1 || first[0].ID != "q_a" || len(rest) != 1 || rest[0].ID != "q_b" || rest[0].Count != 2 || len(first[0].Record) != 0 {
		t.Errorf("pages: %v, %v", first, rest)
	}
	f.apply(lease, &padron.Batch{Cleared: []padron.CustomerID{"7", "nobody"}})
	if _, err := f.store.QuarantineEntry(ctx, "q_a"); !errors.Is(err, padron.ErrNotFound) {
		t.Errorf("a cleared entry: %v", err)
	}
	if left := must(f.store.Quarantine(ctx, "", 10))(f); len(left) != 1 {
		t.Errorf("%d entries left, want the one without customer id", len(left))
	}
	f.apply(lease, &padron.Batch{Moved: []string{"q_b", "q_none"}})
	if left := must(f.store.Quarantine(ctx, "", 10))(f); len(left) != 0 {
		t.Errorf("an entry that moved in is still there: %v", left)
	}
}

// testManyRejected: a batch may reject any number of records of any size, one
// customer's among them twice, and all are there with what came last.
func testManyRejected(t *testing.T, f *fixture) {
	ctx, lease := t.Context(), f.lease()
	rejected := make([]padron.Rejected, 450)
	for i := range rejected {
		rejected[i] = padron.Rejected{
			ID: fmt.Sprintf("q_%03d", i), CustomerID: ID(padron.Number(i + 1)), RunID: "r1",
			Reasons: []padron.Reason{padron.ReasonMalformed}, Record: padron.Sealed("record"), Key: 5,
		}
	}
	large := padron.Sealed(strings.Repeat("\x00'\\", 500_000))
	rejected[3].Record, rejected[4].Record, rejected[449].Record = large, large, large
	again := rejected[7]
	again.Record = padron.Sealed("later")
	f.apply(lease, &padron.Batch{Rejected: append(rejected, again), At: epoch})
	if n := len(must(f.store.Quarantine(ctx, "", 1000))(f)); n != len(rejected) {
		t.Errorf("%d entries of %d customers", n, len(rejected))
	}
	for id, want := range map[string]padron.Sealed{"q_003": large, "q_007": again.Record, "q_448": padron.Sealed("record"), "q_449": large} {
		if got := must(f.store.QuarantineEntry(ctx, id))(f); !slices.Equal(got.Record, want) {
			t.Errorf("%s holds %d bytes, want %d", id, len(got.Record), len(want))
		}
	}
	if got := must(f.store.QuarantineEntry(ctx, "q_007"))(f); got.Count != 2 {
		t.Errorf("an entry that came twice counts %d", got.Count)
	}
}

// testQuarantineAges: entries that nobody sent for long are removed, a bounded
// number at a time, and only under the lease.
func testQuarantineAges(t *testing.T, f *fixture) {
	ctx, lease := t.Context(), f.lease()
	count := func(want int64) {
		t.Helper()
		if n := must(f.store.CountQuarantine(ctx))(f); n != want {
			t.Errorf("%d entries, want %d", n, want)
		}
	}
	count(0)
	for i, id := range []string{"q_a", "q_b", "q_c", "q_d"} {
		f.apply(lease, &padron.Batch{Rejected: []padron.Rejected{{ID: id, Reasons: []padron.Reason{"id:x"}, Record: padron.Sealed("r")}}, At: epoch.Add(time.Duration(i) * time.Hour)})
	}
	// q_a is the oldest, but was sent again.
	f.apply(lease, &padron.Batch{Rejected: []padron.Rejected{{ID: "q_a", Reasons: []padron.Reason{"id:x"}, Record: padron.Sealed("r")}}, At: epoch.Add(5 * time.Hour)})
	count(4)
	stale := lease
	stale.Token--
	if n, err := f.store.PurgeQuarantine(ctx, stale, epoch.Add(9*time.Hour), 10); !errors.Is(err, padron.ErrLeaseLost) || n != 0 {
		t.Errorf("under a lost lease: %d, %v", n, err)
	}
	before := epoch.Add(3 * time.Hour) // when q_d was seen
	for _, want := range []int64{1, 1, 0} {
		if n := must(f.store.PurgeQuarantine(ctx, lease, before, 1))(f); n != want {
			t.Errorf("%d removed, want %d", n, want)
		}
	}
	count(2)
	left := must(f.store.Quarantine(ctx, "", 10))(f)
	if len(left) != 2 || left[0].ID != "q_a" || left[1].ID != "q_d" {
		t.Errorf("left: %v", left)
	}
}

func testTokens(t *testing.T, f *fixture) {
	ctx := t.Context()
	token := padron.Token{ID: "t1", Name: "billing", Role: padron.RoleViewer, Hash: [32]byte{1, 2}, CreatedAt: epoch, ExpiresAt: epoch.Add(time.Hour)}
	f.ok(f.store.AddToken(ctx, token))
	second := token
	second.ID, second.CreatedAt = "t0", epoch.Add(time.Second)
	f.ok(f.store.AddToken(ctx, second))
	if err := f.store.AddToken(ctx, token); err == nil {
		t.Error("an id was used twice")
	}
	f.ok(f.store.RevokeToken(ctx, "t1", epoch.Add(time.Minute)))
	f.ok(f.store.RevokeToken(ctx, "t1", epoch.Add(time.Hour)))
	token.RevokedAt = epoch.Add(time.Minute) // the first time counts
	if diff := cmp.Diff(token, must(f.store.Token(ctx, "t1"))(f)); diff != "" {
		t.Errorf("token (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]padron.Token{token, second}, must(f.store.Tokens(ctx))(f)); diff != "" {
		t.Errorf("tokens (-want +got):\n%s", diff)
	}
	if _, err := f.store.Token(ctx, "none"); !errors.Is(err, padron.ErrNotFound) {
		t.Errorf("an unknown token: %v", err)
	}
	if err := f.store.RevokeToken(ctx, "none", epoch); !errors.Is(err, padron.ErrNotFound) {
		t.Errorf("revoking an unknown token: %v", err)
	}
}

// entry is the next audit entry after a head; its hash is the number, so that
// the suite need not know how entries are hashed.
func entry(head padron.AuditHead) padron.AuditEntry {
	e := padron.AuditEntry{
		Seq: head.Seq + 1, Time: epoch.Add(time.Duration(head.Seq) * time.Second), Principal: "token:a", Role: padron.RoleAdmin,
		Action: padron.ActionGet, Outcome: padron.AuditAllowed, RequestID: "q", Prev: head.Hash,
	}
	e.Hash[0], e.Hash[1] = byte(e.Seq), byte(e.Seq>>8)
	return e
}

func one(head padron.AuditHead) ([]padron.AuditEntry, error) {
	return []padron.AuditEntry{entry(head)}, nil
}

func testAudit(t *testing.T, f *fixture) {
	ctx := t.Context()
	if head := must(f.store.AuditHead(ctx))(f); head != (padron.AuditHead{}) {
		t.Fatalf("the head of nothing: %+v", head)
	}
	var want []padron.AuditEntry
	f.ok(f.store.AppendAudit(ctx, func(head padron.AuditHead) ([]padron.AuditEntry, error) {
		first := entry(head)
		first.Customers, first.Fields, first.Purpose = []padron.CustomerID{"1", `"2"`}, []string{"user_name"}, "línea\n«dos»"
		second := entry(padron.AuditHead{Seq: first.Seq, Hash: first.Hash})
		want = []padron.AuditEntry{first, second}
		return want, nil
	}))
	if diff := cmp.Diff(want, must(f.store.AuditEntries(ctx, padron.AuditFilter{Limit: 10}))(f)); diff != "" {
		t.Errorf("entries (-want +got):\n%s", diff)
	}
	if head := must(f.store.AuditHead(ctx))(f); head.Seq != 2 || head.Hash != want[1].Hash {
		t.Errorf("head %+v", head)
	}
	broken := errors.New("broken")
	if err := f.store.AppendAudit(ctx, func(padron.AuditHead) ([]padron.AuditEntry, error) { return nil, broken }); !errors.Is(err, broken) {
		t.Errorf("the link's error: %v", err)
	}
	if err := f.store.AppendAudit(ctx, func(h padron.AuditHead) ([]padron.AuditEntry, error) {
		gap := entry(h)
		gap.Seq++
		return []padron.AuditEntry{entry(h), gap, gap}, nil
	}); err == nil {
		t.Error("entries with a gap were added")
	}
	if head := must(f.store.AuditHead(ctx))(f); head.Seq != 2 {
		t.Errorf("an append that failed left %d entries", head.Seq)
	}
}

func testAuditFilters(t *testing.T, f *fixture) {
	ctx := t.Context()
	for i := range 6 {
		f.ok(f.store.AppendAudit(ctx, func(h padron.AuditHead) ([]padron.AuditEntry, error) {
			e := entry(h)
			e.Principal, e.Action = fmt.Sprintf("token:%d", i%2), []padron.Action{padron.ActionGet, padron.ActionList, padron.ActionReveal}[i%3]
			e.Customers = []padron.CustomerID{"all", padron.CustomerID(fmt.Sprint(i))}
			return []padron.AuditEntry{e}, nil
		}))
	}
	for name, c := range map[string]struct {
		filter padron.AuditFilter
		want   []int64
	}{
		"all":       {padron.AuditFilter{}, []int64{1, 2, 3, 4, 5, 6}},
		"principal": {padron.AuditFilter{Principal: "token:1"}, []int64{2, 4, 6}},
		"action":    {padron.AuditFilter{Action: padron.ActionReveal}, []int64{3, 6}},
		"customer":  {padron.AuditFilter{Customer: "3"}, []int64{4}},
		"of all":    {padron.AuditFilter{Customer: "all", Principal: "token:0"}, []int64{1, 3, 5}},
		"times":     {padron.AuditFilter{From: epoch.Add(time.Second), To: epoch.Add(3 * time.Second)}, []int64{2, 3}},
		"after":     {padron.AuditFilter{After: 4}, []int64{5, 6}},
		"nobody":    {padron.AuditFilter{Customer: "al"}, nil},
	} {
		c.filter.Limit = 100
		var got []int64
		for _, e := range must(f.store.AuditEntries(ctx, c.filter))(f) {
			got = append(got, e.Seq)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
	if few := must(f.store.AuditEntries(ctx, padron.AuditFilter{Limit: 2}))(f); len(few) != 2 {
		t.Errorf("%d entries, asked for 2", len(few))
	}
}

func testAuditTogether(t *testing.T, f *fixture) {
	ctx, other := t.Context(), f.again()
	var wg sync.WaitGroup
	const writers, each = 8, 10
	for i := range writers {
		wg.Go(func() {
			st := f.store
			if i%2 == 1 {
				st = other
			}
			for range each {
				if err := st.AppendAudit(ctx, one); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	entries := must(f.store.AuditEntries(ctx, padron.AuditFilter{Limit: 1000}))(f)
	prev := [32]byte{}
	for i, e := range entries {
		if e.Seq != int64(i+1) || e.Prev != prev {
			t.Fatalf("entry %d does not follow the one before it", e.Seq)
		}
		prev = e.Hash
	}
	if len(entries) != writers*each {
		t.Errorf("%d entries, want %d", len(entries), writers*each)
	}
}

func testReadersDuringApply(t *testing.T, f *fixture) {
	ctx, lease := t.Context(), f.lease()
	f.put(lease, 1)
	done := make(chan struct{})
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				if _, err := f.store.Customer(ctx, ID(1), padron.Whole); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	for n := padron.Number(2); n < 200; n += 20 {
		f.put(lease, n, n+1, n+2, 1)
	}
	close(done)
	wg.Wait()
}
