package e2e

import (
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"padron/internal/awstest"
	"padron/internal/provider/providertest"
	"padron/internal/store/mysqltest"
)

// TestServicesUnderTheirOwnUsers: everything that the services do, each as its
// own database user, over TLS that the server insists on; and what the one may
// not do for the other.
func TestServicesUnderTheirOwnUsers(t *testing.T) {
	secret := jsonOf(t, map[string]string{"username": mysqltest.User, "password": mysqltest.Password}) // as RDS manages it
	t.Run("LOAD DATA", func(t *testing.T) {
		servicesUnderTheirOwnUsers(t, mysqltest.Private(t), []string{"PADRON_DB_SECRET=" + secret})
	})
	t.Run("INSERT", func(t *testing.T) {
		arn, _ := awstest.Secret(t, "administrator", secret)
		servicesUnderTheirOwnUsers(t, mysqltest.Private(t, "--local-infile=OFF"), append(awstest.Env(awstest.URL(t)), "PADRON_DB_SECRET="+arn))
	})
}

// servicesUnderTheirOwnUsers runs them all on a server, whose administrator is a
// secret's.
func servicesUnderTheirOwnUsers(t *testing.T, server *mysqltest.Server, admin []string) {
	dir := t.TempDir()
	register, _, _ := strings.Cut(server.Database(t), "?")
	register += "?tls=true&ca=" + server.CAFile()
	nobody, err := url.Parse(register)
	if err != nil {
		t.Fatal(err)
	}
	nobody.User = nil
	admin = append(admin, "PADRON_DB="+nobody.String())
	mustRun(t, dir, admin, "padron", "migrate", "up")
	file := filepath.Join(dir, "passwords.json")
	said := mustRun(t, dir, admin, "padron", "migrate", "users", "--passwords", file)
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	passwords := decode[map[string]string](t, string(data))
	as := func(user string) []string {
		u, err := url.Parse(register)
		if err != nil {
			t.Fatal(err)
		}
		u.User = url.UserPassword(user, passwords[user])
		if strings.Contains(said.stdout+said.stderr, passwords[user]) || passwords[user] == "" {
			t.Error("a password was printed, or there is none")
		}
		return []string{"PADRON_DB=" + u.String()}
	}
	synchronizer, reader := as("padron_synchronizer"), as("padron_customers_mngr")
	mustRun(t, dir, admin, "padron", "migrate", "users", "--passwords", file) // again changes nothing

	sample, source := provide(t, providertest.Options{Customers: 600, Seed: 5, Dirty: 0.02}, nil)
	mustRun(t, dir, synchronizer, "synchronizer", "run", "--dry-run", "--provider-url", source)
	mustRun(t, dir, synchronizer, "synchronizer", "run", "--provider-url", source)
	changed := sample.Mutate(providertest.Mutation{Change: 0.05, Add: 0.02, Remove: 0.02, Seed: 1})
	second := decode[report](t, mustRun(t, dir, synchronizer, "synchronizer", "run", "--json", "--provider-url", source).stdout)
	wantCounts(t, second, map[string]float64{"deleted": float64(changed.Removed)})
	mustRun(t, dir, synchronizer, "synchronizer", "run", "--full", "--provider-url", source)
	mustRun(t, dir, synchronizer, "padron", "quarantine", "replay")
	mustRun(t, dir, synchronizer, "padron", "runs")
	serveOnce(t, dir, synchronizer, source)

	tokens := map[string]string{}
	for _, role := range []string{"admin", "operator", "auditor"} {
		tokens[role] = strings.TrimSpace(mustRun(t, dir, admin, "padron", "token", "create", "--role", role, "--name", "users-test").stdout)
	}
	p := start(t, dir, reader, "customers-mngr", "serve", "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0")
	api := servedAt(t, p)
	for _, c := range []struct{ role, method, path, body string }{
		{"", "GET", "/healthz", ""}, {"", "GET", "/readyz", ""}, {"admin", "GET", "/v1/me", ""},
		{"admin", "GET", "/v1/customers?page_size=5&purchases_min=10", ""}, {"admin", "GET", "/v1/customers/7", ""},
		{"admin", "POST", "/v1/customers/search", `{"user_name":"Nobody"}`},
		{"admin", "POST", "/v1/customers/7/reveal", `{"fields":["card_number"],"purpose":"checking a disputed charge"}`},
		{"operator", "GET", "/v1/runs", ""}, {"operator", "GET", "/v1/quarantine", ""},
		{"auditor", "GET", "/v1/audit", ""},
	} {
		if a := call(t, c.method, api+c.path, tokens[c.role], c.body); a.status != http.StatusOK {
			t.Errorf("%s %s: %d %s", c.method, c.path, a.status, a.body)
		}
	}
	p.stop(t)

	// What is not theirs.
	for name, c := range map[string]struct {
		env  []string
		args []string
	}{
		"the synchronizer reads tokens":        {synchronizer, []string{"padron", "token", "list"}},
		"the synchronizer reads the audit log": {synchronizer, []string{"padron", "audit", "list"}},
		"customers-mngr makes tokens":          {reader, []string{"padron", "token", "create", "--role", "admin", "--name", "x"}},
		"customers-mngr runs":                  {reader, []string{"synchronizer", "run", "--provider-url", source}},
		"the synchronizer makes users":         {synchronizer, []string{"padron", "migrate", "users", "--passwords", file}},
		"without TLS":                          {[]string{strings.Replace(synchronizer[0], "tls=true", "tls=false&", 1)}, []string{"padron", "runs"}},
	} {
		if r := run(t, dir, c.env, c.args[0], c.args[1:]...); r.code == 0 {
			t.Errorf("%s: %s", name, r.stdout)
		}
	}
}

