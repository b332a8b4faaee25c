package padron

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Bounds of a purpose, in characters after trimming.
const (
	MinPurpose = 10
	MaxPurpose = 500
)

// numberPattern finds what looks like a card, account or telephone number: a
// long row of digits, or three and more groups of them. Dates do not match.
var numberPattern = regexp.MustCompile(`[0-9]{12,}|[0-9]{3,6}([ -][0-9]{3,6}){2,}`)

// ParsePurpose returns a person's stated purpose, trimmed: [MinPurpose] to
// [MaxPurpose] printable characters on one line, without long numbers, since it
// is kept on the record. The error is [CodeInvalid] about the named field.
func ParsePurpose(field, s string) (string, error) {
	s = strings.TrimSpace(s)
	if n := utf8.RuneCountInString(s); n < MinPurpose || n > MaxPurpose {
		return "", Invalid(field, "want %d to %d characters that say why", MinPurpose, MaxPurpose)
	}
	if !oneLine(s) {
		return "", Invalid(field, "want printable characters on one line")
	}
	if numberPattern.MatchString(s) {
		return "", Invalid(field, "leave out card, account and telephone numbers: it is kept on the record")
	}
	return s, nil
}

// oneLine reports whether s reads as one line in the order it is written: an
// auditor must not be fooled by line separators or changes of direction.
func oneLine(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, func(c rune) bool {
		return unicode.IsControl(c) || unicode.In(c, unicode.Zl, unicode.Zp, unicode.Bidi_Control)
	})
}
