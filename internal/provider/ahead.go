package provider

import (
	"context"
	"sync"
)

const (
	// maxConcurrency bounds the pages in flight.
	maxConcurrency = 16
	// maxAhead bounds the records of the pages in flight, at the size asked for.
	maxAhead = 20_000
)

// ahead asks for numbered pages before they are wanted, and hands them out in
// their order. It is for one goroutine.
//
// No more than most pages are under way or waiting to be taken: another one is
// asked for when one is taken, so whoever reads slowly slows the provider down.
// What became of a page shows when its turn comes; behind the end of the list it
// never does.
type ahead struct {
	client *Client
	most   int
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
	most := min(c.cfg.Concurrency, max(1, maxAhead/c.cfg.PageSize))
	return &ahead{client: c, most: most, next: w.number, end: w.end, flying: map[int]chan fetched{}}
}

// page returns a page, which is the one after that of the call before. Unless it
// is to be fetched alone, it asks for those behind it.
func (a *ahead) page(ctx context.Context, number int, alone bool) (*reading, error) {
	most := a.most
	if alone {
		most = 1
	}
	for ; a.next < number+most && (a.end == 0 || a.next < a.end); a.next++ {
		a.ask(ctx, a.next)
	}
	got := <-a.flying[number]
	delete(a.flying, number)
	return got.page, got.err
}

// ask begins to fetch a page.
func (a *ahead) ask(ctx context.Context, number int) {
	to := make(chan fetched, 1) // nobody may come for it
	a.flying[number] = to
	a.all.Go(func() {
		page, err := a.client.fetch(ctx, a.client.pageURL(number))
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
	got := <-to
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