// serveOnce runs the synchronizer's service for one run, with its metrics.
func serveOnce(t *testing.T, dir string, env []string, source string) {
	t.Helper()
	p := start(t, dir, env, "synchronizer", "serve", "--every", "1s", "--provider-url", source, "--admin-listen", "127.0.0.1:0")
	admin, _ := waitForLog(t, p, "serving")["admin"].(string)
	if entry := waitForLog(t, p, "run ended"); entry["outcome"] != "completed" {
		t.Errorf("a served run: %v", entry)
	}
	for _, path := range []string{"/healthz", "/metrics"} {
		if a := call(t, http.MethodGet, admin+path, "", ""); a.status != http.StatusOK {
			t.Errorf("%s: %d %s", path, a.status, a.body)
		}
	}
	p.stop(t)
}

// TestRotationWhileServing: a password that is rotated, in the server and in
// Secrets Manager, is found by a serving process.
func TestRotationWhileServing(t *testing.T) {
	server, dir := mysqltest.Shared(t), t.TempDir()
	register, _, _ := strings.Cut(server.Database(t), "?")
	admin := []string{"PADRON_DB=" + register}
	const user = "padron_rotated"
	rotate := func(password string) string {
		file := filepath.Join(dir, "passwords.json")
		passwords := map[string]string{user: password, "padron_unused": password}
		if err := os.WriteFile(file, []byte(jsonOf(t, passwords)), 0o600); err != nil {
			t.Fatal(err)
		}
		mustRun(t, dir, admin, "padron", "migrate", "users", "--passwords", file, "--customers-mngr", user, "--synchronizer", "padron_unused")
		return jsonOf(t, map[string]string{"username": user, "password": password})
	}
	mustRun(t, dir, admin, "padron", "migrate", "up")
	arn, put := awstest.Secret(t, "rotated-while-serving", rotate("the first password"))
	nobody, err := url.Parse(register)
	if err != nil {
		t.Fatal(err)
	}
	nobody.User = nil
	env := append(awstest.Env(awstest.URL(t)), "PADRON_DB="+nobody.String(), "PADRON_DB_SECRET="+arn)
	p := start(t, dir, env, "customers-mngr", "serve", "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0")
	health := servedAt(t, p) + "/healthz"
	if a := call(t, http.MethodGet, health, "", ""); a.status != http.StatusOK {
		t.Fatalf("before: %d %s", a.status, a.body)
	}
	rotated := rotate("the second password")
	server.EndSessions(t, user)
	if a := call(t, http.MethodGet, health, "", ""); a.status != http.StatusServiceUnavailable {
		t.Errorf("while the secret is old: %d %s", a.status, a.body)
	}
	put(rotated)
	if a := call(t, http.MethodGet, health, "", ""); a.status != http.StatusOK {
		t.Errorf("after: %d %s\n%s", a.status, a.body, p.stderr)
	}
	if strings.Contains(p.stderr.String(), "password\"") || strings.Contains(p.stderr.String(), "second") {
		t.Error("the password was logged")
	}
}
