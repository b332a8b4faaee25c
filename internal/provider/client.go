// Package provider is the HTTP client of the provider's API: it yields the
// provider's customers as records, page by page, in memory that does not depend
// on how many there are.
//
// The provider is not trusted. Everything it sends has a bound in size and time;
// what is not a customer list is an error that says what it was; its redirects
// to other hosts are refused, and the API key is never sent there.
package provider

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"net"
	"net/http"
	"net/url"
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

// Config is how to reach the provider. Zero durations and bounds take the
// defaults below.
type Config struct {
	// URL is the collection's address, http or https.
	URL string
	// APIKey is sent as a bearer token; "" sends none.
	APIKey padron.Sensitive
	Paging Paging
	// PageSize is records a page, 1 to 10,000.
	PageSize int

	ConnectTimeout time.Duration // default 10 s
	HeaderTimeout  time.Duration // default 30 s
	// StallTimeout is how long a body may bring no byte; default 30 s.
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
	RetryBase time.Duration // default 250 ms, doubled each time
	RetryMax  time.Duration // default 30 s

	Logger *slog.Logger
	// OnRetry is called before each retry, if not nil.
	OnRetry func(reason string)
}

const maxPageSize = 10_000

// orDefault returns v, or d where v is zero.
func orDefault[T ~int | ~int64](v, d T) T {
	if v == 0 {
		return d
	}
	return v
}

func (c Config) withDefaults() Config {
	c.Paging = Paging(orDefaultText(string(c.Paging), string(Auto)))
	c.PageSize = orDefault(c.PageSize, 1000)
	c.ConnectTimeout = orDefault(c.ConnectTimeout, 10*time.Second)
	c.HeaderTimeout = orDefault(c.HeaderTimeout, 30*time.Second)
	c.StallTimeout = orDefault(c.StallTimeout, 30*time.Second)
	c.MaxRecord = orDefault(c.MaxRecord, 256<<10)
	c.MaxPage = orDefault(c.MaxPage, 64<<20)
	c.MaxBody = orDefault(c.MaxBody, 64<<30)
	c.Retries = max(0, orDefault(c.Retries, 6))
	c.RetryBase = orDefault(c.RetryBase, 250*time.Millisecond)
	c.RetryMax = orDefault(c.RetryMax, 30*time.Second)
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.OnRetry == nil {
		c.OnRetry = func(string) {}
	}
	return c
}

func orDefaultText(s, d string) string {
	if s == "" {
		return d
	}
	return s
}

// Page is a part of the provider's customers.
type Page struct {
	Records []padron.Record
	// Cursor is where to go on after this page; "" where the provider cannot be
	// asked to (one array).
	Cursor string
}

// Client reads one provider. It is safe for concurrent use.
type Client struct {
	cfg  Config
	base *url.URL
	http *http.Client
}

// New checks cfg, and names every fault in it.
func New(cfg Config) (*Client, error) {
	cfg = cfg.withDefaults()
	base, err := url.Parse(cfg.URL)
	var faults []error
	if err != nil || base.Host == "" || base.Scheme != "http" && base.Scheme != "https" {
		faults = append(faults, padron.Invalid("URL", "want an http or https address"))
	}
	if _, err := ParsePaging(string(cfg.Paging)); err != nil {
		faults = append(faults, err)
	}
	if cfg.PageSize < 1 || cfg.PageSize > maxPageSize {
		faults = append(faults, padron.Invalid("page size", "%d is not 1 to %d", cfg.PageSize, maxPageSize))
	}
	if len(faults) > 0 {
		return nil, errors.Join(faults...)
	}
	return &Client{cfg: cfg, base: base, http: newHTTPClient(&cfg, base)}, nil
}

const (
	maxHeaderBytes = 64 << 10
	maxRedirects   = 5
)

func newHTTPClient(cfg *Config, base *url.URL) *http.Client {
	return &http.Client{
		Transport: &http.Transport{
			Proxy:       http.ProxyFromEnvironment,
			DialContext: (&net.Dialer{Timeout: cfg.ConnectTimeout}).DialContext, TLSHandshakeTimeout: cfg.ConnectTimeout,
			ResponseHeaderTimeout: cfg.HeaderTimeout, MaxResponseHeaderBytes: maxHeaderBytes,
			ForceAttemptHTTP2: true, IdleConnTimeout: time.Minute,
		},
		CheckRedirect: func(req *http.Request, via []*http.Request) error {
			if !sameOrigin(req.URL, base) {
				return errForeignRedirect
			}
			if len(via) > maxRedirects {
				return errManyRedirects
			}
			return nil
		},
	}
}

var (
	errForeignRedirect = errors.New("it redirects to another host, which is refused")
	errManyRedirects   = errors.New("it redirects in a circle")
)

func sameOrigin(a, b *url.URL) bool { return a.Scheme == b.Scheme && a.Host == b.Host }

// Source identifies provider, paging style and page size, without user, query or
// key: a cursor of one source is of no use to another.
func (c *Client) Source() string {
	return fmt.Sprintf("%s %s %d", c.where(), c.cfg.Paging, c.cfg.PageSize)
}

// where is the collection's address as errors and logs may show it.
func (c *Client) where() string {
	return (&url.URL{Scheme: c.base.Scheme, Host: c.base.Host, Path: c.base.Path}).String()
}

// Pages yields pages from the cursor on, "" for the start, and ends after the
// last one. An error is yielded once, and is the last; a page that fails is
// asked for again before that, and nobody is yielded twice by it.
func (c *Client) Pages(ctx context.Context, cursor string) iter.Seq2[Page, error] {
	return func(yield func(Page, error) bool) {
		err := c.pages(ctx, cursor, func(p Page) bool { return yield(p, nil) })
		if err != nil && !errors.Is(err, errStopped) {
			yield(Page{}, err)
		}
	}
}

// errStopped: whoever reads the pages wants no more.
var errStopped = errors.New("stopped")

func (c *Client) pages(ctx context.Context, cursor string, yield func(Page) bool) error {
	at, err := parseCursor(cursor)
	if err != nil {
		return err
	}
	switch {
	case at.link != "" && (c.cfg.Paging == ByLink || c.cfg.Paging == Auto):
		return c.byLink(ctx, at.link, yield)
	case at.page > 0 && (c.cfg.Paging == ByPage || c.cfg.Paging == Auto):
		return c.byPage(ctx, pageState{number: at.page, size: at.size}, yield)
	case cursor != "":
		return padron.Invalid("cursor", "does not belong to paging style %s", c.cfg.Paging)
	}
	switch c.cfg.Paging {
	case None:
		return c.byStream(ctx, yield)
	case ByLink:
		return c.byLink(ctx, c.firstLink(), yield)
	case ByPage:
		return c.byPage(ctx, pageState{number: 1, size: c.cfg.PageSize}, yield)
	}
	return c.findOut(ctx, yield)
}
