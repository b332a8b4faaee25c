package provider

import (
	"context"
	"io"
	"mime"
	"net/http"
	"strings"
	"time"
)

// bounds is how much one page may be: bytes, unpacked, and records.
type bounds struct {
	bytes   int64
	records int
}

// fetch reads one page whole, trying again as often as the budget allows.
func (c *Client) fetch(ctx context.Context, address string) (*reading, error) {
	return c.fetchUpTo(ctx, address, c.pageBounds())
}

// pageBounds are those of a page that is held alone.
func (c *Client) pageBounds() bounds { return bounds{c.cfg.MaxPage, maxPageRecords} }

func (c *Client) fetchUpTo(ctx context.Context, address string, most bounds) (*reading, error) {
	var page *reading
	err := c.retry(ctx, func() (bool, error) {
		r, err := c.open(ctx, address, most.bytes)
		if err != nil {
			return false, err
		}
		page = r
		return false, r.whole(most.records)
	})
	return page, err
}

// open asks for an address and returns the answer if it can be a list. At most
// limit bytes of it can be read.
func (c *Client) open(ctx context.Context, address string, limit int64) (*reading, error) {
	ctx, cancel := context.WithCancel(ctx)
	asked := time.Now()
	resp, err := c.send(ctx, address) //nolint:bodyclose // the reading closes it
	if err != nil {
		cancel()
		return nil, err
	}
	r := c.newReading(resp, limit, cancel)
	r.fetched = time.Since(asked)
	if err := c.checkAnswer(resp, r); err != nil {
		r.close()
		return nil, err
	}
	return r, nil
}

func (c *Client) send(ctx context.Context, address string) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, final(c.fault("address", "its address cannot be asked for: check PADRON_PROVIDER_URL"))
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
	if resp != nil { // a refused redirect comes with its answer
		_ = resp.Body.Close()
	}
	return nil, c.sendFault(err)
}

// checkAnswer refuses what cannot be a list of customers, and notes what the
// headers say.
func (c *Client) checkAnswer(resp *http.Response, r *reading) (err error) {
	if resp.StatusCode != http.StatusOK {
		r.drain(resp.ContentLength)
		return c.statusFault(resp)
	}
	kind, _, err := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	if err == nil && strings.Contains(kind, "html") {
		return c.formFault(formHTML)
	}
	r.next, err = c.nextLink(resp.Request.URL, resp.Header)
	return err
}

// smallBody is up to how many bytes reading an answer that nobody wants costs
// less than a new connection.
const smallBody = 4 << 10

// drain reads a small body to its end, so that the connection can be used again.
func (r *reading) drain(length int64) {
	if length <= smallBody && length > 0 {
		_, _ = io.CopyN(io.Discard, r.body, smallBody) // only a courtesy
	}
}
