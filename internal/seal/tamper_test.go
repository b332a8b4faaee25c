package seal_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"testing"

	"pgregory.net/rapid"

	"padron"
	"padron/internal/seal"
)

// refused checks that a row does not open, with an error that may be shown, and
// that no part of the customer comes with it.
func refused(t fataler, b *bench, sc *padron.SealedCustomer, d padron.Disclosures, secret *padron.Customer) {
	t.Helper()
	got, err := b.opener.Open(context.Background(), sc, d)
	if err == nil {
		t.Fatal("an altered row opens")
	}
	if got != (padron.Customer{}) {
		t.Fatal("something of the customer comes with the error")
	}
	if padron.ErrorCode(err) != padron.CodeInternal {
		t.Fatalf("the code is %q, want internal", padron.ErrorCode(err))
	}
	silent(t, secret, err)
}

func TestEveryBitOfCiphertextCounts(t *testing.T) {
	b, c := newBench(t), maria()
	original := b.seal(t, &c)
	for _, tc := range []struct {
		name   string
		sealed padron.Sealed
		place  func(*padron.SealedCustomer, padron.Sealed)
		d      padron.Disclosures
	}{
		{"personal", original.Personal, func(sc *padron.SealedCustomer, s padron.Sealed) { sc.Personal = s }, personalOnly()},
		{"financial", original.Financial, func(sc *padron.SealedCustomer, s padron.Sealed) { sc.Financial = s }, financialOnly()},
	} {
		t.Run(tc.name, func(t *testing.T) {
			for bit := range len(tc.sealed) * 8 {
				sc, altered := original, bytes.Clone(tc.sealed)
				altered[bit/8] ^= 1 << (bit % 8)
				tc.place(&sc, altered)
				refused(t, b, &sc, tc.d, &c)
			}
		})
	}
}

func TestCutOrExtendedCiphertext(t *testing.T) {
	b, c := newBench(t), maria()
	original := b.seal(t, &c)
	for n := range len(original.Financial) {
		sc := original
		sc.Financial = original.Financial[:n]
		refused(t, b, &sc, financialOnly(), &c)
	}
	for _, more := range []string{"\x00", "x", string(original.Financial)} {
		sc := original
		sc.Financial = append(bytes.Clone(original.Financial), more...)
		refused(t, b, &sc, financialOnly(), &c)
	}
}

// What is sealed opens in its own place only.
func TestCiphertextIsBoundToItsPlace(t *testing.T) {
	b, ours, theirs := newBench(t), maria(), jose()
	a, z := b.seal(t, &ours), b.seal(t, &theirs)
	b.sealer = b.newSealer(t) // another run, other data keys
	later := b.seal(t, &ours)
	header := func(id padron.KeyID, s padron.Sealed) padron.Sealed {
		out := bytes.Clone(s)
		binary.BigEndian.PutUint64(out[1:], uint64(id))
		return out
	}
	for name, tc := range map[string]struct {
		change func(*padron.SealedCustomer)
		d      padron.Disclosures
	}{
		"personal group of another customer":  {func(sc *padron.SealedCustomer) { sc.Personal = z.Personal }, personalOnly()},
		"financial group of another customer": {func(sc *padron.SealedCustomer) { sc.Financial = z.Financial }, financialOnly()},
		"both groups of another customer":     {func(sc *padron.SealedCustomer) { sc.Personal, sc.Financial = z.Personal, z.Financial }, everything()},
		"row under another id":                {func(sc *padron.SealedCustomer) { sc.ID = z.ID }, everything()},
		"row without id":                      {func(sc *padron.SealedCustomer) { sc.ID = "" }, everything()},
		"financial group as personal":         {func(sc *padron.SealedCustomer) { sc.Personal = sc.Financial }, personalOnly()},
		"personal group as financial":         {func(sc *padron.SealedCustomer) { sc.Financial = sc.Personal }, financialOnly()},
		"key id of the other group":           {func(sc *padron.SealedCustomer) { sc.Personal = header(a.FinancialKey, sc.Personal) }, personalOnly()},
		"key id of another run":               {func(sc *padron.SealedCustomer) { sc.Personal = header(later.PersonalKey, sc.Personal) }, personalOnly()},
		"key id of no key":                    {func(sc *padron.SealedCustomer) { sc.Personal = header(1, sc.Personal) }, personalOnly()},
		"key id beyond 63 bits":               {func(sc *padron.SealedCustomer) { sc.Personal = header(-1, sc.Personal) }, personalOnly()},
		"no ciphertext":                       {func(sc *padron.SealedCustomer) { sc.Personal = nil }, personalOnly()},
	} {
		t.Run(name, func(t *testing.T) {
			sc := a
			tc.change(&sc)
			b.opener = b.newOpener(t)
			refused(t, b, &sc, tc.d, &ours)
			if _, err := b.opener.Open(t.Context(), &a, everything()); err != nil {
				t.Fatal("the row as it was does not open:", err)
			}
			refused(t, b, &sc, tc.d, &ours) // with every key in the cache
		})
	}
}

