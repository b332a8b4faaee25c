package audit_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"padron"
	"padron/internal/audit"
	"padron/internal/store"
)

// chain is a store of audit entries in memory.
type chain struct {
	mu      sync.Mutex
	entries []padron.AuditEntry
	groups  []int // sizes of the commits
	// gate holds each append until it can be received from, if set.
	gate chan struct{}
	// fail is what the next append returns; with wrote it returns it after
	// writing, as a database does whose answer is lost.
	fail  error
	wrote bool
	// retry makes each append link twice, as a store does after a deadlock.
	retry bool
}

var _ store.Audit = (*chain)(nil)

func (c *chain) AppendAudit(ctx context.Context, link func(padron.AuditHead) ([]padron.AuditEntry, error)) error {
	if c.gate != nil {
		select {
		case <-c.gate:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	fail := c.fail
	c.fail = nil
	if fail != nil && !c.wrote {
		return fail
	}
	if c.retry {
		if _, err := link(padron.AuditHead{Seq: 99, Hash: [32]byte{99}}); err != nil {
			return err
		}
	}
	added, err := link(c.head())
	if err != nil {
		return err
	}
	c.entries = append(c.entries, added...)
	c.groups = append(c.groups, len(added))
	return fail
}

func (c *chain) head() padron.AuditHead {
	if len(c.entries) == 0 {
		return padron.AuditHead{}
	}
	last := c.entries[len(c.entries)-1]
	return padron.AuditHead{Seq: last.Seq, Hash: last.Hash}
}

func (c *chain) AuditHead(context.Context) (padron.AuditHead, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.head(), nil
}

func (c *chain) AuditEntries(ctx context.Context, f padron.AuditFilter) ([]padron.AuditEntry, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := errors.Join(ctx.Err(), c.fail); err != nil {
		return nil, err
	}
	var out []padron.AuditEntry
	for _, e := range c.entries {
		if e.Seq > f.After && len(out) < f.Limit {
			out = append(out, e)
		}
	}
	return out, nil
}

func (c *chain) set(f func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	f()
}

func (c *chain) len() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.entries)
}

// whole checks that the chain is unbroken and has that many entries.
func (c *chain) whole(t testing.TB, n int64) {
	t.Helper()
	r, err := audit.Verify(t.Context(), c, nil)
	if err != nil {
		t.Fatal(err)
	}
	if r.Broken != nil || r.Entries != n || r.Head.Seq != n {
		t.Errorf("the chain has %d entries to number %d, broken at %+v; want %d, unbroken", r.Entries, r.Head.Seq, r.Broken, n)
	}
}

func entry(i int) padron.AuditEntry {
	return padron.AuditEntry{
		Principal: "token:7Q2M", Role: padron.RoleAnalyst, Action: padron.ActionGet, Outcome: padron.AuditAllowed,
		Customers: []padron.CustomerID{padron.CustomerID(fmt.Sprint(i))}, Fields: []string{"id", "user_name"}, RequestID: fmt.Sprintf("r-%d", i),
	}
}

// record appends entries at the same time and returns where the errors go.
func record(ctx context.Context, l *audit.Log, n int) chan error {
	done := make(chan error, n)
	for i := range n {
		go func() { done <- l.Record(ctx, entry(i)) }()
	}
	return done
}

func newLog(c *chain) *audit.Log { return audit.New(c, time.Now) }

// A commit that is under way gathers company for the next one.
func TestGroupCommit(t *testing.T) {
	for _, tc := range []struct {
		waiting int
		groups  []int
	}{
		{0, []int{1}},
		{1, []int{1, 1}},
		{100, []int{1, 100}},
		{256, []int{1, 256}},
		{600, []int{1, 256, 256, 88}},
	} {
		t.Run(fmt.Sprint(tc.waiting), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := &chain{gate: make(chan struct{})}
				l := newLog(c)
				first := record(t.Context(), l, 1)
				synctest.Wait()
				others := record(t.Context(), l, tc.waiting)
				synctest.Wait()
				close(c.gate)
				for range tc.waiting {
					if err := <-others; err != nil {
						t.Error(err)
					}
				}
				if err := <-first; err != nil {
					t.Error(err)
				}
				c.whole(t, int64(tc.waiting+1))
				if !slices.Equal(c.groups, tc.groups) {
					t.Errorf("the commits took %v entries, want %v", c.groups, tc.groups)
				}
			})
		})
	}
}

