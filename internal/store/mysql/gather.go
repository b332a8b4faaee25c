package mysql

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"time"

	"padron"
	"padron/internal/store/sqlstore"
)

const (
	// maxGathered is the most rows that one statement looks up.
	maxGathered = 32
	// gatherPatience is how long others wait for a statement before the next one
	// begins beside it; so many may be overdue at once.
	gatherPatience = 20 * time.Millisecond
	maxOverdue     = 8
	// gatherTime bounds a statement: who asked may have left.
	gatherTime = 10 * time.Second
)

// gather looks up rows by their keys, with few statements: the keys that are asked
// for while one is under way share the next. Nothing is kept, and the statement
// that answers began after it was asked. It is safe for concurrent use.
// (docs/adr/0035-look-ups-share-statements.md)
type gather[K ~string, V any] struct {
	// read returns the rows that are there, of 1 to maxGathered keys.
	read func(ctx context.Context, keys []K) (map[K]V, error)

	mu      sync.Mutex
	waiting []*round[K, V]
	// running says that a round is under way that is not overdue.
	running bool
	overdue int
}

// round is what one statement looks up.
type round[K ~string, V any] struct {
	keys []K
	rows map[K]V
	err  error
	done chan struct{}
	// ended and overdue are the gather's, under its lock.
	ended, overdue bool
}

// get returns one row, or [padron.ErrNotFound].
func (g *gather[K, V]) get(ctx context.Context, key K) (V, error) {
	r := g.join(key)
	var none V
	select {
	case <-r.done:
	case <-ctx.Done():
		return none, ctx.Err()
	}
	if r.err != nil {
		return none, r.err
	}
	row, ok := r.rows[key]
	if !ok {
		return none, padron.ErrNotFound
	}
	return row, nil
}

// join adds a key to a round that has not begun.
func (g *gather[K, V]) join(key K) *round[K, V] {
	g.mu.Lock()
	defer g.mu.Unlock()
	var r *round[K, V]
	if n := len(g.waiting); n > 0 {
		r = g.waiting[n-1]
	}
	switch {
	case r != nil && slices.Contains(r.keys, key):
		return r
	case r == nil || len(r.keys) == maxGathered:
		r = &round[K, V]{done: make(chan struct{})}
		g.waiting = append(g.waiting, r)
	}
	r.keys = append(r.keys, key)
	if !g.running {
		g.running = true
		go g.drain()
	}
	return r
}

// drain does rounds until none waits, or another drain goes on because one was
// overdue.
func (g *gather[K, V]) drain() {
	for r := g.take(); r != nil; r = g.take() {
		late := time.AfterFunc(gatherPatience, func() { g.passBy(r) })
		g.do(r)
		late.Stop()
		if g.end(r) {
			return
		}
	}
}

// take returns the round to begin, nil for none.
func (g *gather[K, V]) take() *round[K, V] {
	runtime.Gosched() // who is about to ask may come along
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.waiting) == 0 {
		g.running = false
		return nil
	}
	r := g.waiting[0]
	g.waiting = g.waiting[1:]
	return r
}

func (g *gather[K, V]) do(r *round[K, V]) {
	ctx, cancel := context.WithTimeout(context.Background(), gatherTime)
	defer cancel()
	r.rows, r.err = g.read(ctx, r.keys)
	close(r.done)
}

// passBy lets the next round begin beside one that takes long.
func (g *gather[K, V]) passBy(r *round[K, V]) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if r.ended || g.overdue == maxOverdue {
		return
	}
	r.overdue = true
	g.overdue++
	if g.running = len(g.waiting) > 0; g.running {
		go g.drain()
	}
}

// end reports whether the round was overdue.
func (g *gather[K, V]) end(r *round[K, V]) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	r.ended = true
	if r.overdue {
		g.overdue--
	}
	return r.overdue
}

// byKeys reads rows by keys that a statement's IN is to hold; "%s" in the query is
// where.
func byKeys[K ~string, V any](ctx context.Context, s *Store, query string, keys []K, row func(sqlstore.Scanner) (K, V, error)) (map[K]V, error) {
	stmt, err := s.prepared.get(ctx, fmt.Sprintf(query, sqlstore.Marks(padded(len(keys))))) //nolint:sqlclosecheck // Close closes it
	if err != nil {
		return nil, err
	}
	rows, err := stmt.QueryContext(ctx, repeated(keys)...)
	if err != nil {
		return nil, err
	}
	defer rows.Close() //nolint:errcheck // Err is checked
	out := make(map[K]V, len(keys))
	for rows.Next() {
		key, value, err := row(rows)
		if err != nil {
			return nil, err
		}
		out[key] = value
	}
	return out, rows.Err()
}

// padded returns how many marks a statement has for n keys, so that few statements
// are prepared: a power of two.
func padded(n int) int {
	size := 1
	for size < n {
		size *= 2
	}
	return size
}

// repeated are keys as arguments, bytewise, the last one again until they are
// padded.
func repeated[K ~string](keys []K) []any {
	args := make([]any, padded(len(keys)))
	for i := range args {
		args[i] = []byte(keys[min(i, len(keys)-1)])
	}
	return args
}