func TestGroupsOfAnyTwoCustomersDoNotSwap(t *testing.T) {
	b := newBench(t)
	rapid.Check(t, func(t *rapid.T) {
		one, two := customers().Draw(t, "one"), customers().Draw(t, "two")
		if one.ID == two.ID {
			t.Skip("the same row")
		}
		a, z := b.seal(t, &one), b.seal(t, &two)
		a.Personal, z.Personal = z.Personal, a.Personal
		refused(t, b, &a, personalOnly(), &padron.Customer{})
		a.Financial, z.Financial = z.Financial, a.Financial
		refused(t, b, &z, financialOnly(), &padron.Customer{})
	})
}

// A data key's row is bound to its context and wrapped key.
func TestAlteredDataKeys(t *testing.T) {
	c := maria()
	for name, change := range map[string]func(b *bench, sc *padron.SealedCustomer){
		"other purpose": func(b *bench, sc *padron.SealedCustomer) {
			b.keys.edit(sc.PersonalKey, func(k *padron.DataKey) { k.Purpose, k.Group = padron.PurposeQuarantine, "" })
		},
		"other group": func(b *bench, sc *padron.SealedCustomer) {
			b.keys.edit(sc.PersonalKey, func(k *padron.DataKey) { k.Group = padron.GroupFinancial.String() })
		},
		"the other group's wrapped key": func(b *bench, sc *padron.SealedCustomer) {
			other := b.keys.keys[sc.FinancialKey].Wrapped
			b.keys.edit(sc.PersonalKey, func(k *padron.DataKey) { k.Wrapped = other })
		},
		"another run's wrapped key": func(b *bench, sc *padron.SealedCustomer) {
			second, _ := b.sealer.Seal(context.Background(), &c, b.sealer.Fingerprint(&c))
			other := b.keys.keys[second.PersonalKey].Wrapped
			b.keys.edit(sc.PersonalKey, func(k *padron.DataKey) { k.Wrapped = other })
		},
		"damaged": func(b *bench, sc *padron.SealedCustomer) { b.keys.edit(sc.PersonalKey, flipLast) },
		"empty": func(b *bench, sc *padron.SealedCustomer) {
			b.keys.edit(sc.PersonalKey, func(k *padron.DataKey) { k.Wrapped = nil })
		},
		"vanished": func(b *bench, sc *padron.SealedCustomer) { delete(b.keys.keys, sc.PersonalKey) },
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			sc := b.seal(t, &c)
			b.sealer = b.newSealer(t)
			change(b, &sc)
			refused(t, b, &sc, personalOnly(), &c)
			if _, err := b.opener.Open(t.Context(), &sc, financialOnly()); err != nil {
				t.Error("the group whose key is whole does not open:", err)
			}
		})
	}
}

func flipLast(k *padron.DataKey) {
	k.Wrapped = bytes.Clone(k.Wrapped)
	k.Wrapped[len(k.Wrapped)-1] ^= 1
}

func TestRejectedRecordIsBoundToItsEntry(t *testing.T) {
	b, ctx := newBench(t), t.Context()
	var r padron.Record
	r.Values[padron.FieldUserName] = padron.Value{Kind: padron.KindText, Text: "María Fernández"}
	sealed, _, err := b.sealer.SealRecord(ctx, &r, "q_1")
	if err != nil {
		t.Fatal(err)
	}
	c := maria()
	row := b.seal(t, &c)
	altered := bytes.Clone(sealed)
	altered[len(altered)/2] ^= 4
	for name, q := range map[string]padron.QuarantineEntry{
		"another entry":      {ID: "q_2", Record: sealed},
		"altered":            {ID: "q_1", Record: altered},
		"empty":              {ID: "q_1"},
		"a customer's group": {ID: string(c.ID), Record: row.Personal},
	} {
		got, err := b.opener.OpenRecord(ctx, &q)
		if err == nil || got.Values != (padron.Record{}).Values {
			t.Errorf("%s: opens", name)
		}
		silent(t, &c, err)
	}
	row.Personal = sealed
	refused(t, b, &row, personalOnly(), &c)
}

// The associated data of two places never agree, however their parts are cut.
func TestAssociatedDataIsInjective(t *testing.T) {
	part := rapid.StringMatching(`[a-c\x00\x01\x02]{0,4}`)
	rapid.Check(t, func(t *rapid.T) {
		what1, what2 := part.Draw(t, "what 1"), part.Draw(t, "what 2")
		owner1, owner2 := part.Draw(t, "owner 1"), part.Draw(t, "owner 2")
		key1, key2 := rapid.Int64Range(1, 3).Draw(t, "key 1"), rapid.Int64Range(1, 3).Draw(t, "key 2")
		same := what1 == what2 && owner1 == owner2 && key1 == key2
		a, b := seal.AssociatedData(what1, padron.KeyID(key1), owner1), seal.AssociatedData(what2, padron.KeyID(key2), owner2)
		if bytes.Equal(a, b) != same {
			t.Fatalf("%q,%d,%q and %q,%d,%q: %x and %x", what1, key1, owner1, what2, key2, owner2, a, b)
		}
	})
}
