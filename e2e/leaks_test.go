package e2e

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"padron/internal/provider/providertest"
)

// TestAnswerThatGoesOnIsNotQuoted: what a provider sends beyond the length that it
// announced is customers, which net/http would write to the standard logger.
func TestAnswerThatGoesOnIsNotQuoted(t *testing.T) {
	const canary = "Canary Quoted"
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.Close()
		_, _ = conn.Write([]byte("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 5\r\n\r\n[{\"us" + `er_name":"` + canary + `"}]`))
		_, _ = conn.Read(make([]byte, 1)) // until the other side has seen it
	}))
	defer srv.Close()
	env := []string{"PADRON_PROVIDER_URL=" + srv.URL, "PADRON_PROVIDER_RETRIES=2"}
	got := run(t, t.TempDir(), env, "synchronizer", "run")
	if got.code != 1 || !strings.Contains(got.stderr, "a library's message is withheld") {
		t.Errorf("exit %d: %s", got.code, got.stderr)
	}
	if strings.Contains(got.stderr+got.stdout, canary) {
		t.Errorf("a customer is quoted: %s", got.stderr)
	}
}

// TestTraceSettingsAreNotQuoted: what is wrong with OpenTelemetry's variables is
// told, but not what stands in them, and no run fails for it.
func TestTraceSettingsAreNotQuoted(t *testing.T) {
	_, url := provide(t, providertest.Options{Customers: 10, Seed: 7, Dirty: -1}, nil)
	const secret = "s3cret"
	env := []string{
		"PADRON_PROVIDER_URL=" + url, "OTEL_EXPORTER_OTLP_ENDPOINT=http://collector:" + secret + "@127.0.0.1:1/%zz",
		"OTEL_EXPORTER_OTLP_HEADERS=" + secret, "OTEL_EXPORTER_OTLP_TIMEOUT=100",
	}
	got := mustRun(t, t.TempDir(), env, "synchronizer", "run")
	if strings.Contains(got.stderr, secret) || !strings.Contains(got.stderr, "check the variables OTEL_*") {
		t.Errorf("standard error: %s", got.stderr)
	}
	for line := range strings.Lines(got.stderr) {
		if !strings.HasPrefix(line, "{") {
			t.Errorf("no line of the log: %s", line)
		}
	}
}

// TestTracesOnTheConsole: spans for a person are no part of a command's result.
func TestTracesOnTheConsole(t *testing.T) {
	_, url := provide(t, providertest.Options{Customers: 10, Seed: 8, Dirty: -1}, nil)
	got := mustRun(t, t.TempDir(), []string{"PADRON_PROVIDER_URL=" + url, "OTEL_TRACES_EXPORTER=console"}, "synchronizer", "run", "--json")
	if outcome := decode[map[string]any](t, got.stdout)["outcome"]; outcome != "completed" {
		t.Errorf("outcome %v", outcome)
	}
	if !strings.Contains(got.stderr, `"padron.run_id"`) {
		t.Errorf("no spans: %s", got.stderr)
	}
}

// TestCollectorDoesNotFillTheLog: what a collector answers is repeated in part.
func TestCollectorDoesNotFillTheLog(t *testing.T) {
	_, url := provide(t, providertest.Options{Customers: 10, Seed: 9, Dirty: -1}, nil)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, strings.Repeat("x", 100_000), http.StatusBadRequest)
	}))
	defer srv.Close()
	got := mustRun(t, t.TempDir(), []string{"PADRON_PROVIDER_URL=" + url, "OTEL_EXPORTER_OTLP_ENDPOINT=" + srv.URL}, "synchronizer", "run")
	if len(got.stderr) > 5000 || !strings.Contains(got.stderr, "xxx...") {
		t.Errorf("%d bytes of log", len(got.stderr))
	}
}

// TestWrongTraceSettingsAreListedWithTheOthers: every fault is told at once.
func TestWrongTraceSettingsAreListedWithTheOthers(t *testing.T) {
	got := run(t, t.TempDir(), []string{"OTEL_TRACES_EXPORTER=carrier-pigeon", "PADRON_LOG_LEVEL=loud"}, "synchronizer", "run")
	for _, name := range []string{"OTEL_TRACES_EXPORTER", "PADRON_LOG_LEVEL", "PADRON_PROVIDER_URL"} {
		if !strings.Contains(got.stderr, name) {
			t.Errorf("%s is not told", name)
		}
	}
	if got.code != 2 {
		t.Errorf("exit %d, want 2: %s", got.code, got.stderr)
	}
}
