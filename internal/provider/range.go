package provider

import (
	"context"
	"iter"
)

// Extent is how far the provider's customers can be divided among readers.
type Extent struct {
	// Paging is the style; where it is [ByPage], anybody may begin at any page.
	Paging Paging
	// Pages is how many pages there are in style [ByPage]: good for sharing them
	// out, not for finding the end, which may move at any time.
	Pages int
}

// Extent finds out how the provider pages, and how many pages it has, with a few
// requests: about two for each doubling of the pages.
func (c *Client) Extent(ctx context.Context) (Extent, error) {
	style, err := c.style(ctx)
	if err != nil || style != ByPage {
		return Extent{Paging: style}, public(err)
	}
	pages, err := c.lastPage(ctx)
	return Extent{Paging: style, Pages: pages}, public(err)
}

// style returns the paging style, found out where it is [Auto].
func (c *Client) style(ctx context.Context) (Paging, error) {
	if c.cfg.Paging != Auto {
		return c.cfg.Paging, nil
	}
	var first *reading
	err := c.retry(ctx, func() (_ bool, err error) {
		first, err = c.probe(ctx, c.pageURL(1))
		return false, err
	})
	if err != nil {
		return "", err
	}
	switch {
	case !first.ended: // more than we asked for
		first.close()
		return c.styleOfMany(ctx, first.sign.first)
	case first.next != "":
		return ByLink, nil
	}
	second, there, err := c.look(ctx, 2)
	if there && second.sign.same(first.sign) {
		return None, err
	}
	return ByPage, err
}

// styleOfMany is the style where the first page has more records than asked for.
func (c *Client) styleOfMany(ctx context.Context, first uint64) (style Paging, err error) {
	style = None
	err = c.retry(ctx, func() (bool, error) {
		another, err := c.beginsAnew(ctx, c.pageURL(2), first)
		if another {
			style = ByPage
		}
		return false, err
	})
	return style, err
}

// look fetches a page and says whether it is there with records on it.
func (c *Client) look(ctx context.Context, number int) (*reading, bool, error) {
	page, err := c.fetch(ctx, c.pageURL(number))
	there, err := fetched{page, err}.there()
	return page, there, err
}

// lastPage returns the number of the last page: it doubles the number until
// there is no such page, and closes in from there.
func (c *Client) lastPage(ctx context.Context) (int, error) {
	last, behind := 0, 1
	for before := (signature{}); ; {
		page, there, err := c.look(ctx, behind)
		if err != nil {
			return 0, err
		}
		if !there {
			break
		}
		if page.sign.same(before) {
			return 0, c.fault("repeats", "its page %d repeats page %d: check PADRON_PROVIDER_PAGING", behind, last)
		}
		before = page.sign
		last, behind = behind, 2*behind
		if behind >= maxPageNumber {
			return 0, c.fault("endless", "it has more than %d pages", last)
		}
	}
	for behind-last > 1 {
		middle := last + (behind-last)/2
		there, err := c.hasPage(ctx, middle)
		if err != nil {
			return 0, err
		}
		if there {
			last = middle
		} else {
			behind = middle
		}
	}
	return last, nil
}

// Range is a part of the provider's pages, to be read like all of them.
type Range struct {
	client     *Client
	first, end int
}

// Range returns the pages from first on to the one before end, where end 0 is to
// the last one, wherever that is by then; first 0 is everything, in whatever
// style.
func (c *Client) Range(first, end int) *Range { return &Range{c, first, end} }

// Source is that of the whole; see [Client.Source].
func (r *Range) Source() string { return r.client.Source() }

// Pages yields the pages of the range from the cursor on, "" for its start; see
// [Client.Pages].
func (r *Range) Pages(ctx context.Context, cursor string) iter.Seq2[Page, error] {
	if cursor == "" && r.first > 0 {
		cursor = pageCursor(r.first)
	}
	return r.client.pagesTo(ctx, cursor, r.end)
}
