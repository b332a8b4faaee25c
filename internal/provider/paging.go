package provider

import (
	"context"
	"errors"
	"io"
	"net/url"
	"strconv"
)

// pageURL is the address of a numbered page.
func (c *Client) pageURL(number int) string {
	return c.withQuery(map[string]int{"page": number, "limit": c.cfg.PageSize}).String()
}

// firstLink is path and query of the first page in style link.
func (c *Client) firstLink() string {
	return c.withQuery(map[string]int{"limit": c.cfg.PageSize}).RequestURI()
}

func (c *Client) withQuery(params map[string]int) *url.URL {
	u := *c.base
	q := u.Query()
	for name, value := range params {
		q.Set(name, strconv.Itoa(value))
	}
	u.RawQuery = q.Encode()
	return &u
}

// findOut asks for the first page and sees from the answer how the provider
// pages. What has arrived by then is used whichever way it turns out.
func (c *Client) findOut(ctx context.Context, yield func(Page) bool) error {
	address := c.pageURL(1)
	var first *reading
	err := c.retry(ctx, func() (_ bool, err error) {
		first, err = c.probe(ctx, address)
		return false, err
	})
	switch {
	case err != nil:
		return err
	case !first.ended: // more than we asked for
		return c.byArrayOrPage(ctx, &arrayWalk{address: address, open: first}, yield)
	case first.next != "":
		w := linkWalk{link: first.next, previous: first.sign}
		if len(first.records) > 0 && !yield(Page{first.records, linkCursor(first.next)}) {
			return errStopped
		}
		return c.byLink(ctx, w, yield)
	}
	w := pageWalk{number: 1, mayIgnore: true}
	if done, err := c.takePage(&w, first, yield); done || err != nil {
		return err
	}
	return c.byPage(ctx, w, yield)
}

// byArrayOrPage reads on where the first page has more records than we asked
// for: either the provider does not page and this is everybody, or its pages are
// larger than that, which a second page with another beginning tells.
func (c *Client) byArrayOrPage(ctx context.Context, w *arrayWalk, yield func(Page) bool) error {
	var another bool
	err := c.retry(ctx, func() (_ bool, err error) {
		another, err = c.beginsAnew(ctx, c.pageURL(2), w.open.sign.first)
		return false, err
	})
	if err != nil || another {
		w.open.close()
	}
	switch {
	case err != nil:
		return err
	case another:
		return c.byPage(ctx, pageWalk{number: 1}, yield)
	}
	return c.byArray(ctx, w, yield)
}

// beginsAnew says whether there is a page at the address whose first record is
// not the one with the hash.
func (c *Client) beginsAnew(ctx context.Context, address string, first uint64) (bool, error) {
	r, err := c.open(ctx, address, c.cfg.MaxPage)
	if isNotFound(err) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	defer r.close()
	e, err := r.read()
	if errors.Is(err, io.EOF) {
		return false, nil
	}
	return err == nil && e.sum(c.seed) != first, err
}

// probe reads the first page. It returns with an open answer where there are
// more records than asked for.
func (c *Client) probe(ctx context.Context, address string) (*reading, error) {
	r, err := c.open(ctx, address, c.cfg.MaxPage)
	if err != nil {
		return nil, err
	}
	if r.next != "" {
		return r, r.whole()
	}
	if err := r.take(c.cfg.PageSize); err != nil {
		r.close()
		return nil, err
	}
	if r.ended {
		r.close()
	}
	return r, nil
}

// pageWalk is where style page stands.
type pageWalk struct {
	number int
	// previous is the page before, zero at the start and where a pass goes on.
	previous signature
	// mayIgnore: the provider may not page at all, so that a second page like
	// the first means that the first was everything.
	mayIgnore bool
}

func (c *Client) byPage(ctx context.Context, w pageWalk, yield func(Page) bool) error {
	for {
		page, err := c.fetch(ctx, c.pageURL(w.number))
		if w.number > 1 && isNotFound(err) {
			return c.afterLast(ctx, w, err)
		}
		if err != nil {
			return err
		}
		if done, err := c.takePage(&w, page, yield); done || err != nil {
			return err
		}
	}
}

// afterLast decides what a page that is not found means: the end, as some
// providers say it, if the page before is still there; else the notFound fault.
func (c *Client) afterLast(ctx context.Context, w pageWalk, notFound error) error {
	page, err := c.fetch(ctx, c.pageURL(w.number-1))
	switch {
	case isNotFound(err), err == nil && len(page.records) == 0:
		return notFound
	}
	return err
}

// takePage yields a page and moves w to the next one; done says there is none.
// The end is an empty page or one shorter than the page before. A first page
// that is shorter than we asked for is no end yet: the provider may have smaller
// pages than that, so the second one decides.
func (c *Client) takePage(w *pageWalk, page *reading, yield func(Page) bool) (done bool, err error) {
	if len(page.records) == 0 {
		return true, nil
	}
	if page.sign == w.previous {
		if w.mayIgnore || w.number == 2 && w.previous.count < c.cfg.PageSize {
			return true, nil
		}
		return true, c.fault("repeats", "its page %d repeats the one before: "+
			"it does not page by number, check PADRON_PROVIDER_PAGING", w.number)
	}
	if w.number >= maxPageNumber-1 {
		return true, c.fault("endless", "it has more than %d pages", w.number)
	}
	shorter := len(page.records) < w.previous.count
	w.mayIgnore = w.mayIgnore && w.previous == signature{}
	w.previous = page.sign
	w.number++
	if !yield(Page{page.records, pageCursor(w.number)}) {
		return true, errStopped
	}
	return shorter, nil
}
