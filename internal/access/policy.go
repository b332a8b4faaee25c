package access

import (
	"fmt"
	"slices"
	"strings"

	"padron"
)

// Policy answers who may do what. The policies are evaluated once, when it is
// made; after that it is a table, safe for concurrent use.
type Policy struct {
	rulings     map[question]ruling
	disclosures map[padron.Role]padron.Disclosures
	revealable  map[padron.Role][]padron.Field
}

// NewPolicy evaluates the policies that are built into the program. It fails
// where they do not parse, lack an @id, or ask for what cannot be done, such as
// masking a field that has no masked form.
func NewPolicy() (*Policy, error) {
	set, err := parsePolicies(policiesCedar)
	if err != nil {
		return nil, err
	}
	return newPolicy(set)
}

// Allows reports whether the role may do the action. An unknown role or action
// is denied.
func (p *Policy) Allows(role padron.Role, action padron.Action) bool {
	return p.rulings[question{role, verbCall, string(action)}].allowed
}

// Authorize returns nil where the role may do the action, or a
// [padron.CodeForbidden] error that names both.
func (p *Policy) Authorize(role padron.Role, action padron.Action) error {
	if p.Allows(role, action) {
		return nil
	}
	return padron.Errorf(padron.CodeForbidden, "role %q may not do %s", role, action)
}

// Disclosures returns how much of each field the role sees when it views a
// customer; all hidden for an unknown role.
func (p *Policy) Disclosures(role padron.Role) padron.Disclosures { return p.disclosures[role] }

// Revealable returns the fields that the role may have in full by a reveal, in
// view order; none for an unknown role.
func (p *Policy) Revealable(role padron.Role) []padron.Field {
	return slices.Clone(p.revealable[role])
}

// Select returns the disclosures of the fields that a caller named, and of the
// id; no names select all that the role sees. Faults are about the field
// "fields": [padron.CodeInvalid] for a name that is no field, which the error
// gives by its position because a stray value may be personal, and
// [padron.CodeForbidden] for a field that the role may not see.
func (p *Policy) Select(role padron.Role, names []string) (padron.Disclosures, error) {
	all := p.disclosures[role]
	if len(names) == 0 {
		return all, nil
	}
	chosen := []padron.Field{padron.FieldID}
	for i, name := range names {
		f, ok := padron.ParseField(name)
		if !ok {
			return padron.Disclosures{}, padron.Invalid("fields", "name %d is not a field; the fields are %s", i+1, fieldNames())
		}
		if all[f] == padron.Hidden {
			return padron.Disclosures{}, &padron.Error{
				Code: padron.CodeForbidden, Field: "fields",
				Message: fmt.Sprintf("role %q may not see %s", role, f),
			}
		}
		chosen = append(chosen, f)
	}
	return all.Only(chosen), nil
}

func fieldNames() string {
	var names []string
	for _, f := range padron.Fields() {
		names = append(names, f.String())
	}
	return strings.Join(names, ", ")
}
