package mysql

import (
	"context"
	"database/sql"
	"errors"

	driver "github.com/go-sql-driver/mysql"

	"padron"
	"padron/internal/store/sqlstore"
)

const insertKey = "INSERT INTO data_keys (" + sqlstore.KeyColumns + ", shared) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"

func keyArgs(k *padron.DataKey) []any {
	return append(sqlstore.KeyArgs(k), shared(k))
}

// AddKey adds a data key; see store.Keys. A run makes its keys with the first batch,
// and bears an outage then as later. That its key is there already, tried again, is
// the answer that was lost: ids of keys are drawn at random.
func (s *Store) AddKey(ctx context.Context, key padron.DataKey) error {
	tries := 0
	return explain("store a data key", s.throughOutage(ctx, func() error {
		_, err := s.db.ExecContext(ctx, insertKey, keyArgs(&key)...)
		if tries++; tries > 1 && isDuplicate(err) {
			return nil
		}
		return err
	}))
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
	return sqlstore.ScanKey(s.db.QueryRowContext(ctx, "SELECT "+sqlstore.KeyColumns+" FROM data_keys WHERE shared = ?", shared(&padron.DataKey{Purpose: p})))
}
