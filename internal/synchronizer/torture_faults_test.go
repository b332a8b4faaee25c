package synchronizer_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"padron"
	"padron/internal/store"
	"padron/internal/store/mysqltest"
)

// interruptions are what may happen at a write of a run in the torture test, by
// [interruption.kind].
var interruptions = []string{
	"cut",    // the connection to the database is cut at some statement, or the statement given up
	"taken",  // another process has taken the lease over
	"killed", // the process ends right behind the commit, and writes nothing more
	"jump",   // the clock of the process jumps
}

// interruption happens at the write of that number, from 1.
type interruption struct {
	kind  string
	at    int64
	after time.Duration // until the cut
	jump  time.Duration
}

func (h *torture) interruption() interruption {
	i := interruption{at: 1 + h.rng.Int64N(8), after: time.Duration(h.rng.Int64N(int64(3 * time.Millisecond)))}
	i.jump = time.Duration(h.rng.Int64N(int64(96*time.Hour))) - 48*time.Hour
	if h.rng.IntN(3) == 0 {
		i.kind = interruptions[h.rng.IntN(len(interruptions))]
	}
	return i
}

// interrupted counts what has happened to the last run, and lets the lease of a
// dead one expire. Whose lease was taken must not have completed.
func (h *torture) interrupted(what string, run padron.Run) {
	h.t.Helper()
	if kind := h.last.what.kind; kind != "" && h.last.writes.Load() >= h.last.what.at {
		h.happened[kind]++
		if kind == "taken" && run.Outcome == padron.OutcomeCompleted {
			h.t.Errorf("%s: it completed, though another process had its lease", what)
		}
	}
	if h.last.dead.Load() {
		h.takeOver()
	}
}

// interrupting is a store whose writer something happens to.
type interrupting struct {
	store.Engine
	in     *register
	what   interruption
	writes atomic.Int64
	dead   atomic.Bool
	jumped atomic.Int64
}

// now is the clock of the process that writes.
func (s *interrupting) now() time.Time { return time.Now().Add(time.Duration(s.jumped.Load())) }

// Apply implements [store.Register].
func (s *interrupting) Apply(ctx context.Context, lease padron.Lease, b *padron.Batch) error {
	if s.dead.Load() {
		return errKilled
	}
	if s.writes.Add(1) != s.what.at {
		return s.Engine.Apply(ctx, lease, b)
	}
	switch s.what.kind {
	case "cut":
		cut, done := s.in.cut(ctx, s.what.after)
		defer done()
		ctx = cut
	case "taken":
		s.in.takeOver()
	case "jump":
		s.jumped.Store(int64(s.what.jump))
	case "killed":
		defer s.dead.Store(true)
	}
	return s.Engine.Apply(ctx, lease, b)
}

// Delete implements [store.Register].
func (s *interrupting) Delete(ctx context.Context, lease padron.Lease, numbers []padron.Number, at time.Time) error {
	if s.dead.Load() {
		return errKilled
	}
	return s.Engine.Delete(ctx, lease, numbers, at)
}

// FinishRun implements [store.Runs].
func (s *interrupting) FinishRun(ctx context.Context, lease padron.Lease, run *padron.Run) error {
	if s.dead.Load() {
		return errKilled
	}
	return s.Engine.FinishRun(ctx, lease, run)
}

// Release implements [store.Leases].
func (s *interrupting) Release(ctx context.Context, lease padron.Lease) error {
	if s.dead.Load() {
		return errKilled
	}
	return s.Engine.Release(ctx, lease)
}

// takeOver takes the lease by its expiry, as another process whose clock is far
// ahead, and gives it back.
func (r *register) takeOver() {
	other := r.later()
	defer other.Close()
	lease, err := other.Acquire(context.Background(), "other", time.Minute)
	if err == nil {
		err = other.Release(context.Background(), lease)
	}
	if err != nil {
		r.t.Error(err)
	}
}

// ahead is a clock by which every lease has expired.
func ahead() time.Time { return time.Now().Add(24 * time.Hour) }

// giveUp cuts a statement short where there is no connection to cut.
func giveUp(ctx context.Context, after time.Duration) (context.Context, func()) {
	return context.WithTimeout(ctx, after)
}

// cutSessions ends the server's sessions with a database some time later.
func cutSessions(t *testing.T, server *mysqltest.Server, database string) func(context.Context, time.Duration) (context.Context, func()) {
	admin := server.Admin(t)
	return func(ctx context.Context, after time.Duration) (context.Context, func()) {
		var cut sync.WaitGroup
		cut.Add(1)
		timer := time.AfterFunc(after, func() {
			defer cut.Done()
			rows, err := admin.Query("SELECT id FROM information_schema.processlist WHERE db = ?", database)
			if err != nil {
				t.Error(err)
				return
			}
			defer rows.Close()
			for rows.Next() {
				var id int64
				if err := rows.Scan(&id); err == nil {
					_, _ = admin.Exec(fmt.Sprintf("KILL %d", id)) // it may have gone by itself
				}
			}
			if err := rows.Err(); err != nil {
				t.Error(err)
			}
		})
		return ctx, func() {
			if timer.Stop() {
				cut.Done()
			}
			cut.Wait()
		}
	}
}
