package mysql

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"strings"

	"padron"
	"padron/internal/store"
	"padron/internal/store/sqlstore"
)

const auditColumns = "seq, time, principal, role, action, customers, fields, purpose, outcome, request_id, prev, hash"

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
		if head, err = auditHead(ctx, tx); err != nil {
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
		args := make([]any, 0, len(part)*columnsOfEntry)
		for i := range part {
			if last++; part[i].Seq != last {
				return padron.Errorf(padron.CodeInternal, "audit entry %d would follow entry %d", part[i].Seq, last-1)
			}
			if args, err = appendEntry(args, &part[i]); err != nil {
				return err
			}
		}
		if err := s.insertEntries(ctx, tx, len(part), args); err != nil {
			return err
		}
	}
	return nil
}

// columnsOfEntry is how many auditColumns are.
const columnsOfEntry = 12

// insertEntries adds n entries. There is a prepared statement for each n.
func (s *Store) insertEntries(ctx context.Context, tx *sql.Tx, n int, args []any) error {
	tuples := strings.TrimSuffix(strings.Repeat("("+sqlstore.Marks(columnsOfEntry)+"),", n), ",")
	stmt, err := s.chainPrepared.get(ctx, "INSERT INTO audit ("+auditColumns+") VALUES "+tuples)
	if err != nil {
		return err
	}
	_, err = tx.StmtContext(ctx, stmt).ExecContext(ctx, args...) //nolint:sqlclosecheck // ends with its transaction
	return err
}

func appendEntry(args []any, e *padron.AuditEntry) ([]any, error) {
	customers, err := store.EncodeList(e.Customers)
	if err != nil {
		return nil, err
	}
	fields, err := store.EncodeList(e.Fields)
	if err != nil {
		return nil, err
	}
	return append(args, e.Seq, sqlstore.Millis(e.Time), e.Principal, string(e.Role), string(e.Action), customers, fields,
		e.Purpose, e.Outcome, e.RequestID, e.Prev[:], e.Hash[:]), nil
}

// AuditHead returns the chain's end; see store.Audit.
func (s *Store) AuditHead(ctx context.Context) (padron.AuditHead, error) {
	head, err := auditHead(ctx, s.db)
	return head, explain("read the audit log", err)
}

func auditHead(ctx context.Context, db sqlstore.Querier) (padron.AuditHead, error) {
	var head padron.AuditHead
	var hash []byte
	err := db.QueryRowContext(ctx, "SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1").Scan(&head.Seq, &hash)
	if errors.Is(err, sql.ErrNoRows) {
		return padron.AuditHead{}, nil
	}
	copy(head.Hash[:], hash)
	return head, err
}

// AuditEntries returns the entries that the filter selects; see store.Audit.
func (s *Store) AuditEntries(ctx context.Context, f padron.AuditFilter) ([]padron.AuditEntry, error) {
	where, args := auditConditions(&f)
	rows, err := s.db.QueryContext(ctx, "SELECT "+auditColumns+" FROM audit WHERE seq > ?"+where+" ORDER BY seq LIMIT ?", //nolint:gosec // conditions only
		append(append([]any{f.After}, args...), f.Limit)...)
	if err != nil {
		return nil, explain("read the audit log", err)
	}
	defer rows.Close() //nolint:errcheck // Err is checked
	var out []padron.AuditEntry
	for rows.Next() {
		e, err := scanEntry(rows)
		if err != nil {
			return out, explain("read the audit log", err)
		}
		out = append(out, e)
	}
	return out, explain("read the audit log", rows.Err())
}

func auditConditions(f *padron.AuditFilter) (string, []any) {
	var b strings.Builder
	var args []any
	add := func(condition string, arg any) {
		b.WriteString(" AND " + condition)
		args = append(args, arg)
	}
	if f.Principal != "" {
		add("principal = ?", []byte(f.Principal))
	}
	if f.Action != "" {
		add("action = ?", string(f.Action))
	}
	if f.Customer != "" {
		add("EXISTS (SELECT 1 FROM JSON_TABLE(audit.customers, '$[*]' COLUMNS (id VARCHAR(64) CHARACTER SET utf8mb4 PATH '$')) AS c"+
			" WHERE CAST(c.id AS BINARY) = ?)", []byte(f.Customer))
	}
	if !f.From.IsZero() {
		add("time >= ?", sqlstore.Millis(f.From))
	}
	if !f.To.IsZero() {
		add("time < ?", sqlstore.Millis(f.To))
	}
	return b.String(), args
}

func scanEntry(row sqlstore.Scanner) (padron.AuditEntry, error) {
	var e padron.AuditEntry
	var at sql.NullInt64
	var r store.AuditRow
	if err := row.Scan(&e.Seq, &at, &e.Principal, &e.Role, &e.Action, &r.Customers, &r.Fields, &e.Purpose, &e.Outcome, &e.RequestID,
		&r.Prev, &r.Hash); err != nil {
		return e, err
	}
	e.Time = sqlstore.FromMillis(at)
	return e, r.Fill(&e)
}
