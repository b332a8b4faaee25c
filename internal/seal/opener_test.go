package seal_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"padron"
	"padron/internal/seal"
)

type ctx = context.Context

func contains(err error, text string) bool { return strings.Contains(err.Error(), text) }

// However many rows wait for a data key, it is unwrapped once.
func TestDataKeyIsUnwrappedOnce(t *testing.T) {
	b, c := newBench(t), maria()
	sc := b.seal(t, &c)
	before := len(b.wrapper.seen())
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			if got, err := b.opener.Open(t.Context(), &sc, everything()); err != nil || got != c {
				t.Error("cannot be opened at the same time:", err)
			}
		})
	}
	wg.Wait()
	if n := len(b.wrapper.seen()) - before; n != 2 {
		t.Errorf("%d keys were unwrapped, want one for each group", n)
	}
}

func TestMaskedViewUnwrapsNoFinancialKey(t *testing.T) {
	b, c := newBench(t), maria()
	sc := b.seal(t, &c)
	before := len(b.wrapper.seen())
	if _, err := b.opener.Open(t.Context(), &sc, padron.Disclosures{padron.FieldCardNumber: padron.Masked}); err != nil {
		t.Fatal(err)
	}
	want := seal.Context{Purpose: padron.PurposeSeal, Group: padron.GroupPersonal.String()}
	if seen := b.wrapper.seen()[before:]; len(seen) != 1 || seen[0] != want {
		t.Errorf("a masked view unwrapped %v, want %v alone", seen, want)
	}
}

// A key that is not of the place's context is not even unwrapped.
func TestMisplacedKeyIsNotUnwrapped(t *testing.T) {
	b, c := newBench(t), maria()
	sc := b.seal(t, &c)
	before := len(b.wrapper.seen())
	misplaced := sc
	misplaced.Personal, misplaced.Financial = sc.Financial, sc.Personal
	refused(t, b, &misplaced, personalOnly(), &c)
	refused(t, b, &misplaced, financialOnly(), &c)
	if _, err := b.opener.OpenRecord(t.Context(), &padron.QuarantineEntry{ID: "q_1", Record: sc.Personal}); err == nil {
		t.Error("a customer's group passes for a rejected record")
	}
	if seen := b.wrapper.seen()[before:]; len(seen) != 0 {
		t.Errorf("the keys of %v were unwrapped", seen)
	}
}

// A failure of store or key-encryption key is not kept.
func TestOpenerRecovers(t *testing.T) {
	c := maria()
	for name, set := range map[string]func(*bench, error){
		"store": func(b *bench, err error) { b.keys.fail = err },
		"KEK":   func(b *bench, err error) { b.wrapper.setFail(err) },
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			sc := b.seal(t, &c)
			set(b, errDown)
			if _, err := b.opener.Open(t.Context(), &sc, everything()); !errors.Is(err, errDown) {
				t.Fatal("want the failure, got", err)
			}
			if n := b.opener.CachedKeys(); n != 0 {
				t.Errorf("%d failures are cached", n)
			}
			set(b, nil)
			if got, err := b.opener.Open(t.Context(), &sc, everything()); err != nil || got != c {
				t.Error("opening does not recover:", err)
			}
		})
	}
}

// While the key-encryption key hangs, callers whose time is up leave; the
// others get the key when it comes.
func TestCancelledWhileUnwrapping(t *testing.T) {
	b, c := newBench(t), maria()
	sc := b.seal(t, &c)
	b.wrapper.gate = make(chan struct{})
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	for range 2 { // the first one asks for the key, the second one waits for it
		if _, err := b.opener.Open(cancelled, &sc, personalOnly()); !errors.Is(err, context.Canceled) {
			t.Fatal("want the context's error, got", err)
		}
	}
	patient := make(chan error, 1)
	go func() {
		_, err := b.opener.Open(t.Context(), &sc, personalOnly())
		patient <- err
	}()
	close(b.wrapper.gate)
	if err := <-patient; err != nil {
		t.Error("who waited does not get the key:", err)
	}
}

// gated is a store that answers for a data key once its gate is open.
type gated struct {
	*keyMap
	gate chan struct{}
}

func (g gated) Key(ctx ctx, id padron.KeyID) (padron.DataKey, error) {
	<-g.gate
	return g.keyMap.Key(ctx, id)
}

// A row that asks for a key in the wrong place does not spoil it for the row
// that waits for it in the right one.
func TestMisplacedGroupHarmsNoOther(t *testing.T) {
	b, c := newBench(t), maria()
	sc := b.seal(t, &c)
	misplaced := sc
	misplaced.Financial = sc.Personal
	synctest.Test(t, func(t *testing.T) {
		store := gated{b.keys, make(chan struct{})}
		o, err := seal.NewOpener(t.Context(), b.wrapper, store)
		if err != nil {
			t.Fatal(err)
		}
		wrong, right := make(chan error, 1), make(chan error, 1)
		open := func(out chan error, sc *padron.SealedCustomer, d padron.Disclosures) {
			_, err := o.Open(t.Context(), sc, d)
			out <- err
		}
		go open(wrong, &misplaced, financialOnly())
		synctest.Wait()
		go open(right, &sc, personalOnly())
		synctest.Wait()
		close(store.gate)
		if err := <-right; err != nil {
			t.Error("the right row does not open:", err)
		}
		if <-wrong == nil {
			t.Error("the misplaced group opens")
		}
	})
}

func TestCacheIsBounded(t *testing.T) {
	b, c := newBench(t), maria()
	b.sealer.SetMaxMessages(1)
	for range seal.MaxCachedKeys + 50 {
		sc := b.seal(t, &c)
		if _, err := b.opener.Open(t.Context(), &sc, personalOnly()); err != nil {
			t.Fatal(err)
		}
	}
	if n := b.opener.CachedKeys(); n > seal.MaxCachedKeys || n < seal.MaxCachedKeys/2 {
		t.Errorf("%d keys are cached, want about %d and no more", n, seal.MaxCachedKeys)
	}
}

// short is a key-encryption key that unwraps to too few bytes.
type short struct{ seal.KeyWrapper }

func (s short) Unwrap(ctx ctx, c seal.Context, wrapped []byte) ([]byte, error) {
	plain, err := s.KeyWrapper.Unwrap(ctx, c, wrapped)
	return plain[:min(16, len(plain))], err
}

func TestShortDataKeyIsRefused(t *testing.T) {
	b, c := newBench(t), maria()
	sc := b.seal(t, &c)
	o, err := seal.NewOpener(t.Context(), short{b.wrapper}, b.keys)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := o.Open(t.Context(), &sc, personalOnly()); err == nil || !contains(err, "16 bytes, want 32") {
		t.Error("a data key of half the size is used:", err)
	}
}
