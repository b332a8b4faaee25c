package check_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"padron"
	"padron/internal/access"
	"padron/internal/app/apptest"
	"padron/internal/buildinfo"
	"padron/internal/check"
)

const name = "padron.corp.example"

// authority signs what the tests serve; the system's roots are made of it.
var authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "padron-check-")
	if err != nil {
		panic(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Corp CA"}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
	}
	der, key := sign(template, template, nil)
	if authority.cert, err = x509.ParseCertificate(der); err != nil {
		panic(err)
	}
	authority.key = key
	file := filepath.Join(dir, "ca.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		panic(err)
	}
	_ = os.Setenv("SSL_CERT_FILE", file) // before anybody asks for the system's roots
	code := m.Run()
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

// sign returns a certificate for a fresh key; without a signer it signs itself.
func sign(template, parent *x509.Certificate, signer *ecdsa.PrivateKey) ([]byte, *ecdsa.PrivateKey) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	if signer == nil {
		signer = key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, signer)
	if err != nil {
		panic(err)
	}
	return der, key
}

// certificate is the server's: for a name, good for so long, by the authority or
// by nobody.
func certificate(host string, life time.Duration, trusted bool) tls.Certificate {
	template := &x509.Certificate{
		SerialNumber: big.NewInt(2), DNSNames: []string{host}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(life),
	}
	if !trusted {
		der, key := sign(template, template, nil)
		return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
	}
	der, key := sign(template, authority.cert, authority.key)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// service is padron behind a load balancer that a test may break.
type service struct {
	conf *tls.Config
	// request and answer may be changed on the way.
	request func(*http.Request)
	answer  func(r *http.Response, body []byte) []byte
	options check.Options
}

// serve puts the load balancer before a running padron and fills the options.
func serve(t *testing.T, r *apptest.Running, s *service) {
	t.Helper()
	upstream, err := url.Parse(r.URL)
	if err != nil {
		t.Fatal(err)
	}
	proxy := httputil.NewSingleHostReverseProxy(upstream)
	proxy.ModifyResponse = func(resp *http.Response) error {
		if s.answer == nil {
			return nil
		}
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			return err
		}
		body = s.answer(resp, body)
		resp.Body = io.NopCloser(bytes.NewReader(body))
		resp.Header.Set("Content-Length", strconv.Itoa(len(body)))
		return nil
	}
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if s.request != nil {
			s.request(req)
		}
		proxy.ServeHTTP(w, req)
	}))
	srv.Config.ErrorLog = log.New(io.Discard, "", 0) // broken handshakes are what is tested
	srv.TLS = s.conf
	srv.StartTLS()
	t.Cleanup(srv.Close)
	_, port, err := net.SplitHostPort(srv.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	if s.options.URL == "" {
		s.options.URL = "https://" + name + ":" + port
	}
}

// healthy is a service that passes every check.
func healthy(t *testing.T, r *apptest.Running) *service {
	t.Helper()
	tokens := map[padron.Role]padron.Sensitive{}
	for role, token := range r.Tokens {
		tokens[role] = padron.Sensitive(token)
	}
	return &service{
		conf: &tls.Config{Certificates: []tls.Certificate{certificate(name, 90*24*time.Hour, true)}, MinVersion: tls.VersionTLS13},
		options: check.Options{
			Tokens: tokens, Database: closedPort(t), Release: buildinfo.Version, MaxAge: time.Hour,
			Resolve: func(context.Context, string) ([]netip.Addr, error) {
				return []netip.Addr{netip.MustParseAddr("127.0.0.1")}, nil
			},
		},
	}
}

func closedPort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func run(t *testing.T, o check.Options) map[string]check.Result {
	t.Helper()
	results, err := check.Run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]check.Result{}
	for _, r := range results {
		out[r.Check] = r
	}
	return out
}

func TestHealthyService(t *testing.T) {
	r := apptest.Start(t, 20, 1)
	s := healthy(t, r)
	serve(t, r, s)
	results, err := check.Run(t.Context(), s.options)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, r := range results {
		names = append(names, r.Check)
		if r.Outcome != check.Passed {
			t.Errorf("%s %s: %s", r.Check, r.Outcome, r.Detail)
		}
	}
	want := []string{
		"name", "reachable", "tls", "health", "ready", "closed", "role viewer", "role analyst", "role admin", "role operator", "role auditor", "role privacy",
		"last run", "provider", "version of the synchronizer", "version", "database",
	}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Error(diff)
	}
	if detail := results[13].Detail; !strings.Contains(detail, "gave the synchronizer 20 customers") {
		t.Errorf("the provider: %s", detail)
	}
	if detail := fmt.Sprint(results[0].Detail, results[2].Detail); !strings.Contains(detail, "127.0.0.1") || !strings.Contains(detail, `"Corp CA"`) {
		t.Errorf("seen: %s", detail)
	}
}

