package reader_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"padron"
	"padron/internal/reader"
	"padron/internal/reader/readertest"
)

// TestFilterNeedsTheField: who does not see a field cannot find it out by a
// filter either, whatever fields are asked for; the attempt is on the record.
func TestFilterNeedsTheField(t *testing.T) {
	n := int64(7)
	tests := []struct {
		parameter string
		filter    padron.Filter
		field     padron.Field
	}{
		{"registered_from", padron.Filter{RegisteredFrom: time.Unix(1, 0)}, padron.FieldRegisteredAt},
		{"registered_to", padron.Filter{RegisteredTo: time.Unix(1, 0)}, padron.FieldRegisteredAt},
		{"favorite_color", padron.Filter{FavoriteColor: "x"}, padron.FieldFavoriteColor},
		{"car_type", padron.Filter{CarType: "x"}, padron.FieldCarType},
		{"purchases_min", padron.Filter{PurchasesMin: &n}, padron.FieldPurchases},
		{"purchases_max", padron.Filter{PurchasesMax: &n}, padron.FieldPurchases},
	}
	r := readertest.New(t)
	for _, role := range []padron.Role{padron.RoleViewer, padron.RoleAnalyst, padron.RoleAdmin} {
		var offered []string
		for _, tt := range tests {
			req := reader.Request{Principal: padron.Principal{ID: "token:x", Role: role}}
			_, err := r.Reader.List(t.Context(), req, reader.Query{Filter: tt.filter, Fields: []string{"id"}})
			if r.Policy.Disclosures(role)[tt.field] == padron.Full {
				offered = append(offered, tt.parameter)
				if err != nil {
					t.Errorf("%s filters by %s: %v", role, tt.parameter, err)
				}
				continue
			}
			var e *padron.Error
			if !errors.As(err, &e) || e.Code != padron.CodeForbidden || e.Field != tt.parameter {
				t.Errorf("%s filters by %s: %v", role, tt.parameter, err)
			}
			entries := r.Entries(t)
			if last := entries[len(entries)-1]; last.Outcome != padron.AuditDenied || !slices.Contains(last.Fields, tt.field.String()) {
				t.Errorf("%s filters by %s: entry %+v", role, tt.parameter, last)
			}
		}
		if diff := cmp.Diff(offered, r.Reader.Filters(role)); diff != "" {
			t.Errorf("%s (-may +offered):\n%s", role, diff)
		}
	}
	if got := r.Reader.Filters(padron.RoleViewer); !slices.Equal(got, []string{"registered_from", "registered_to"}) {
		t.Errorf("a viewer filters by %v", got)
	}
}
