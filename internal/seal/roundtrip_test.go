package seal_test

import (
	"bytes"
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"padron"
)

func TestSealThenOpen(t *testing.T) {
	b := newBench(t)
	rapid.Check(t, func(t *rapid.T) {
		c := customers().Draw(t, "customer")
		sc := b.seal(t, &c)
		got, err := b.opener.Open(context.Background(), &sc, everything())
		if err != nil {
			t.Fatal(err)
		}
		if !cmp.Equal(got, c) {
			t.Fatal("what was opened is not what was sealed")
		}
		if sc.ID != c.ID || !cmp.Equal(sc.Profile, c.Profile) {
			t.Fatal("id and profile do not stand in clear")
		}
	})
}

func TestSealedHoldsNoPlaintext(t *testing.T) {
	b, c := newBench(t), maria()
	sc := b.seal(t, &c)
	for _, secret := range secrets(&c) {
		for name, data := range map[string][]byte{"personal": sc.Personal, "financial": sc.Financial} {
			if bytes.Contains(data, []byte(secret)) {
				t.Errorf("the %s ciphertext holds a value in clear", name)
			}
		}
	}
	silent(t, &c, sc, &sc, c, &c)
}

func TestSealIsRandomised(t *testing.T) {
	b, c := newBench(t), maria()
	first, second := b.seal(t, &c), b.seal(t, &c)
	if bytes.Equal(first.Personal, second.Personal) || bytes.Equal(first.Financial, second.Financial) {
		t.Error("sealing twice gives the same ciphertext: the nonce is not fresh")
	}
	if first.Fingerprint != second.Fingerprint || first.Indexes != second.Indexes {
		t.Error("fingerprint or index of the same customer differ")
	}
}

// A view opens only the groups it shows: a group that is not needed may be
// damaged, and its key is not asked for.
func TestOpenOnlyWhatIsNeeded(t *testing.T) {
	c := maria()
	masked := padron.Disclosures{padron.FieldCardNumber: padron.Masked, padron.FieldAccountNumber: padron.Masked}
	for name, tc := range map[string]struct {
		d    padron.Disclosures
		want padron.Customer
	}{
		"nothing":          {padron.Disclosures{}, padron.Customer{ID: c.ID, Profile: c.Profile}},
		"profile":          {padron.Disclosures{padron.FieldCar: padron.Full}, padron.Customer{ID: c.ID, Profile: c.Profile}},
		"personal":         {personalOnly(), padron.Customer{ID: c.ID, Profile: c.Profile, Personal: c.Personal}},
		"masked financial": {masked, padron.Customer{ID: c.ID, Profile: c.Profile, Personal: c.Personal}},
		"financial":        {financialOnly(), padron.Customer{ID: c.ID, Profile: c.Profile, Financial: c.Financial}},
		"all":              {everything(), c},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			sc := b.seal(t, &c)
			damageUnneeded(&sc, tc.d)
			got, err := b.opener.Open(t.Context(), &sc, tc.d)
			if err != nil {
				t.Fatal(err)
			}
			if !cmp.Equal(got, tc.want) {
				t.Error("other groups than those needed are filled")
			}
		})
	}
}

func damageUnneeded(sc *padron.SealedCustomer, d padron.Disclosures) {
	if !d.Needs(padron.GroupPersonal) {
		sc.Personal = padron.Sealed("damaged")
	}
	if !d.Needs(padron.GroupFinancial) {
		sc.Financial = padron.Sealed("damaged")
	}
}

func TestRejectedRecordRoundTrip(t *testing.T) {
	b := newBench(t)
	rapid.Check(t, func(t *rapid.T) {
		r := records().Draw(t, "record")
		sealed, key, err := b.sealer.SealRecord(context.Background(), &r, "q_1")
		if err != nil {
			t.Fatal(err)
		}
		got, err := b.opener.OpenRecord(context.Background(), &padron.QuarantineEntry{ID: "q_1", Record: sealed, Key: key})
		if err != nil {
			t.Fatal(err)
		}
		if !cmp.Equal(got, r) {
			t.Fatal("what was opened is not what was sealed")
		}
	})
}

// records generates records as a decoder makes them: what is absent or null has
// no text.
func records() *rapid.Generator[padron.Record] {
	return rapid.Custom(func(t *rapid.T) padron.Record {
		var r padron.Record
		for i := range r.Values {
			kind := padron.Kind(rapid.IntRange(int(padron.KindAbsent), int(padron.KindOther)).Draw(t, "kind"))
			r.Values[i].Kind = kind
			if kind == padron.KindText || kind == padron.KindNumber || kind == padron.KindBool {
				r.Values[i].Text = texts().Draw(t, "value")
			}
		}
		for range rapid.IntRange(0, 3).Draw(t, "unknown fields") {
			r.Unknown = append(r.Unknown, rapid.String().Draw(t, "unknown"))
		}
		r.Fault = rapid.SampledFrom([]padron.Reason{"", padron.ReasonMalformed, padron.ReasonTooLarge}).Draw(t, "fault")
		return r
	})
}
