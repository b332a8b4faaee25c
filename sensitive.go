package padron

import (
	"fmt"
	"io"
	"log/slog"
)

// Redacted is what a personal value prints as.
const Redacted = "[redacted]"

// Sensitive is a personal value: a name, an address, a card number. It prints
// as [Redacted] in every fmt verb, in slog and in JSON or text encodings, so
// that a careless log line or error discloses nobody. [Sensitive.Expose] is the
// one way to its text.
//
// Three things no method can prevent: the verbs %p and %w, which go vet refuses;
// fmt on a struct that holds one in an unexported field; a map's key in JSON.
type Sensitive string

// Expose returns the value in clear. Call it only where the value is sealed,
// indexed, or put into a view that was authorised.
func (s Sensitive) Expose() string { return string(s) }

// Format implements [fmt.Formatter]: every verb prints [Redacted].
func (Sensitive) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, Redacted) }

// String implements [fmt.Stringer] for callers that bypass fmt.
func (Sensitive) String() string { return Redacted }

// GoString implements [fmt.GoStringer] for callers that bypass fmt.
func (Sensitive) GoString() string { return Redacted }

// LogValue implements [slog.LogValuer].
func (Sensitive) LogValue() slog.Value { return slog.StringValue(Redacted) }

// MarshalText implements [encoding.TextMarshaler], which JSON and XML use too.
func (Sensitive) MarshalText() ([]byte, error) { return []byte(Redacted), nil }