func TestEveryEntryIsOnceInTheChain(t *testing.T) {
	c := &chain{}
	l := newLog(c)
	const callers, each = 32, 50
	var wg sync.WaitGroup
	for caller := range callers {
		wg.Go(func() {
			for i := range each {
				if err := l.Record(t.Context(), entry(caller*each+i)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	c.whole(t, callers*each)
	seen := map[string]int{}
	for i := range c.entries {
		seen[c.entries[i].RequestID]++
	}
	for i := range callers * each {
		if n := seen[entry(i).RequestID]; n != 1 {
			t.Errorf("entry %d stands %d times in the chain", i, n)
		}
	}
}

func TestRecordWaitsForTheStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &chain{gate: make(chan struct{})}
		done := record(t.Context(), newLog(c), 1)
		synctest.Wait()
		select {
		case err := <-done:
			t.Fatal("Record returned before the store had the entry:", err)
		default:
		}
		close(c.gate)
		if err := <-done; err != nil || c.len() != 1 {
			t.Errorf("%d entries are stored after Record, %v; want 1", c.len(), err)
		}
	})
}

func TestWhatRecordSets(t *testing.T) {
	c := &chain{}
	at := time.Date(2024, 5, 6, 7, 8, 9, 123_999_999, time.FixedZone("Lima", -5*3600))
	l := audit.New(c, func() time.Time { return at })
	e := entry(1)
	e.Seq, e.Prev, e.Hash, e.Time = 77, [32]byte{1}, [32]byte{2}, time.Unix(0, 0) // set by Record, whatever they were
	for range 2 {
		if err := l.Record(t.Context(), e); err != nil {
			t.Fatal(err)
		}
	}
	c.whole(t, 2)
	first, second := c.entries[0], c.entries[1]
	if want := time.Date(2024, 5, 6, 12, 8, 9, 123e6, time.UTC); first.Time != want {
		t.Errorf("the time is %v, want %v", first.Time, want)
	}
	if first.Prev != [32]byte{} || second.Prev != first.Hash || first.Hash == second.Hash {
		t.Error("the entries are not linked")
	}
}

var errDown = errors.New("down for the test")

func unavailable(t *testing.T, err, cause error) {
	t.Helper()
	if !errors.Is(err, cause) || padron.ErrorCode(err) != padron.CodeUnavailable {
		t.Errorf("the error is %v, want unavailable because of %v", err, cause)
	}
}

// Where the store fails everyone of the group hears of it, and the next entry
// takes the number that the failed ones did not get.
func TestStoreFailureAndRecovery(t *testing.T) {
	for name, wrote := range map[string]bool{"nothing written": false, "written, answer lost": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := &chain{gate: make(chan struct{}), wrote: wrote}
				l := newLog(c)
				first := record(t.Context(), l, 1)
				synctest.Wait()
				group := record(t.Context(), l, 5)
				synctest.Wait()
				c.gate <- struct{}{}
				if err := <-first; err != nil {
					t.Fatal(err)
				}
				c.set(func() { c.fail = errDown })
				c.gate <- struct{}{}
				for range 5 {
					unavailable(t, <-group, errDown)
				}
				close(c.gate)
				want := int64(2)
				if wrote {
					want += 5
				}
				if err := l.Record(t.Context(), entry(9)); err != nil {
					t.Error("the log does not recover:", err)
				}
				c.whole(t, want)
			})
		})
	}
}

// A store may link a group again, over another end of the chain.
func TestStoreThatRetries(t *testing.T) {
	c := &chain{retry: true}
	l := newLog(c)
	for i := range 3 {
		if err := l.Record(t.Context(), entry(i)); err != nil {
			t.Fatal(err)
		}
	}
	c.whole(t, 3)
}

