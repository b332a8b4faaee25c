package seal_test

import (
	"errors"
	"slices"
	"sync"
	"testing"

	"padron"
	"padron/internal/seal"
)

// A sealer may unwrap what runs share, and never the keys of field groups:
// whoever steals it can read nobody.
func TestSealerNeverUnwrapsKeysOfFieldGroups(t *testing.T) {
	b, c := newBench(t), maria()
	b.seal(t, &c)
	b.sealer = b.newSealer(t) // a second run finds the first one's keys
	b.sealer.SetMaxMessages(1)
	for range 3 {
		b.seal(t, &c)
	}
	var r padron.Record
	if _, _, err := b.sealer.SealRecord(t.Context(), &r, b.sealer.RejectedID(&r, nil)); err != nil {
		t.Fatal(err)
	}
	seen := b.wrapper.seen()
	for _, want := range []padron.Purpose{padron.PurposeIndex, padron.PurposeFingerprint, padron.PurposeQuarantine} {
		if !slices.Contains(seen, seal.Context{Purpose: want}) {
			t.Errorf("the second run did not unwrap the %s key", want)
		}
	}
	for _, c := range seen {
		if c.Purpose == padron.PurposeSeal || c.Group != "" {
			t.Errorf("a sealer unwrapped a key of %v", c)
		}
	}
}

// substitute is a store that answers with another purpose's key.
type substitute struct {
	*keyMap
	with padron.DataKey
}

func (s substitute) EnsureKey(ctx ctx, p padron.Purpose, fresh func() (padron.DataKey, error)) (padron.DataKey, error) {
	if p == padron.PurposeFingerprint {
		return s.with, nil
	}
	return s.keyMap.EnsureKey(ctx, p, fresh)
}

func TestSharedKeyOfAnotherPurposeIsRefused(t *testing.T) {
	b, c := newBench(t), maria()
	sc := b.seal(t, &c)
	for _, id := range []padron.KeyID{sc.PersonalKey, sc.FinancialKey} {
		before := len(b.wrapper.seen())
		_, err := seal.NewSealer(t.Context(), b.wrapper, substitute{b.keys, b.keys.keys[id]})
		if err == nil {
			t.Error("a field group's key passes for the fingerprint key")
		}
		if slices.ContainsFunc(b.wrapper.seen()[before:], func(c seal.Context) bool { return c.Purpose == padron.PurposeSeal }) {
			t.Error("a sealer asked for a field group's key to be unwrapped")
		}
	}
}

func TestEachRunHasItsOwnDataKeys(t *testing.T) {
	b, c := newBench(t), maria()
	first := b.seal(t, &c)
	again := b.seal(t, &c)
	b.sealer = b.newSealer(t)
	second := b.seal(t, &c)
	if first.PersonalKey != again.PersonalKey || first.FinancialKey != again.FinancialKey {
		t.Error("one run uses several keys of a group")
	}
	ids := []padron.KeyID{first.PersonalKey, first.FinancialKey, second.PersonalKey, second.FinancialKey}
	slices.Sort(ids)
	if len(slices.Compact(ids)) != 4 || ids[0] < 1 {
		t.Errorf("the keys of two runs and two groups are %v, want four", ids)
	}
	if first.Fingerprint != second.Fingerprint || first.Indexes != second.Indexes {
		t.Error("two runs disagree on fingerprint or indexes: every customer would be written again")
	}
	for _, sc := range []padron.SealedCustomer{first, second} {
		if _, err := b.opener.Open(t.Context(), &sc, everything()); err != nil {
			t.Error(err)
		}
	}
}

