package mysql

import (
	"context"
	"database/sql"
	"errors"

	driver "github.com/go-sql-driver/mysql"

	"padron"
)

const keyColumns = "id, purpose, grp, wrapped, kek, created_at, messages"

const insertKey = "INSERT INTO data_keys (" + keyColumns + ", shared) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"

func keyArgs(k *padron.DataKey) []any {
	return []any{int64(k.ID), string(k.Purpose), k.Group, k.Wrapped, k.KEK, millis(k.CreatedAt), k.Messages, shared(k)}
}

// AddKey adds a data key; see store.Keys.
func (s *Store) AddKey(ctx context.Context, key padron.DataKey) error {
	_, err := s.db.ExecContext(ctx, insertKey, keyArgs(&key)...)
	return explain("store a data key", err)
}

// shared is what a key of which there is one is found by.
func shared(k *padron.DataKey) any {
	if k.Purpose == padron.PurposeSeal {
		return nil
	}
	return string(k.Purpose) + "/" + k.Group
}

// EnsureKey returns the one key of a purpose, or adds it; see store.Keys. The
// statements need no transaction: keys are never removed. That somebody else
// was first shows by the unique key, so that no right to change keys is needed.
func (s *Store) EnsureKey(ctx context.Context, p padron.Purpose, fresh func() (padron.DataKey, error)) (padron.DataKey, error) {
	const doing = "store a data key"
	kept, err := s.sharedKey(ctx, p)
	if !errors.Is(err, sql.ErrNoRows) {
		return kept, explain("read a data key", err)
	}
	key, err := fresh()
	if err != nil {
		return padron.DataKey{}, err
	}
	var theirs *driver.MySQLError
	if err := repeatedly(ctx, func() error {
		_, err := s.db.ExecContext(ctx, insertKey, keyArgs(&key)...)
		return err
	}); err != nil && (!errors.As(err, &theirs) || theirs.Number != errDuplicate) {
		return padron.DataKey{}, explain(doing, err)
	}
	kept, err = s.sharedKey(ctx, p)
	return kept, explain(doing, err)
}

func (s *Store) sharedKey(ctx context.Context, p padron.Purpose) (padron.DataKey, error) {
	return scanKey(s.db.QueryRowContext(ctx, "SELECT "+keyColumns+" FROM data_keys WHERE shared = ?", shared(&padron.DataKey{Purpose: p})))
}

// Key returns one data key; see store.Keys.
func (s *Store) Key(ctx context.Context, id padron.KeyID) (padron.DataKey, error) {
	k, err := scanKey(s.db.QueryRowContext(ctx, "SELECT "+keyColumns+" FROM data_keys WHERE id = ?", int64(id)))
	return k, explain("read a data key", err)
}

// Keys returns every data key; see store.Keys.
func (s *Store) Keys(ctx context.Context) ([]padron.DataKey, error) {
	rows, err := s.db.QueryContext(ctx, "SELECT "+keyColumns+" FROM data_keys ORDER BY created_at, id")
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
