package sqlstore

import (
	"context"
	"database/sql"
	"iter"
	"time"

	"padron"
)

// ApplyRest writes what a batch has besides customers.
func (t *Tables) ApplyRest(ctx context.Context, tx *sql.Tx, lease padron.Lease, b *padron.Batch) error {
	if err := savePart(ctx, tx, lease, b.Part); err != nil {
		return err
	}
	if err := t.quarantine(ctx, tx, b); err != nil {
		return err
	}
	for id, n := range b.Messages {
		if _, err := tx.ExecContext(ctx, "UPDATE data_keys SET messages = messages + ? WHERE id = ?", n, int64(id)); err != nil {
			return err
		}
	}
	return t.saveCheckpoint(ctx, tx, b.Checkpoint)
}

// livePart is how many numbers Live reads at once, so that no connection is
// held while they are looked at.
const livePart = 10_000

// Live yields the numbers of live customers; see store.Register.
func (t *Tables) Live(ctx context.Context) iter.Seq2[padron.Number, error] {
	return func(yield func(padron.Number, error) bool) {
		after := padron.Number(0)
		for {
			var part []padron.Number
			err := t.db.Bear(ctx, func() (err error) {
				part, err = t.livePart(ctx, after)
				return err
			})
			if err != nil {
				yield(0, t.db.Explain("list customers", err))
				return
			}
			for _, n := range part {
				if !yield(n, nil) {
					return
				}
			}
			if len(part) < livePart {
				return
			}
			after = part[len(part)-1]
		}
	}
}

func (t *Tables) livePart(ctx context.Context, after padron.Number) ([]padron.Number, error) {
	rows, err := t.db.Read.QueryContext(ctx, "SELECT num FROM customers WHERE num > ? AND deleted_at IS NULL ORDER BY num LIMIT ?", after, livePart)
	return list(rows, err, scanOne[padron.Number])
}

// maxDelete is the most numbers one Delete takes.
const maxDelete = 10_000

// Delete marks customers deleted; see store.Register.
func (t *Tables) Delete(ctx context.Context, lease padron.Lease, numbers []padron.Number, at time.Time) error {
	if len(numbers) > maxDelete {
		return padron.Errorf(padron.CodeInternal, "%d deletions at once, at most %d", len(numbers), maxDelete)
	}
	return t.db.Fenced(ctx, "delete customers", lease, func(tx *sql.Tx) error {
		return Chunked(numbers, t.db.Chunk, func(part []any, marks string) error {
			_, err := tx.ExecContext(ctx, "UPDATE customers SET deleted_at = ? WHERE deleted_at IS NULL AND num IN ("+marks+")", //nolint:gosec // marks only
				append([]any{Millis(at)}, part...)...)
			return err
		})
	})
}

// LastNumber returns the greatest number given; see store.Positions.
func (t *Tables) LastNumber(ctx context.Context) (padron.Number, error) {
	var n padron.Number
	err := t.db.Bear(ctx, func() (err error) {
		n, err = LastNumber(ctx, t.db.Read)
		return err
	})
	return n, t.db.Explain("read the register", err)
}

// LastNumber returns the greatest number that a customer has, 0 for none.
func LastNumber(ctx context.Context, db Querier) (padron.Number, error) {
	var n padron.Number
	err := db.QueryRowContext(ctx, "SELECT coalesce(max(num), 0) FROM customers").Scan(&n)
	return n, err
}
