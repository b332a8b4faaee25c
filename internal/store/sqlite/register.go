package sqlite

import (
	"context"
	"database/sql"

	"padron"
	"padron/internal/store/sqlstore"
)

// chunk is how many ids one statement asks for or changes.
const chunk = 200

// Lookup returns what is known of the ids; see store.Register.
func (s *Store) Lookup(ctx context.Context, ids []padron.CustomerID) (map[padron.CustomerID]padron.Known, error) {
	known := make(map[padron.CustomerID]padron.Known, len(ids))
	err := sqlstore.Chunked(ids, chunk, func(part []any, marks string) error {
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
		return s.ApplyRest(ctx, tx, lease, b)
	})
}

// upsertSQL writes a customer whole, by number; whoever was deleted is live
// again. An id that has another number breaks the unique index, and the batch.
const upsertSQL = "INSERT INTO customers (" + sqlstore.WrittenColumns + `, deleted_at)
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
		if _, err := stmt.ExecContext(ctx, r.Number, string(r.ID), sqlstore.Millis(r.Profile.RegisteredAt), r.Profile.FavoriteColor,
			r.Profile.Car, r.Profile.CarModel, r.Profile.CarType, r.Profile.CarColor, r.Profile.Purchases,
			[]byte(r.Personal), []byte(r.Financial), int64(r.PersonalKey), int64(r.FinancialKey), r.Fingerprint[:],
			r.Indexes[padron.IndexUserName][:], r.Indexes[padron.IndexCardNumber][:], r.Indexes[padron.IndexAccountNumber][:],
			r.Indexes[padron.IndexIPAddress][:], r.Indexes[padron.IndexZipCode][:], sqlstore.Millis(r.UpdatedAt)); err != nil {
			return err
		}
	}
	return nil
}
