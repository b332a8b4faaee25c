package e2e

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"padron/internal/store/mysqltest"
)

// privateName is what the service is called in the tests' private zone.
const privateName = "padron.corp.internal"

// certified writes a server's certificate for the private name and localhost,
// its key and the authority's certificate, and returns the files' paths.
func certified(t *testing.T) (cert, key, ca string) {
	t.Helper()
	authorityKey, serverKey := mustKey(t), mustKey(t)
	authority := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Corp CA"}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(90 * 24 * time.Hour),
	}
	server := &x509.Certificate{
		SerialNumber: big.NewInt(2), DNSNames: []string{privateName, "localhost"}, NotBefore: authority.NotBefore, NotAfter: authority.NotAfter,
	}
	dir := t.TempDir()
	file := func(name, kind string, der []byte, err error) string {
		t.Helper()
		path := filepath.Join(dir, name)
		if err == nil {
			err = os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
		return path
	}
	caDER, err := x509.CreateCertificate(rand.Reader, authority, authority, &authorityKey.PublicKey, authorityKey)
	ca = file("ca.pem", "CERTIFICATE", caDER, err)
	certDER, err := x509.CreateCertificate(rand.Reader, server, authority, &serverKey.PublicKey, authorityKey)
	cert = file("cert.pem", "CERTIFICATE", certDER, err)
	keyDER, err := x509.MarshalPKCS8PrivateKey(serverKey)
	return cert, file("key.pem", "PRIVATE KEY", keyDER, err), ca
}

func mustKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// checks are what `padron check --json` prints.
type checks struct {
	Checks []struct{ Check, Outcome, Detail string }
}

// failed are the names of the checks that failed, and of those that were
// skipped.
func (c checks) failed() (failed, skipped string) {
	for _, one := range c.Checks {
		switch one.Outcome {
		case "failed":
			failed += one.Check + ";"
		case "skipped":
			skipped += one.Check + ";"
		}
	}
	return failed, skipped
}

// TestCheck looks at a served register by a private name, as from a bastion: in
// a container whose hosts file is the private zone.
func TestCheck(t *testing.T) {
	cert, key, ca := certified(t)
	dir := t.TempDir()
	p := start(t, dir, []string{"PADRON_TLS_CERT=" + cert, "PADRON_TLS_KEY=" + key}, "padron", "up", "--json", "--customers", "50", "--listen", "127.0.0.1:0")
	up := decode[struct {
		API    string
		Tokens map[string]string
	}](t, p.line(t))
	api, err := url.Parse(up.API)
	if err != nil {
		t.Fatal(err)
	}
	authority, err := os.ReadFile(ca)
	if err != nil {
		t.Fatal(err)
	}
	bastion := newContainer(t, map[string]string{
		"ca.pem": string(authority), "etc/hosts": "127.0.0.1 " + privateName + "\n",
		"dev.json":   `{"version":"dev","applied":"2026-01-01T00:00:00Z"}`,
		"later.json": `{"version":"9.9.9","applied":"2126-01-01T00:00:00Z"}`, // no run since
	})
	at := "https://" + privateName + ":" + api.Port()
	trusting := []string{"SSL_CERT_FILE=/ca.pem", "PADRON_CHECK_TOKENS=" + jsonOf(t, up.Tokens)}
	closed := freeAddress(t)

	r := bastion.run(t, trusting, "padron", "check", at, "--database", closed, "--release", "/dev.json", "--json")
	if failed, skipped := decode[checks](t, r.stdout).failed(); r.code != 0 || failed+skipped != "" {
		t.Errorf("a healthy service: exit %d, failed %q, skipped %q\n%s", r.code, failed, skipped, r.stdout)
	}
	r = bastion.run(t, trusting[:1], "padron", "check", at)
	if r.code != 0 || !strings.Contains(r.stdout, "CHECK") || !strings.Contains(r.stdout, "no token was given") {
		t.Errorf("without tokens: exit %d\n%s", r.code, r.stdout)
	}
	for want, c := range map[string]struct {
		env  []string
		args []string
	}{
		"tls;health;ready;closed;": {nil, []string{at}},
		"database;":                {trusting[:1], []string{at, "--database", mysqltest.Shared(t).Addr()}},
		"last run;version of the synchronizer;version;": {trusting, []string{at, "--release", "9.9.9", "--max-age", "1ns"}},
		"version;": {trusting, []string{at, "--release", "/later.json"}},
	} {
		r := bastion.run(t, c.env, "padron", append([]string{"check", "--json"}, c.args...)...)
		if failed, _ := decode[checks](t, r.stdout).failed(); r.code != 1 || failed != want || !strings.Contains(r.stderr, "checks failed") {
			t.Errorf("%v: exit %d, failed %q, want %q\n%s%s", c.args, r.code, failed, want, r.stdout, r.stderr)
		}
	}
	for _, file := range []string{"/none.json", "/ca.pem"} {
		if r := bastion.run(t, trusting, "padron", "check", at, "--release", file); r.code != 2 || !strings.Contains(r.stderr, "--release") {
			t.Errorf("--release %s: exit %d, want 2\n%s", file, r.code, r.stderr)
		}
	}
	checkTokenFiles(t, dir, ca, "https://localhost:"+api.Port(), up.Tokens)
	checkDrafted(t, dir, ca, "https://localhost:"+api.Port(), closed)
}

