package sqlstore

import (
	"context"
	"database/sql"

	"padron"
)

// KeyColumns are those of a data key that every engine has.
const KeyColumns = "id, purpose, grp, wrapped, kek, created_at, messages"

// KeyArgs are the values of [KeyColumns].
func KeyArgs(k *padron.DataKey) []any {
	return []any{int64(k.ID), string(k.Purpose), k.Group, k.Wrapped, k.KEK, Millis(k.CreatedAt), k.Messages}
}

// Key returns one data key; see store.Keys.
func (t *Tables) Key(ctx context.Context, id padron.KeyID) (padron.DataKey, error) {
	k, err := ScanKey(t.db.Read.QueryRowContext(ctx, "SELECT "+KeyColumns+" FROM data_keys WHERE id = ?", int64(id)))
	return k, t.db.Explain("read a data key", err)
}

// Keys returns every data key; see store.Keys.
func (t *Tables) Keys(ctx context.Context) ([]padron.DataKey, error) {
	rows, err := t.db.Read.QueryContext(ctx, "SELECT "+KeyColumns+" FROM data_keys ORDER BY created_at, id")
	keys, err := list(rows, err, ScanKey)
	return keys, t.db.Explain("read the data keys", err)
}

// ScanKey reads [KeyColumns] of a row.
func ScanKey(row Scanner) (padron.DataKey, error) {
	var k padron.DataKey
	var created sql.NullInt64
	err := row.Scan(&k.ID, &k.Purpose, &k.Group, &k.Wrapped, &k.KEK, &created, &k.Messages)
	k.CreatedAt = FromMillis(created)
	return k, err
}
