package sqlstore

import (
	"context"
	"database/sql"
	"encoding/json"
	"strings"
	"time"

	"padron"
)

// quarantine writes what a batch rejected, and ends the quarantine of customers
// that arrived valid and of entries that moved in.
func (t *Tables) quarantine(ctx context.Context, tx *sql.Tx, b *padron.Batch) error {
	if err := t.remove(ctx, tx, "customer_id", texts(t, b.Cleared)); err != nil {
		return err
	}
	if err := t.remove(ctx, tx, "id", texts(t, b.Moved)); err != nil {
		return err
	}
	for rest := b.Rejected; len(rest) > 0; {
		n := rejectPart(rest)
		if err := t.reject(ctx, tx, rest[:n], Millis(b.At)); err != nil {
			return err
		}
		rest = rest[n:]
	}
	return nil
}

// remove removes the entries whose column has one of the values.
func (t *Tables) remove(ctx context.Context, tx *sql.Tx, column string, values []any) error {
	return Chunked(values, t.db.Chunk, func(part []any, marks string) error {
		_, err := tx.ExecContext(ctx, "DELETE FROM quarantine WHERE "+column+" IN ("+marks+")", part...) //nolint:gosec // a column and marks
		return err
	})
}

// rejectPart returns how many of the records one statement takes: a provider
// sends the same broken ones in every run, and a statement for each would be most
// of what a run writes that changes nothing. All of them may be large, so that
// bytes count too.
func rejectPart(rejected []padron.Rejected) int {
	const most, bytes = 200, 1 << 20
	size := 0
	for n := range rejected {
		if size += len(rejected[n].Record); n == most || size > bytes {
			return max(1, n)
		}
	}
	return len(rejected)
}

func (t *Tables) reject(ctx context.Context, tx *sql.Tx, rejected []padron.Rejected, at int64) error {
	const (
		columns = 8
		insert  = "INSERT INTO quarantine (id, customer_id, reasons, run_id, first_seen, last_seen, count, record, key_id) VALUES "
	)
	again := t.db.Upsert("id", "last_seen", "run_id", "record", "key_id") + ", count = count + 1"
	args := make([]any, 0, columns*len(rejected))
	for i := range rejected {
		r := &rejected[i]
		reasons, err := json.Marshal(r.Reasons)
		if err != nil {
			return err
		}
		args = append(args, r.ID, t.db.Text(string(r.CustomerID)), string(reasons), r.RunID, at, at, []byte(r.Record), int64(r.Key))
	}
	rows := strings.TrimSuffix(strings.Repeat("(?, ?, ?, ?, ?, ?, 1, ?, ?),", len(rejected)), ",")
	_, err := tx.ExecContext(ctx, insert+rows+again, args...)
	return err
}

// Quarantine returns a page of entries; see store.Quarantine.
func (t *Tables) Quarantine(ctx context.Context, after string, limit int) ([]padron.QuarantineEntry, error) {
	rows, err := t.db.Read.QueryContext(ctx, `SELECT id, customer_id, reasons, run_id, first_seen, last_seen, count, x'', key_id
		FROM quarantine WHERE id > ? ORDER BY id LIMIT ?`, t.db.Text(after), limit)
	out, err := list(rows, err, func(row Scanner) (padron.QuarantineEntry, error) {
		q, err := scanQuarantine(row)
		q.Record = nil
		return q, err
	})
	return out, t.db.Explain("list the quarantine", err)
}

// QuarantineEntry returns one entry; see store.Quarantine.
func (t *Tables) QuarantineEntry(ctx context.Context, id string) (padron.QuarantineEntry, error) {
	q, err := scanQuarantine(t.db.Read.QueryRowContext(ctx, `SELECT id, customer_id, reasons, run_id, first_seen, last_seen, count, record, key_id
		FROM quarantine WHERE id = ?`, t.db.Text(id)))
	return q, t.db.Explain("read a quarantine entry", err)
}

// CountQuarantine returns how many entries there are; see store.Quarantine.
func (t *Tables) CountQuarantine(ctx context.Context) (n int64, err error) {
	err = t.db.Read.QueryRowContext(ctx, "SELECT COUNT(*) FROM quarantine").Scan(&n)
	return n, t.db.Explain("count the quarantine", err)
}

// PurgeQuarantine removes entries that were not seen for long; see
// store.Quarantine.
func (t *Tables) PurgeQuarantine(ctx context.Context, lease padron.Lease, before time.Time, limit int) (n int64, err error) {
	err = t.db.Fenced(ctx, "purge the quarantine", lease, func(tx *sql.Tx) error {
		rows, err := tx.QueryContext(ctx, "SELECT id FROM quarantine WHERE last_seen < ? LIMIT ?", Millis(before), limit)
		old, err := list(rows, err, scanOne[string])
		if err != nil {
			return err
		}
		n = int64(len(old))
		return t.remove(ctx, tx, "id", texts(t, old))
	})
	if err != nil {
		return 0, err
	}
	return n, nil
}

func scanQuarantine(row Scanner) (padron.QuarantineEntry, error) {
	var q padron.QuarantineEntry
	var reasons []byte
	var first, last sql.NullInt64
	if err := row.Scan(&q.ID, &q.CustomerID, &reasons, &q.RunID, &first, &last, &q.Count, (*[]byte)(&q.Record), &q.Key); err != nil {
		return q, err
	}
	q.FirstSeen, q.LastSeen = FromMillis(first), FromMillis(last)
	err := json.Unmarshal(reasons, &q.Reasons)
	return q, err
}
