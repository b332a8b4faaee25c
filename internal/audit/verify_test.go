package audit_test

import (
	"bytes"
	"context"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"padron"
	"padron/internal/audit"
	"padron/internal/store/sqlite"
)

// newChain returns a chain of n entries, a second apart.
func newChain(t testing.TB, n int) *chain {
	t.Helper()
	c := &chain{}
	at := time.Date(2024, 5, 6, 7, 8, 9, 0, time.UTC)
	l := audit.New(c, func() time.Time { at = at.Add(time.Second); return at })
	for i := range n {
		if err := l.Record(t.Context(), entry(i)); err != nil {
			t.Fatal(err)
		}
	}
	return c
}

func (c *chain) export(t testing.TB) string {
	t.Helper()
	var b strings.Builder
	if err := audit.WriteJSONL(t.Context(), c, &b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// verify verifies the chain and its export, which must agree.
func (c *chain) verify(t testing.TB, anchor *padron.AuditHead) audit.Result {
	t.Helper()
	stored, err := audit.Verify(t.Context(), c, anchor)
	if err != nil {
		t.Fatal(err)
	}
	exported, err := audit.VerifyJSONL(strings.NewReader(c.export(t)), anchor)
	if err != nil {
		t.Fatal(err)
	}
	if stored.Entries != exported.Entries || stored.Head != exported.Head || (stored.Broken == nil) != (exported.Broken == nil) ||
		stored.Broken != nil && *stored.Broken != *exported.Broken {
		t.Errorf("the store is found as %+v, its export as %+v", stored, exported)
	}
	return stored
}

// broken checks which entry is named as the first broken one, and why.
func (c *chain) broken(t testing.TB, anchor *padron.AuditHead, seq int64, why string) {
	t.Helper()
	r := c.verify(t, anchor)
	if r.Broken == nil {
		t.Fatalf("the chain passes for whole; want entry %d broken", seq)
	}
	if r.Broken.Seq != seq || !strings.Contains(r.Broken.Why, why) {
		t.Errorf("entry %d is named: %s; want entry %d: %s", r.Broken.Seq, r.Broken.Why, seq, why)
	}
	if r.Entries > seq-1 || r.Head.Seq != r.Entries {
		t.Errorf("%d entries to number %d are called whole before entry %d", r.Entries, r.Head.Seq, seq)
	}
}

// relink writes the chain again from entry i on, as someone who knows how would.
func (c *chain) relink(i int) {
	for ; i < len(c.entries); i++ {
		e := &c.entries[i]
		e.Seq, e.Prev = int64(i+1), [32]byte{}
		if i > 0 {
			e.Prev = c.entries[i-1].Hash
		}
		e.Hash = audit.Hash(e.Prev, e)
	}
}

// The store is read a thousand entries at a time.
func TestUnmodifiedChain(t *testing.T) {
	for _, n := range []int{0, 1, 2, 999, 1000, 1001, 2000, 2500} {
		c := newChain(t, n)
		c.whole(t, int64(n))
		r := c.verify(t, nil)
		if r.Head != c.head() {
			t.Errorf("%d entries: the head is %v, want %v", n, r.Head, c.head())
		}
		for _, at := range []int{1, n / 2, n} {
			if at < 1 || at > n {
				continue
			}
			anchor := padron.AuditHead{Seq: int64(at), Hash: c.entries[at-1].Hash}
			if r := c.verify(t, &anchor); r.Broken != nil {
				t.Errorf("%d entries, anchor at %d: broken at %+v", n, at, r.Broken)
			}
		}
		if r := c.verify(t, &padron.AuditHead{}); r.Broken != nil {
			t.Errorf("%d entries, anchor of the empty chain: broken at %+v", n, r.Broken)
		}
	}
}

// tampering changes one part of an entry.
var tampering = map[string]func(e *padron.AuditEntry){
	"time":             func(e *padron.AuditEntry) { e.Time = e.Time.Add(time.Millisecond) },
	"principal":        func(e *padron.AuditEntry) { e.Principal = "token:OTHER" },
	"role":             func(e *padron.AuditEntry) { e.Role = padron.RoleAdmin },
	"action":           func(e *padron.AuditEntry) { e.Action = padron.ActionReveal },
	"customer":         func(e *padron.AuditEntry) { e.Customers = []padron.CustomerID{"9"} },
	"customer added":   func(e *padron.AuditEntry) { e.Customers = append(slices.Clone(e.Customers), "9") },
	"customer removed": func(e *padron.AuditEntry) { e.Customers = nil },
	"field":            func(e *padron.AuditEntry) { e.Fields = []string{"id", "card_number"} },
	"field added":      func(e *padron.AuditEntry) { e.Fields = append(slices.Clone(e.Fields), "car") },
	"field removed":    func(e *padron.AuditEntry) { e.Fields = e.Fields[:1] },
	"fields joined":    func(e *padron.AuditEntry) { e.Fields = []string{strings.Join(e.Fields, "")} },
	"fields reordered": func(e *padron.AuditEntry) { e.Fields = []string{e.Fields[1], e.Fields[0]} },
	"text moved on":    func(e *padron.AuditEntry) { e.Purpose, e.Outcome = e.Outcome, e.Purpose },
	"list moved on": func(e *padron.AuditEntry) {
		e.Customers, e.Fields = nil, []string{string(e.Customers[0]), "id", "user_name"}
	},
	"purpose":    func(e *padron.AuditEntry) { e.Purpose = "because" },
	"outcome":    func(e *padron.AuditEntry) { e.Outcome = padron.AuditDenied },
	"request id": func(e *padron.AuditEntry) { e.RequestID += "x" },
	"hash":       func(e *padron.AuditEntry) { e.Hash[31] ^= 1 },
}

func TestChangedEntryIsNamed(t *testing.T) {
	for name, change := range tampering {
		t.Run(name, func(t *testing.T) {
			for _, i := range []int{0, 3, 6} { // the first, one between, the head
				c := newChain(t, 7)
				change(&c.entries[i])
				c.broken(t, nil, int64(i+1), "it was changed")
			}
		})
	}
	t.Run("prev", func(t *testing.T) {
		for _, i := range []int{0, 3, 6} {
			c := newChain(t, 7)
			c.entries[i].Prev[0] ^= 1
			c.broken(t, nil, int64(i+1), "does not follow the entry before it")
		}
	})
}

// Someone who knows how the hash is made can hide a change from the entry
// itself, not from the one after it, nor from an anchor.
func TestChangedEntryWithItsHash(t *testing.T) {
	for name, change := range tampering {
		if name == "hash" {
			continue
		}
		c := newChain(t, 7)
		anchor := c.head()
		change(&c.entries[3])
		c.entries[3].Hash = audit.Hash(c.entries[3].Prev, &c.entries[3])
		c.broken(t, nil, 5, "does not follow the entry before it")
		c.relink(4)
		if r := c.verify(t, nil); r.Broken != nil {
			t.Errorf("%s: the test does not write the chain again as it should: %+v", name, r.Broken)
		}
		c.broken(t, &anchor, 7, "not the one of the anchor")
	}
}

func TestRemovedMovedAndInserted(t *testing.T) {
	swap := func(c *chain, i, j int) { c.entries[i], c.entries[j] = c.entries[j], c.entries[i] }
	for name, tc := range map[string]struct {
		change func(c *chain)
		seq    int64
		why    string
	}{
		"first removed":              {func(c *chain) { c.entries = c.entries[1:] }, 1, "missing"},
		"middle removed":             {func(c *chain) { c.entries = slices.Delete(c.entries, 3, 4) }, 4, "missing; entry 5 follows entry 3"},
		"several removed":            {func(c *chain) { c.entries = slices.Delete(c.entries, 2, 5) }, 3, "missing; entry 6 follows entry 2"},
		"removed, others renumbered": {func(c *chain) { c.entries = slices.Delete(c.entries, 3, 4); renumber(c) }, 4, "does not follow"},
		"neighbours swapped":         {func(c *chain) { swap(c, 3, 4) }, 4, "missing; entry 5 follows entry 3"},
		"swapped and renumbered":     {func(c *chain) { swap(c, 3, 4); renumber(c) }, 4, "does not follow"},
		"one twice":                  {func(c *chain) { c.entries = slices.Insert(c.entries, 4, c.entries[3]) }, 5, "missing; entry 4 follows entry 4"},
		"one twice, renumbered":      {func(c *chain) { c.entries = slices.Insert(c.entries, 4, c.entries[3]); renumber(c) }, 5, "does not follow"},
		"forged between":             {func(c *chain) { c.entries = slices.Insert(c.entries, 4, forged(c, 4)); renumber(c) }, 6, "does not follow"},
		"forged before the first":    {func(c *chain) { c.entries = slices.Insert(c.entries, 0, forged(c, 0)); renumber(c) }, 2, "does not follow"},
		"two chains joined":          {func(c *chain) { c.entries = append(c.entries, newChain(t, 2).entries...) }, 8, "missing; entry 1 follows entry 7"},
	} {
		t.Run(name, func(t *testing.T) {
			c := newChain(t, 7)
			tc.change(c)
			e := &exported{c}
			e.broken(t, tc.seq, tc.why)
		})
	}
}

// exported is a chain whose order in the export counts, not that of numbers.
type exported struct{ *chain }

func (x *exported) broken(t *testing.T, seq int64, why string) {
	t.Helper()
	r, err := audit.VerifyJSONL(bytes.NewReader(lines(t, x.entries)), nil)
	if err != nil {
		t.Fatal(err)
	}
	if r.Broken == nil || r.Broken.Seq != seq || !strings.Contains(r.Broken.Why, why) {
		t.Errorf("broken is %+v, want entry %d: %s", r.Broken, seq, why)
	}
}

func lines(t *testing.T, entries []padron.AuditEntry) []byte {
	t.Helper()
	var b bytes.Buffer
	for i := range entries {
		data, err := entries[i].MarshalJSON()
		if err != nil {
			t.Fatal(err)
		}
		b.Write(append(data, '\n'))
	}
	return b.Bytes()
}

func renumber(c *chain) {
	for i := range c.entries {
		c.entries[i].Seq = int64(i + 1)
	}
}

// forged is an entry that is right in itself in place i.
func forged(c *chain, i int) padron.AuditEntry {
	e := entry(1000)
	e.Seq, e.Time = int64(i+1), c.entries[i].Time
	if i > 0 {
		e.Prev = c.entries[i-1].Hash
	}
	e.Hash = audit.Hash(e.Prev, &e)
	return e
}

// That the end is cut off shows only by an anchor; without one the head says
// where the chain ends.
func TestCutTail(t *testing.T) {
	for _, keep := range []int{0, 1, 6} {
		c := newChain(t, 7)
		anchor := c.head()
		c.entries = c.entries[:keep]
		if r := c.verify(t, nil); r.Broken != nil || r.Head.Seq != int64(keep) {
			t.Errorf("cut to %d without anchor: %+v", keep, r)
		}
		c.broken(t, &anchor, int64(keep+1), "anchor says that there were 7 entries")
		c.entries = append(c.entries, newChain(t, 7).entries[keep:]...) // and written on differently
		c.entries[keep].Principal = "token:OTHER"
		c.relink(keep)
		c.broken(t, &anchor, 7, "not the one of the anchor")
	}
}

func TestWrongAnchor(t *testing.T) {
	c := newChain(t, 7)
	for seq := int64(1); seq <= 7; seq++ {
		c.broken(t, &padron.AuditHead{Seq: seq, Hash: [32]byte{1}}, seq, "not the one of the anchor")
	}
}

// Whatever is changed in a chain, the first changed entry is named, or the one
// after it.
func TestAnyChangeIsFound(t *testing.T) {
	original := newChain(t, 9)
	names := make([]string, 0, len(tampering))
	for name := range tampering {
		names = append(names, name)
	}
	slices.Sort(names)
	rapid.Check(t, func(rt *rapid.T) {
		c := &chain{entries: slices.Clone(original.entries)}
		first := int64(10)
		for range rapid.IntRange(1, 4).Draw(rt, "changes") {
			i := rapid.IntRange(0, 8).Draw(rt, "entry")
			c.entries[i] = original.entries[i]
			tampering[rapid.SampledFrom(names).Draw(rt, "what")](&c.entries[i])
			first = min(first, int64(i+1))
		}
		if r := c.verify(t, nil); r.Broken == nil || r.Broken.Seq != first {
			rt.Fatalf("broken is %+v, want entry %d", r.Broken, first)
		}
	})
}

// Whatever goes on the record, its export verifies.
func TestAnythingRecordedVerifies(t *testing.T) {
	text := rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{"", "<&>", "\u2028", "\x00", "\xff\xfe", "a\xc3", "👩🏽‍🚀", `"\`}))
	st, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "padron.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = st.Close() })
	if err := st.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	inMemory := &chain{}
	now := time.Now()
	logs := []*audit.Log{audit.New(inMemory, func() time.Time { return now }), audit.New(st, func() time.Time { return now })}
	rapid.Check(t, func(rt *rapid.T) {
		e := padron.AuditEntry{
			Principal: text.Draw(rt, "principal"), Role: padron.Role(text.Draw(rt, "role")), Action: padron.Action(text.Draw(rt, "action")),
			Fields:  rapid.SliceOfN(text, 0, 3).Draw(rt, "fields"),
			Purpose: text.Draw(rt, "purpose"), Outcome: text.Draw(rt, "outcome"), RequestID: text.Draw(rt, "request id"),
		}
		for range rapid.IntRange(0, 3).Draw(rt, "customers") {
			e.Customers = append(e.Customers, padron.CustomerID("c"+text.Draw(rt, "customer")))
		}
		for _, l := range logs {
			if err := l.Record(t.Context(), e); err != nil {
				rt.Fatal(err)
			}
		}
	})
	want, err := inMemory.AuditHead(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if r := inMemory.verify(t, &want); r.Broken != nil {
		t.Errorf("what was recorded is broken at %+v", r.Broken)
	}
	if r, err := audit.Verify(t.Context(), st, &want); err != nil || r.Broken != nil {
		t.Errorf("SQLite keeps something else than what was recorded: %+v, %v", r.Broken, err)
	}
}

func TestVerifyWithoutStore(t *testing.T) {
	c := newChain(t, 3)
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	c.fail = errDown
	for ctx, want := range map[context.Context]error{t.Context(): errDown, cancelled: context.Canceled} {
		if r, err := audit.Verify(ctx, c, nil); !errors.Is(err, want) || r != (audit.Result{}) {
			t.Errorf("Verify = %+v, %v; want no result and %v", r, err, want)
		}
		var b bytes.Buffer
		if err := audit.WriteJSONL(ctx, c, &b); !errors.Is(err, want) || b.Len() > 0 {
			t.Errorf("WriteJSONL = %v with %d bytes written; want %v", err, b.Len(), want)
		}
	}
}

// full is a disk that takes so many bytes and no more.
type full struct{ left int }

func (f *full) Write(p []byte) (int, error) {
	if len(p) > f.left {
		return 0, errDown
	}
	f.left -= len(p)
	return len(p), nil
}

func TestExportToFullDisk(t *testing.T) {
	c := newChain(t, 100)
	for _, left := range []int{0, 10_000, len(c.export(t)) - 1} {
		if err := audit.WriteJSONL(t.Context(), c, &full{left}); !errors.Is(err, errDown) {
			t.Errorf("with room for %d bytes the error is %v", left, err)
		}
	}
}

func BenchmarkVerify(b *testing.B) {
	c := newChain(b, 10_000)
	b.ReportAllocs()
	for b.Loop() {
		if r, err := audit.Verify(b.Context(), c, nil); err != nil || r.Broken != nil {
			b.Fatal(r, err)
		}
	}
	b.ReportMetric(float64(b.N)*10_000/b.Elapsed().Seconds(), "entries/s")
}
