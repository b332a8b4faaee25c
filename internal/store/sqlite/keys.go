package sqlite

import (
	"context"
	"database/sql"
	"errors"

	"padron"
)

const keyColumns = "id, purpose, grp, wrapped, kek, created_at, messages"

const insertKey = "INTO data_keys (" + keyColumns + ") VALUES (?, ?, ?, ?, ?, ?, ?)"

func keyArgs(k *padron.DataKey) []any {
	return []any{int64(k.ID), string(k.Purpose), k.Group, k.Wrapped, k.KEK, millis(k.CreatedAt), k.Messages}
}

// AddKey adds a data key; see store.Keys.
func (s *Store) AddKey(ctx context.Context, key padron.DataKey) error {
	_, err := s.write.ExecContext(ctx, "INSERT "+insertKey, keyArgs(&key)...)
	return explain("store a data key", err)
}

const sharedKey = "SELECT " + keyColumns + " FROM data_keys WHERE purpose = ? AND grp = '' AND purpose <> 'seal'"

// EnsureKey returns the one key of a purpose, or adds it; see store.Keys.
func (s *Store) EnsureKey(ctx context.Context, p padron.Purpose, fresh func() (padron.DataKey, error)) (padron.DataKey, error) {
	kept, err := scanKey(s.read.QueryRowContext(ctx, sharedKey, string(p)))
	if !errors.Is(err, sql.ErrNoRows) {
		return kept, explain("read a data key", err)
	}
	key, err := fresh()
	if err != nil {
		return padron.DataKey{}, err
	}
	err = s.inTx(ctx, "store a data key", func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, "INSERT OR IGNORE "+insertKey, keyArgs(&key)...); err != nil {
			return err
		}
		var err error
		kept, err = scanKey(tx.QueryRowContext(ctx, sharedKey, string(p)))
		return err
	})
	return kept, err
}

// Key returns one data key; see store.Keys.
func (s *Store) Key(ctx context.Context, id padron.KeyID) (padron.DataKey, error) {
	k, err := scanKey(s.read.QueryRowContext(ctx, "SELECT "+keyColumns+" FROM data_keys WHERE id = ?", int64(id)))
	return k, explain("read a data key", err)
}

// Keys returns every data key; see store.Keys.
func (s *Store) Keys(ctx context.Context) ([]padron.DataKey, error) {
	rows, err := s.read.QueryContext(ctx, "SELECT "+keyColumns+" FROM data_keys ORDER BY created_at, id")
	if err != nil {
		return nil, explain("read the data keys", err)
	}
	defer rows.Close() //nolint:errcheck // Err is checked
	var out []padron.DataKey
	for rows.Next() {
		k, err := scanKey(rows)
		if err != nil {
			return nil, explain("read the data keys", err)
		}
		out = append(out, k)
	}
	return out, explain("read the data keys", rows.Err())
}

// scanner is a row, or the current one of several.
type scanner interface{ Scan(dest ...any) error }

func scanKey(row scanner) (padron.DataKey, error) {
	var k padron.DataKey
	var created sql.NullInt64
	err := row.Scan(&k.ID, &k.Purpose, &k.Group, &k.Wrapped, &k.KEK, &created, &k.Messages)
	k.CreatedAt = fromMillis(created)
	return k, err
}
