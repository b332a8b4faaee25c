package api

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/go-json-experiment/json"

	"padron"
	"padron/internal/reader/readertest"
)

// server is the API over real HTTP, a real register and real keys. Every answer
// it gives to a test is held against the OpenAPI document.
type server struct {
	t      testing.TB
	reg    *readertest.Register
	http   *httptest.Server
	mux    *http.ServeMux
	doc    specDocument
	tokens map[padron.Role]string
	log    *logBuffer
}

// logBuffer is a log that a test reads while the server writes it.
type logBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func newServer(t testing.TB, change ...func(*readertest.Register, *Config)) *server {
	t.Helper()
	reg := readertest.New(t)
	s := &server{t: t, reg: reg, mux: http.NewServeMux(), doc: loadDocument(t), tokens: map[padron.Role]string{}, log: &logBuffer{}}
	cfg := Config{
		Reader: reg.Reader, Authenticator: reg.Authenticator, Policy: reg.Policy, Audit: reg.Audit, AuditLog: reg.Store,
		Runs: reg.Store, Quarantine: reg.Store, Version: "v0.0.0-test",
		Health: map[string]Check{"database": reg.Store.Ping},
		Logger: slog.New(slog.NewJSONHandler(s.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
	for _, f := range change {
		f(reg, &cfg)
	}
	api, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	for _, role := range padron.Roles() {
		s.tokens[role] = reg.Token(t, role)
	}
	api.Register(s.mux)
	s.http = httptest.NewServer(api.Handler())
	t.Cleanup(s.http.Close)
	return s
}

// answer is what came back.
type answer struct {
	status int
	header http.Header
	body   string
}

// send sends a request as the role ("" for none). Headers are name and value in
// turn; an empty value removes the header.
func (s *server) send(role padron.Role, method, path, body string, headers ...string) answer {
	s.t.Helper()
	req, err := http.NewRequestWithContext(context.Background(), method, s.http.URL+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	if role != "" {
		req.Header.Set("Authorization", "Bearer "+s.tokens[role])
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
		if headers[i+1] == "" {
			req.Header.Del(headers[i])
		}
	}
	resp, err := s.http.Client().Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	return s.read(resp)
}

func (s *server) read(resp *http.Response) answer {
	s.t.Helper()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	if err := resp.Body.Close(); err != nil {
		s.t.Fatal(err)
	}
	a := answer{resp.StatusCode, resp.Header, string(data)}
	_, pattern := s.mux.Handler(resp.Request)
	if pattern == searchPattern && resp.Request.Method != http.MethodPost {
		pattern = customerPattern // of a customer with the id "search"
	}
	if resp.Request.Method != http.MethodHead {
		if err := s.doc.check(resp.Request.Method, pattern, resp, data); err != nil {
			s.t.Errorf("%s %s %d is not as documented: %v", resp.Request.Method, pattern, a.status, err)
		}
	}
	if strings.HasPrefix(pattern, "/v1") && a.header.Get("Cache-Control") != "no-store" {
		s.t.Errorf("%s: Cache-Control %q", pattern, a.header.Get("Cache-Control"))
	}
	return a
}

func (s *server) get(role padron.Role, path string, headers ...string) answer {
	s.t.Helper()
	return s.send(role, http.MethodGet, path, "", headers...)
}

func (s *server) post(role padron.Role, path, body string, headers ...string) answer {
	s.t.Helper()
	return s.send(role, http.MethodPost, path, body, headers...)
}

// decode reads the body into v.
func (a answer) decode(t testing.TB, v any) {
	t.Helper()
	if err := json.Unmarshal([]byte(a.body), v); err != nil {
		t.Fatalf("%d %s: %v", a.status, a.body, err)
	}
}

// ids returns the ids of a page and its token.
func (a answer) ids(t testing.TB) (ids []padron.CustomerID, next string) {
	t.Helper()
	var page struct {
		Customers []struct {
			ID padron.CustomerID `json:"id"`
		} `json:"customers"`
		Next string `json:"next_page_token"`
	}
	a.decode(t, &page)
	for _, c := range page.Customers {
		ids = append(ids, c.ID)
	}
	return ids, page.Next
}

// problem reads the body as a problem, whose status must be the answer's.
func (a answer) problem(t testing.TB) problem {
	t.Helper()
	var p problem
	a.decode(t, &p)
	if p.Status != a.status || a.header.Get("Content-Type") != "application/problem+json" || p.RequestID != a.header.Get("X-Request-Id") {
		t.Errorf("problem %+v does not fit status %d, type %s, id %s", p, a.status, a.header.Get("Content-Type"), a.header.Get("X-Request-Id"))
	}
	return p
}

// lastAudit returns the latest audit entry.
func (s *server) lastAudit() padron.AuditEntry {
	s.t.Helper()
	entries := s.reg.Entries(s.t)
	if len(entries) == 0 {
		return padron.AuditEntry{}
	}
	return entries[len(entries)-1]
}
