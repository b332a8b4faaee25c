// Package sqlstore is what the SQL engines of the register have in common: the
// statements that both databases take, and rows as both give them. An engine
// embeds [Tables] and adds what its database does in a way of its own: connecting,
// the lease, writing batches, reading customers, the audit chain.
package sqlstore

import (
	"context"
	"database/sql"
	"strings"
	"time"

	"padron"
)

// Tables are the tables of a register in a database.
type Tables struct{ db Database }

// New returns the tables in a database.
func New(db Database) Tables { return Tables{db} }

// Database is what the databases differ in. Every field is set, but for Lock where a
// transaction locks all that it needs.
type Database struct {
	// Read answers questions, Write changes rows; they may be the same.
	Read, Write *sql.DB
	// Explain says what was being done when an error came, and what a person can
	// do; see the engines.
	Explain func(doing string, err error) error
	// Fenced runs f in a transaction that the lease's holder alone may enter; f may
	// run again.
	Fenced func(ctx context.Context, doing string, lease padron.Lease, f func(*sql.Tx) error) error
	// Bear runs a question of a run, again where the database was away.
	Bear func(ctx context.Context, f func() error) error
	// Snapshot are the options of a transaction that sees one moment.
	Snapshot sql.TxOptions
	// Upsert ends an INSERT: a row that has such a key already takes the new values
	// of the columns. More assignments may follow, after a comma.
	Upsert func(key string, columns ...string) string
	// Lock ends a SELECT whose row stays locked until the transaction ends.
	Lock string
	// Concerns is the condition that an audit entry names a customer.
	Concerns string
	// Text is how a text that is compared is passed.
	Text func(string) any
	// Chunk is how many keys one statement asks for or changes.
	Chunk int
}

// Marks returns n question marks, comma-separated.
func Marks(n int) string { return strings.TrimSuffix(strings.Repeat("?,", n), ",") }

// Chunked calls f with parts of items, at most n each, and with a statement's list
// of marks for each. It ends with f's first error.
func Chunked[T any](items []T, n int, f func(part []any, marks string) error) error {
	for len(items) > 0 {
		n = min(n, len(items))
		part := make([]any, n)
		for i, item := range items[:n] {
			part[i] = item
		}
		if err := f(part, Marks(n)); err != nil {
			return err
		}
		items = items[n:]
	}
	return nil
}

// texts are ids as the database compares them.
func texts[T ~string](t *Tables, ids []T) []any {
	out := make([]any, len(ids))
	for i, id := range ids {
		out[i] = t.db.Text(string(id))
	}
	return out
}

// Scanner is a row, or the current one of several.
type Scanner interface{ Scan(dest ...any) error }

// Querier is a database handle or a transaction.
type Querier interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// list reads rows to their end. With an error come those before it: whoever verifies
// the audit chain tells how far it is whole.
func list[T any](rows *sql.Rows, err error, scan func(Scanner) (T, error)) ([]T, error) {
	return appendRows(nil, rows, err, scan)
}

// appendRows is list into room that is there.
func appendRows[T any](out []T, rows *sql.Rows, err error, scan func(Scanner) (T, error)) ([]T, error) {
	if err != nil {
		return nil, err
	}
	defer rows.Close() //nolint:errcheck // Err is checked
	for rows.Next() {
		item, err := scan(rows)
		if err != nil {
			return out, err
		}
		out = append(out, item)
	}
	return out, rows.Err()
}

// scanOne reads a row of one column.
func scanOne[T any](row Scanner) (T, error) {
	var v T
	err := row.Scan(&v)
	return v, err
}

// conditions are joined by AND, the first too: they follow another one.
type conditions struct {
	sql  strings.Builder
	args []any
}

func (c *conditions) add(condition string, arg any) {
	c.sql.WriteString(" AND " + condition)
	c.args = append(c.args, arg)
}

// Millis is a time as it is stored: milliseconds since 1970.
func Millis(t time.Time) int64 { return t.UnixMilli() }

// FromMillis is a stored time, in UTC; NULL is the zero time.
func FromMillis(n sql.NullInt64) time.Time {
	if !n.Valid {
		return time.Time{}
	}
	return time.UnixMilli(n.Int64).UTC()
}

// nullMillis stores the zero time as NULL.
func nullMillis(t time.Time) sql.NullInt64 {
	return sql.NullInt64{Int64: t.UnixMilli(), Valid: !t.IsZero()}
}
