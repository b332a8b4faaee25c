package reader

import (
	"context"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"padron"
)

// Reveal returns the id and the named fields in full. At least one field is
// needed, and a purpose of [padron.MinPurpose] to [padron.MaxPurpose] printable characters,
// which goes on the record and must therefore hold no number of a card. A field
// that nobody may have revealed is [padron.CodeInvalid]; one that the role may
// not, and any to a token of the name [padron.CheckToken], is [padron.CodeForbidden]. Other errors are those of [Reader.Get].
func (r *Reader) Reveal(ctx context.Context, req Request, id string, fields []string, purpose string) (padron.View, error) {
	entry := req.entry(padron.ActionReveal, fields)
	return Audited(ctx, r.audit, entry, func(e *padron.AuditEntry) (padron.View, error) {
		if err := r.policy.Authorize(req.Principal.Role, padron.ActionReveal); err != nil {
			return padron.View{}, err
		}
		if req.Principal.Name == padron.CheckToken {
			return padron.View{}, padron.Errorf(padron.CodeForbidden, "a token of the name %s reveals nothing", padron.CheckToken)
		}
		d, err := r.revealed(req.Principal.Role, fields)
		if err != nil {
			return padron.View{}, err
		}
		if e.Purpose, err = padron.ParsePurpose("purpose", purpose); err != nil {
			return padron.View{}, err
		}
		return r.one(ctx, e, id, d)
	})
}

// revealed returns the disclosures of a reveal: the id and each field in full.
func (r *Reader) revealed(role padron.Role, fields []string) (padron.Disclosures, error) {
	d := padron.Disclosures{padron.FieldID: padron.Full}
	if len(fields) == 0 {
		return d, padron.Invalid("fields", "name at least one field to reveal")
	}
	for i, name := range fields {
		f, ok := padron.ParseField(name)
		if !ok {
			// The name is not quoted: stray text may be personal.
			return d, padron.Invalid("fields", "the name at position %d is no field", i+1)
		}
		if err := r.mayReveal(role, f); err != nil {
			return d, err
		}
		d[f] = padron.Full
	}
	return d, nil
}

func (r *Reader) mayReveal(role padron.Role, f padron.Field) error {
	if slices.Contains(r.policy.Revealable(role), f) {
		return nil
	}
	for _, other := range padron.Roles() {
		if slices.Contains(r.policy.Revealable(other), f) {
			return &padron.Error{Code: padron.CodeForbidden, Field: "fields", Message: "the role " + string(role) + " may not reveal " + f.String()}
		}
	}
	return padron.Invalid("fields", "%s is never masked, so there is nothing to reveal", f)
}

// plain reports whether s is valid UTF-8 without control characters.
func plain(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, func(c rune) bool { return c == utf8.RuneError || unicode.IsControl(c) })
}