// A caller whose time is up leaves with an error; the chain stays whole, with
// the entry in it.
func TestCancelledWhileWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &chain{gate: make(chan struct{})}
		l := newLog(c)
		ctx, cancel := context.WithCancel(t.Context())
		leaving, staying := record(ctx, l, 3), record(t.Context(), l, 3)
		synctest.Wait()
		cancel()
		for range 3 {
			unavailable(t, <-leaving, context.Canceled)
		}
		close(c.gate)
		for range 3 {
			if err := <-staying; err != nil {
				t.Error("who stayed is not served:", err)
			}
		}
		c.whole(t, 6)
	})
}

// Who left may use his slices again: what is on the record stays what it was.
func TestEntryIsCopied(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &chain{gate: make(chan struct{})}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		e := entry(1)
		unavailable(t, newLog(c).Record(ctx, e), context.Canceled)
		e.Customers[0], e.Fields[0] = "other", "other"
		close(c.gate)
		synctest.Wait()
		c.whole(t, 1)
		if want := entry(1); !slices.Equal(c.entries[0].Customers, want.Customers) || !slices.Equal(c.entries[0].Fields, want.Fields) {
			t.Errorf("the entry is about %v and %v, want %v and %v", c.entries[0].Customers, c.entries[0].Fields, want.Customers, want.Fields)
		}
	})
}

// A store that hangs is given up after a while, and so is nobody for ever.
func TestStoreThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &chain{gate: make(chan struct{})}
		l := newLog(c)
		start := time.Now()
		unavailable(t, l.Record(t.Context(), entry(1)), context.DeadlineExceeded)
		if waited := time.Since(start); waited < time.Second || waited > time.Minute {
			t.Errorf("Record waited %v", waited)
		}
		close(c.gate)
		if err := l.Record(t.Context(), entry(2)); err != nil {
			t.Error("the log does not recover:", err)
		}
		c.whole(t, 1)
	})
}

func TestCloseWaitsForEntries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &chain{gate: make(chan struct{})}
		l := newLog(c)
		done := record(t.Context(), l, 10)
		synctest.Wait()
		closed := make(chan error, 1)
		go func() { closed <- l.Close() }()
		synctest.Wait()
		select {
		case err := <-closed:
			t.Fatal("Close returned while entries were waiting:", err)
		default:
		}
		close(c.gate)
		if err := <-closed; err != nil {
			t.Error(err)
		}
		c.whole(t, 10)
		for range 10 {
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
		if err := l.Record(t.Context(), entry(11)); padron.ErrorCode(err) != padron.CodeUnavailable {
			t.Error("a closed log takes entries:", err)
		}
		if l.Close() == nil {
			t.Error("closing twice is not an error")
		}
		c.whole(t, 10)
	})
}

func BenchmarkRecord(b *testing.B) {
	c := &chain{}
	l := newLog(c)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if err := l.Record(b.Context(), entry(1)); err != nil {
				b.Error(err)
			}
		}
	})
}

// TestCheck: the log counts as failing for a while after a failed commit, and as
// well again at the first that succeeds.
func TestCheck(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &chain{}
		l := newLog(c)
		check := func(what string, well bool) {
			t.Helper()
			if err := l.Check(t.Context()); (err == nil) != well {
				t.Errorf("%s: %v", what, err)
			}
		}
		check("at the start", true)
		c.set(func() { c.fail = errDown })
		unavailable(t, l.Record(t.Context(), entry(1)), errDown)
		check("after a failure", false)
		time.Sleep(9 * time.Second)
		check("nine seconds later", false)
		time.Sleep(time.Second)
		check("ten seconds later", true)
		c.set(func() { c.fail = errDown })
		unavailable(t, l.Record(t.Context(), entry(1)), errDown)
		check("after another", false)
		if err := l.Record(t.Context(), entry(1)); err != nil { // it failed once
			t.Fatal(err)
		}
		check("after a success", true)
	})
}
