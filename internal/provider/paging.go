package provider

import (
	"context"
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"padron"
)

// cursor is where a pass goes on: at a page, or at a link.
type cursor struct {
	page, size int
	// link is path and query, on the provider's own host.
	link string
}

// parseCursor reads "page:N:SIZE" or "link:/path?query"; "" is the start.
func parseCursor(s string) (cursor, error) {
	kind, rest, _ := strings.Cut(s, ":")
	switch kind {
	case "":
		if s == "" {
			return cursor{}, nil
		}
	case "page":
		number, size, _ := strings.Cut(rest, ":")
		n, err := strconv.Atoi(number)
		m, err2 := strconv.Atoi(size)
		if err == nil && err2 == nil && n > 0 && m > 0 && m <= maxPageSize {
			return cursor{page: n, size: m}, nil
		}
	case "link":
		u, err := url.Parse(rest)
		if err == nil && u.Host == "" && u.Scheme == "" && strings.HasPrefix(rest, "/") && !strings.HasPrefix(rest, "//") {
			return cursor{link: rest}, nil
		}
	}
	return cursor{}, padron.Invalid("cursor", "is not one of this client's")
}

// pageURL is the address of a numbered page.
func (c *Client) pageURL(number, size int) string {
	u := *c.base
	q := u.Query()
	q.Set("page", strconv.Itoa(number))
	q.Set("limit", strconv.Itoa(size))
	u.RawQuery = q.Encode()
	return u.String()
}

// firstLink is path and query of the first page in style link.
func (c *Client) firstLink() string {
	u := *c.base
	q := u.Query()
	q.Set("limit", strconv.Itoa(c.cfg.PageSize))
	u.RawQuery = q.Encode()
	return u.RequestURI()
}

// findOut asks for the first page and sees from the answer how the provider
// pages.
func (c *Client) findOut(ctx context.Context, yield func(Page) bool) error {
	first, err := c.fetchPage(ctx, c.pageURL(1, c.cfg.PageSize), c.cfg.PageSize)
	switch {
	case err != nil:
		return err
	case first.more:
		return c.byStream(ctx, yield) // more than we asked for: it does not page
	case first.next != "":
		if !yield(Page{first.records, "link:" + first.next}) {
			return errStopped
		}
		return c.byLink(ctx, first.next, yield)
	}
	return c.afterPage(ctx, pageState{number: 1, size: c.cfg.PageSize, mayIgnore: true}, first, yield)
}

// pageState is where style page stands.
type pageState struct {
	number, size int
	// previous is the hash of the page before, to see a provider that gives the
	// same page for ever.
	previous uint64
	// mayIgnore: the provider may not page at all, so a second page like the
	// first one means that the first was everything.
	mayIgnore bool
	// probing: the page before was short but the first, so that this one tells a
	// short list from a provider with smaller pages than we asked for.
	probing bool
	// effective is how many records a full page really has; 0 is unknown.
	effective int
}

// limit is how many records a full page has: as many as we asked for, or fewer
// where the provider's pages are smaller.
func (at *pageState) limit() int {
	if at.effective > 0 {
		return at.effective
	}
	return at.size
}

func (c *Client) byPage(ctx context.Context, at pageState, yield func(Page) bool) error {
	for {
		page, err := c.fetchPage(ctx, c.pageURL(at.number, at.size), 0)
		if at.number > 1 && padron.ErrorCode(err) == padron.CodeNotFound {
			return nil // the way some providers say that there are no more pages
		}
		if err != nil {
			return err
		}
		if at.previous != 0 && page.hash == at.previous && len(page.records) > 0 {
			if at.mayIgnore || at.probing {
				return nil
			}
			return padron.Errorf(padron.CodeUnavailable, "the provider at %s answers page %d like page %d: "+
				"does it page by number? check PADRON_PROVIDER_PAGING", c.where(), at.number, at.number-1)
		}
		done, err := c.takePage(&at, page, yield)
		if done || err != nil {
			return err
		}
	}
}

// afterPage goes on after a first page that was fetched already.
func (c *Client) afterPage(ctx context.Context, at pageState, page *fetched, yield func(Page) bool) error {
	if done, err := c.takePage(&at, page, yield); done || err != nil {
		return err
	}
	return c.byPage(ctx, at, yield)
}

// takePage yields a page and moves at to the next one; done says there is none.
func (c *Client) takePage(at *pageState, page *fetched, yield func(Page) bool) (done bool, err error) {
	n := len(page.records)
	if n == 0 {
		return true, nil
	}
	first := at.number == 1
	size := at.size
	if first && n < size {
		size = n // the provider's own page size, if there is a second page
	}
	if !yield(Page{page.records, fmt.Sprintf("page:%d:%d", at.number+1, at.size)}) {
		return true, errStopped
	}
	if !first && n < at.limit() {
		return true, nil
	}
	at.mayIgnore = at.mayIgnore && first
	at.probing = first && n < at.size
	at.previous, at.number, at.effective = page.hash, at.number+1, size
	return false, nil
}
