package app

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"padron/internal/config"
)

var healthy = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path != "/healthz" {
		w.WriteHeader(http.StatusNotFound)
	}
})

// TestEphemeralCertificate: P-256, for this machine, another one each time, and
// TLS 1.3 alone.
func TestEphemeralCertificate(t *testing.T) {
	var serials []string
	for range 2 {
		conf, err := TLSConfig(&config.Config{TLSCert: config.TLSAuto})
		if err != nil {
			t.Fatal(err)
		}
		e, stop := start(t, healthy, conf)
		conn, err := tls.Dial("tcp", e.Listener.Addr().String(), &tls.Config{InsecureSkipVerify: true})
		if err != nil {
			t.Fatal(err)
		}
		state := conn.ConnectionState()
		_ = conn.Close()
		c := state.PeerCertificates[0]
		key, ok := c.PublicKey.(*ecdsa.PublicKey)
		if !ok || key.Curve != elliptic.P256() || c.IsCA || time.Until(c.NotAfter) < 300*24*time.Hour || state.Version != tls.VersionTLS13 {
			t.Errorf("certificate %v until %v, CA %t, TLS %x", c.PublicKeyAlgorithm, c.NotAfter, c.IsCA, state.Version)
		}
		for _, host := range []string{"127.0.0.1", "localhost", "::1"} {
			if err := c.VerifyHostname(host); err != nil {
				t.Error(err)
			}
		}
		serials = append(serials, c.SerialNumber.String())
		if _, err := tls.Dial("tcp", e.Listener.Addr().String(), &tls.Config{InsecureSkipVerify: true, MaxVersion: tls.VersionTLS12}); err == nil {
			t.Error("TLS 1.2 is accepted")
		}
		roots := x509.NewCertPool()
		if _, err := tls.Dial("tcp", e.Listener.Addr().String(), &tls.Config{RootCAs: roots}); err == nil {
			t.Error("somebody verifies it")
		}
		if err := stop(); err != nil {
			t.Error(err)
		}
	}
	if serials[0] == serials[1] {
		t.Error("two starts share a certificate")
	}
}

// TestAdminTLS: what other machines can reach is encrypted where anything is.
func TestAdminTLS(t *testing.T) {
	for address, want := range map[string]bool{"127.0.0.1:9090": false, "[::1]:9090": false, "localhost:9090": false, "0.0.0.0:9090": true, ":9090": true} {
		conf, err := AdminTLS(&config.Config{TLSCert: config.TLSAuto, AdminListen: address})
		if err != nil || (conf != nil) != want {
			t.Errorf("%s: TLS %t, want %t (%v)", address, conf != nil, want, err)
		}
	}
	if conf, err := AdminTLS(&config.Config{AdminListen: "0.0.0.0:9090"}); conf != nil || err != nil {
		t.Errorf("without a certificate: %v", err)
	}
}

func TestHealthCheck(t *testing.T) {
	conf, err := TLSConfig(&config.Config{TLSCert: config.TLSAuto})
	if err != nil {
		t.Fatal(err)
	}
	encrypted, stopEncrypted := start(t, healthy, conf)
	plain, stopPlain := start(t, healthy, nil)
	ill, stopIll := start(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) }), nil)
	port := func(e *Endpoint) string {
		_, port, _ := net.SplitHostPort(e.Listener.Addr().String())
		return port
	}
	for name, c := range map[string]struct {
		address string
		tls     bool
		want    string
	}{
		"encrypted":          {"127.0.0.1:" + port(encrypted), true, ""},
		"on every address":   {"0.0.0.0:" + port(encrypted), true, ""},
		"on every address 6": {":" + port(encrypted), true, ""},
		"plain":              {"127.0.0.1:" + port(plain), false, ""},
		"ill":                {"127.0.0.1:" + port(ill), false, "503"},
		"plain, not TLS":     {"127.0.0.1:" + port(plain), true, "not healthy"},
		"nobody":             {"127.0.0.1:1", true, "not healthy"},
		"elsewhere":          {"10.0.0.1:8443", true, "cannot be checked from here"},
		"any port":           {"127.0.0.1:0", true, "cannot be checked from here"},
	} {
		err := HealthCheck(t.Context(), c.address, c.tls)
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if HealthCheck(ctx, plain.Listener.Addr().String(), false) == nil {
		t.Error("a check that was called off is well")
	}
	for _, stop := range []func() error{stopEncrypted, stopPlain, stopIll} {
		if err := stop(); err != nil {
			t.Error(err)
		}
	}
}
