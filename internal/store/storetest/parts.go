package storetest

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"padron"
)

// testParts reads every choice of parts in each way there is: those are there,
// and the others empty.
func testParts(t *testing.T, f *fixture) {
	ctx := t.Context()
	rows := f.put(f.lease(), 1, 2, 3)
	for parts := padron.Parts(0); parts <= padron.Whole; parts++ {
		want := make([]padron.SealedCustomer, len(rows))
		for i := range rows {
			want[i] = only(rows[i], parts)
		}
		if diff := cmp.Diff(want[1], must(f.store.Customer(ctx, rows[1].ID, parts))(f)); diff != "" {
			t.Errorf("parts %b of a customer (-want +got):\n%s", parts, diff)
		}
		if diff := cmp.Diff(want, must(f.store.Customers(ctx, padron.Filter{}, "", 10, parts))(f)); diff != "" {
			t.Errorf("parts %b of a page (-want +got):\n%s", parts, diff)
		}
		found := must(f.store.Search(ctx, padron.IndexZipCode, rows[2].Indexes[padron.IndexZipCode], 10, parts))(f)
		if diff := cmp.Diff(want[2:], found); diff != "" {
			t.Errorf("parts %b of whom a search finds (-want +got):\n%s", parts, diff)
		}
	}
}

// only is a customer with nothing but these parts.
func only(c padron.SealedCustomer, parts padron.Parts) padron.SealedCustomer {
	out := padron.SealedCustomer{ID: c.ID, Profile: padron.Profile{RegisteredAt: c.Profile.RegisteredAt}}
	if parts&padron.PartUpkeep != 0 {
		out.Number, out.PersonalKey, out.FinancialKey = c.Number, c.PersonalKey, c.FinancialKey
		out.Fingerprint, out.Indexes, out.UpdatedAt = c.Fingerprint, c.Indexes, c.UpdatedAt
	}
	if parts&padron.PartProfile != 0 {
		out.Profile = c.Profile
	}
	if parts&padron.PartPersonal != 0 {
		out.Personal = c.Personal
	}
	if parts&padron.PartFinancial != 0 {
		out.Financial = c.Financial
	}
	return out
}
