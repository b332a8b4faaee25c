// Package api is the HTTP API over the register: JSON in and out, problem
// documents (RFC 9457) for errors, bearer tokens (RFC 6750).
//
// Every route stands in one table, routes.go. A request passes the same steps
// on each of them: the principal, its rate, a place among its requests and
// among all in flight, policy, what the client accepts, and then the handler,
// which returns a response or an error. One function writes errors. What a principal reads, or
// tries to read, is on the audit record before it is answered.
package api

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"padron/internal/access"
	"padron/internal/audit"
	"padron/internal/reader"
	"padron/internal/store"
)

// The defaults of [Config].
const (
	DefaultMaxInFlight    = 512
	DefaultRequestTimeout = 10 * time.Second
)

// MaxBody is how large the body of a request may be, in bytes.
const MaxBody = 1 << 20

// Config is what an [API] is made of. Reader, Authenticator, Policy, Audit,
// AuditLog, Runs and Quarantine are required.
type Config struct {
	Reader        *reader.Reader
	Authenticator *access.Authenticator
	Policy        *access.Policy
	// Audit is where accesses go on the record; AuditLog is where the record is
	// read.
	Audit      *audit.Log
	AuditLog   store.Audit
	Runs       store.Runs
	Quarantine store.Quarantine
	// Health are the parts, by name, that /healthz and /readyz ask; Ready are
	// those that /readyz asks besides.
	Health map[string]Check
	Ready  map[string]Check
	// Logger gets the access log and the causes of failures; nil is
	// [slog.Default].
	Logger *slog.Logger
	// RateLimit is how many requests a second each principal may send, with
	// bursts of one second's worth; 0 is no limit.
	RateLimit float64
	// MaxInFlight bounds the requests with a good credential that are served at
	// the same time; 0 is [DefaultMaxInFlight]. One principal has an eighth of
	// it, at least 8.
	MaxInFlight int
	// RequestTimeout bounds one request; 0 is [DefaultRequestTimeout].
	RequestTimeout time.Duration
	// Now is the clock; nil is [time.Now].
	Now func() time.Time
	// Version is the program's version, as /docs shows it.
	Version string
}

// API serves the routes. It is safe for concurrent use.
type API struct {
	Config
	limits   *limits
	shares   *shares
	inFlight chan struct{}
	docs     []byte
}

// New returns the API over cfg, or an error that lists the parts missing.
func New(cfg Config) (*API, error) {
	if err := cfg.missing(); err != nil {
		return nil, err
	}
	cfg.setDefaults()
	docs, err := renderDocs(cfg.Version)
	if err != nil {
		return nil, fmt.Errorf("api: rendering the documentation: %w", err)
	}
	return &API{
		Config:   cfg,
		limits:   newLimits(cfg.RateLimit),
		shares:   newShares(cfg.MaxInFlight),
		inFlight: make(chan struct{}, cfg.MaxInFlight),
		docs:     docs,
	}, nil
}

func (cfg *Config) missing() error {
	parts := []struct {
		name  string
		there bool
	}{
		{"Reader", cfg.Reader != nil}, {"Authenticator", cfg.Authenticator != nil}, {"Policy", cfg.Policy != nil},
		{"Audit", cfg.Audit != nil}, {"AuditLog", cfg.AuditLog != nil},
		{"Runs", cfg.Runs != nil}, {"Quarantine", cfg.Quarantine != nil},
		{"a RateLimit of at least 0", cfg.RateLimit >= 0},
	}
	var errs []error
	for _, p := range parts {
		if !p.there {
			errs = append(errs, fmt.Errorf("api: Config needs %s", p.name))
		}
	}
	return errors.Join(errs...)
}

func (cfg *Config) setDefaults() {
	if cfg.Logger == nil {
		cfg.Logger = slog.Default()
	}
	if cfg.MaxInFlight <= 0 {
		cfg.MaxInFlight = DefaultMaxInFlight
	}
	if cfg.RequestTimeout <= 0 {
		cfg.RequestTimeout = DefaultRequestTimeout
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
}

// Handler serves the API alone; every other path is a 404 problem.
func (a *API) Handler() http.Handler {
	mux := http.NewServeMux()
	a.Register(mux)
	mux.Handle("/", a.NotFound())
	return mux
}

// NotFound answers every request with the problem that there is no such path.
func (a *API) NotFound() http.Handler { return a.endpoint("/", nil) }

// MethodNotAllowed answers every request with the problem that the path, which
// somebody else serves, knows only these methods.
func (a *API) MethodNotAllowed(pattern string, allowed ...string) http.Handler {
	m := methods{}
	for _, method := range allowed {
		m[method] = route{method: method, pattern: pattern, serve: func(*API, *call) (response, error) {
			return response{}, errNoPath // whoever serves it has a pattern with this method
		}}
	}
	return a.endpoint(pattern, m)
}

// Register adds the API's routes to mux, and all of /v1, so that unknown paths
// there are 404 problems. Other paths are left to others.
func (a *API) Register(mux *http.ServeMux) {
	for pattern, methods := range byPattern(routes()) {
		mux.Handle(pattern, a.endpoint(pattern, methods))
	}
	mux.Handle("/v1", a.endpoint("/v1", nil))
	mux.Handle("/v1/", a.endpoint("/v1/", nil))
}
