package mysql

import (
	"context"
	"database/sql"
	"slices"
	"strings"

	"padron"
	"padron/internal/store/sqlstore"
)

// AppendAudit adds entries to the chain; see store.Audit. Appends take turns at
// a row: the chain's end itself cannot be locked while there is none. link may
// be called again.
func (s *Store) AppendAudit(ctx context.Context, link func(padron.AuditHead) ([]padron.AuditEntry, error)) error {
	select {
	case s.appending <- struct{}{}: // two at once would leave no connection to prepare by
		defer func() { <-s.appending }()
	case <-ctx.Done():
		return ctx.Err()
	}
	return transact(ctx, s.chain, "write the audit log", func(tx *sql.Tx) error {
		head, err := s.takeTurn(ctx, tx)
		if err != nil {
			return err
		}
		err = s.appendTo(ctx, tx, head, link)
		if !isDuplicate(err) {
			return err
		}
		if head, err = sqlstore.AuditHead(ctx, tx); err != nil {
			return err
		}
		return s.appendTo(ctx, tx, head, link)
	})
}

// takeTurn locks the turn's row, and returns the chain's end with it: one round
// trip in place of two. The database may look for the end before it is our turn.
// Somebody else's entry then has the number that ours would get, so that ours is
// refused, and the end is read anew.
func (s *Store) takeTurn(ctx context.Context, tx *sql.Tx) (padron.AuditHead, error) {
	const query = "SELECT (SELECT seq FROM audit ORDER BY seq DESC LIMIT 1), (SELECT hash FROM audit ORDER BY seq DESC LIMIT 1) " +
		"FROM audit_turn WHERE one = 1 FOR UPDATE"
	stmt, err := s.chainPrepared.get(ctx, query)
	if err != nil {
		return padron.AuditHead{}, err
	}
	var seq sql.NullInt64
	var hash []byte
	err = tx.StmtContext(ctx, stmt).QueryRowContext(ctx).Scan(&seq, &hash) //nolint:sqlclosecheck // ends with its transaction
	head := padron.AuditHead{Seq: seq.Int64}
	copy(head.Hash[:], hash)
	return head, err
}

// entryPart is how many entries one INSERT adds: with a thousand customer ids
// each they fit into a packet.
const entryPart = 32

// appendTo links entries to the chain's end and adds them.
func (s *Store) appendTo(ctx context.Context, tx *sql.Tx, head padron.AuditHead, link func(padron.AuditHead) ([]padron.AuditEntry, error)) error {
	entries, err := link(head)
	if err != nil {
		return err
	}
	last := head.Seq
	for part := range slices.Chunk(entries, entryPart) {
		args := make([]any, 0, len(part)*sqlstore.EntryColumns)
		for i := range part {
			if last++; part[i].Seq != last {
				return padron.Errorf(padron.CodeInternal, "audit entry %d would follow entry %d", part[i].Seq, last-1)
			}
			if args, err = sqlstore.AppendEntry(args, &part[i]); err != nil {
				return err
			}
		}
		if err := s.insertEntries(ctx, tx, len(part), args); err != nil {
			return err
		}
	}
	return nil
}

// insertEntries adds n entries. There is a prepared statement for each n.
func (s *Store) insertEntries(ctx context.Context, tx *sql.Tx, n int, args []any) error {
	tuples := strings.TrimSuffix(strings.Repeat("("+sqlstore.Marks(sqlstore.EntryColumns)+"),", n), ",")
	stmt, err := s.chainPrepared.get(ctx, "INSERT INTO audit ("+sqlstore.AuditColumns+") VALUES "+tuples)
	if err != nil {
		return err
	}
	_, err = tx.StmtContext(ctx, stmt).ExecContext(ctx, args...) //nolint:sqlclosecheck // ends with its transaction
	return err
}
