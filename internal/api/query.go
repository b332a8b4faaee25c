package api

import (
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"padron"
)

// Bounds of query parameters.
const (
	maxQueryText = 256  // characters
	maxPageToken = 1024 // bytes
	maxPurchases = 1_000_000_000
	maxFields    = 64 // names
)

// query reads the parameters of a URL and collects every fault in them. No
// fault quotes a value.
type query struct {
	values url.Values
	faults faults
}

// parseQuery takes a raw query apart. Parameters that are unknown or stand
// there twice are faults: ignoring one would answer another question than the
// one asked.
func parseQuery(raw string, known ...string) *query {
	values, err := url.ParseQuery(raw)
	q := &query{values: values}
	if err != nil {
		q.fault("query", "is not well-formed: percent-encode names and values, and part them with &")
	}
	for _, name := range slices.Sorted(maps.Keys(values)) {
		switch {
		case !slices.Contains(known, name):
			q.fault(safeName(name, "query"), "unknown parameter; known are: %s", listOf(known))
		case len(values[name]) > 1:
			q.fault(name, "given %d times; give it once", len(values[name]))
		}
	}
	return q
}

func listOf(names []string) string {
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, ", ")
}

var namePattern = regexp.MustCompile(`^[a-z][a-z_]{0,31}$`)

// safeName returns a name that the caller made up if it looks like one, or
// instead: names land in errors, and other text may be personal.
func safeName(name, instead string) string {
	if namePattern.MatchString(name) {
		return name
	}
	return instead
}

func (q *query) fault(name, format string, args ...any) {
	q.faults = append(q.faults, padron.Invalid(name, format, args...))
}

// get returns a parameter's value. One that is there and empty is a fault.
func (q *query) get(name string) (string, bool) {
	values, given := q.values[name]
	if !given || len(values) != 1 {
		return "", false
	}
	if values[0] == "" {
		q.fault(name, "is empty; give a value or leave it out")
		return "", false
	}
	return values[0], true
}

// text returns a text of at most [maxQueryText] characters, "" if not given.
func (q *query) text(name string) string {
	s, _ := q.get(name)
	if utf8.RuneCountInString(s) > maxQueryText || !utf8.ValidString(s) || strings.ContainsFunc(s, unicode.IsControl) {
		q.fault(name, "want 1 to %d characters without control characters", maxQueryText)
		return ""
	}
	return s
}

// count returns a whole number from low to high, nil if not given.
func (q *query) count(name string, low, high int64) *int64 {
	s, given := q.get(name)
	if !given {
		return nil
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n < low || n > high || strconv.FormatInt(n, 10) != s {
		q.fault(name, "want a whole number from %d to %d", low, high)
		return nil
	}
	return &n
}

// time returns an RFC 3339 time, zero if not given. It is rounded up to
// milliseconds, which is what the register keeps: for bounds that are inclusive
// from below and exclusive from above, that selects the same customers.
func (q *query) time(name string) time.Time {
	s, given := q.get(name)
	if !given {
		return time.Time{}
	}
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil || t.Year() < 1 || t.IsZero() {
		q.fault(name, "want an RFC 3339 time, such as 2026-01-31T00:00:00Z (write + as %%2B)")
		return time.Time{}
	}
	return t.Add(time.Millisecond - 1).UTC().Truncate(time.Millisecond)
}

// fields returns the names of a comma-separated list, nil if not given.
func (q *query) fields() []string {
	s, given := q.get("fields")
	if !given {
		return nil
	}
	names := strings.Split(s, ",")
	if len(names) > maxFields {
		q.fault("fields", "want at most %d names", maxFields)
		return nil
	}
	return names
}

func (q *query) pageSize() int {
	n := q.count("page_size", 1, padron.MaxPageSize)
	if n == nil {
		return padron.DefaultPageSize
	}
	return int(*n)
}

func (q *query) pageToken() string {
	s, _ := q.get("page_token")
	if len(s) > maxPageToken {
		q.fault("page_token", "is longer than any page token")
		return ""
	}
	return s
}

// filter returns the customers' filter; bounds that no customer can meet at
// the same time are faults.
func (q *query) filter() padron.Filter {
	f := padron.Filter{
		RegisteredFrom: q.time("registered_from"),
		RegisteredTo:   q.time("registered_to"),
		FavoriteColor:  q.text("favorite_color"),
		CarType:        q.text("car_type"),
		PurchasesMin:   q.count("purchases_min", 0, maxPurchases),
		PurchasesMax:   q.count("purchases_max", 0, maxPurchases),
	}
	q.ordered("registered_from", "registered_to", f.RegisteredFrom, f.RegisteredTo)
	if f.PurchasesMin != nil && f.PurchasesMax != nil && *f.PurchasesMin > *f.PurchasesMax {
		q.fault("purchases_min", "is greater than purchases_max")
	}
	return f
}

func (q *query) ordered(fromName, toName string, from, to time.Time) {
	if !from.IsZero() && !to.IsZero() && from.After(to) {
		q.fault(fromName, "is after %s", toName)
	}
}

// err returns all faults as one error, nil if there is none.
func (q *query) err() error { return q.faults.err() }

// noQuery returns the faults of a call that takes no parameters.
func (c *call) noQuery() error { return parseQuery(c.r.URL.RawQuery).err() }
