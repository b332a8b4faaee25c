package reader

import (
	"context"
	"net/netip"
	"regexp"
	"strings"
	"unicode/utf8"

	"padron"
)

// Bounds of a search.
const (
	// MaxResults is how many customers a search returns at most.
	MaxResults = 1000
	maxValue   = 256 // characters
)

// SearchResult is the customers found, in id order. Truncated says that there
// are more than [MaxResults].
type SearchResult struct {
	Customers []padron.View
	Truncated bool
}

// Search returns the customers whose field has exactly that value, as the blind
// index normalises it. The value stands in no log, error or audit entry; the
// entry's first field is the one that was searched. Errors are those of
// [Reader.Get], and [padron.CodeInvalid] for a value that the field cannot have.
func (r *Reader) Search(ctx context.Context, req Request, index padron.Index, value padron.Sensitive, fields []string) (SearchResult, error) {
	searched := index.String()
	entry := req.entry(padron.ActionSearch, append([]string{searched}, fields...))
	return Audited(ctx, r.audit, entry, func(e *padron.AuditEntry) (SearchResult, error) {
		d, err := r.allowed(req, padron.ActionSearch, fields)
		if err != nil {
			return SearchResult{}, err
		}
		if err := checkValue(index, value.Expose()); err != nil {
			return SearchResult{}, err
		}
		e.Fields = knownNames(append([]string{searched}, names(d.Visible())...))
		return r.matches(ctx, e, index, value, d)
	})
}

func (r *Reader) matches(ctx context.Context, e *padron.AuditEntry, index padron.Index, value padron.Sensitive, d padron.Disclosures) (SearchResult, error) {
	rows, err := r.customers.Search(ctx, index, r.indexer.Index(index, value), MaxResults+1, d.Parts())
	if err != nil {
		return SearchResult{}, err
	}
	truncated := len(rows) > MaxResults
	views, err := r.views(ctx, e, rows[:min(len(rows), MaxResults)], d)
	return SearchResult{Customers: views, Truncated: truncated}, err
}

var (
	zipPattern     = regexp.MustCompile(`^[0-9]{5}(-[0-9]{4})?$`)
	accountPattern = regexp.MustCompile(`^[0-9]{1,34}$`)
)

// checkValue refuses values that no customer has, so that a slip of the pen is
// not taken for "nobody". The error quotes nothing.
func checkValue(index padron.Index, value string) error {
	name := index.String()
	if n := utf8.RuneCountInString(value); n > maxValue || strings.TrimSpace(value) == "" || !plain(value) {
		return padron.Invalid(name, "want 1 to %d printable characters", maxValue)
	}
	value = strings.TrimSpace(value)
	switch index {
	case padron.IndexCardNumber:
		return check(isCard(value), name, "want 12 to 19 digits, with dashes or spaces between")
	case padron.IndexAccountNumber:
		return check(accountPattern.MatchString(value), name, "want 1 to 34 digits")
	case padron.IndexIPAddress:
		_, err := netip.ParseAddr(value)
		return check(err == nil, name, "want an IPv4 or IPv6 address")
	case padron.IndexZipCode:
		return check(zipPattern.MatchString(value), name, "want 12345 or 12345-6789")
	}
	return nil
}

func check(ok bool, name, want string) error {
	if ok {
		return nil
	}
	return padron.Invalid(name, "%s", want)
}

func isCard(s string) bool {
	n := len(padron.Digits(s))
	return n >= 12 && n <= 19 && strings.Trim(s, "0123456789- ") == ""
}