// TestNothingGiven: without tokens and the database's address, what can be seen
// is checked and the rest is said to be skipped.
func TestNothingGiven(t *testing.T) {
	r := apptest.Start(t, 3, 1)
	s := healthy(t, r)
	s.options.Tokens, s.options.Database = nil, ""
	serve(t, r, s)
	for name, result := range run(t, s.options) {
		want := check.Passed
		if strings.HasPrefix(name, "role ") || name == "last run" || name == "provider" || strings.HasPrefix(name, "version") || name == "database" {
			want = check.Skipped
		}
		if result.Outcome != want {
			t.Errorf("%s %s, want %s: %s", name, result.Outcome, want, result.Detail)
		}
		if (result.Outcome == check.Skipped) != (result.Reason == check.NotGiven) {
			t.Errorf("%s is %s for the reason %q", name, result.Outcome, result.Reason)
		}
	}
}

// onPath changes the answers to one path, for one role's token where it is given.
func onPath(token, path string, change func(r *http.Response, body []byte) []byte) func(*http.Response, []byte) []byte {
	return func(r *http.Response, body []byte) []byte {
		if r.Request.URL.Path == path && (token == "" || r.Request.Header.Get("Authorization") == "Bearer "+token) {
			return change(r, body)
		}
		return body
	}
}

func status(code int) func(*http.Response, []byte) []byte {
	return func(r *http.Response, body []byte) []byte { r.StatusCode = code; return body }
}

func replace(old, with string) func(*http.Response, []byte) []byte {
	return func(_ *http.Response, body []byte) []byte { return bytes.Replace(body, []byte(old), []byte(with), 1) }
}

