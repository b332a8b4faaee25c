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

// datePattern finds dates, which are no part of a number.
var datePattern = regexp.MustCompile(`\b[0-9]{4}-[0-9]{2}-[0-9]{2}\b`)

// holdsNumber reports whether s holds what looks like a card, account or
// telephone number: twelve digits of any script, or ten in three groups, with up
// to three characters other than letters between two of them.
func holdsNumber(s string) bool {
	digits, groups, gap := 0, 0, 0
	for _, c := range datePattern.ReplaceAllString(s, "date") {
		switch {
		case unicode.IsDigit(c):
			if digits == 0 || gap > 0 {
				groups++
			}
			digits, gap = digits+1, 0
		case unicode.IsLetter(c) || gap == maxGap:
			digits, groups, gap = 0, 0, 0
		default:
			gap++
		}
		if digits >= 12 || digits >= 10 && groups >= 3 {
			return true
		}
	}
	return false
}

// maxGap is how many characters may stand between the groups of a number.
const maxGap = 3

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
	if holdsNumber(s) {
		return "", Invalid(field, "leave out card, account and telephone numbers: it is kept on the record")
	}
	return s, nil
}

// oneLine reports whether s reads as one line in the order it is written: an
// auditor must not be fooled by line separators, changes of direction or
// characters that cannot be seen.
func oneLine(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, func(c rune) bool {
		return unicode.IsControl(c) || unicode.In(c, unicode.Zl, unicode.Zp, unicode.Cf)
	})
}
