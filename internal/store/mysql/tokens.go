package mysql

import (
	"context"
	"database/sql"
	"time"

	"padron"
)

const tokenColumns = "id, name, role, hash, created_at, expires_at, revoked_at" //nolint:gosec // names of columns

// AddToken adds a token; see store.Tokens.
func (s *Store) AddToken(ctx context.Context, t padron.Token) error {
	_, err := s.db.ExecContext(ctx, "INSERT INTO tokens ("+tokenColumns+") VALUES (?, ?, ?, ?, ?, ?, ?)",
		t.ID, t.Name, string(t.Role), t.Hash[:], millis(t.CreatedAt), millis(t.ExpiresAt), nullMillis(t.RevokedAt))
	return explain("store a token", err)
}

// Token returns one token; see store.Tokens.
func (s *Store) Token(ctx context.Context, id string) (padron.Token, error) {
	t, err := scanToken(s.db.QueryRowContext(ctx, "SELECT "+tokenColumns+" FROM tokens WHERE id = ?", id))
	return t, explain("read a token", err)
}

// Tokens returns every token; see store.Tokens.
func (s *Store) Tokens(ctx context.Context) ([]padron.Token, error) {
	rows, err := s.db.QueryContext(ctx, "SELECT "+tokenColumns+" FROM tokens ORDER BY created_at, id")
	if err != nil {
		return nil, explain("list tokens", err)
	}
	defer rows.Close() //nolint:errcheck // Err is checked
	var out []padron.Token
	for rows.Next() {
		t, err := scanToken(rows)
		if err != nil {
			return nil, explain("list tokens", err)
		}
		out = append(out, t)
	}
	return out, explain("list tokens", rows.Err())
}

func scanToken(row scanner) (padron.Token, error) {
	var t padron.Token
	var hash []byte
	var created, expires, revoked sql.NullInt64
	err := row.Scan(&t.ID, &t.Name, &t.Role, &hash, &created, &expires, &revoked)
	copy(t.Hash[:], hash)
	t.CreatedAt, t.ExpiresAt, t.RevokedAt = fromMillis(created), fromMillis(expires), fromMillis(revoked)
	return t, err
}

// RevokeToken revokes a token; see store.Tokens. The first time counts.
func (s *Store) RevokeToken(ctx context.Context, id string, at time.Time) error {
	r, err := s.db.ExecContext(ctx, "UPDATE tokens SET revoked_at = coalesce(revoked_at, ?) WHERE id = ?", millis(at), id)
	if err != nil {
		return explain("revoke a token", err)
	}
	n, err := r.RowsAffected()
	if err == nil && n == 0 {
		return padron.ErrNotFound
	}
	return explain("revoke a token", err)
}
