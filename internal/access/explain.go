package access

import (
	"fmt"
	"strings"

	"padron"
)

// Explain says why a role sees a field or does not: how much of it, and for
// each way to see it the ids of the policies in policies.cedar that decide. It
// is text of four lines for people, the first one the answer.
func (p *Policy) Explain(role padron.Role, field padron.Field) string {
	if _, known := p.disclosures[role]; !known || field >= padron.NumFields {
		return fmt.Sprintf("role %q does not see %s: no such role or field", role, field)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "role %s, field %s: %s", role, field, disclosureName(p.disclosures[role][field]))
	for _, verb := range []string{verbView, verbMasked, verbReveal} {
		fmt.Fprintf(&b, "\n  %s: %s", verb, p.rulings[question{role, verb, field.String()}])
	}
	return b.String()
}

// String returns the ruling and who decided it.
func (r ruling) String() string {
	ids := strings.Join(r.by, ", ")
	switch {
	case r.allowed:
		return "permitted by " + ids
	case ids != "":
		return "forbidden by " + ids
	}
	return "denied, no policy permits it"
}

func disclosureName(d padron.Disclosure) string {
	switch d {
	case padron.Full:
		return "full"
	case padron.Masked:
		return "masked"
	case padron.Hidden:
	}
	return "hidden"
}
