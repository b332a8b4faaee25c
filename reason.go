package padron

// Reason is why a record is in quarantine: a field and a code, as in
// "registered_at:invalid_date". It never holds a value.
type Reason string

// The reasons for a record that could not be read at all.
const (
	// ReasonMalformed: not JSON, invalid UTF-8, or a name given twice.
	ReasonMalformed Reason = "record:malformed"
	// ReasonNotObject: a value that is not a JSON object.
	ReasonNotObject Reason = "record:not_an_object"
	// ReasonTooLarge: larger than the client's limit for one record.
	ReasonTooLarge Reason = "record:too_large"
)

// The codes behind a field's name in a [Reason].
const (
	codeMissing   = "missing"
	codeNull      = "null"
	codeWrongType = "wrong_type"
	codeEmpty     = "empty"
	codeTooLong   = "too_long"
	codeBadText   = "invalid_text"
	codeBadID     = "invalid_id"
	codeBadDate   = "invalid_date"
	codeBadFormat = "invalid_format"
	codeRange     = "out_of_range"
)

func reason(f Field, code string) Reason { return Reason(f.String() + ":" + code) }

// Warning is something odd about a record that is stored all the same.
type Warning string

// The warnings, as they stand in a run's report.
const (
	// WarningLuhn: the card number fails the Luhn check (ISO/IEC 7812-1 annex B).
	WarningLuhn Warning = "card_number_luhn"
	// WarningUnknownField: the record has a field padron does not know.
	WarningUnknownField Warning = "unknown_field"
	// WarningDuplicate: the id came before in the same pass; the first one counts.
	WarningDuplicate Warning = "duplicates"
	// WarningConflict: a duplicate whose data differ from the first one's.
	WarningConflict Warning = "conflicting_duplicates"
	// WarningUnidentified: a rejected record without a usable id, which may be
	// anybody's.
	WarningUnidentified Warning = "unidentified"
	// WarningDeletionsHeld counts customers who are missing but are not deleted,
	// because a record without a usable id may be theirs.
	WarningDeletionsHeld Warning = "deletions_held"
)
