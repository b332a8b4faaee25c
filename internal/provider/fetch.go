package provider

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"padron"
)

// fetched is one page, read whole.
type fetched struct {
	records []padron.Record
	// hash is over the raw records.
	hash uint64
	// next is path and query of the next page, by the Link header.
	next string
	// more: there were more records than asked for; records are incomplete.
	more bool
}

var hashSeed = maphash.MakeSeed()

// fetchPage reads one page whole, trying again as the policy says. A page of
// more than most records (0 is any number) is left off with more set.
func (c *Client) fetchPage(ctx context.Context, address string, most int) (*fetched, error) {
	var page *fetched
	err := c.retry(ctx, func() (err error) {
		page, err = c.tryPage(ctx, address, most)
		return err
	})
	return page, err
}

func (c *Client) tryPage(ctx context.Context, address string, most int) (*fetched, error) {
	resp, err := c.open(ctx, address)
	if err != nil {
		return nil, err
	}
	defer resp.close()
	page := &fetched{}
	if page.next, err = c.nextLink(resp.url, resp.header); err != nil {
		return nil, err
	}
	var h maphash.Hash
	h.SetSeed(hashSeed)
	split := newSplitter(resp.limited(c.cfg.MaxPage), c.cfg.MaxRecord)
	for {
		raw, err := split.next()
		switch {
		case errors.Is(err, io.EOF):
			page.hash = h.Sum64() | 1 // never 0, which stands for no page
			return page, nil
		case err != nil:
			return nil, c.bodyFault(resp, err)
		case most > 0 && len(page.records) == most && page.next == "":
			page.more = true
			return page, nil
		}
		_, _ = h.Write(raw.hashed()) // a hash never fails
		page.records = append(page.records, raw.record())
	}
}

// response is an open answer with status 200.
type response struct {
	url    *url.URL
	header http.Header
	body   *stallReader
	cancel context.CancelFunc
}

func (r *response) close() {
	r.cancel()
	_ = r.body.Close() // nothing more is read
}

// limited reads at most limit bytes of the body and then fails.
func (r *response) limited(limit int64) io.Reader { return &limitReader{r.body, limit} }

// open asks for an address and returns the answer if it can be a list.
func (c *Client) open(ctx context.Context, address string) (*response, error) {
	ctx, cancel := context.WithCancel(ctx)
	resp, err := c.send(ctx, address)
	if err != nil {
		cancel()
		return nil, err
	}
	out := &response{resp.Request.URL, resp.Header, newStallReader(resp.Body, c.cfg.StallTimeout, cancel), cancel}
	if err := c.checkAnswer(resp); err != nil {
		out.close()
		return nil, err
	}
	return out, nil
}

func (c *Client) send(ctx context.Context, address string) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, permanent(padron.Errorf(padron.CodeUnavailable, "the provider's address cannot be asked for"))
	}
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", "padron-synchronizer")
	if c.cfg.APIKey != "" {
		req.Header.Set("Authorization", "Bearer "+c.cfg.APIKey.Expose())
	}
	resp, err := c.http.Do(req)
	if err == nil {
		return resp, nil
	}
	if resp != nil {
		_ = resp.Body.Close()
	}
	if errors.Is(err, errForeignRedirect) || errors.Is(err, errManyRedirects) {
		return nil, permanent(c.fault(errors.Unwrap(err).Error()+": check PADRON_PROVIDER_URL", nil))
	}
	return nil, c.fault("it cannot be reached", unwrapURL(err))
}

// unwrapURL drops the address from a client error: its query may hold a secret.
func unwrapURL(err error) error {
	var u interface{ Unwrap() error }
	if errors.As(err, &u) {
		return u.Unwrap()
	}
	return err
}

// fault is an error about the provider that may be shown.
func (c *Client) fault(what string, cause error) *padron.Error {
	return &padron.Error{Code: padron.CodeUnavailable, Message: "the provider at " + c.where() + ": " + what, Err: cause}
}

// checkAnswer refuses what cannot be a list of customers.
func (c *Client) checkAnswer(resp *http.Response) error {
	if resp.StatusCode != http.StatusOK {
		return c.statusFault(resp)
	}
	kind, _, err := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	if err == nil && strings.Contains(kind, "html") {
		return c.fault("it answered with HTML, not JSON: is the address the API's?", nil)
	}
	return nil
}

// retried are the statuses that a later try may change.
func retried(status int) bool {
	return slices.Contains([]int{
		http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests,
		http.StatusInternalServerError, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout,
	}, status)
}

func (c *Client) statusFault(resp *http.Response) error {
	what := fmt.Sprintf("it answered %d %s", resp.StatusCode, http.StatusText(resp.StatusCode))
	switch resp.StatusCode {
	case http.StatusUnauthorized, http.StatusForbidden:
		what += ": check PADRON_PROVIDER_API_KEY"
	case http.StatusNotFound, http.StatusGone:
		what += ": check PADRON_PROVIDER_URL"
	}
	err := c.fault(what, nil)
	if resp.StatusCode == http.StatusNotFound {
		err.Code = padron.CodeNotFound
	}
	if !retried(resp.StatusCode) {
		return permanent(err)
	}
	return &retryLater{err, retryAfter(resp.Header.Get("Retry-After"), time.Now())}
}

// bodyFault explains why a body could not be read. Nothing of it is repeated.
func (c *Client) bodyFault(resp *response, err error) error {
	var form *formError
	switch {
	case errors.As(err, &form):
		return c.fault(form.what, nil)
	case errors.Is(err, errTooLarge):
		return permanent(c.fault("its answer is larger than the limit", nil))
	case errors.Is(err, io.ErrUnexpectedEOF):
		return c.fault("its answer ended in the middle", nil)
	case resp.body.stalled():
		return c.fault(fmt.Sprintf("its answer brought no byte for %v", c.cfg.StallTimeout), nil)
	}
	return c.fault("its answer broke off", err)
}
