package mysql

import (
	"context"

	"padron"
	"padron/internal/store/sqlstore"
)

// Token returns one token; see store.Tokens.
func (s *Store) Token(ctx context.Context, id string) (padron.Token, error) {
	t, err := s.tokens.get(ctx, id)
	return t, explain("read a token", err)
}

// readTokens returns tokens by id.
func (s *Store) readTokens(ctx context.Context, ids []string) (map[string]padron.Token, error) {
	return byKeys(ctx, s, "SELECT "+sqlstore.TokenColumns+" FROM tokens WHERE id IN (%s)", ids, func(from sqlstore.Scanner) (string, padron.Token, error) {
		t, err := sqlstore.ScanToken(from)
		return t.ID, t, err
	})
}
