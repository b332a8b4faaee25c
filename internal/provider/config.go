package provider

import (
	"errors"
	"log/slog"
	"net/url"
	"strings"
	"time"

	"padron"
)

// Paging is how the provider hands its customers out.
type Paging string

// The paging styles.
const (
	// Auto finds out which of the others it is.
	Auto Paging = "auto"
	// None: one array with everybody.
	None Paging = "none"
	// ByPage: ?page=N&limit=M, from 1; an empty or short page is the last.
	ByPage Paging = "page"
	// ByLink: a Link header with rel="next" (RFC 8288) names the next page.
	ByLink Paging = "link"
)

// ParsePaging returns the style with that name.
func ParsePaging(s string) (Paging, error) {
	switch p := Paging(s); p {
	case Auto, None, ByPage, ByLink:
		return p, nil
	}
	return "", padron.Invalid("paging", "%q is not one of auto, none, page, link", s)
}

// Config is how to reach the provider. Zero durations, counts and bounds take
// the defaults below.
type Config struct {
	// URL is the collection's address, http or https, without user or password.
	URL string
	// APIKey is sent as a bearer token (RFC 6750); "" sends none.
	APIKey padron.Sensitive
	// Paging is the style; "" is Auto.
	Paging Paging
	// Rate is the most requests a second, 0 is no limit; the provider was promised
	// not to get more.
	Rate float64
	// PageSize is records a page, 1 to 10,000; default 1,000.
	PageSize int
	// Concurrency is how many numbered pages are in flight at once, 1 to 16, and
	// fewer where they would be more than 20,000 records or bring more than 64 MiB;
	// default 4, which hides a provider's latency and leaves it most of its strength.
	Concurrency int

	ConnectTimeout time.Duration // default 10 s
	HeaderTimeout  time.Duration // default 30 s
	// StallTimeout is how long a body may bring less than 1 KiB; default 30 s.
	StallTimeout time.Duration

	// MaxRecord is the bytes of one record; a larger one is skipped and rejected
	// alone. Default 256 KiB.
	MaxRecord int64
	// MaxPage is the bytes of one page, unpacked; default 64 MiB.
	MaxPage int64
	// MaxBody is the bytes of the one array in style none; default 64 GiB.
	MaxBody int64

	// Retries is how often one page is asked for again; default 6, negative none.
	Retries   int
	RetryBase time.Duration // default 250 ms, doubled each time, give or take half
	RetryMax  time.Duration // default 30 s
	// RetryBudget is how long tries that failed and the waits after them may hold
	// the run up in all; default 15 min. Times that overlap, of pages in flight,
	// count once.
	RetryBudget time.Duration

	// Logger takes a warning for each retry; nil takes none.
	Logger *slog.Logger
	// OnRetry is called before each retry, if not nil, with one word such as
	// "truncated" or "status_503", to count by.
	OnRetry func(reason string)
	// OnBreaker is called with the state of the circuit breaker, if not nil:
	// "closed" by [New], and "open", "half-open" or "closed" when it changes.
	OnBreaker func(state string)
}

const maxPageSize = 10_000

// orDefault returns v, or d where v is zero.
func orDefault[T ~int | ~int64 | ~string](v, d T) T {
	var zero T
	if v == zero {
		return d
	}
	return v
}

func (c Config) withDefaults() Config {
	c.Paging = orDefault(c.Paging, Auto)
	c.PageSize = orDefault(c.PageSize, 1000)
	c.Concurrency = orDefault(c.Concurrency, 4)
	c.ConnectTimeout = orDefault(c.ConnectTimeout, 10*time.Second)
	c.HeaderTimeout = orDefault(c.HeaderTimeout, 30*time.Second)
	c.StallTimeout = orDefault(c.StallTimeout, 30*time.Second)
	c.MaxRecord = orDefault(c.MaxRecord, 256<<10)
	c.MaxPage = orDefault(c.MaxPage, 64<<20)
	c.MaxBody = orDefault(c.MaxBody, 64<<30)
	c.Retries = max(0, orDefault(c.Retries, 6))
	c.RetryBase = orDefault(c.RetryBase, 250*time.Millisecond)
	c.RetryMax = orDefault(c.RetryMax, 30*time.Second)
	c.RetryBudget = orDefault(c.RetryBudget, 15*time.Minute)
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.OnRetry == nil {
		c.OnRetry = func(string) {}
	}
	if c.OnBreaker == nil {
		c.OnBreaker = func(string) {}
	}
	return c
}

// validate returns the collection's address, or every fault there is.
func (c *Config) validate() (*url.URL, error) {
	base, err := parseBase(c.URL)
	faults := []error{err}
	if _, err := ParsePaging(string(c.Paging)); err != nil {
		faults = append(faults, err)
	}
	if c.PageSize < 1 || c.PageSize > maxPageSize {
		faults = append(faults, padron.Invalid("page size", "%d is not 1 to %d", c.PageSize, maxPageSize))
	}
	if c.Concurrency < 1 || c.Concurrency > maxConcurrency {
		faults = append(faults, padron.Invalid("concurrency", "%d is not 1 to %d", c.Concurrency, maxConcurrency))
	}
	if strings.ContainsFunc(c.APIKey.Expose(), func(r rune) bool { return r <= ' ' || r > '~' }) {
		faults = append(faults, padron.Invalid("API key", "holds a space, or a character that a header cannot carry"))
	}
	for _, d := range []struct {
		name  string
		value time.Duration
	}{
		{"connect timeout", c.ConnectTimeout}, {"header timeout", c.HeaderTimeout}, {"stall timeout", c.StallTimeout},
		{"retry base", c.RetryBase}, {"retry maximum", c.RetryMax}, {"retry budget", c.RetryBudget},
	} {
		if d.value < 0 {
			faults = append(faults, padron.Invalid(d.name, "%v is negative", d.value))
		}
	}
	if !(c.Rate >= 0) {
		faults = append(faults, padron.Invalid("rate", "%v is not a number of requests a second", c.Rate))
	}
	if min(c.MaxRecord, c.MaxPage, c.MaxBody) < 0 {
		faults = append(faults, padron.Invalid("size limits", "one is negative"))
	}
	return base, errors.Join(faults...)
}

// parseBase reads the collection's address. Its errors do not repeat it: it may
// hold a password.
func parseBase(address string) (*url.URL, error) {
	u, err := url.Parse(address)
	if err != nil || u.Hostname() == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, padron.Invalid("URL", "want an http or https address")
	}
	if u.User != nil {
		return nil, padron.Invalid("URL", "holds a user or password: give the API key apart from it")
	}
	if _, err := url.ParseQuery(u.RawQuery); err != nil {
		return nil, padron.Invalid("URL", "its query cannot be read")
	}
	u.Fragment, u.RawFragment = "", ""
	return u, nil
}
