package provider

import (
	"context"
	"errors"
)

// arrayWalk is how far style none has yielded the one array.
type arrayWalk struct {
	address string
	// open is an answer that is being read already, for the first try.
	open *reading
	// yielded is how many records were, and prefix the hash of those.
	yielded int64
	prefix  uint64
	// furthest is the most that was ever yielded; only going beyond it is
	// progress, or an answer that changes each time would be read for ever.
	furthest int64
}

// partBytes is how much of the array is read for one part of it, besides its last
// record: records may be few and large.
const partBytes = 4 << 20

// errChanged: the array is not the one whose beginning was yielded.
var errChanged = errors.New("changed")

// byArray reads one array with everybody, in parts. When the answer breaks off
// it is asked for again, and what was yielded is skipped if it comes the same;
// if it does not, the array changed while we read, and everything is yielded
// again: whoever reads must take repeats. A try that came further than any
// before renews the budget of retries.
func (c *Client) byArray(ctx context.Context, w *arrayWalk, yield func(Page) bool) error {
	return c.retry(ctx, func() (bool, error) {
		before := w.furthest
		err := c.tryArray(ctx, w, yield)
		return w.furthest > before, err
	})
}

func (c *Client) tryArray(ctx context.Context, w *arrayWalk, yield func(Page) bool) error {
	r, err := w.answer(ctx, c)
	if err != nil {
		return err
	}
	defer r.close()
	err = r.skip(w.yielded, w.prefix)
	if errors.Is(err, errChanged) {
		w.yielded, w.prefix = 0, 0
		return c.fault("changed", "its answer changed while it was read")
	}
	if err != nil {
		return err
	}
	return c.yieldRest(w, r, yield)
}

// answer returns the answer to read: the open one, once, or a new one.
func (w *arrayWalk) answer(ctx context.Context, c *Client) (*reading, error) {
	if r := w.open; r != nil {
		w.open = nil
		r.limit.left = max(0, r.limit.left+c.cfg.MaxBody-c.cfg.MaxPage)
		return r, nil
	}
	return c.open(ctx, w.address, c.cfg.MaxBody)
}

func (c *Client) yieldRest(w *arrayWalk, r *reading, yield func(Page) bool) error {
	for {
		if err := r.take(c.cfg.PageSize, partBytes); err != nil {
			return err
		}
		if len(r.records) == 0 {
			return nil
		}
		w.yielded, w.prefix = r.count, r.hash.Sum64()
		w.furthest = max(w.furthest, w.yielded)
		if !yield(r.page("")) {
			return errStopped
		}
		if r.ended {
			return nil
		}
		r.records = nil // the page belongs to whoever took it
	}
}
