package sqlite

import (
	"context"
	"database/sql"

	"padron"
	"padron/internal/store/sqlstore"
)

// AppendAudit adds entries to the chain; see store.Audit.
func (s *Store) AppendAudit(ctx context.Context, link func(padron.AuditHead) ([]padron.AuditEntry, error)) error {
	return s.inTx(ctx, "write the audit log", func(tx *sql.Tx) error {
		head, err := sqlstore.AuditHead(ctx, tx)
		if err != nil {
			return err
		}
		entries, err := link(head)
		if err != nil {
			return err
		}
		return insertEntries(ctx, tx, head.Seq, entries)
	})
}

func insertEntries(ctx context.Context, tx *sql.Tx, last int64, entries []padron.AuditEntry) error {
	stmt, err := tx.PrepareContext(ctx, "INSERT INTO audit ("+sqlstore.AuditColumns+") VALUES ("+sqlstore.Marks(sqlstore.EntryColumns)+")") //nolint:gosec // names of columns
	if err != nil {
		return err
	}
	defer stmt.Close() //nolint:errcheck // ends with its transaction
	for i := range entries {
		e := &entries[i]
		if last++; e.Seq != last {
			return padron.Errorf(padron.CodeInternal, "audit entry %d would follow entry %d", e.Seq, last-1)
		}
		args, err := sqlstore.AppendEntry(nil, e)
		if err != nil {
			return err
		}
		if _, err := stmt.ExecContext(ctx, args...); err != nil {
			return err
		}
	}
	return nil
}
