package padron

// Kind is what JSON type a record's value had.
type Kind uint8

// The kinds. KindAbsent is the zero value: the record has no such field.
// KindOther is an object or an array, whose content is not kept.
const (
	KindAbsent Kind = iota
	KindNull
	KindText
	KindNumber
	KindBool
	KindOther
)

// String returns the kind's name.
func (k Kind) String() string {
	return [...]string{"absent", "null", "text", "number", "bool", "other"}[min(k, KindOther)]
}

// Value is one field of a record as the provider sent it. Text is the unescaped
// text, or the literal of a number or bool.
type Value struct {
	Kind Kind
	Text Sensitive
}

// Record is the provider's JSON for one customer, before validation. The card
// security code and values of fields padron does not know never get into it.
type Record struct {
	Values [NumFields]Value
	// Unknown names the fields padron does not know, each at most 64 bytes.
	Unknown []string
	// Fault is set on a record that could not be read at all: [ReasonMalformed],
	// [ReasonNotObject] or [ReasonTooLarge]. Its Values are then incomplete.
	Fault Reason
}

// Identity returns the id by which the record names a customer, even where the
// record is not valid: a usable text id, or a whole number's literal. A customer
// whose record is in quarantine has not vanished.
func (r *Record) Identity() (CustomerID, bool) {
	v := r.Values[FieldID]
	usable := v.Kind == KindText && validID(v.Text.Expose()) ||
		v.Kind == KindNumber && isDigits(v.Text.Expose()) && len(v.Text) <= maxIDLength
	if !usable {
		return "", false
	}
	return CustomerID(v.Text.Expose()), true
}

func isDigits(s string) bool { return s != "" && Digits(s) == s }
