package reader

import (
	"fmt"

	"padron"
)

// A filter tells of a field what the answer leaves out: with bounds that move,
// a few requests find the value. So a role filters by what it sees in full.

// parameter is a parameter of a filter: the field that it asks about, and
// whether a filter has it.
type parameter struct {
	name  string
	field padron.Field
	given func(*padron.Filter) bool
}

func parameters() []parameter {
	return []parameter{
		{"registered_from", padron.FieldRegisteredAt, func(f *padron.Filter) bool { return !f.RegisteredFrom.IsZero() }},
		{"registered_to", padron.FieldRegisteredAt, func(f *padron.Filter) bool { return !f.RegisteredTo.IsZero() }},
		{"favorite_color", padron.FieldFavoriteColor, func(f *padron.Filter) bool { return f.FavoriteColor != "" }},
		{"car_type", padron.FieldCarType, func(f *padron.Filter) bool { return f.CarType != "" }},
		{"purchases_min", padron.FieldPurchases, func(f *padron.Filter) bool { return f.PurchasesMin != nil }},
		{"purchases_max", padron.FieldPurchases, func(f *padron.Filter) bool { return f.PurchasesMax != nil }},
	}
}

// Filters returns the names of the parameters that the role may filter by.
func (r *Reader) Filters(role padron.Role) []string {
	d := r.policy.Disclosures(role)
	var out []string
	for _, p := range parameters() {
		if d[p.field] == padron.Full {
			out = append(out, p.name)
		}
	}
	return out
}

// mayFilter refuses a filter by a field that the role does not see, whatever
// fields it asks for. The error's Field is the parameter's name.
func (r *Reader) mayFilter(role padron.Role, f *padron.Filter) error {
	d := r.policy.Disclosures(role)
	for _, p := range parameters() {
		if p.given(f) && d[p.field] != padron.Full {
			return &padron.Error{
				Code: padron.CodeForbidden, Field: p.name,
				Message: fmt.Sprintf("role %q may not see %s, and so not filter by it", role, p.field),
			}
		}
	}
	return nil
}

// filtered returns the names of the fields that the filter asks about.
func filtered(f *padron.Filter) []string {
	var out []string
	for _, p := range parameters() {
		if p.given(f) {
			out = append(out, p.field.String())
		}
	}
	return out
}
