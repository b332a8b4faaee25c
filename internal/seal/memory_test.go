package seal_test

import (
	"errors"
	"testing"

	"padron"
	"padron/internal/seal"
)

// dryRun is a sealer whose new keys stay in memory over the bench's store.
func dryRun(t *testing.T, b *bench) (*seal.Sealer, *seal.MemoryKeys) {
	t.Helper()
	m := seal.NewMemoryKeys(b.keys)
	s, err := seal.NewSealer(t.Context(), b.wrapper, m)
	if err != nil {
		t.Fatal(err)
	}
	return s, m
}

func TestDryRunLeavesNoKey(t *testing.T) {
	c := maria()
	for name, b := range map[string]*bench{"empty register": {keys: newKeyMap(), wrapper: newWrapper(t)}, "used register": newBench(t)} {
		t.Run(name, func(t *testing.T) {
			before := len(b.keys.keys)
			s, m := dryRun(t, b)
			sc, err := s.Seal(t.Context(), &c, s.Fingerprint(&c))
			if err != nil {
				t.Fatal(err)
			}
			if len(b.keys.keys) != before {
				t.Errorf("a dry run stored %d keys", len(b.keys.keys)-before)
			}
			o, err := seal.NewOpener(t.Context(), b.wrapper, m)
			if err != nil {
				t.Fatal(err)
			}
			if got, err := o.Open(t.Context(), &sc, everything()); err != nil || got != c {
				t.Error("what a dry run sealed does not open with its keys:", err)
			}
		})
	}
}

// A dry run compares with what is stored, so it shares the register's keys.
func TestDryRunHasTheRegistersFingerprints(t *testing.T) {
	b, c := newBench(t), maria()
	s, _ := dryRun(t, b)
	if s.Fingerprint(&c) != b.sealer.Fingerprint(&c) {
		t.Error("a dry run takes every customer for changed")
	}
}

func TestMemoryKeysReadThrough(t *testing.T) {
	b, c := newBench(t), maria()
	sc := b.seal(t, &c)
	m := seal.NewMemoryKeys(b.keys)
	if k, err := m.Key(t.Context(), sc.PersonalKey); err != nil || k.ID != sc.PersonalKey {
		t.Error("a stored key is not found:", err)
	}
	if _, err := m.Key(t.Context(), 1); padron.ErrorCode(err) != padron.CodeNotFound {
		t.Error("a key that is not there:", err)
	}
	fresh := padron.DataKey{ID: 5, Purpose: padron.PurposePage}
	makeFresh := func() (padron.DataKey, error) { return fresh, nil }
	for _, id := range []padron.KeyID{5, 6} {
		fresh.ID = id
		if k, err := m.EnsureKey(t.Context(), padron.PurposePage, makeFresh); err != nil || k.ID != 5 {
			t.Errorf("EnsureKey = %d, %v; want the first one's key", k.ID, err)
		}
	}
	b.keys.fail = errDown
	if _, err := m.EnsureKey(t.Context(), padron.PurposePage, makeFresh); !errors.Is(err, errDown) {
		t.Error("a key is made though the store cannot say whether there is one:", err)
	}
}
