// Package apptest runs all of padron in a test: a sample provider over HTTP, a
// synchronized register on disk, and customers-mngr over it.
package apptest

import (
	"io"
	"log/slog"
	"net/http/httptest"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"padron"
	"padron/internal/access"
	"padron/internal/app"
	"padron/internal/config"
	"padron/internal/provider/providertest"
)

// Running is a system under test.
type Running struct {
	App      *app.App
	Provider *providertest.Server
	// URL is customers-mngr's.
	URL string
	// Tokens are one for each role.
	Tokens map[padron.Role]string
	// TokenIDs are their ids.
	TokenIDs map[padron.Role]string
	// Log is what customers-mngr logged.
	Log *Log
	// Path is the register's file, where it is SQLite.
	Path string
}

// Start synchronizes customers with the seed and serves them until the test
// ends.
func Start(t testing.TB, customers int, seed uint64) *Running {
	t.Helper()
	r := Unsynced(t, customers, seed)
	r.Sync(t)
	r.serve(t)
	return r
}

// Unsynced is a provider with so many customers and an empty register, which
// nobody serves.
func Unsynced(t testing.TB, customers int, seed uint64) *Running {
	t.Helper()
	path := filepath.Join(t.TempDir(), "padron.db")
	r := UnsyncedIn(t, "sqlite:"+path, customers, seed)
	r.Path = path
	return r
}

// UnsyncedIn is the same with the register at an address, as PADRON_DB has it.
func UnsyncedIn(t testing.TB, db string, customers int, seed uint64) *Running {
	t.Helper()
	r := &Running{Tokens: map[padron.Role]string{}, TokenIDs: map[padron.Role]string{}, Log: &Log{}}
	var err error
	if r.Provider, err = providertest.New(providertest.Options{Customers: customers, Seed: seed, Dirty: -1}); err != nil {
		t.Fatal(err)
	}
	source := httptest.NewServer(r.Provider)
	t.Cleanup(source.Close)
	r.open(t, db, source.URL+providertest.CollectionPath)
	return r
}

func (r *Running) serve(t testing.TB) {
	t.Helper()
	web, err := r.App.Web(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = web.Close() })
	srv := httptest.NewServer(web.Handler)
	t.Cleanup(srv.Close)
	r.URL = srv.URL
	for _, role := range padron.Roles() {
		r.Tokens[role], r.TokenIDs[role] = r.Token(t, role)
	}
}

func (r *Running) open(t testing.TB, db, source string) {
	t.Helper()
	env := map[string]string{
		"PADRON_DB": db, "PADRON_KEYS": "file:" + filepath.Join(t.TempDir(), "keys.json"),
		"PADRON_PROVIDER_URL": source,
	}
	cfg, err := config.Load(func(string) (string, bool) { return "", false }, env)
	if err != nil {
		t.Fatal(err)
	}
	logger := slog.New(slog.NewJSONHandler(r.Log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	if r.App, err = app.Open(t.Context(), cfg, logger); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.App.Close() })
}

// Sync does one run.
func (r *Running) Sync(t testing.TB) padron.Run {
	t.Helper()
	run, err := r.App.Sync(t.Context(), app.SyncOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return run
}

// Token makes a token of a role, good for an hour.
func (r *Running) Token(t testing.TB, role padron.Role) (secret, id string) {
	t.Helper()
	secret, token, err := access.NewToken(role, "test-"+string(role), time.Now(), time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.App.Store.AddToken(t.Context(), token); err != nil {
		t.Fatal(err)
	}
	return secret, token.ID
}

// Log is a log that tests read.
type Log struct {
	mu   sync.Mutex
	text []byte
}

var _ io.Writer = (*Log)(nil)

// Write adds to the log.
func (l *Log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.text = append(l.text, p...)
	return len(p), nil
}

// String returns all that was logged.
func (l *Log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return string(l.text)
}
