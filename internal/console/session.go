package console

import (
	"net/http"
	"sync"

	"github.com/alexedwards/scs/v2"
	"golang.org/x/time/rate"

	"padron"
	"padron/internal/access"
)

// tokenKey is where a session keeps its token's id. The token itself is not
// kept: what is stored cannot sign in.
const tokenKey = "token"

func newSessions(secure bool) *scs.SessionManager {
	m := scs.New() // sessions in memory: a restart signs everybody out
	m.Lifetime, m.IdleTimeout = sessionTimeout, idleTimeout
	m.Cookie.Name, m.Cookie.HttpOnly, m.Cookie.SameSite, m.Cookie.Path = "padron", true, http.SameSiteStrictMode, "/"
	m.Cookie.Persist = false
	if secure {
		m.Cookie.Name, m.Cookie.Secure = "__Host-padron", true
	}
	return m
}

// home is the way in: the sign-in page, or the customers for who is signed in.
func (c *Console) home(w http.ResponseWriter, r *http.Request, v *visit) error {
	if err := c.identify(r, v); err == nil {
		http.Redirect(w, r, "/console/customers", http.StatusSeeOther)
		return nil
	}
	c.render(w, v, http.StatusOK, "sign-in", map[string]any{"Failed": false})
	return nil
}

// signIn begins a session for a good token. The session's id changes, so that
// nobody can have prepared it.
func (c *Console) signIn(w http.ResponseWriter, r *http.Request, v *visit) error {
	if err := r.ParseForm(); err != nil {
		return padron.Errorf(padron.CodeTooLarge, "the form is too large")
	}
	token := r.PostForm.Get("token")
	principal, err := c.Authenticator.AuthenticateToken(r.Context(), token)
	if padron.ErrorCode(err) == padron.CodeUnauthenticated {
		c.refuseSignIn(w, v, token)
		return nil
	}
	if err != nil {
		return err
	}
	if err := c.sessions.RenewToken(r.Context()); err != nil {
		return err
	}
	c.sessions.Put(r.Context(), tokenKey, tokenID(principal))
	http.Redirect(w, r, "/console/customers", http.StatusSeeOther)
	return nil
}

// refuseSignIn answers a token that is not good, and logs it unless it comes too
// often.
func (c *Console) refuseSignIn(w http.ResponseWriter, v *visit, token string) {
	id, _, err := access.ParseToken(token)
	if err != nil {
		id = "" // what is no token shares one limit
	}
	status := http.StatusUnauthorized
	if c.attempts.allow(id) {
		c.Logger.Info("console sign-in refused", "request_id", v.RequestID)
	} else {
		status = http.StatusTooManyRequests
		w.Header().Set("Retry-After", "1")
	}
	c.render(w, v, status, "sign-in", map[string]any{"Failed": true})
}

// tokenPrefix begins the principal id of a token.
const tokenPrefix = "token:"

func tokenID(p padron.Principal) string { return p.ID[len(tokenPrefix):] }

func (c *Console) signOut(w http.ResponseWriter, r *http.Request, _ *visit) error {
	if err := c.sessions.Destroy(r.Context()); err != nil {
		return err
	}
	http.Redirect(w, r, "/", http.StatusSeeOther)
	return nil
}

// signedIn lets a page be seen by who is signed in; others are sent to sign in.
func (c *Console) signedIn(h handler) handler {
	return func(w http.ResponseWriter, r *http.Request, v *visit) error {
		err := c.identify(r, v)
		if padron.ErrorCode(err) == padron.CodeUnauthenticated {
			http.Redirect(w, r, "/", http.StatusSeeOther)
			return nil
		}
		if err != nil {
			return err
		}
		return h(w, r, v)
	}
}

// identify asks at every request whether the session's token is still good: one
// that is revoked ends the session at once.
func (c *Console) identify(r *http.Request, v *visit) error {
	none := padron.Errorf(padron.CodeUnauthenticated, "not signed in")
	id := c.sessions.GetString(r.Context(), tokenKey)
	if id == "" {
		return none
	}
	t, err := c.Tokens.Token(r.Context(), id)
	if padron.ErrorCode(err) == padron.CodeNotFound || err == nil && !t.Valid(c.Now()) {
		return none
	}
	if err != nil {
		return err
	}
	v.Principal = padron.Principal{ID: tokenPrefix + t.ID, Name: t.Name, Role: t.Role}
	return nil
}

// attempts bounds how often the same token is refused in the log. It counts
// failures alone, by the token's id and not by address: behind a load balancer
// all have one address, and nobody with a good token may be kept out by others.
// A secret of 256 bits needs no protection from guessing.
type attempts struct {
	mu sync.Mutex
	of map[string]*rate.Limiter
}

// Bounds of refused sign-ins.
const (
	maxTokens     = 10_000
	attemptsRate  = 1 // a second, in the long run
	attemptsBurst = 20
)

func newAttempts() *attempts { return &attempts{of: map[string]*rate.Limiter{}} }

func (a *attempts) allow(id string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	l, ok := a.of[id]
	if !ok {
		if len(a.of) >= maxTokens {
			clear(a.of) // every token begins again; the map stays bounded
		}
		l = rate.NewLimiter(attemptsRate, attemptsBurst)
		a.of[id] = l
	}
	return l.Allow()
}
