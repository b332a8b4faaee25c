package sqlstore

import (
	"context"
	"database/sql"
	"errors"

	"padron"
	"padron/internal/store"
)

// AuditColumns are those of an entry.
const AuditColumns = "seq, time, principal, role, action, customers, fields, purpose, outcome, request_id, prev, hash"

// EntryColumns is how many [AuditColumns] are.
const EntryColumns = 12

// AuditHead returns the chain's end; see store.Audit.
func (t *Tables) AuditHead(ctx context.Context) (padron.AuditHead, error) {
	head, err := AuditHead(ctx, t.db.Read)
	return head, t.db.Explain("read the audit log", err)
}

// AuditHead returns the chain's end, as a transaction sees it.
func AuditHead(ctx context.Context, db Querier) (padron.AuditHead, error) {
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
func (t *Tables) AuditEntries(ctx context.Context, f padron.AuditFilter) ([]padron.AuditEntry, error) {
	where, args := t.auditConditions(&f)
	rows, err := t.db.Read.QueryContext(ctx, "SELECT "+AuditColumns+" FROM audit WHERE seq > ?"+where+" ORDER BY seq LIMIT ?", //nolint:gosec // conditions only
		append(append([]any{f.After}, args...), f.Limit)...)
	entries, err := list(rows, err, scanEntry)
	return entries, t.db.Explain("read the audit log", err)
}

func (t *Tables) auditConditions(f *padron.AuditFilter) (string, []any) {
	var c conditions
	if f.Principal != "" {
		c.add("principal = ?", t.db.Text(f.Principal))
	}
	if f.Action != "" {
		c.add("action = ?", string(f.Action))
	}
	if f.Customer != "" {
		c.add(t.db.Concerns, t.db.Text(string(f.Customer)))
	}
	if !f.From.IsZero() {
		c.add("time >= ?", Millis(f.From))
	}
	if !f.To.IsZero() {
		c.add("time < ?", Millis(f.To))
	}
	return c.sql.String(), c.args
}

func scanEntry(row Scanner) (padron.AuditEntry, error) {
	var e padron.AuditEntry
	var at sql.NullInt64
	var r store.AuditRow
	if err := row.Scan(&e.Seq, &at, &e.Principal, &e.Role, &e.Action, &r.Customers, &r.Fields, &e.Purpose, &e.Outcome, &e.RequestID,
		&r.Prev, &r.Hash); err != nil {
		return e, err
	}
	e.Time = FromMillis(at)
	err := r.Fill(&e)
	return e, err
}

// AppendEntry adds the values of [AuditColumns].
func AppendEntry(args []any, e *padron.AuditEntry) ([]any, error) {
	customers, err := store.EncodeList(e.Customers)
	if err != nil {
		return nil, err
	}
	fields, err := store.EncodeList(e.Fields)
	if err != nil {
		return nil, err
	}
	return append(args, e.Seq, Millis(e.Time), e.Principal, string(e.Role), string(e.Action), customers, fields,
		e.Purpose, e.Outcome, e.RequestID, e.Prev[:], e.Hash[:]), nil
}
