package provider

import (
	"errors"
	"io"
	"sync/atomic"
	"time"
)

// minStallBytes is what a body must bring in the time of a stall: one that
// drips would otherwise never end.
const minStallBytes = 1 << 10

// stallReader gives up on a body that brings next to nothing for a while.
type stallReader struct {
	body    io.ReadCloser
	timeout time.Duration
	watch   *time.Timer
	fired   atomic.Bool
	// waited and got are the time and the bytes of the reads since the body last
	// brought enough.
	waited time.Duration
	got    int
	// total is the time of all reads.
	total time.Duration
}

// newStallReader calls abandon, which must make a waiting Read return, when the
// body stalls.
func newStallReader(body io.ReadCloser, timeout time.Duration, abandon func()) *stallReader {
	r := &stallReader{body: body, timeout: timeout}
	r.watch = time.AfterFunc(timeout, func() {
		r.fired.Store(true)
		abandon()
	})
	r.watch.Stop()
	return r
}

// Read reads while the watch is running: only the provider's slowness counts,
// not that of whoever takes the pages.
func (r *stallReader) Read(p []byte) (int, error) {
	started := time.Now()
	r.watch.Reset(max(0, r.timeout-r.waited))
	n, err := r.body.Read(p)
	r.watch.Stop()
	took := time.Since(started)
	r.waited += took
	r.total += took
	if r.got += n; r.got >= minStallBytes {
		r.waited, r.got = 0, 0
	}
	return n, err
}

// Close ends the watch and the body.
func (r *stallReader) Close() error {
	r.watch.Stop()
	return r.body.Close()
}

func (r *stallReader) stalled() bool { return r.fired.Load() }

// errTooLarge: a body has more bytes than its limit.
var errTooLarge = errors.New("too large")

// limitReader fails after a number of bytes, where [io.LimitReader] would end
// as if the body did.
type limitReader struct {
	r    io.Reader
	left int64
}

// Read fails with errTooLarge only if there is a byte beyond the limit.
func (l *limitReader) Read(p []byte) (int, error) {
	if int64(len(p))-1 > l.left {
		p = p[:l.left+1]
	}
	n, err := l.r.Read(p)
	if int64(n) > l.left {
		n, err = int(l.left), errTooLarge
	}
	l.left -= int64(n)
	return n, err
}
