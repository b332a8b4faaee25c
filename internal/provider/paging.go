package provider

import (
	"cmp"
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
		if len(first.records) > 0 && !yield(first.page(linkCursor(first.next))) {
			return errStopped
		}
		return c.byLink(ctx, w, yield)
	}
	w := pageWalk{number: 1, mayIgnore: true}
	if len(first.records) == 0 {
		return nil
	}
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
		return c.byPage(ctx, pageWalk{number: 1, mayIgnore: true}, yield)
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
	_, err = r.read()
	if errors.Is(err, io.EOF) {
		return false, nil
	}
	return err == nil && r.sign.first != first, err
}

// probe reads the first page. It returns with an open answer where there are
// more records than asked for.
func (c *Client) probe(ctx context.Context, address string) (*reading, error) {
	r, err := c.open(ctx, address, c.cfg.MaxPage)
	if err != nil {
		return nil, err
	}
	if r.next != "" {
		return r, r.whole(maxPageRecords)
	}
	if err := r.take(c.cfg.PageSize, unbounded); err != nil {
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
	// end is the first page not to be read; 0 is none.
	end int
	// previous is the page before, zero at the start and where a pass goes on.
	previous signature
	// short: it has fewer records than were asked for, or than the one before it.
	short bool
	// mayIgnore: the provider may not page at all, so that a second page like
	// the first means that the first was everything.
	mayIgnore bool
	// mark is a page from before, moved ever more seldom (Brent's algorithm), so
	// that page numbers that go round are found without remembering every page.
	mark         signature
	steps, until int
}

// circles notes the page and says whether it was met before.
func (w *pageWalk) circles(page signature) bool {
	if page.same(w.mark) {
		return true
	}
	if w.steps == w.until {
		w.mark, w.steps, w.until = page, 0, 2*w.until+1
	}
	w.steps++
	return false
}

// byPage reads numbered pages from w on, several of them in flight. None of them
// outlives it.
func (c *Client) byPage(ctx context.Context, w pageWalk, yield func(Page) bool) error {
	pages := c.newAhead(&w)
	defer pages.all.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	for w.end == 0 || w.number < w.end {
		// Nothing is asked for beside a first page, which may meet a wrong key or a
		// provider that is down, nor behind one that may be the last.
		alone := w.short || w.previous == signature{}
		page, err := pages.page(ctx, w.number, alone)
		if err != nil && (w.number == 1 || !isNotFound(err)) {
			return err
		}
		if err != nil || len(page.records) == 0 {
			return c.afterLast(ctx, &w, pages, err)
		}
		if done, err := c.takePage(&w, page, yield); done || err != nil {
			return err
		}
	}
	return nil
}

// afterLast decides what a page that is empty or, some providers' way to say so,
// not found means. After a short page it is the end. Otherwise the next page must
// be missing as well, and, where it was not found, the page before still be there:
// a single page that fails must not end the list for everybody behind it.
func (c *Client) afterLast(ctx context.Context, w *pageWalk, pages *ahead, notFound error) error {
	if w.number == 1 || w.short {
		return nil
	}
	if there, err := pages.has(ctx, w.number+1); err != nil || there {
		return errors.Join(err, c.gap(w.number, there))
	}
	if notFound == nil {
		return nil
	}
	if there, err := c.hasPage(ctx, w.number-1); err != nil || there {
		return err
	}
	if w.previous != (signature{}) {
		return notFound
	}
	// The walk began here, and the list has become shorter than this by more
	// than a page since: if it is there at all.
	if there, err := c.hasPage(ctx, 1); err != nil || there {
		return err
	}
	return notFound
}

func (c *Client) gap(number int, there bool) error {
	if !there {
		return nil
	}
	return c.fault("gap", "its page %d is empty or not found, but page %d is not", number, number+1)
}

// hasPage says whether there is a page of that number with records on it.
func (c *Client) hasPage(ctx context.Context, number int) (bool, error) {
	page, err := c.fetch(ctx, c.pageURL(number))
	return fetched{page, err}.there()
}

// takePage yields a page and moves w to the next one; done says that the page
// was everything. A short page is no end: the provider may have smaller pages
// than we asked for, or fail to fill one, so the next page decides.
func (c *Client) takePage(w *pageWalk, page *reading, yield func(Page) bool) (done bool, err error) {
	if page.sign.same(w.previous) {
		if w.mayIgnore || w.number == 2 && w.previous.count < c.cfg.PageSize {
			return true, nil
		}
		return true, c.fault("repeats", "its page %d repeats the one before: "+
			"it does not page by number, check PADRON_PROVIDER_PAGING", w.number)
	}
	if w.circles(page.sign) {
		return true, c.fault("repeats", "its page %d repeats an earlier one: check PADRON_PROVIDER_PAGING", w.number)
	}
	if w.number >= maxPageNumber-1 {
		return true, c.fault("endless", "it has more than %d pages", w.number)
	}
	w.short = page.sign.count < cmp.Or(w.previous.count, c.cfg.PageSize)
	w.mayIgnore = w.mayIgnore && w.previous == signature{}
	w.previous = page.sign
	w.number++
	if !yield(page.page(pageCursor(w.number))) {
		return true, errStopped
	}
	return false, nil
}
