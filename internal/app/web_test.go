package app_test

import (
	"database/sql"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"padron"
	"padron/internal/app"
	"padron/internal/app/apptest"
)

// get sends a request and returns the answer and its body.
func get(t *testing.T, r *apptest.Running, method, path string) (*http.Response, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, r.URL+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+r.Tokens[padron.RoleViewer])
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(body)
}

// TestNotReadyWithoutAudit: while nothing can be put on the record nobody is
// sent here, and the process is not restarted for it.
func TestNotReadyWithoutAudit(t *testing.T) {
	r := apptest.Start(t, 1, 1)
	want := func(path string, status int, names string) {
		t.Helper()
		if resp, body := get(t, r, http.MethodGet, path); resp.StatusCode != status || !strings.Contains(body, names) {
			t.Errorf("%s: %d %s, want %d %s", path, resp.StatusCode, body, status, names)
		}
	}
	want("/v1/me", http.StatusOK, "viewer")
	want("/readyz", http.StatusOK, "ok")
	db, err := sql.Open("sqlite", "file:"+r.Path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.ExecContext(t.Context(), "CREATE TRIGGER full BEFORE INSERT ON audit BEGIN SELECT raise(FAIL, 'disk full'); END"); err != nil {
		t.Fatal(err)
	}
	want("/v1/me", http.StatusServiceUnavailable, "unavailable")
	want("/readyz", http.StatusServiceUnavailable, "audit")
	want("/healthz", http.StatusOK, "ok")
}

// TestWhatNobodyServes is a problem document.
func TestWhatNobodyServes(t *testing.T) {
	r := apptest.Start(t, 1, 1)
	tests := []struct {
		method, path string
		status       int
		allow        string
	}{
		{"GET", "/V1/customers", 404, ""},
		{"GET", "/favicon.ico", 404, ""},
		{"POST", "/nothing", 404, ""},
		{"POST", "/", 405, "GET, HEAD"},
		{"DELETE", "/healthz", 405, "GET, HEAD"},
		{"PUT", "/docs", 405, "GET, HEAD"},
		{"PATCH", "/v1/customers/search", 405, "GET, HEAD, POST"},
	}
	for _, tt := range tests {
		resp, body := get(t, r, tt.method, tt.path)
		var problem struct{ Status int }
		if err := json.Unmarshal([]byte(body), &problem); err != nil || problem.Status != tt.status || resp.StatusCode != tt.status ||
			resp.Header.Get("Content-Type") != "application/problem+json" || resp.Header.Get("Allow") != tt.allow {
			t.Errorf("%s %s: %d %v %s", tt.method, tt.path, resp.StatusCode, resp.Header, body)
		}
	}
}

// TestNoNewKeyForOldData: a register that holds data keys wants the key file
// they belong to, and nothing makes another one.
func TestNoNewKeyForOldData(t *testing.T) {
	r := apptest.Start(t, 3, 1)
	if err := os.Remove(r.App.Config.Keys.File); err != nil {
		t.Fatal(err)
	}
	for name, do := range map[string]func() error{
		"serve":   func() error { _, err := r.App.Web(t.Context()); return err },
		"run":     func() error { _, err := r.App.Sync(t.Context(), app.SyncOptions{}); return err },
		"dry run": func() error { _, err := r.App.Sync(t.Context(), app.SyncOptions{DryRun: true}); return err },
		"replay":  func() error { _, err := r.App.Replay(t.Context(), nil); return err },
	} {
		err := do()
		if padron.ErrorCode(err) != padron.CodeUnavailable || !strings.Contains(err.Error(), "restore the key file") {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := os.Stat(r.App.Config.Keys.File); err == nil {
			t.Fatalf("%s made a new key", name)
		}
	}
}

// TestOpenExistingMakesNothing where there is no register.
func TestOpenExistingMakesNothing(t *testing.T) {
	r := apptest.Unsynced(t, 0, 1)
	opened, err := app.OpenExisting(t.Context(), r.App.Config, r.App.Logger)
	if err != nil {
		t.Fatal(err)
	}
	_ = opened.Close()

	dir := t.TempDir()
	empty, none := filepath.Join(dir, "empty.db"), filepath.Join(dir, "no", "padron.db")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{empty, none} {
		cfg := *r.App.Config
		cfg.DB.Path = path
		_, err := app.OpenExisting(t.Context(), &cfg, r.App.Logger)
		if err == nil || !strings.Contains(err.Error(), "there is no register at "+path) || !strings.Contains(err.Error(), "PADRON_DB") {
			t.Errorf("%s: %v", path, err)
		}
	}
	if files, _ := filepath.Glob(filepath.Join(dir, "*")); len(files) != 1 {
		t.Errorf("made: %v", files)
	}
}
