package padron

import (
	"fmt"
	"io"
)

// The types below hold redacted fields only. They have a Format of their own
// all the same: where fmt meets a pointer inside another value and the verb is
// wrong for pointers, as in %s of a []*Record, it prints what is behind it
// without asking the fields how.

// Format implements [fmt.Formatter]: every verb prints the id alone.
func (r Record) Format(f fmt.State, _ rune) {
	id, _ := r.Identity()
	_, _ = io.WriteString(f, "record("+string(id)+")")
}

// Format implements [fmt.Formatter]: every verb prints the kind alone.
func (v Value) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "value("+v.Kind.String()+")") }

// Format implements [fmt.Formatter]: every verb prints [Redacted].
func (Personal) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, Redacted) }

// Format implements [fmt.Formatter]: every verb prints [Redacted].
func (Financial) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, Redacted) }

// Format implements [fmt.Formatter]: every verb prints number and id.
func (c SealedCustomer) Format(f fmt.State, _ rune) {
	_, _ = fmt.Fprintf(f, "sealed customer(%d %s)", uint32(c.Number), string(c.ID))
}

// Format implements [fmt.Formatter]: every verb prints the number alone.
func (k Known) Format(f fmt.State, _ rune) { _, _ = fmt.Fprintf(f, "known(%d)", uint32(k.Number)) }

// Format implements [fmt.Formatter]: every verb prints counts.
func (b Batch) Format(f fmt.State, _ rune) {
	_, _ = fmt.Fprintf(f, "batch(%d upserts, %d rejected)", len(b.Upserts), len(b.Rejected))
}
