package synchronizer

import (
	"maps"
	"sync"
	"time"

	"padron"
)

// stages adds up where a run's time goes, by the batch: a clock that is read for
// each record would cost more than some of the stages. It is safe for concurrent
// use, since the stages work at the same time.
type stages struct {
	now   func() time.Time
	mu    sync.Mutex
	times map[padron.Stage]time.Duration
}

func newStages(now func() time.Time) *stages {
	return &stages{now: now, times: map[padron.Stage]time.Duration{}}
}

// begin starts a stage and returns what ends it.
func (s *stages) begin(stage padron.Stage) (end func()) {
	started := s.now()
	return func() { s.add(stage, s.now().Sub(started)) }
}

// add adds to a stage. A clock that was put back adds nothing.
func (s *stages) add(stage padron.Stage, took time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.times[stage] += max(0, took)
}

// report is what has come together so far.
func (s *stages) report() map[padron.Stage]time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.times)
}
