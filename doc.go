// Package padron is the vocabulary of padron, a customer register for companies
// that must share customers' data without leaking it.
//
// It names the things every other package speaks of: customers and the records
// they come from, field groups and fields, roles and what they may see, sealed
// rows, runs, tokens and audit entries. It imports the standard library only
// and does no I/O, so that the rules in it (validation, masking, redaction) can
// be read and tested on their own.
//
// Types that hold personal values redact themselves in logs and in every fmt
// verb; see [Sensitive].
package padron