func TestStoredDataKeys(t *testing.T) {
	b, c := newBench(t), maria()
	sc := b.seal(t, &c)
	for id, group := range map[padron.KeyID]padron.Group{sc.PersonalKey: padron.GroupPersonal, sc.FinancialKey: padron.GroupFinancial} {
		k, err := b.keys.Key(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		if k.Purpose != padron.PurposeSeal || k.Group != group.String() || k.KEK != b.wrapper.ID() || k.CreatedAt.IsZero() {
			t.Errorf("the stored key of the %s group is %+v", group, k)
		}
	}
	if n := len(b.keys.keys); n != 5 {
		t.Errorf("%d keys are stored, want two of groups and three that runs share", n)
	}
}

func TestKeysRetireAndAreCounted(t *testing.T) {
	b, c := newBench(t), maria()
	b.sealer.SetMaxMessages(4)
	uses := map[padron.KeyID]int64{}
	var rows []padron.SealedCustomer
	for range 10 {
		sc := b.seal(t, &c)
		uses[sc.PersonalKey]++
		uses[sc.FinancialKey]++
		rows = append(rows, sc)
	}
	for range 3 {
		_, id, err := b.sealer.SealRecord(t.Context(), &padron.Record{}, "q_1")
		if err != nil {
			t.Fatal(err)
		}
		uses[id]++
	}
	if len(uses) != 7 {
		t.Errorf("10 customers at 4 a key and a quarantine took %d keys, want 3+3+1", len(uses))
	}
	taken := b.sealer.TakeMessages()
	for id, n := range uses {
		if n > 4 || taken[id] != n {
			t.Errorf("key %d sealed %d messages, %d were counted; at most 4 allowed", id, n, taken[id])
		}
	}
	if more := b.sealer.TakeMessages(); len(more) != 0 || b.sealer.RetiredKeys() != 0 {
		t.Errorf("messages are counted twice: %v; %d retired keys are kept", more, b.sealer.RetiredKeys())
	}
	for i := range rows {
		if _, err := b.opener.Open(t.Context(), &rows[i], everything()); err != nil {
			t.Error(err)
		}
	}
}

func TestConcurrentSealing(t *testing.T) {
	b, c := newBench(t), maria()
	b.sealer.SetMaxMessages(16)
	const workers, each = 8, 25
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for range each {
				sc, err := b.sealer.Seal(t.Context(), &c, b.sealer.Fingerprint(&c))
				if err != nil {
					t.Error(err)
					return
				}
				if got, err := b.opener.Open(t.Context(), &sc, everything()); err != nil || got != c {
					t.Error("what was sealed at the same time does not open:", err)
				}
			}
		})
	}
	wg.Wait()
	total := int64(0)
	for id, n := range b.sealer.TakeMessages() {
		if n > 16 {
			t.Errorf("key %d sealed %d messages, want at most 16", id, n)
		}
		total += n
	}
	if total != workers*each*2 {
		t.Errorf("%d messages were counted, want %d", total, workers*each*2)
	}
}

// Two runs that start at once on an empty register agree on the shared keys.
func TestSharedKeysAtOnce(t *testing.T) {
	b, c := &bench{keys: newKeyMap(), wrapper: newWrapper(t)}, maria()
	prints := make([]padron.Fingerprint, 8)
	var wg sync.WaitGroup
	for i := range prints {
		wg.Go(func() {
			s, err := seal.NewSealer(t.Context(), b.wrapper, b.keys)
			if err != nil {
				t.Error(err)
				return
			}
			prints[i] = s.Fingerprint(&c)
		})
	}
	wg.Wait()
	if len(slices.Compact(prints)) != 1 {
		t.Error("sealers that began at once have different fingerprint keys")
	}
	if len(b.keys.keys) != 3 {
		t.Errorf("%d shared keys are stored, want 3", len(b.keys.keys))
	}
}

var errDown = errors.New("down for the test")

// Nothing is sealed under a key that was not stored, and the next attempt works.
func TestSealWithoutStoreOrKEK(t *testing.T) {
	c := maria()
	for name, set := range map[string]func(*bench, error){
		"store": func(b *bench, err error) { b.keys.fail = err },
		"KEK":   func(b *bench, err error) { b.wrapper.setFail(err) },
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			set(b, errDown)
			sc, err := b.sealer.Seal(t.Context(), &c, b.sealer.Fingerprint(&c))
			if !errors.Is(err, errDown) || sc.Personal != nil || sc.Financial != nil {
				t.Fatal("sealed without a stored key:", err)
			}
			if _, err := seal.NewSealer(t.Context(), b.wrapper, b.keys); !errors.Is(err, errDown) {
				t.Error("a sealer begins without its keys:", err)
			}
			if _, err := seal.NewPager(t.Context(), b.wrapper, b.keys); !errors.Is(err, errDown) {
				t.Error("a pager begins without its key:", err)
			}
			silent(t, &c, err)
			set(b, nil)
			sc = b.seal(t, &c)
			if got, err := b.opener.Open(t.Context(), &sc, everything()); err != nil || got != c {
				t.Error("sealing does not recover:", err)
			}
		})
	}
}

// Keys wrapped by another key-encryption key are refused with what to check.
func TestOtherKEK(t *testing.T) {
	b := newBench(t)
	other := newWrapper(t)
	_, err := seal.NewSealer(t.Context(), other, b.keys)
	if padron.ErrorCode(err) != padron.CodeUnavailable {
		t.Fatal("another key-encryption key is not refused as unavailable:", err)
	}
	for _, want := range []string{"PADRON_KEYS", other.ID(), b.wrapper.ID()} {
		if !contains(err, want) {
			t.Errorf("the error %q does not name %q", err, want)
		}
	}
}
