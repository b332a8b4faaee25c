package app

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"padron/internal/config"
	"padron/internal/synchronizer"
)

// writeCertificate writes a new self-signed certificate and its key, with a
// modification time of its own.
func writeCertificate(t *testing.T, cfg *config.Config, serial int64) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(serial), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	writePEM(t, cfg.TLSCert, "CERTIFICATE", der)
	writePEM(t, cfg.TLSKey, "PRIVATE KEY", private)
	at := time.Unix(1_700_000_000+serial, 0)
	if err := os.Chtimes(cfg.TLSCert, at, at); err != nil {
		t.Fatal(err)
	}
}

func writePEM(t *testing.T, path, kind string, der []byte) {
	t.Helper()
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
}

func tlsFiles(t *testing.T) *config.Config {
	t.Helper()
	dir := t.TempDir()
	return &config.Config{TLSCert: filepath.Join(dir, "cert.pem"), TLSKey: filepath.Join(dir, "key.pem")}
}

// start serves a handler until stop is called, which waits for the end.
func start(t *testing.T, h http.Handler, conf *tls.Config) (e *Endpoint, stop func() error) {
	t.Helper()
	l, err := Listen(t.Context(), "PADRON_LISTEN", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	e = &Endpoint{Listener: l, Handler: h, TLS: conf}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- Serve(ctx, slog.New(slog.DiscardHandler), e) }()
	return e, func() error {
		cancel()
		return <-done
	}
}

// serial connects and returns the serial number of the certificate served.
func serial(t *testing.T, e *Endpoint, most uint16) (int64, error) {
	t.Helper()
	conn, err := tls.Dial("tcp", e.Listener.Addr().String(), &tls.Config{InsecureSkipVerify: true, MaxVersion: most})
	if err != nil {
		return 0, err
	}
	defer conn.Close()
	return conn.ConnectionState().PeerCertificates[0].SerialNumber.Int64(), nil
}

// TestCertificateIsReloaded: a new certificate is served without a restart, a
// half-written one is not, and nothing below TLS 1.3 gets in.
func TestCertificateIsReloaded(t *testing.T) {
	cfg := tlsFiles(t)
	writeCertificate(t, cfg, 1)
	conf, err := TLSConfig(cfg)
	if err != nil {
		t.Fatal(err)
	}
	e, stop := start(t, http.NotFoundHandler(), conf)
	wantSerial := func(want int64) {
		t.Helper()
		if got, err := serial(t, e, tls.VersionTLS13); err != nil || got != want {
			t.Errorf("certificate %d, %v; want %d", got, err, want)
		}
	}
	wantSerial(1)
	writeCertificate(t, cfg, 2)
	wantSerial(2)
	writePEM(t, cfg.TLSCert, "CERTIFICATE", []byte("half"))
	wantSerial(2)
	writeCertificate(t, cfg, 3)
	wantSerial(3)
	if _, err := serial(t, e, tls.VersionTLS12); err == nil {
		t.Error("TLS 1.2 was accepted")
	}
	if !strings.HasPrefix(e.URL(), "https://127.0.0.1:") {
		t.Errorf("URL %s", e.URL())
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
}

func TestTLSConfigRefusesWhatItCannotServe(t *testing.T) {
	if conf, err := TLSConfig(&config.Config{}); conf != nil || err != nil {
		t.Errorf("no certificate: %v, %v", conf, err)
	}
	cfg := tlsFiles(t)
	if _, err := TLSConfig(cfg); err == nil || !strings.Contains(err.Error(), "PADRON_TLS_CERT") {
		t.Errorf("missing files: %v", err)
	}
}

// TestServeFinishesRequests: a stop lets the request under way finish and takes
// no new one.
func TestServeFinishesRequests(t *testing.T) {
	entered, finish := make(chan struct{}), make(chan struct{})
	e, stop := start(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		close(entered)
		<-finish
		_, _ = io.WriteString(w, "whole")
	}), nil)
	answer := make(chan string, 1)
	go func() {
		resp, err := http.Get(e.URL())
		if err != nil {
			answer <- err.Error()
			return
		}
		defer resp.Body.Close()
		body, _ := io.ReadAll(resp.Body)
		answer <- string(body)
	}()
	<-entered
	stopped := make(chan error, 1)
	go func() { stopped <- stop() }()
	for refused := false; !refused; {
		conn, err := net.Dial("tcp", e.Listener.Addr().String())
		if refused = err != nil; !refused {
			_ = conn.Close()
		}
	}
	close(finish)
	if got := <-answer; got != "whole" {
		t.Errorf("answer %q", got)
	}
	if err := <-stopped; err != nil {
		t.Error(err)
	}
}

