package api

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"padron"
	"padron/internal/access"
	"padron/internal/reader/readertest"
)

// slowBody is a body whose first byte does not come before finish; reading says
// that somebody waits for it.
type slowBody struct {
	reading chan<- struct{}
	finish  <-chan struct{}
}

func (b slowBody) Read([]byte) (int, error) {
	b.reading <- struct{}{}
	<-b.finish
	return 0, io.EOF
}

// ask asks the API itself, without a network.
func (s *server) ask(role padron.Role, method, path string, body io.Reader) *httptest.ResponseRecorder {
	r := httptest.NewRequestWithContext(s.t.Context(), method, path, body)
	r.Header.Set("Authorization", "Bearer "+s.tokens[role])
	r.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	s.http.Config.Handler.ServeHTTP(w, r)
	return w
}

// TestSlowBodiesOfOnePrincipal take that principal's share and nobody else's,
// and give it back.
func TestSlowBodiesOfOnePrincipal(t *testing.T) {
	s := newServer(t, func(_ *readertest.Register, cfg *Config) { cfg.MaxInFlight = 2 * minShare })
	reading, finish := make(chan struct{}), make(chan struct{})
	var slow sync.WaitGroup
	for range minShare {
		slow.Go(func() { s.ask("analyst", http.MethodPost, "/v1/customers/search", slowBody{reading, finish}) })
		<-reading
	}
	if w := s.ask("analyst", http.MethodGet, "/v1/me", nil); w.Code != http.StatusTooManyRequests || w.Header().Get("Retry-After") != "1" {
		t.Errorf("beyond its share: %d, Retry-After %q", w.Code, w.Header().Get("Retry-After"))
	}
	if w := s.ask("viewer", http.MethodGet, "/v1/me", nil); w.Code != http.StatusOK {
		t.Errorf("another principal: %d %s", w.Code, w.Body)
	}
	close(finish)
	slow.Wait()
	if w := s.ask("analyst", http.MethodGet, "/v1/me", nil); w.Code != http.StatusOK {
		t.Errorf("after its requests ended: %d %s", w.Code, w.Body)
	}
}

func TestShares(t *testing.T) {
	for maxInFlight, want := range map[int]int{1: 8, 64: 8, 80: 10, DefaultMaxInFlight: 64} {
		if got := newShares(maxInFlight).most; got != want {
			t.Errorf("of %d one has %d, want %d", maxInFlight, got, want)
		}
	}
	s := newShares(1)
	for range 2 * minShare {
		s.take("a")
	}
	if !s.take("b") {
		t.Error("another principal pays")
	}
	for range minShare {
		s.giveBack("a")
	}
	s.giveBack("b")
	if len(s.served) > 0 {
		t.Errorf("left: %v", s.served)
	}
}

// slowTokens keeps a look-up of one id waiting.
type slowTokens struct {
	access.TokenStore
	id      string
	reading chan<- struct{}
	finish  <-chan struct{}
}

func (s slowTokens) Token(ctx context.Context, id string) (padron.Token, error) {
	if id == s.id {
		s.reading <- struct{}{}
		<-s.finish
	}
	return s.TokenStore.Token(ctx, id)
}

// TestStrangersHoldNoPlace: a request whose credential is being looked up leaves
// the only place to one whose credential is good.
func TestStrangersHoldNoPlace(t *testing.T) {
	reading, finish := make(chan struct{}), make(chan struct{})
	secret, stranger, err := access.NewToken("admin", "nobody", time.Now(), time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	s := newServer(t, func(reg *readertest.Register, cfg *Config) {
		cfg.MaxInFlight = 1
		cfg.Authenticator = access.NewAuthenticator(slowTokens{reg.Store, stranger.ID, reading, finish}, time.Now)
	})
	s.tokens["stranger"] = secret
	var waiting sync.WaitGroup
	waiting.Go(func() {
		if w := s.ask("stranger", http.MethodGet, "/v1/me", nil); w.Code != http.StatusUnauthorized {
			t.Errorf("a stranger: %d", w.Code)
		}
	})
	<-reading
	if w := s.ask("viewer", http.MethodGet, "/v1/me", nil); w.Code != http.StatusOK {
		t.Errorf("a good credential: %d %s", w.Code, w.Body)
	}
	close(finish)
	waiting.Wait()
}
