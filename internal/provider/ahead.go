package provider

import (
	"context"
	"errors"
	"sync"
)

const (
	// maxConcurrency bounds the pages in flight.
	maxConcurrency = 16
	// maxAhead bounds the records of the pages in flight, and maxAheadBytes what
	// they may bring in all: a provider may send more than it was asked for.
	maxAhead, maxAheadBytes = 20_000, 64 << 20
)

// ahead asks for numbered pages before they are wanted, and hands them out in
// their order. It is for one goroutine.
//
// No more than most pages are under way or waiting to be taken: another one is
// asked for when one is taken, so whoever reads slowly slows the provider down.
// What became of a page shows when its turn comes; behind the end of the list it
// never does.
//
// A page asked for before its turn may have its share of what all of them may
// bring. One that has more is asked for again when its turn comes, and from then on
// they come one at a time.
type ahead struct {
	client *Client
	most   int
	share  bounds
	// next is the first page not asked for, and end the first that is none of
	// ours; 0 is none.
	next, end int
	flying    map[int]chan fetched
	all       sync.WaitGroup
}

// fetched is what came of asking for a page.
type fetched struct {
	page *reading
	err  error
}

func (c *Client) newAhead(w *pageWalk) *ahead {
	n := min(c.cfg.Concurrency, max(1, maxAhead/c.cfg.PageSize))
	share := bounds{min(c.cfg.MaxPage, maxAheadBytes/int64(n)), max(c.cfg.PageSize, maxAhead/n)}
	return &ahead{client: c, most: n, share: share, next: w.number, end: w.end, flying: map[int]chan fetched{}}
}

// page returns a page, which is the one after that of the call before. Unless it
// is to be fetched alone, it asks for those behind it.
func (a *ahead) page(ctx context.Context, number int, alone bool) (*reading, error) {
	n, each := a.most, a.share
	if alone || n == 1 {
		n, each = 1, a.client.pageBounds()
	}
	for ; a.next < number+n && (a.end == 0 || a.next < a.end); a.next++ {
		a.ask(ctx, a.next, each)
	}
	got := a.settle(ctx, number, <-a.flying[number])
	delete(a.flying, number)
	return got.page, got.err
}

// settle asks again for a page that was too large for its share.
func (a *ahead) settle(ctx context.Context, number int, got fetched) fetched {
	var f *fault
	if !errors.As(got.err, &f) || f.reason != "too_large" {
		return got
	}
	a.most = 1
	page, err := a.client.fetch(ctx, a.client.pageURL(number))
	return fetched{page, err}
}

// ask begins to fetch a page.
func (a *ahead) ask(ctx context.Context, number int, most bounds) {
	to := make(chan fetched, 1) // nobody may come for it
	a.flying[number] = to
	a.all.Go(func() {
		page, err := a.client.fetchUpTo(ctx, a.client.pageURL(number), most)
		to <- fetched{page, err}
	})
}

// has says whether there is a page of that number with records on it. One that
// was asked for is not asked for again.
func (a *ahead) has(ctx context.Context, number int) (bool, error) {
	to, asked := a.flying[number]
	if !asked {
		return a.client.hasPage(ctx, number)
	}
	got := a.settle(ctx, number, <-to)
	to <- got
	return got.there()
}

// there says whether it is a page with records on it.
func (f fetched) there() (bool, error) {
	if isNotFound(f.err) {
		return false, nil
	}
	return f.err == nil && len(f.page.records) > 0, f.err
}
