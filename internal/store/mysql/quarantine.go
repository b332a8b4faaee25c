package mysql

import (
	"context"
	"database/sql"
	"encoding/json"
	"strings"
	"time"

	"padron"
)

// quarantineRecords writes what a batch rejected, and ends the quarantine of
// customers that arrived valid and of entries that moved in.
func quarantineRecords(ctx context.Context, tx *sql.Tx, b *padron.Batch) error {
	if err := chunked(asBytes(b.Cleared), func(part []any, marks string) error {
		_, err := tx.ExecContext(ctx, "DELETE FROM quarantine WHERE customer_id IN ("+marks+")", part...) //nolint:gosec // marks only
		return err
	}); err != nil {
		return err
	}
	if err := chunked(asBytes(b.Moved), func(part []any, marks string) error {
		_, err := tx.ExecContext(ctx, "DELETE FROM quarantine WHERE id IN ("+marks+")", part...) //nolint:gosec // marks only
		return err
	}); err != nil {
		return err
	}
	for rest := b.Rejected; len(rest) > 0; {
		n := rejectPart(rest)
		if err := reject(ctx, tx, rest[:n], millis(b.At)); err != nil {
			return err
		}
		rest = rest[n:]
	}
	return nil
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

func reject(ctx context.Context, tx *sql.Tx, rejected []padron.Rejected, at int64) error {
	const (
		columns = 8
		insert  = "INSERT INTO quarantine (id, customer_id, reasons, run_id, first_seen, last_seen, count, record, key_id) VALUES "
		again   = ` ON DUPLICATE KEY UPDATE count = count + 1, last_seen = VALUES(last_seen), run_id = VALUES(run_id),
			record = VALUES(record), key_id = VALUES(key_id)`
	)
	args := make([]any, 0, columns*len(rejected))
	for i := range rejected {
		r := &rejected[i]
		reasons, err := json.Marshal(r.Reasons)
		if err != nil {
			return err
		}
		args = append(args, r.ID, []byte(r.CustomerID), string(reasons), r.RunID, at, at, []byte(r.Record), int64(r.Key))
	}
	rows := strings.TrimSuffix(strings.Repeat("(?, ?, ?, ?, ?, ?, 1, ?, ?),", len(rejected)), ",")
	_, err := tx.ExecContext(ctx, insert+rows+again, args...)
	return err
}

// Quarantine returns a page of entries; see store.Quarantine.
func (s *Store) Quarantine(ctx context.Context, after string, limit int) ([]padron.QuarantineEntry, error) {
	rows, err := s.db.QueryContext(ctx, `SELECT id, customer_id, reasons, run_id, first_seen, last_seen, count, x'', key_id
		FROM quarantine WHERE id > ? ORDER BY id LIMIT ?`, []byte(after), limit)
	if err != nil {
		return nil, explain("list the quarantine", err)
	}
	defer rows.Close() //nolint:errcheck // Err is checked
	var out []padron.QuarantineEntry
	for rows.Next() {
		q, err := scanQuarantine(rows)
		if err != nil {
			return nil, explain("list the quarantine", err)
		}
		q.Record = nil
		out = append(out, q)
	}
	return out, explain("list the quarantine", rows.Err())
}

// QuarantineEntry returns one entry; see store.Quarantine.
func (s *Store) QuarantineEntry(ctx context.Context, id string) (padron.QuarantineEntry, error) {
	q, err := scanQuarantine(s.db.QueryRowContext(ctx, `SELECT id, customer_id, reasons, run_id, first_seen, last_seen, count, record, key_id
		FROM quarantine WHERE id = ?`, []byte(id)))
	return q, explain("read a quarantine entry", err)
}

// CountQuarantine returns how many entries there are; see store.Quarantine.
func (s *Store) CountQuarantine(ctx context.Context) (n int64, err error) {
	err = s.db.QueryRowContext(ctx, "SELECT COUNT(*) FROM quarantine").Scan(&n)
	return n, explain("count the quarantine", err)
}

// PurgeQuarantine removes entries that were not seen for long; see
// store.Quarantine.
func (s *Store) PurgeQuarantine(ctx context.Context, lease padron.Lease, before time.Time, limit int) (n int64, err error) {
	err = s.fenced(ctx, "purge the quarantine", lease, func(tx *sql.Tx) error {
		r, err := tx.ExecContext(ctx, "DELETE FROM quarantine WHERE last_seen < ? LIMIT ?", millis(before), limit)
		if err != nil {
			return err
		}
		n, err = r.RowsAffected()
		return err
	})
	if err != nil {
		return 0, err
	}
	return n, nil
}

func scanQuarantine(row scanner) (padron.QuarantineEntry, error) {
	var q padron.QuarantineEntry
	var reasons []byte
	var first, last sql.NullInt64
	if err := row.Scan(&q.ID, &q.CustomerID, &reasons, &q.RunID, &first, &last, &q.Count, (*[]byte)(&q.Record), &q.Key); err != nil {
		return q, err
	}
	q.FirstSeen, q.LastSeen = fromMillis(first), fromMillis(last)
	return q, json.Unmarshal(reasons, &q.Reasons)
}
