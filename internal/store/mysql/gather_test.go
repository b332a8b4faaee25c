package mysql

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"padron"
)

// shelf is a table whose statements wait at a gate, after they have looked.
type shelf struct {
	gather[string, int]
	rows  map[string]int
	gate  chan struct{}
	fail  error
	asked [][]string
}

func newShelf() *shelf {
	s := &shelf{rows: map[string]int{"a": 1, "b": 2, "c": 3}, gate: make(chan struct{})}
	s.read = func(ctx context.Context, keys []string) (map[string]int, error) {
		s.asked = append(s.asked, keys)
		found, fail := map[string]int{}, s.fail
		for _, key := range keys {
			if row, ok := s.rows[key]; ok {
				found[key] = row
			}
		}
		select {
		case <-s.gate:
			return found, fail
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	return s
}

// answer is what one look-up got.
type answer struct {
	row int
	err error
}

// ask looks a key up, and returns when the question has been put.
func (s *shelf) ask(ctx context.Context, key string) chan answer {
	out := make(chan answer, 1)
	go func() {
		row, err := s.get(ctx, key)
		out <- answer{row, err}
	}()
	synctest.Wait()
	return out
}

func (s *shelf) sizes() (out []int) {
	for _, keys := range s.asked {
		out = append(out, len(keys))
	}
	return out
}

func got(t *testing.T, from chan answer, want answer) {
	t.Helper()
	if a := <-from; a.row != want.row || !errors.Is(a.err, want.err) {
		t.Errorf("got %v, want %v", a, want)
	}
}

// Keys that are asked for while a statement is under way share the next one, and
// each gets its own row.
func TestGatherShares(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShelf()
		a, b, again, none, c := s.ask(t.Context(), "a"), s.ask(t.Context(), "b"), s.ask(t.Context(), "b"), s.ask(t.Context(), "x"), s.ask(t.Context(), "c")
		close(s.gate)
		got(t, a, answer{row: 1})
		got(t, b, answer{row: 2})
		got(t, again, answer{row: 2})
		got(t, none, answer{err: padron.ErrNotFound})
		got(t, c, answer{row: 3})
		if !slices.EqualFunc(s.asked, [][]string{{"a"}, {"b", "x", "c"}}, slices.Equal) {
			t.Errorf("the statements looked up %v", s.asked)
		}
		got(t, s.ask(t.Context(), "a"), answer{row: 1})
	})
}

// No answer is older than its question: a token that was revoked before it was
// shown is not let in by a statement that had looked before.
func TestGatherLooksAfterTheQuestion(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShelf()
		before := s.ask(t.Context(), "a")
		s.rows["a"] = 99
		after := s.ask(t.Context(), "a")
		close(s.gate)
		got(t, before, answer{row: 1})
		got(t, after, answer{row: 99})
	})
}

func TestGatherBoundsAStatement(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShelf()
		var answers []chan answer
		for i := range 2 + 2*maxGathered {
			answers = append(answers, s.ask(t.Context(), fmt.Sprint(i)))
		}
		close(s.gate)
		for _, a := range answers {
			got(t, a, answer{err: padron.ErrNotFound})
		}
		if want := []int{1, maxGathered, maxGathered, 1}; !slices.Equal(s.sizes(), want) {
			t.Errorf("the statements looked up %v rows, want %v", s.sizes(), want)
		}
	})
}

// Who leaves takes nobody along, and everyone of a statement hears that it failed.
func TestGatherFailsAndRecovers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShelf()
		ctx, cancel := context.WithCancel(t.Context())
		leaving, staying := s.ask(ctx, "a"), s.ask(t.Context(), "a")
		cancel()
		got(t, leaving, answer{err: context.Canceled})
		s.gate <- struct{}{}
		synctest.Wait() // until the statement of who stays has looked
		s.fail = errors.New("down for the test")
		s.gate <- struct{}{}
		got(t, staying, answer{row: 1})
		first := s.ask(t.Context(), "a")
		others := []chan answer{s.ask(t.Context(), "a"), s.ask(t.Context(), "b")}
		s.gate <- struct{}{}
		got(t, first, answer{err: s.fail})
		s.gate <- struct{}{}
		for _, other := range others {
			got(t, other, answer{err: s.fail})
		}
		s.fail = nil
		close(s.gate)
		got(t, s.ask(t.Context(), "a"), answer{row: 1})
	})
}

// A statement that hangs keeps the others back for a moment only, and is given up
// after a while.
func TestGatherPassesByWhatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShelf()
		start := time.Now()
		var stuck []chan answer
		for range maxOverdue {
			stuck = append(stuck, s.ask(t.Context(), "a"))
			time.Sleep(gatherPatience)
			synctest.Wait()
		}
		waiting := []chan answer{s.ask(t.Context(), "b"), s.ask(t.Context(), "c")}
		time.Sleep(gatherPatience)
		synctest.Wait()
		if n := len(s.asked); n != maxOverdue+1 {
			t.Errorf("%d statements are under way, want %d that are overdue and one more", n, maxOverdue)
		}
		for range maxOverdue + 1 {
			s.gate <- struct{}{} // the one that waits begins when one of the overdue ends
		}
		synctest.Wait()
		close(s.gate)
		for _, a := range stuck {
			got(t, a, answer{row: 1})
		}
		got(t, waiting[0], answer{row: 2})
		got(t, waiting[1], answer{row: 3})
		if waited := time.Since(start); waited != (maxOverdue+1)*gatherPatience {
			t.Errorf("they waited %v", waited)
		}
		synctest.Wait()
		if s.running || s.overdue != 0 || len(s.waiting) != 0 {
			t.Errorf("%v, %d overdue, %d waiting after the last answer", s.running, s.overdue, len(s.waiting))
		}
	})
}

func TestGatherGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShelf()
		start := time.Now()
		got(t, s.ask(t.Context(), "a"), answer{err: context.DeadlineExceeded})
		if waited := time.Since(start); waited != gatherTime {
			t.Errorf("gave up after %v, want %v", waited, gatherTime)
		}
	})
}

// The arguments of a statement are its keys and no others, in as many as one of
// few statements has marks.
func TestRepeated(t *testing.T) {
	sizes := map[int]bool{}
	rapid.Check(t, func(t *rapid.T) {
		keys := rapid.SliceOfNDistinct(rapid.String(), 1, maxGathered, rapid.ID[string]).Draw(t, "keys")
		args := repeated(keys)
		sizes[len(args)] = true
		for i, arg := range args {
			if want := keys[min(i, len(keys)-1)]; string(arg.([]byte)) != want {
				t.Fatalf("argument %d is %q, want %q", i, arg, want)
			}
		}
		if len(args) < len(keys) || len(args) != padded(len(keys)) {
			t.Fatalf("%d arguments for %d keys", len(args), len(keys))
		}
	})
	if len(sizes) > 6 {
		t.Errorf("%d statements: %v", len(sizes), sizes)
	}
}
