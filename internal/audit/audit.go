// Package audit keeps the record of every access: a hash chain that shows what
// was changed, removed or reordered, written durably before the access it
// records is answered (PCI DSS 10.2, 10.3).
package audit

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"padron"
	"padron/internal/store"
)

// maxGroup is the most entries one commit takes.
const maxGroup = 256

// Log appends entries to the chain. Entries that arrive while a commit is under
// way share the next one, so that many callers cost few commits and a single
// one never waits for company. It is safe for concurrent use.
type Log struct {
	store store.Audit
	now   func() time.Time

	mu      sync.Mutex
	queue   []*waiting
	running bool
	closed  bool
	idle    sync.Cond
	// failed is when the last commit failed, zero when it did not.
	failed time.Time
}

// waiting is an entry and who waits for it.
type waiting struct {
	entry padron.AuditEntry
	done  chan error
}

// New returns a log over the store; now stamps the entries.
func New(st store.Audit, now func() time.Time) *Log {
	l := &Log{store: st, now: now}
	l.idle.L = &l.mu
	return l
}

var errClosed = padron.Errorf(padron.CodeUnavailable, "the audit log is closed")

// Record adds an entry to the chain and returns once it is durable; it sets
// Time, Seq, Prev and Hash. After an error the caller must not answer, though
// the entry may have been written.
func (l *Log) Record(ctx context.Context, e padron.AuditEntry) error {
	e.Time = l.now().UTC().Truncate(time.Millisecond)
	w := &waiting{storable(e), make(chan error, 1)}
	l.mu.Lock()
	if l.closed {
		l.mu.Unlock()
		return errClosed
	}
	l.queue = append(l.queue, w)
	if !l.running {
		l.running = true
		go l.drain() //nolint:contextcheck // a group is of many callers, and outlives each
	}
	l.mu.Unlock()
	select {
	case err := <-w.done:
		return unavailable(err)
	case <-ctx.Done():
		return unavailable(ctx.Err())
	}
}

// storable returns a copy of e that shares no list with the caller, who may
// leave before it is written. Invalid UTF-8 is replaced: a store or an export
// would do so later, and the entry would read as changed.
func storable(e padron.AuditEntry) padron.AuditEntry {
	e.Principal, e.Purpose, e.Outcome, e.RequestID = valid(e.Principal), valid(e.Purpose), valid(e.Outcome), valid(e.RequestID)
	e.Role, e.Action = valid(e.Role), valid(e.Action)
	e.Customers, e.Fields = validList(e.Customers), validList(e.Fields)
	return e
}

func valid[T ~string](s T) T { return T(strings.ToValidUTF8(string(s), "\uFFFD")) }

func validList[T ~string](items []T) []T {
	items = slices.Clone(items)
	for i := range items {
		items[i] = valid(items[i])
	}
	return items
}

func unavailable(err error) error {
	if err == nil {
		return nil
	}
	return &padron.Error{Code: padron.CodeUnavailable, Message: "the access could not be put on the record", Err: err}
}

// drain commits until the queue is empty.
func (l *Log) drain() {
	for {
		runtime.Gosched() // who is about to add an entry may come along
		l.mu.Lock()
		n := min(len(l.queue), maxGroup)
		if n == 0 {
			l.running = false
			l.idle.Broadcast()
			l.mu.Unlock()
			return
		}
		group := l.queue[:n:n]
		l.queue = l.queue[n:]
		l.mu.Unlock()
		l.commit(group)
	}
}

// commitTime bounds one commit; whoever waits longer gets an error.
const commitTime = 15 * time.Second

// commit writes a group, whoever of those waiting has left since.
func (l *Log) commit(group []*waiting) {
	ctx, cancel := context.WithTimeout(context.Background(), commitTime)
	defer cancel()
	err := l.store.AppendAudit(ctx, func(head padron.AuditHead) ([]padron.AuditEntry, error) {
		entries := make([]padron.AuditEntry, len(group))
		for i, w := range group {
			w.entry.Seq, w.entry.Prev = head.Seq+1, head.Hash
			w.entry.Hash = Hash(head.Hash, &w.entry)
			head = padron.AuditHead{Seq: w.entry.Seq, Hash: w.entry.Hash}
			entries[i] = w.entry
		}
		return entries, nil
	})
	l.note(err)
	for _, w := range group {
		w.done <- err
	}
}

func (l *Log) note(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.failed = time.Time{}
	if err != nil {
		l.failed = l.now()
	}
}

// failing is how long after a failed commit the log counts as failing; then
// the next request may try.
const failing = 10 * time.Second

// Check returns an error while entries cannot be written, so that nobody is sent
// here for an answer that would be refused. It writes nothing itself.
func (l *Log) Check(context.Context) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.failed.IsZero() && l.now().Sub(l.failed) < failing {
		return padron.Errorf(padron.CodeUnavailable, "the audit log cannot be written")
	}
	return nil
}

// Close waits until every entry is written; later ones are refused.
func (l *Log) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return errors.New("the audit log was closed before")
	}
	l.closed = true
	for l.running {
		l.idle.Wait()
	}
	return nil
}
