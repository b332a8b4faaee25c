package sqlite

import (
	"context"
	"database/sql"
	"iter"
	"strings"
	"time"

	"padron"
)

// chunk is how many ids one statement asks for or changes.
const chunk = 200

// marks returns n question marks, comma-separated.
func marks(n int) string { return strings.TrimSuffix(strings.Repeat("?,", n), ",") }

// chunked calls f with parts of items, and with a statement's list of marks for
// each.
func chunked[T any](items []T, f func(part []any, marks string) error) error {
	for len(items) > 0 {
		n := min(chunk, len(items))
		part := make([]any, n)
		for i, item := range items[:n] {
			part[i] = item
		}
		if err := f(part, marks(n)); err != nil {
			return err
		}
		items = items[n:]
	}
	return nil
}

// Lookup returns what is known of the ids; see store.Register.
func (s *Store) Lookup(ctx context.Context, ids []padron.CustomerID) (map[padron.CustomerID]padron.Known, error) {
	known := make(map[padron.CustomerID]padron.Known, len(ids))
	err := chunked(ids, func(part []any, marks string) error {
		rows, err := s.read.QueryContext(ctx, "SELECT num, id, fingerprint, deleted_at FROM customers WHERE id IN ("+marks+")", part...) //nolint:gosec // marks only
		if err != nil {
			return err
		}
		defer rows.Close() //nolint:errcheck // Err is checked
		for rows.Next() {
			var k padron.Known
			var id padron.CustomerID
			var fingerprint []byte
			var deleted sql.NullInt64
			if err := rows.Scan(&k.Number, &id, &fingerprint, &deleted); err != nil {
				return err
			}
			copy(k.Fingerprint[:], fingerprint)
			k.Deleted = deleted.Valid
			known[id] = k
		}
		return rows.Err()
	})
	return known, explain("look customers up", err)
}

// Apply writes a batch; see store.Register.
func (s *Store) Apply(ctx context.Context, lease padron.Lease, b *padron.Batch) error {
	if b.Turn != nil { // one transaction writes at a time
		if err := b.Turn(); err != nil {
			return err
		}
	}
	return s.fenced(ctx, "write a batch", lease, func(tx *sql.Tx) error {
		if err := upsert(ctx, tx, b.Upserts); err != nil {
			return taken(err)
		}
		if err := savePart(ctx, tx, lease, b.Part); err != nil {
			return err
		}
		if err := quarantineRecords(ctx, tx, b); err != nil {
			return err
		}
		for id, n := range b.Messages {
			if _, err := tx.ExecContext(ctx, "UPDATE data_keys SET messages = messages + ? WHERE id = ?", n, id); err != nil {
				return err
			}
		}
		return saveCheckpoint(ctx, tx, b.Checkpoint)
	})
}

const customerColumns = `num, id, registered_at, favorite_color, car, car_model, car_type, car_color, purchases,
	personal, financial, personal_key, financial_key, fingerprint, ix_user_name, ix_card, ix_account, ix_ip, ix_zip, updated_at`

// upsertSQL writes a customer whole, by number; whoever was deleted is live
// again. An id that has another number breaks the unique index, and the batch.
const upsertSQL = "INSERT INTO customers (" + customerColumns + `, deleted_at)
	VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,NULL)
	ON CONFLICT (num) DO UPDATE SET id = excluded.id, registered_at = excluded.registered_at,
	favorite_color = excluded.favorite_color, car = excluded.car, car_model = excluded.car_model, car_type = excluded.car_type,
	car_color = excluded.car_color, purchases = excluded.purchases, personal = excluded.personal, financial = excluded.financial,
	personal_key = excluded.personal_key, financial_key = excluded.financial_key, fingerprint = excluded.fingerprint,
	ix_user_name = excluded.ix_user_name, ix_card = excluded.ix_card, ix_account = excluded.ix_account,
	ix_ip = excluded.ix_ip, ix_zip = excluded.ix_zip, updated_at = excluded.updated_at, deleted_at = NULL`

func upsert(ctx context.Context, tx *sql.Tx, rows []padron.SealedCustomer) error {
	if len(rows) == 0 {
		return nil
	}
	stmt, err := tx.PrepareContext(ctx, upsertSQL)
	if err != nil {
		return err
	}
	defer stmt.Close() //nolint:errcheck // ends with its transaction
	for i := range rows {
		r := &rows[i]
		if r.Number == 0 {
			return padron.Errorf(padron.CodeInternal, "a customer without number cannot be written")
		}
		if _, err := stmt.ExecContext(ctx, r.Number, string(r.ID), millis(r.Profile.RegisteredAt), r.Profile.FavoriteColor,
			r.Profile.Car, r.Profile.CarModel, r.Profile.CarType, r.Profile.CarColor, r.Profile.Purchases,
			[]byte(r.Personal), []byte(r.Financial), int64(r.PersonalKey), int64(r.FinancialKey), r.Fingerprint[:],
			r.Indexes[padron.IndexUserName][:], r.Indexes[padron.IndexCardNumber][:], r.Indexes[padron.IndexAccountNumber][:],
			r.Indexes[padron.IndexIPAddress][:], r.Indexes[padron.IndexZipCode][:], millis(r.UpdatedAt)); err != nil {
			return err
		}
	}
	return nil
}

// livePart is how many numbers Live reads at once: between parts writers may
// fold the WAL in.
const livePart = 10_000

// Live yields the numbers of live customers; see store.Register.
func (s *Store) Live(ctx context.Context) iter.Seq2[padron.Number, error] {
	return func(yield func(padron.Number, error) bool) {
		after := padron.Number(0)
		for {
			part, err := s.livePart(ctx, after)
			if err != nil {
				yield(0, explain("list customers", err))
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

func (s *Store) livePart(ctx context.Context, after padron.Number) ([]padron.Number, error) {
	rows, err := s.read.QueryContext(ctx, "SELECT num FROM customers WHERE num > ? AND deleted_at IS NULL ORDER BY num LIMIT ?", after, livePart)
	if err != nil {
		return nil, err
	}
	defer rows.Close() //nolint:errcheck // Err is checked
	part := make([]padron.Number, 0, livePart)
	for rows.Next() {
		var n padron.Number
		if err := rows.Scan(&n); err != nil {
			return nil, err
		}
		part = append(part, n)
	}
	return part, rows.Err()
}

// maxDelete is the most numbers one Delete takes.
const maxDelete = 10_000

// Delete marks customers deleted; see store.Register.
func (s *Store) Delete(ctx context.Context, lease padron.Lease, numbers []padron.Number, at time.Time) error {
	if len(numbers) > maxDelete {
		return padron.Errorf(padron.CodeInternal, "%d deletions at once, at most %d", len(numbers), maxDelete)
	}
	return s.fenced(ctx, "delete customers", lease, func(tx *sql.Tx) error {
		return chunked(numbers, func(part []any, marks string) error {
			_, err := tx.ExecContext(ctx, "UPDATE customers SET deleted_at = ? WHERE deleted_at IS NULL AND num IN ("+marks+")", //nolint:gosec // marks only
				append([]any{millis(at)}, part...)...)
			return err
		})
	})
}

// LastNumber returns the greatest number given; see store.Positions.
func (s *Store) LastNumber(ctx context.Context) (padron.Number, error) {
	var n padron.Number
	err := s.read.QueryRowContext(ctx, "SELECT coalesce(max(num), 0) FROM customers").Scan(&n)
	return n, explain("read the register", err)
}
