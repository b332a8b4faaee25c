// Package console is the web console: sign in with a token, list and search
// customers, see one as one's role may. Its pages are plain HTML over the same
// reader as the API, work without JavaScript, and load nothing from elsewhere.
//
// Personal values stay out of addresses: searches are posted, and a customer's
// page is named by the id, which is not personal.
package console

import (
	"context"
	"crypto/rand"
	"embed"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"path"
	"time"

	"github.com/alexedwards/scs/v2"

	"padron"
	"padron/internal/access"
	"padron/internal/reader"
)

//go:embed assets
var assets embed.FS

// TokenStore is where the console looks whether a session's token is still
// good.
type TokenStore interface {
	Token(ctx context.Context, id string) (padron.Token, error)
}

// Config is what a [Console] is made of. All but Logger, Version and Now are
// required.
type Config struct {
	Reader        *reader.Reader
	Authenticator *access.Authenticator
	Tokens        TokenStore
	Policy        *access.Policy
	Logger        *slog.Logger
	// Secure says that the console is served by HTTPS, so that its cookies are
	// sent by HTTPS only.
	Secure  bool
	Version string
	Now     func() time.Time
}

// Console serves the pages. It is safe for concurrent use.
type Console struct {
	Config
	sessions *scs.SessionManager
	pages    *pages
	attempts *attempts
}

// The bounds of a session: 15 minutes idle (PCI DSS 8.2.8), a working day in all.
const (
	idleTimeout    = 15 * time.Minute
	sessionTimeout = 8 * time.Hour
	requestTimeout = 10 * time.Second
	maxForm        = 16 << 10 // bytes
)

// New returns the console over cfg.
func New(cfg Config) (*Console, error) {
	if cfg.Reader == nil || cfg.Authenticator == nil || cfg.Tokens == nil || cfg.Policy == nil {
		return nil, errors.New("console: Reader, Authenticator, Tokens and Policy are required")
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	p, err := parsePages()
	if err != nil {
		return nil, err
	}
	return &Console{Config: cfg, sessions: newSessions(cfg.Secure), pages: p, attempts: newAttempts()}, nil
}

// handler serves a page, or returns why it cannot.
type handler func(w http.ResponseWriter, r *http.Request, v *visit) error

// Register adds GET of "/" and everything below /console/ to a mux.
func (c *Console) Register(mux *http.ServeMux) {
	mux.Handle("GET /{$}", c.wrap(c.home))
	for _, p := range []struct {
		method, pattern string
		serve           http.Handler
	}{
		{http.MethodPost, "/console/sign-in", c.wrap(c.signIn)},
		{http.MethodPost, "/console/sign-out", c.wrap(c.signOut)},
		{http.MethodGet, "/console/language/{language}", c.wrap(c.language)},
		{http.MethodGet, "/console/customers", c.wrap(c.signedIn(c.list))},
		{http.MethodPost, "/console/search", c.wrap(c.signedIn(c.search))},
		{http.MethodGet, "/console/customers/{id}", c.wrap(c.signedIn(c.customer))},
		{http.MethodPost, "/console/customers/{id}/reveal", c.wrap(c.signedIn(c.reveal))},
		{http.MethodGet, "/console/style.css", http.HandlerFunc(serveAsset)},
		{http.MethodGet, "/console/icon.svg", http.HandlerFunc(serveAsset)},
	} {
		mux.Handle(p.method+" "+p.pattern, p.serve)
		mux.Handle(p.pattern, c.wrap(c.otherMethod(p.method)))
	}
	mux.Handle("/console/", c.wrap(func(http.ResponseWriter, *http.Request, *visit) error { return padron.ErrNotFound }))
}

// otherMethod is the page for a method that the path does not know.
func (c *Console) otherMethod(known string) handler {
	if known == http.MethodGet {
		known = "GET, HEAD"
	}
	return func(w http.ResponseWriter, _ *http.Request, v *visit) error {
		w.Header().Set("Allow", known)
		c.render(w, v, http.StatusMethodNotAllowed, "error", map[string]any{"Status": http.StatusMethodNotAllowed, "Message": ""})
		return nil
	}
}

// visit is what a page knows of the request.
type visit struct {
	Principal padron.Principal
	RequestID string
	Language  string
	// Path is the page's escaped path, for the way back after a change of language.
	Path string
}

func (v *visit) request() reader.Request {
	return reader.Request{Principal: v.Principal, RequestID: v.RequestID}
}

// wrap is what every page passes through: headers, same-origin posts, time and
// size bounds, the session, and the page for errors.
func (c *Console) wrap(h handler) http.Handler {
	page := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		v := &visit{RequestID: rand.Text(), Language: languageOf(r), Path: r.URL.EscapedPath()}
		if err := unpanicked(h, w, r, v); err != nil {
			c.fail(w, v, err) //nolint:contextcheck // what it logs is of no use to a request that ended
		}
	})
	bounded := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), requestTimeout)
		defer cancel()
		r.Body = http.MaxBytesReader(w, r.Body, maxForm)
		setHeaders(w.Header())
		c.sessions.LoadAndSave(page).ServeHTTP(w, r.WithContext(ctx))
	})
	return http.NewCrossOriginProtection().Handler(bounded)
}

// unpanicked runs the handler and turns a panic into an error, which names the
// value by its type alone: it may hold anything.
func unpanicked(h handler, w http.ResponseWriter, r *http.Request, v *visit) (err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = fmt.Errorf("panic: %T", cause)
		}
	}()
	return h(w, r, v)
}

// policyCSP lets a page load its style sheet and send its forms, and nothing
// else.
const policyCSP = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"

func setHeaders(h http.Header) {
	h.Set("Content-Security-Policy", policyCSP)
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
}

// serveAsset serves the file that the route names.
func serveAsset(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "public, max-age=3600")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	http.ServeFileFS(w, r, assets, "assets/"+path.Base(r.URL.Path))
}

var statuses = map[padron.Code]int{
	padron.CodeUnauthenticated: http.StatusUnauthorized,
	padron.CodeForbidden:       http.StatusForbidden,
	padron.CodeNotFound:        http.StatusNotFound,
	padron.CodeInvalid:         http.StatusUnprocessableEntity,
	padron.CodeTooLarge:        http.StatusRequestEntityTooLarge,
	padron.CodeUnavailable:     http.StatusServiceUnavailable,
}

// fail shows an error's public message; its cause goes to the log.
func (c *Console) fail(w http.ResponseWriter, v *visit, err error) {
	status, ok := statuses[padron.ErrorCode(err)]
	message := ""
	if !ok {
		status = http.StatusInternalServerError
	}
	var public *padron.Error
	if errors.As(err, &public) && status < http.StatusInternalServerError {
		message = public.Message
	}
	level := slog.LevelInfo
	if status >= http.StatusInternalServerError {
		level = slog.LevelError
	}
	c.Logger.Log(context.Background(), level, "console", "status", status, "request_id", v.RequestID, "error", err.Error())
	c.render(w, v, status, "error", map[string]any{"Status": status, "Message": message})
}
