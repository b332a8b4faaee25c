// Package provider is the HTTP client of the provider's API: it yields the
// provider's customers as records, page by page, in memory that does not depend
// on how many there are.
//
// The provider is not trusted. Everything it sends has a bound in size; silence
// has a bound in time; what is no list of customers is an error that says what it
// was, without repeating any of it; its redirects to other hosts are refused, and
// the API key is never sent there.
package provider

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"iter"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/failsafe-go/failsafe-go"
	"golang.org/x/time/rate"

	"padron"
)

// Page is a part of the provider's customers.
type Page struct {
	Records []padron.Record
	// Cursor is where to go on after this page: "page:N" or "link:PATH?QUERY",
	// at most 8 KiB. It is "" after a last link, and where the provider cannot be
	// asked to go on (style none). It may hold what the provider put into its
	// links: keep it out of logs.
	Cursor string
	// Fetch is how long the provider took over the page, Decode how long reading
	// its JSON did; those of pages in flight overlap.
	Fetch, Decode time.Duration
}

// Client reads one provider for one run, which its budget of retries is for. It
// is safe for concurrent use.
type Client struct {
	cfg    Config
	base   *url.URL
	http   *http.Client
	gate   *gate
	budget *budget
	// tries is what is done about a try that failed, and asks about a breaker that
	// is open.
	tries, asks failsafe.Executor[any]
	seed        maphash.Seed
}

// New checks cfg, and names every fault in it.
func New(cfg Config) (*Client, error) {
	cfg = cfg.withDefaults()
	base, err := cfg.validate()
	if err != nil {
		return nil, err
	}
	c := &Client{cfg: cfg, base: base, budget: &budget{most: cfg.RetryBudget}, seed: maphash.MakeSeed()}
	c.gate = &gate{budget: c.budget}
	c.http = newHTTPClient(&cfg, base, c.gate)
	breaker := newBreaker(&cfg)
	c.tries = failsafe.With(c.retries())
	c.asks = failsafe.With(c.patience(breaker), failsafe.Policy[any](breaker))
	cfg.OnBreaker(breaker.State().String())
	return c, nil
}

const (
	maxHeaderBytes = 64 << 10
	maxRedirects   = 5
)

func newHTTPClient(cfg *Config, base *url.URL, g *gate) *http.Client {
	limit := rate.Inf
	if cfg.Rate > 0 {
		limit = rate.Limit(cfg.Rate)
	}
	return &http.Client{
		Transport: &limitedTransport{limiter: rate.NewLimiter(limit, 1), gate: g, next: &http.Transport{
			Proxy:                  http.ProxyFromEnvironment,
			DialContext:            (&net.Dialer{Timeout: cfg.ConnectTimeout}).DialContext,
			TLSHandshakeTimeout:    cfg.ConnectTimeout,
			ResponseHeaderTimeout:  cfg.HeaderTimeout,
			MaxResponseHeaderBytes: maxHeaderBytes,
			ForceAttemptHTTP2:      true,
			IdleConnTimeout:        time.Minute,
			MaxIdleConnsPerHost:    maxConcurrency, // or each page in flight would dial anew
		}},
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
	errForeignRedirect = errors.New("foreign redirect")
	errManyRedirects   = errors.New("too many redirects")
)

// sameOrigin: same scheme, host and port (RFC 6454, section 5).
func sameOrigin(a, b *url.URL) bool {
	return a.Scheme == b.Scheme && strings.EqualFold(a.Hostname(), b.Hostname()) && port(a) == port(b)
}

func port(u *url.URL) string {
	if p := u.Port(); p != "" {
		return p
	}
	return map[string]string{"http": "80", "https": "443"}[u.Scheme]
}

// Source identifies provider, paging style and page size, without query or key:
// a cursor of one source is of no use to another.
func (c *Client) Source() string {
	return fmt.Sprintf("%s %s %d", c.where(), c.cfg.Paging, c.cfg.PageSize)
}

// where is the collection's address as errors and logs may show it.
func (c *Client) where() string {
	return (&url.URL{Scheme: c.base.Scheme, Host: c.base.Host, Path: c.base.Path}).String()
}

// Pages yields pages from the cursor on, "" for the start, and ends after the
// last one. An error is yielded once, as the last: a [padron.Error] with
// [padron.CodeUnavailable], one with [padron.CodeInvalid] for a cursor that is
// none of this client's, or ctx's cause. A page that fails is asked for again
// before that, and nobody is yielded twice by it; the one exception is in style
// none, where the whole array is yielded again if it changed in between.
//
// Where the provider pages by number, the next few pages are fetched meanwhile,
// at most [Config.Concurrency]; they come in order, and none is under way any
// more when the iteration ends.
func (c *Client) Pages(ctx context.Context, cursor string) iter.Seq2[Page, error] {
	return c.pagesTo(ctx, cursor, 0)
}

// pagesTo yields the pages up to the number end, which is not among them; 0 is
// all.
func (c *Client) pagesTo(ctx context.Context, cursor string, end int) iter.Seq2[Page, error] {
	return func(yield func(Page, error) bool) {
		err := c.pages(ctx, cursor, end, func(p Page) bool { return yield(p, nil) })
		if err != nil && !errors.Is(err, errStopped) {
			yield(Page{}, public(err))
		}
	}
}

// errStopped: whoever reads the pages wants no more.
var errStopped = errors.New("stopped")

func (c *Client) pages(ctx context.Context, text string, end int, yield func(Page) bool) error {
	at, err := parseCursor(text)
	if err != nil {
		return err
	}
	if !at.belongs(c.cfg.Paging) {
		return padron.Invalid("cursor", "is not one of paging style %s", c.cfg.Paging)
	}
	switch {
	case at.link != "":
		return c.byLink(ctx, linkWalk{link: at.link}, yield)
	case at.page > 0:
		return c.byPage(ctx, pageWalk{number: at.page, end: end, mayIgnore: c.cfg.Paging == Auto && at.page <= 2}, yield)
	}
	switch c.cfg.Paging {
	case None:
		return c.byArray(ctx, &arrayWalk{address: c.base.String()}, yield)
	case ByLink:
		return c.byLink(ctx, linkWalk{link: c.firstLink()}, yield)
	case ByPage:
		return c.byPage(ctx, pageWalk{number: 1}, yield)
	}
	return c.findOut(ctx, yield)
}
