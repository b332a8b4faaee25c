package access

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"strings"
	"time"

	"padron"
)

// TokenStore finds tokens; every engine of the store does.
type TokenStore interface {
	// Token returns one token, valid or not, or [padron.ErrNotFound].
	Token(ctx context.Context, id string) (padron.Token, error)
}

// Authenticator turns credentials into principals. It is safe for concurrent
// use and keeps nothing: a token that was revoked is refused at once.
type Authenticator struct {
	tokens TokenStore
	now    func() time.Time
}

// NewAuthenticator returns an authenticator over the stored tokens; now is the
// time that expiry is compared with.
func NewAuthenticator(tokens TokenStore, now func() time.Time) *Authenticator {
	return &Authenticator{tokens: tokens, now: now}
}

// Authenticate returns the principal of an Authorization header's value,
// "Bearer " and a token (RFC 6750 section 2.1; the scheme's case does not
// matter, RFC 9110 section 11.1). It fails as [Authenticator.AuthenticateToken]
// does.
func (a *Authenticator) Authenticate(ctx context.Context, authorization string) (padron.Principal, error) {
	scheme, token, _ := strings.Cut(authorization, " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return padron.Principal{}, unauthenticated(errors.New("no bearer credential"))
	}
	return a.AuthenticateToken(ctx, strings.TrimLeft(token, " "))
}

// AuthenticateToken returns the principal of a token. Every fault of the token
// (malformed, unknown, wrong secret, expired, revoked) is the same
// [padron.CodeUnauthenticated] error to the caller; only its cause, for the log,
// differs, and it quotes no secret. A store that fails is
// [padron.CodeUnavailable]: it says nothing about the token.
func (a *Authenticator) AuthenticateToken(ctx context.Context, token string) (padron.Principal, error) {
	id, hash, err := ParseToken(token)
	if err != nil {
		return padron.Principal{}, unauthenticated(err)
	}
	stored, err := a.tokens.Token(ctx, id)
	if errors.Is(err, padron.ErrNotFound) {
		return padron.Principal{}, unauthenticated(fmt.Errorf("token %s is unknown", id))
	}
	if err != nil {
		return padron.Principal{}, &padron.Error{
			Code: padron.CodeUnavailable, Message: "credentials cannot be checked now; try again", Err: fmt.Errorf("read token: %w", err),
		}
	}
	if err := check(&stored, id, hash, a.now()); err != nil {
		return padron.Principal{}, unauthenticated(err)
	}
	return padron.Principal{ID: "token:" + stored.ID, Name: stored.Name, Role: stored.Role}, nil
}

// check compares the secret before anything else, in constant time: who does
// not hold it learns nothing about the token. The id is compared because a
// database may match it more loosely than bytewise.
func check(stored *padron.Token, id string, hash [32]byte, now time.Time) error {
	switch {
	case subtle.ConstantTimeCompare(hash[:], stored.Hash[:]) != 1, stored.ID != id:
		return fmt.Errorf("token %s: wrong secret", id)
	case !stored.RevokedAt.IsZero():
		return fmt.Errorf("token %s was revoked", id)
	case !stored.Valid(now):
		return fmt.Errorf("token %s has expired", id)
	}
	return nil
}

func unauthenticated(cause error) error {
	return &padron.Error{
		Code: padron.CodeUnauthenticated, Message: "a valid bearer token is required", Err: cause,
	}
}