func TestURL(t *testing.T) {
	tests := []struct {
		address net.TCPAddr
		want    string
	}{
		{net.TCPAddr{IP: net.IPv4zero, Port: 80}, "http://127.0.0.1:80"},
		{net.TCPAddr{IP: net.IPv6zero, Port: 80}, "http://127.0.0.1:80"},
		{net.TCPAddr{IP: net.IPv6loopback, Port: 80}, "http://[::1]:80"},
		{net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 80}, "http://192.0.2.1:80"},
	}
	for _, tt := range tests {
		if got := (&Endpoint{Listener: listening{addr: &tt.address}}).URL(); got != tt.want {
			t.Errorf("%v: %s, want %s", &tt.address, got, tt.want)
		}
	}
}

// listening is a listener with that address.
type listening struct {
	net.Listener
	addr net.Addr
}

func (l listening) Addr() net.Addr { return l.addr }

func TestListenNamesTheSetting(t *testing.T) {
	e, stop := start(t, http.NotFoundHandler(), nil)
	_, err := Listen(t.Context(), "PADRON_LISTEN", e.Listener.Addr().String())
	if err == nil || !strings.Contains(err.Error(), "PADRON_LISTEN="+e.Listener.Addr().String()) || !strings.Contains(err.Error(), "choose another") {
		t.Error(err)
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
}

func TestAdmin(t *testing.T) {
	health := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "healthy") })
	e, stop := start(t, Admin(health, NewRegistry()), nil)
	for path, want := range map[string]string{
		"/healthz": "healthy", "/readyz": "healthy", "/metrics": "go_goroutines", "/debug/pprof/": "heap",
		"/debug/pprof/cmdline": "", // may hold a password
	} {
		resp, err := http.Get(e.URL() + path)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if ok := resp.StatusCode == http.StatusOK; ok != (want != "") || !strings.Contains(string(body), want) {
			t.Errorf("%s: %d %.80s", path, resp.StatusCode, body)
		}
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
}

// TestProgressLines: without a terminal, one line every three seconds.
func TestProgressLines(t *testing.T) {
	var log bytes.Buffer
	show, done := Progress(io.Discard, false, slog.New(slog.NewTextHandler(&log, nil)))
	for second := range 10 {
		show(synchronizer.Progress{Read: int64(second) * 100, Elapsed: time.Duration(second) * time.Second})
	}
	done()
	if lines := strings.Count(log.String(), "\n"); lines != 3 || !strings.Contains(log.String(), "customers=900 per_second=100 elapsed=9s") {
		t.Errorf("log:\n%s", log.String())
	}
}

// TestProgressBar: on a terminal, the count, and the share where the last run
// says how many there are.
func TestProgressBar(t *testing.T) {
	for expected, want := range map[int64]string{0: "5000", 10_000: "50%"} {
		var screen bytes.Buffer
		show, done := Progress(&screen, true, nil)
		show(synchronizer.Progress{Read: 5000, Elapsed: time.Second, Expected: expected})
		done()
		if !strings.Contains(screen.String(), want) {
			t.Errorf("screen %q, want %q", screen.String(), want)
		}
	}
}
