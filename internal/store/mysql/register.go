package mysql

import (
	"context"
	"database/sql"
	"errors"
	"math/rand/v2"
	"sync"

	"golang.org/x/sync/errgroup"

	"padron"
	"padron/internal/store/sqlstore"
)

// chunk is how many ids one statement asks for or changes: as fast as it gets,
// and below the 1000 of which MariaDB makes a join.
const chunk = 500

// asBytes are ids as the columns keep them; nothing converts bytes.
func asBytes[T ~string](ids []T) [][]byte {
	out := make([][]byte, len(ids))
	for i, id := range ids {
		out[i] = []byte(id)
	}
	return out
}

// Lookup returns what is known of the ids; see store.Register.
func (s *Store) Lookup(ctx context.Context, ids []padron.CustomerID) (map[padron.CustomerID]padron.Known, error) {
	known := make(map[padron.CustomerID]padron.Known, len(ids))
	var mu sync.Mutex
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(lookupsAtOnce)
	err := sqlstore.Chunked(asBytes(ids), chunk, func(part []any, marks string) error {
		group.Go(func() error {
			return s.throughOutage(ctx, func() error { return s.lookup(ctx, part, marks, &mu, known) })
		})
		return nil
	})
	return known, explain("look customers up", errors.Join(err, group.Wait()))
}

// lookupsAtOnce is how many connections look customers up at once. Where nothing
// has changed that is what a run does, and one connection is one core of the
// server.
const lookupsAtOnce = 2

// lookup adds what is known of some ids.
func (s *Store) lookup(ctx context.Context, ids []any, marks string, mu *sync.Mutex, known map[padron.CustomerID]padron.Known) error {
	rows, err := s.db.QueryContext(ctx, "SELECT num, id, fingerprint, deleted_at IS NOT NULL FROM customers WHERE id IN ("+marks+")", ids...) //nolint:gosec // marks only
	if err != nil {
		return err
	}
	defer rows.Close() //nolint:errcheck // Err is checked
	for rows.Next() {
		var k padron.Known
		var id string
		var fingerprint sql.RawBytes
		if err := rows.Scan(&k.Number, &id, &fingerprint, &k.Deleted); err != nil {
			return err
		}
		copy(k.Fingerprint[:], fingerprint)
		mu.Lock()
		known[padron.CustomerID(id)] = k
		mu.Unlock()
	}
	return rows.Err()
}

// Apply writes a batch; see store.Register.
func (s *Store) Apply(ctx context.Context, lease padron.Lease, b *padron.Batch) error {
	w := s.writing(lease, b)
	defer s.reuse(w.lines)
	write := w.ahead
	return s.throughOutage(ctx, func() error {
		defer func() { write = w.again }()
		return s.inTx(ctx, "write a batch", func(tx *sql.Tx) error { return write(ctx, tx) })
	})
}

// writing is a batch on its way.
type writing struct {
	store *Store
	lease padron.Lease
	batch *padron.Batch
	// id is what its transaction leaves in last_batch.
	id    int64
	lines *lines
}

func (s *Store) writing(lease padron.Lease, b *padron.Batch) *writing {
	return &writing{s, lease, b, rand.Int64(), s.encode(b.Upserts)} //nolint:gosec // tells batches apart, no secret
}

// ahead looks at the lease last, since the customers are most of the work, which
// the next batch may do meanwhile; a run that has lost it undoes them.
func (w *writing) ahead(ctx context.Context, tx *sql.Tx) error {
	failed := w.upsert(ctx, tx)
	if failed == nil {
		failed = w.turn()
	}
	if err := w.store.fence(ctx, tx, w.lease); failed == nil || errors.Is(err, padron.ErrLeaseLost) {
		failed = err
	}
	if failed != nil {
		return failed
	}
	return w.rest(ctx, tx)
}

// again writes a batch of which an outage broke off an attempt. Nobody knows
// whether that was committed, until the lease's row is free of it: then the batch
// is there whole, or is written. It comes after its turn: one that waits for it
// with the row locked would keep the batch before it from ending.
func (w *writing) again(ctx context.Context, tx *sql.Tx) error {
	if err := w.turn(); err != nil {
		return err
	}
	if err := w.store.fence(ctx, tx, w.lease); err != nil {
		return err
	}
	if done, err := w.done(ctx, tx); err != nil || done {
		return err
	}
	if err := w.upsert(ctx, tx); err != nil {
		return err
	}
	return w.rest(ctx, tx)
}

func (w *writing) turn() error {
	if w.batch.Turn == nil {
		return nil
	}
	return w.batch.Turn()
}

// done reports whether the batch is in the register.
func (w *writing) done(ctx context.Context, tx *sql.Tx) (bool, error) {
	var last int64
	err := tx.QueryRowContext(ctx, "SELECT coalesce(max(batch), 0) FROM last_batch WHERE part = ?", w.lease.Part).Scan(&last)
	return last == w.id, err
}

func (w *writing) upsert(ctx context.Context, tx *sql.Tx) error {
	return taken(w.store.upsert(ctx, tx, w.batch.Upserts, w.lines))
}

// rest writes what a batch has besides customers.
func (w *writing) rest(ctx context.Context, tx *sql.Tx) error {
	if _, err := tx.ExecContext(ctx, "INSERT INTO last_batch (part, batch) VALUES (?, ?) ON DUPLICATE KEY UPDATE batch = ?",
		w.lease.Part, w.id, w.id); err != nil {
		return err
	}
	return w.store.ApplyRest(ctx, tx, w.lease, w.batch)
}

// upsert writes customers whole, by number. Those that are there already are
// taken out first, so that all go in by the fastest way; whoever was deleted is
// live again. An id that has another number breaks the unique key, and the
// batch.
func (s *Store) upsert(ctx context.Context, tx *sql.Tx, rows []padron.SealedCustomer, of *lines) error {
	if len(rows) == 0 {
		return nil
	}
	last, err := sqlstore.LastNumber(ctx, tx)
	if err != nil {
		return err
	}
	var old []padron.Number
	for i := range rows {
		if rows[i].Number == 0 {
			return padron.Errorf(padron.CodeInternal, "a customer without number cannot be written")
		}
		if rows[i].Number <= last {
			old = append(old, rows[i].Number)
		}
	}
	if err := sqlstore.Chunked(old, chunk, func(part []any, marks string) error {
		_, err := tx.ExecContext(ctx, "DELETE FROM customers WHERE num IN ("+marks+")", part...) //nolint:gosec // marks only
		return err
	}); err != nil {
		return err
	}
	return s.insert(ctx, tx, rows, of)
}
