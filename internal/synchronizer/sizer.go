package synchronizer

import (
	"sync"
	"time"
)

// Bounds of a batch's size, and how long a transaction should take. That time is
// what a run told to stop waits for, and what a takeover of the lease waits for;
// shorter ones spend more of it on committing. Larger batches than the most are
// no faster and take more memory: 8000 took 135 MB where 4000 take 80.
const (
	leastBatch = 500
	mostBatch  = 4000
	writeTime  = 250 * time.Millisecond
)

// sizer says how many records a batch may have, so that a slow database gets
// small transactions. It is safe for concurrent use.
type sizer struct {
	mu    sync.Mutex
	size  int
	fixed bool
}

// newSizer begins with the most, which a database that is not slow takes in a
// fraction of the time; a size that is given stays.
func newSizer(fixed int) *sizer {
	if fixed > 0 {
		return &sizer{size: fixed, fixed: true}
	}
	return &sizer{size: mostBatch}
}

func (s *sizer) limit() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.size
}

// wrote learns from a transaction that wrote so many rows. It changes the size to
// what would have taken writeTime, at most by half or to the double at a time, as
// a single one may have waited for something else. One that wrote little tells
// nothing about larger batches.
func (s *sizer) wrote(rows int, took time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fixed || rows == 0 || took < 0 {
		return
	}
	fits := 2 * s.size
	if took > writeTime/2 {
		fits = int(int64(s.size) * int64(writeTime) / int64(took))
	}
	if fits > s.size && 2*rows < s.size {
		return
	}
	s.size = min(max(fits, s.size/2, leastBatch), mostBatch)
}
