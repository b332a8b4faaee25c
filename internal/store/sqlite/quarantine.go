package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"time"

	"padron"
)

// quarantineRecords writes what a batch rejected, and ends the quarantine of
// customers that arrived valid and of entries that moved in.
func quarantineRecords(ctx context.Context, tx *sql.Tx, b *padron.Batch) error {
	ids := make([]string, len(b.Cleared))
	for i, id := range b.Cleared {
		ids[i] = string(id)
	}
	if err := chunked(ids, func(part []any, marks string) error {
		_, err := tx.ExecContext(ctx, "DELETE FROM quarantine WHERE customer_id IN ("+marks+")", part...) //nolint:gosec // marks only
		return err
	}); err != nil {
		return err
	}
	if err := chunked(b.Moved, func(part []any, marks string) error {
		_, err := tx.ExecContext(ctx, "DELETE FROM quarantine WHERE id IN ("+marks+")", part...) //nolint:gosec // marks only
		return err
	}); err != nil {
		return err
	}
	for i := range b.Rejected {
		if err := reject(ctx, tx, &b.Rejected[i], millis(b.At)); err != nil {
			return err
		}
	}
	return nil
}

func reject(ctx context.Context, tx *sql.Tx, r *padron.Rejected, at int64) error {
	reasons, err := json.Marshal(r.Reasons)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO quarantine (id, customer_id, reasons, run_id, first_seen, last_seen, count, record, key_id)
		VALUES (?, ?, ?, ?, ?, ?, 1, ?, ?)
		ON CONFLICT (id) DO UPDATE SET count = count + 1, last_seen = excluded.last_seen, run_id = excluded.run_id,
		record = excluded.record, key_id = excluded.key_id`,
		r.ID, string(r.CustomerID), string(reasons), r.RunID, at, at, []byte(r.Record), int64(r.Key))
	return err
}

// Quarantine returns a page of entries; see store.Quarantine.
func (s *Store) Quarantine(ctx context.Context, after string, limit int) ([]padron.QuarantineEntry, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT id, customer_id, reasons, run_id, first_seen, last_seen, count, x'', key_id
		FROM quarantine WHERE id > ? ORDER BY id LIMIT ?`, after, limit)
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
	q, err := scanQuarantine(s.read.QueryRowContext(ctx, `SELECT id, customer_id, reasons, run_id, first_seen, last_seen, count, record, key_id
		FROM quarantine WHERE id = ?`, id))
	return q, explain("read a quarantine entry", err)
}

// CountQuarantine returns how many entries there are; see store.Quarantine.
func (s *Store) CountQuarantine(ctx context.Context) (n int64, err error) {
	err = s.read.QueryRowContext(ctx, "SELECT COUNT(*) FROM quarantine").Scan(&n)
	return n, explain("count the quarantine", err)
}

// PurgeQuarantine removes entries that were not seen for long; see
// store.Quarantine.
func (s *Store) PurgeQuarantine(ctx context.Context, lease padron.Lease, before time.Time, limit int) (n int64, err error) {
	err = s.fenced(ctx, "purge the quarantine", lease, func(tx *sql.Tx) error {
		r, err := tx.ExecContext(ctx, "DELETE FROM quarantine WHERE id IN (SELECT id FROM quarantine WHERE last_seen < ? LIMIT ?)", millis(before), limit)
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
