package provider

import (
	"context"
	"errors"
	"hash/maphash"
	"io"

	"padron"
)

// streamState is how far style none has yielded the one array.
type streamState struct {
	// yielded is how many records were, and prefix the hash of those.
	yielded int64
	prefix  uint64
}

// byStream reads one array with everybody, in parts. When the answer breaks off
// it is asked for again, and what was yielded is skipped if it comes the same;
// if it does not, the array changed while we read, and everything is yielded
// again: whoever reads must take repeats.
func (c *Client) byStream(ctx context.Context, yield func(Page) bool) error {
	var state streamState
	return c.retry(ctx, func() error { return c.tryStream(ctx, &state, yield) })
}

func (c *Client) tryStream(ctx context.Context, state *streamState, yield func(Page) bool) error {
	resp, err := c.open(ctx, c.base.String())
	if err != nil {
		return err
	}
	defer resp.close()
	s := &stream{
		split: newSplitter(resp.limited(c.cfg.MaxBody), c.cfg.MaxRecord), state: state, size: c.cfg.PageSize, yield: yield,
	}
	s.hash.SetSeed(hashSeed)
	if err := s.skip(); err != nil {
		return c.streamFault(resp, state, err)
	}
	return c.streamFault(resp, state, s.rest())
}

// stream is one try at the array.
type stream struct {
	split *splitter
	state *streamState
	size  int
	yield func(Page) bool
	hash  maphash.Hash
	read  int64
}

// errChanged: the array is not the one that was yielded.
var errChanged = errors.New("changed")

func (c *Client) streamFault(resp *response, state *streamState, err error) error {
	switch {
	case err == nil, errors.Is(err, errStopped):
		return err
	case errors.Is(err, errChanged):
		*state = streamState{}
		return c.fault("its answer changed while it was read", nil)
	}
	return c.bodyFault(resp, err)
}

// skip passes over what an earlier try yielded.
func (s *stream) skip() error {
	for s.read < s.state.yielded {
		raw, err := s.split.next()
		if errors.Is(err, io.EOF) {
			return errChanged
		}
		if err != nil {
			return err
		}
		s.note(raw)
	}
	if s.state.yielded > 0 && s.hash.Sum64() != s.state.prefix {
		return errChanged
	}
	return nil
}

func (s *stream) note(raw element) {
	_, _ = s.hash.Write(raw.hashed()) // a hash never fails
	s.read++
}

// rest yields what is left, in parts.
func (s *stream) rest() error {
	records := make([]padron.Record, 0, s.size)
	for {
		raw, err := s.split.next()
		done := errors.Is(err, io.EOF)
		if err != nil && !done {
			return err
		}
		if !done {
			s.note(raw)
			records = append(records, raw.record())
		}
		if len(records) == s.size || done && len(records) > 0 {
			s.state.yielded, s.state.prefix = s.read, s.hash.Sum64()
			if !s.yield(Page{Records: records}) {
				return errStopped
			}
			records = make([]padron.Record, 0, s.size)
		}
		if done {
			return nil
		}
	}
}
