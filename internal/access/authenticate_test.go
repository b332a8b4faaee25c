package access

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"padron"
)

// tokenMap is a store of tokens in memory; nil is one that cannot be reached.
type tokenMap map[string]padron.Token

func (m tokenMap) Token(ctx context.Context, id string) (padron.Token, error) {
	if err := ctx.Err(); err != nil {
		return padron.Token{}, err
	}
	if m == nil {
		return padron.Token{}, errors.New("connection refused")
	}
	if t, ok := m[strings.ToLower(id)]; ok {
		return t, nil
	}
	return padron.Token{}, padron.ErrNotFound
}

func at(t time.Time) func() time.Time { return func() time.Time { return t } }

func TestAuthenticate(t *testing.T) {
	secret, token := newToken(t, padron.RoleAuditor, day)
	a := NewAuthenticator(tokenMap{token.ID: token}, at(noon))
	want := padron.Principal{ID: "token:" + token.ID, Name: "reports", Role: padron.RoleAuditor}
	for _, header := range []string{"Bearer " + secret, "bearer " + secret, "BEARER   " + secret} {
		got, err := a.Authenticate(t.Context(), header)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	}
	if got, err := a.AuthenticateToken(t.Context(), secret); err != nil || got != want {
		t.Errorf("got %v, %v", got, err)
	}
}

// Every wrong credential gets the same answer, byte for byte, so that a
// stranger cannot tell a real token id from an invented one.
func TestAuthenticateRefuses(t *testing.T) {
	secret, token := newToken(t, padron.RoleAdmin, day)
	stranger, _ := newToken(t, padron.RoleAdmin, day)
	_, otherID := newToken(t, padron.RoleAdmin, day)
	otherID.Hash = token.Hash
	revoked := token
	revoked.RevokedAt = noon.Add(-time.Second)
	forged := assemble(token.ID, strings.Repeat("a", secretLength))
	tests := []struct {
		name, header string
		stored       padron.Token
		now          time.Time
	}{
		{"no header", "", token, noon},
		{"scheme alone", "Bearer", token, noon},
		{"no token", "Bearer ", token, noon},
		{"basic", "Basic " + secret, token, noon},
		{"token without scheme", secret, token, noon},
		{"two tokens", "Bearer " + secret + " " + secret, token, noon},
		{"trailing space", "Bearer " + secret + " ", token, noon},
		{"tab", "Bearer\t" + secret, token, noon},
		{"upper case", "Bearer " + strings.ToUpper(secret), token, noon},
		{"unknown", "Bearer " + stranger, token, noon},
		{"wrong secret", "Bearer " + forged, token, noon},
		{"no stored hash", "Bearer " + secret, padron.Token{ID: token.ID, ExpiresAt: token.ExpiresAt}, noon},
		{"stored under another id", "Bearer " + secret, otherID, noon},
		{"expired now", "Bearer " + secret, token, token.ExpiresAt},
		{"expired long ago", "Bearer " + secret, token, noon.AddDate(9, 0, 0)},
		{"revoked", "Bearer " + secret, revoked, noon},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a := NewAuthenticator(tokenMap{token.ID: tt.stored}, at(tt.now))
			principal, err := a.Authenticate(t.Context(), tt.header)
			if principal != (padron.Principal{}) {
				t.Errorf("got principal %v", principal)
			}
			public, jsonErr := json.Marshal(err)
			want := `{"code":"unauthenticated","message":"a valid bearer token is required"}`
			if jsonErr != nil || string(public) != want {
				t.Errorf("got %s, %v", public, err)
			}
			for _, part := range []string{secret, stranger, forged, secret[24:67]} {
				if err != nil && strings.Contains(err.Error(), part) {
					t.Error("the error quotes a secret")
				}
			}
		})
	}
}

func TestAuthenticateUntilTheLastMillisecond(t *testing.T) {
	secret, token := newToken(t, padron.RoleViewer, day)
	a := NewAuthenticator(tokenMap{token.ID: token}, at(token.ExpiresAt.Add(-time.Millisecond)))
	if _, err := a.AuthenticateToken(t.Context(), secret); err != nil {
		t.Error(err)
	}
}

func TestAuthenticateWithoutStore(t *testing.T) {
	secret, _ := newToken(t, padron.RoleViewer, day)
	a := NewAuthenticator(tokenMap(nil), at(noon))
	_, err := a.AuthenticateToken(t.Context(), secret)
	if padron.ErrorCode(err) != padron.CodeUnavailable || !strings.Contains(err.Error(), "connection refused") {
		t.Errorf("got %v, want unavailable with its cause", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = NewAuthenticator(tokenMap{}, at(noon)).AuthenticateToken(ctx, secret)
	if padron.ErrorCode(err) != padron.CodeUnavailable || !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want unavailable because of the context", err)
	}
}

// A database may compare ids without regard to case; the id that signed in must
// be the id that was stored.
func TestAuthenticateComparesIDs(t *testing.T) {
	secret, token := newToken(t, padron.RoleViewer, day)
	stored := token
	stored.ID = strings.ToUpper(token.ID)
	_, err := NewAuthenticator(tokenMap{token.ID: stored}, at(noon)).AuthenticateToken(t.Context(), secret)
	if padron.ErrorCode(err) != padron.CodeUnauthenticated {
		t.Errorf("got %v", err)
	}
}
