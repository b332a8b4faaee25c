package sqlstore

import (
	"context"
	"database/sql"
	"time"

	"padron"
)

// TokenColumns are those of a token.
const TokenColumns = "id, name, role, hash, created_at, expires_at, revoked_at" //nolint:gosec // names of columns

// AddToken adds a token; see store.Tokens.
func (t *Tables) AddToken(ctx context.Context, token padron.Token) error {
	_, err := t.db.Write.ExecContext(ctx, "INSERT INTO tokens ("+TokenColumns+") VALUES (?, ?, ?, ?, ?, ?, ?)",
		token.ID, token.Name, string(token.Role), token.Hash[:], Millis(token.CreatedAt), Millis(token.ExpiresAt), nullMillis(token.RevokedAt))
	return t.db.Explain("store a token", err)
}

// Token returns one token; see store.Tokens.
func (t *Tables) Token(ctx context.Context, id string) (padron.Token, error) {
	token, err := ScanToken(t.db.Read.QueryRowContext(ctx, "SELECT "+TokenColumns+" FROM tokens WHERE id = ?", id))
	return token, t.db.Explain("read a token", err)
}

// Tokens returns every token; see store.Tokens.
func (t *Tables) Tokens(ctx context.Context) ([]padron.Token, error) {
	rows, err := t.db.Read.QueryContext(ctx, "SELECT "+TokenColumns+" FROM tokens ORDER BY created_at, id")
	tokens, err := list(rows, err, ScanToken)
	return tokens, t.db.Explain("list tokens", err)
}

// ScanToken reads [TokenColumns] of a row.
func ScanToken(row Scanner) (padron.Token, error) {
	var t padron.Token
	var hash []byte
	var created, expires, revoked sql.NullInt64
	err := row.Scan(&t.ID, &t.Name, &t.Role, &hash, &created, &expires, &revoked)
	copy(t.Hash[:], hash)
	t.CreatedAt, t.ExpiresAt, t.RevokedAt = FromMillis(created), FromMillis(expires), FromMillis(revoked)
	return t, err
}

// RevokeToken revokes a token; see store.Tokens. The first time counts.
func (t *Tables) RevokeToken(ctx context.Context, id string, at time.Time) error {
	r, err := t.db.Write.ExecContext(ctx, "UPDATE tokens SET revoked_at = coalesce(revoked_at, ?) WHERE id = ?", Millis(at), id)
	if err != nil {
		return t.db.Explain("revoke a token", err)
	}
	n, err := r.RowsAffected()
	if err == nil && n == 0 {
		return padron.ErrNotFound
	}
	return t.db.Explain("revoke a token", err)
}
