package sqlite

import (
	"context"
	"database/sql"
	"errors"

	"padron"
	"padron/internal/store/sqlstore"
)

const insertKey = "INTO data_keys (" + sqlstore.KeyColumns + ") VALUES (?, ?, ?, ?, ?, ?, ?)"

// AddKey adds a data key; see store.Keys.
func (s *Store) AddKey(ctx context.Context, key padron.DataKey) error {
	_, err := s.write.ExecContext(ctx, "INSERT "+insertKey, sqlstore.KeyArgs(&key)...)
	return explain("store a data key", err)
}

const sharedKey = "SELECT " + sqlstore.KeyColumns + " FROM data_keys WHERE purpose = ? AND grp = '' AND purpose <> 'seal'"

// EnsureKey returns the one key of a purpose, or adds it; see store.Keys.
func (s *Store) EnsureKey(ctx context.Context, p padron.Purpose, fresh func() (padron.DataKey, error)) (padron.DataKey, error) {
	kept, err := sqlstore.ScanKey(s.read.QueryRowContext(ctx, sharedKey, string(p)))
	if !errors.Is(err, sql.ErrNoRows) {
		return kept, explain("read a data key", err)
	}
	key, err := fresh()
	if err != nil {
		return padron.DataKey{}, err
	}
	err = s.inTx(ctx, "store a data key", func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, "INSERT OR IGNORE "+insertKey, sqlstore.KeyArgs(&key)...); err != nil {
			return err
		}
		var err error
		kept, err = sqlstore.ScanKey(tx.QueryRowContext(ctx, sharedKey, string(p)))
		return err
	})
	return kept, err
}