// checkDrafted makes the check with tokens as the pipeline does: drafted in one
// place, registered by their hashes in another.
func checkDrafted(t *testing.T, dir, ca, at, closed string) {
	t.Helper()
	file := filepath.Join(dir, "drafted.json")
	said := mustRun(t, dir, nil, "padron", "token", "draft-check", "--to", file)
	lines := decode[struct{ Registrations []string }](t, said.stdout).Registrations
	args := []string{"check", at, "--tokens", file, "--database", closed, "--release", "dev", "--json"}
	trusting := []string{"SSL_CERT_FILE=" + ca}
	r := run(t, dir, trusting, "padron", args...)
	if failed, _ := decode[checks](t, r.stdout).failed(); r.code != 1 || !strings.Contains(failed, "role admin;") {
		t.Errorf("before they are registered: exit %d, failed %q", r.code, failed)
	}
	registered := mustRun(t, dir, nil, "padron", append([]string{"token", "register", "--check", "--"}, lines...)...)
	r = run(t, dir, trusting, "padron", args...)
	if failed, skipped := decode[checks](t, r.stdout).failed(); r.code != 0 || failed+skipped != "" {
		t.Errorf("drafted and registered: exit %d, failed %q, skipped %q\n%s", r.code, failed, skipped, r.stdout)
	}
	tokens, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for role, token := range decode[map[string]string](t, string(tokens)) {
		if strings.Contains(said.stdout+said.stderr+registered.stdout+registered.stderr+r.stdout+r.stderr, token) {
			t.Errorf("the token of %s was printed", role)
		}
	}
}

// checkTokenFiles gives tokens by a file, which must be private.
func checkTokenFiles(t *testing.T, dir, ca, at string, tokens map[string]string) {
	t.Helper()
	file := filepath.Join(dir, "tokens.json")
	for _, c := range []struct {
		content string
		mode    os.FileMode
		code    int
		want    string
	}{
		{jsonOf(t, tokens), 0o600, 0, ""},
		{jsonOf(t, tokens), 0o644, 2, "chmod 0600"},
		{`{"root":"x"}`, 0o600, 2, "names a role that there is not"},
		{"x", 0o600, 2, "not JSON"},
	} {
		if err := os.WriteFile(file, []byte(c.content), c.mode); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(file, c.mode); err != nil {
			t.Fatal(err)
		}
		for _, given := range [][]string{{"--tokens", file}, nil} {
			env := []string{"SSL_CERT_FILE=" + ca}
			if given == nil {
				env = append(env, "PADRON_CHECK_TOKENS="+file)
			}
			r := run(t, dir, env, "padron", append([]string{"check", at}, given...)...)
			if r.code != c.code || !strings.Contains(r.stderr, c.want) || strings.Contains(r.stdout+r.stderr, tokens["admin"]) {
				t.Errorf("tokens in a file of mode %04o: exit %d, want %d\n%s%s", c.mode, r.code, c.code, r.stdout, r.stderr)
			}
		}
	}
}