// TestFaults: what is wrong is found, by the check that is for it.
func TestFaults(t *testing.T) {
	r := apptest.Start(t, 20, 1)
	open, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer open.Close()
	_, port, err := net.SplitHostPort(open.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	viewer, analyst, operator := r.Tokens[padron.RoleViewer], r.Tokens[padron.RoleAnalyst], r.Tokens[padron.RoleOperator]
	resolve := func(addrs ...string) func(*service) {
		return func(s *service) {
			s.options.Resolve = func(context.Context, string) ([]netip.Addr, error) {
				var out []netip.Addr
				for _, a := range addrs {
					out = append(out, netip.MustParseAddr(a))
				}
				return out, nil
			}
		}
	}
	withCertificate := func(host string, life time.Duration, trusted bool) func(*service) {
		return func(s *service) { s.conf.Certificates = []tls.Certificate{certificate(host, life, trusted)} }
	}
	answer := func(f func(*http.Response, []byte) []byte) func(*service) { return func(s *service) { s.answer = f } }
	for title, c := range map[string]struct {
		spoil       func(*service)
		check, want string
	}{
		"a public address":        {resolve("127.0.0.1", "203.0.113.7"), "name", "203.0.113.7, which is no private address"},
		"nobody listens":          {func(s *service) { s.options.URL = "https://" + name + ":" + strings.Split(closedPort(t), ":")[1] }, "reachable", "takes no connection"},
		"no address":              {resolve(), "name", "does not resolve"},
		"expiring":                {withCertificate(name, 24*time.Hour, true), "tls", "expires on"},
		"expired":                 {withCertificate(name, -time.Minute, true), "tls", "not trusted"},
		"another name's":          {withCertificate("other.example", 90*24*time.Hour, true), "tls", "for another name"},
		"nobody's":                {withCertificate(name, 90*24*time.Hour, false), "tls", "not trusted"},
		"TLS 1.2 as well":         {func(s *service) { s.conf.MinVersion = tls.VersionTLS12 }, "tls", "TLS 1.2 is accepted as well"},
		"TLS 1.2 alone":           {func(s *service) { s.conf.MinVersion, s.conf.MaxVersion = tls.VersionTLS12, tls.VersionTLS12 }, "tls", "no TLS 1.3"},
		"no TLS":                  {func(s *service) { s.options.URL = r.URL }, "tls", "not https"},
		"ill":                     {answer(onPath("", "/healthz", status(503))), "health", "answers 503"},
		"not ready":               {answer(onPath("", "/readyz", status(503))), "ready", "answers 503"},
		"open to strangers":       {answer(onPath("", "/v1/customers", status(200))), "closed", "GET /v1/customers answers 200, want 401"},
		"an invented token":       {func(s *service) { s.request = credit("not-a-token", viewer) }, "closed", "want 401"},
		"a field too many":        {answer(onPath(viewer, "/v1/customers", replace(`"avatar_url"`, `"zip_code":"1","avatar_url"`))), "role viewer", "a customer has the fields"},
		"a field too few":         {answer(onPath(analyst, "/v1/customers", replace(`"car_type"`, `"car"`))), "role analyst", "a customer has the fields"},
		"a number in full":        {answer(onPath(analyst, "/v1/customers", replace(`**** **** **** `, `4111 1111 1111 `))), "role analyst", "shows more than 4 digits"},
		"a field not refused":     {func(s *service) { s.request = dropQuery("fields=card_number") }, "role viewer", "fields=card_number answers 200, want 403"},
		"another role's token":    {func(s *service) { s.options.Tokens[padron.RoleViewer] = padron.Sensitive(analyst) }, "role viewer", `of the role "analyst"`},
		"a role that may more":    {func(s *service) { s.request = credit(operator, r.Tokens[padron.RoleAuditor], "/v1/audit") }, "role operator", "GET /v1/audit?page_size=1 answers 200, want 403"},
		"an expired token":        {func(s *service) { s.options.Tokens[padron.RoleAdmin] = "expired" }, "role admin", "/v1/me answers 401"},
		"an old run":              {func(s *service) { s.options.MaxAge = -time.Second }, "last run", "want one that completed"},
		"a failed run":            {answer(onPath("", "/v1/runs", replace(`"completed"`, `"failed"`))), "last run", "failed, began"},
		"no run":                  {answer(onPath(operator, "/v1/runs", func(*http.Response, []byte) []byte { return []byte(`{"runs":[]}`) })), "last run", "there is none"},
		"a provider away":         {answer(onPath(operator, "/v1/runs", failedFirst)), "provider", "the last 1 of 2 runs read nothing: the provider does not answer"},
		"a synchronizer of old":   {answer(onPath(operator, "/v1/runs", replace(`"version":"`, `"version":"0.`))), "version of the synchronizer", "the last run was by 0." + buildinfo.Version},
		"another version":         {func(s *service) { s.options.Release = "1.2.3" }, "version", "is running, want 1.2.3"},
		"two versions":            {answer(onPath(viewer, "/v1/me", replace(`"version":"`, `"version":"0.`))), "version", "is a deployment under way?"},
		"a database in the open":  {func(s *service) { s.options.Database = open.Addr().String() }, "database", "can be reached from here"},
		"a database by its name":  {func(s *service) { s.options.Database = "db.example:" + port }, "database", "can be reached from here"},
		"a database that is none": {func(s *service) { resolve()(s); s.options.Database = "db.example:3306" }, "database", "shows nothing"},
	} {
		t.Run(title, func(t *testing.T) {
			s := healthy(t, r)
			c.spoil(s)
			serve(t, r, s)
			results := run(t, s.options)
			if got := results[c.check]; got.Outcome != check.Failed || !strings.Contains(got.Detail, c.want) {
				t.Errorf("%s %s: %s; want %q", c.check, got.Outcome, got.Detail, c.want)
			}
			for name, result := range results {
				for role, token := range s.options.Tokens {
					if strings.Contains(result.Detail, token.Expose()) {
						t.Errorf("%s tells the token of %s", name, role)
					}
				}
			}
		})
	}
}

// failedFirst puts a run before the others that got nothing from the provider.
func failedFirst(_ *http.Response, body []byte) []byte {
	run := padron.Run{ID: "r-1", Outcome: padron.OutcomeFailed, StartedAt: time.Now(), Error: "the provider does not answer"}
	report, err := json.Marshal(run)
	if err != nil {
		panic(err)
	}
	return bytes.Replace(body, []byte(`"runs":[`), []byte(`"runs":[`+string(report)+`,`), 1)
}

// TestNoRunSinceTheRelease: a synchronizer that has not run since is not told to
// be the old one.
func TestNoRunSinceTheRelease(t *testing.T) {
	r := apptest.Start(t, 3, 1)
	s := healthy(t, r)
	s.answer = onPath(r.Tokens[padron.RoleOperator], "/v1/runs", replace(`"version":"`, `"version":"0.`))
	serve(t, r, s)
	for released, want := range map[time.Time]check.Outcome{
		time.Now().Add(time.Hour): check.Skipped, time.Now().Add(-time.Hour): check.Failed,
	} {
		s.options.Released = released
		if got := run(t, s.options)["version of the synchronizer"]; got.Outcome != want || (want == check.Skipped) != (got.Reason == check.TooEarly) {
			t.Errorf("released %v: %s %s, want %s: %s", released, got.Outcome, got.Reason, want, got.Detail)
		}
	}
}

// credit replaces one token by another, on one path if it is given.
func credit(token, by string, paths ...string) func(*http.Request) {
	return func(r *http.Request) {
		if r.Header.Get("Authorization") == "Bearer "+token && (len(paths) == 0 || paths[0] == r.URL.Path) {
			r.Header.Set("Authorization", "Bearer "+by)
		}
	}
}

func dropQuery(what string) func(*http.Request) {
	return func(r *http.Request) { r.URL.RawQuery = strings.Replace(r.URL.RawQuery, what, "", 1) }
}

// TestTokensStayHere: no token goes to a public address.
func TestTokensStayHere(t *testing.T) {
	r := apptest.Start(t, 3, 1)
	s := healthy(t, r)
	s.options.Resolve = func(context.Context, string) ([]netip.Addr, error) {
		return []netip.Addr{netip.MustParseAddr("127.0.0.1"), netip.MustParseAddr("203.0.113.7")}, nil
	}
	s.request = func(req *http.Request) { t.Errorf("%s was asked", req.URL.Path) }
	serve(t, r, s)
	if results := run(t, s.options); len(results) != 2 || results["name"].Outcome != check.Failed {
		t.Errorf("%v", results)
	}
}

// TestCutShort: a check that is stopped has not seen that the database is out of
// reach.
func TestCutShort(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	stop()
	results, err := check.Run(ctx, check.Options{URL: "https://127.0.0.1:" + strings.Split(closedPort(t), ":")[1], Database: closedPort(t)})
	if err != nil {
		t.Fatal(err)
	}
	if last := results[len(results)-1]; last.Check != "database" || last.Outcome != check.Failed {
		t.Errorf("%s %s: %s", last.Check, last.Outcome, last.Detail)
	}
}

// TestEmptyRegister: that no customer was looked at is said.
func TestEmptyRegister(t *testing.T) {
	r := apptest.Start(t, 3, 1)
	s := healthy(t, r)
	s.answer = onPath("", "/v1/customers", func(*http.Response, []byte) []byte { return []byte(`{"customers":[]}`) })
	serve(t, r, s)
	for name, want := range map[string]bool{"role viewer": true, "role admin": true, "role operator": false} {
		got := run(t, s.options)[name]
		if got.Outcome != check.Passed || strings.Contains(got.Detail, "no customer is there to be looked at") != want {
			t.Errorf("%s %s: %s", name, got.Outcome, got.Detail)
		}
	}
}

func TestOptions(t *testing.T) {
	for _, o := range []check.Options{
		{URL: "padron.corp.example"}, {URL: "ftp://x"}, {URL: "https://u:p@x"}, {URL: "https://x?y=z"}, {URL: "https://x", Database: "db"},
	} {
		if _, err := check.Run(t.Context(), o); padron.ErrorCode(err) != padron.CodeInvalid {
			t.Errorf("%+v: %v", o.URL, err)
		}
	}
	none := func(context.Context, string) ([]netip.Addr, error) { return nil, errors.New("no such host") }
	for name, r := range run(t, check.Options{URL: "https://nowhere.example", Resolve: none}) {
		if r.Outcome == check.Passed {
			t.Errorf("nobody is there, and %s passed: %s", name, r.Detail)
		}
	}
}

// TestTokensOfACheck: they see what their roles do, and a service that lets them
// reveal is at fault.
func TestTokensOfACheck(t *testing.T) {
	r := apptest.Start(t, 3, 1)
	s := healthy(t, r)
	for _, role := range padron.Roles() {
		secret, token, err := access.NewToken(role, padron.CheckToken, time.Now(), time.Minute)
		if err == nil {
			err = r.App.Store.AddToken(t.Context(), token)
		}
		if err != nil {
			t.Fatal(err)
		}
		s.options.Tokens[role] = padron.Sensitive(secret)
	}
	serve(t, r, s)
	for name, result := range run(t, s.options) {
		if result.Outcome != check.Passed {
			t.Errorf("%s %s: %s", name, result.Outcome, result.Detail)
		}
	}
	s.answer = onPath("", "/v1/customers/padron-check/reveal", status(http.StatusNotFound))
	if got := run(t, s.options)["role admin"]; got.Outcome != check.Failed || !strings.Contains(got.Detail, "reveal answers 404, want 403") {
		t.Errorf("a service that lets it reveal: %s %s", got.Outcome, got.Detail)
	}
}
