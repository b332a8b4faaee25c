package e2e

import (
	"net/http"
	"strings"
	"sync"
	"testing"

	"padron/internal/provider/providertest"
	"padron/internal/store/mysqltest"
)

// TestOnMySQL: the commands on a real server, from an empty database to a search,
// with the password in no output.
func TestOnMySQL(t *testing.T) {
	server := mysqltest.Shared(t)
	url := server.Database(t)
	_, rest, _ := strings.Cut(url, "//padron:")
	password, _, found := strings.Cut(rest, "@")
	if !found || password == "" {
		t.Fatal("the test server's user has no password: the test shows nothing")
	}
	env := []string{"PADRON_DB=" + url}
	sample, source := provide(t, providertest.Options{Customers: 2000, Seed: 5, Dirty: -1}, nil)
	dir := t.TempDir()
	said := ""
	do := func(name string, args ...string) result {
		t.Helper()
		r := mustRun(t, dir, env, name, args...)
		said += r.stdout + r.stderr
		return r
	}
	if r := run(t, dir, env, "padron", "runs"); r.code != 1 || !strings.Contains(r.stderr, "padron migrate up") {
		t.Errorf("an empty database: exit %d, %s", r.code, r.stderr)
	}
	do("padron", "migrate", "up")
	first := decode[report](t, do("synchronizer", "run", "--json", "--provider-url", source).stdout)
	if first["outcome"] != "completed" || first["inserted"].(float64) < 1900 {
		t.Fatalf("first run: %v", first)
	}
	changed := sample.Mutate(providertest.Mutation{Change: 0.05, Add: 0.02, Remove: 0.02, Seed: 1})
	second := decode[report](t, do("synchronizer", "run", "--json", "--provider-url", source).stdout)
	wantCounts(t, second, map[string]float64{
		"inserted": float64(changed.Added), "updated": float64(changed.Changed), "deleted": float64(changed.Removed),
	})
	token := strings.TrimSpace(do("padron", "token", "create", "--role", "analyst", "--name", "mysql-test").stdout)
	p := start(t, dir, env, "customers-mngr", "serve", "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0")
	if a := call(t, http.MethodGet, servedAt(t, p)+"/v1/customers?page_size=1000", token, ""); a.status != http.StatusOK || strings.Count(a.body, `"id"`) != 1000 {
		t.Errorf("list: %d %.200s", a.status, a.body)
	}
	p.stop(t)
	if r := do("padron", "audit", "verify"); !strings.Contains(r.stdout, "1 entries, unbroken") {
		t.Errorf("audit: %s", r.stdout)
	}
	if strings.Contains(said+p.stderr.String(), password) {
		t.Error("the password was printed")
	}
}

// TestTwoRunsAtOnceOnMySQL: one works, the others end skipped.
func TestTwoRunsAtOnceOnMySQL(t *testing.T) {
	server := mysqltest.Shared(t)
	env := []string{"PADRON_DB=" + server.Database(t)}
	dir := t.TempDir()
	mustRun(t, dir, env, "padron", "migrate", "up")
	entered, held := make(chan struct{}), make(chan struct{})
	var once sync.Once
	_, source := provide(t, providertest.Options{Customers: 500, Seed: 5, Dirty: -1}, func(int64, http.ResponseWriter, *http.Request) {
		once.Do(func() { close(entered) })
		<-held
	})
	first := start(t, dir, env, "synchronizer", "run", "--json", "--provider-url", source)
	<-entered
	second := decode[report](t, mustRun(t, dir, env, "synchronizer", "run", "--json", "--provider-url", source).stdout)
	close(held)
	if second["outcome"] != "skipped" {
		t.Errorf("the second run: %v", second)
	}
	if entry := waitForLog(t, first, "run ended"); entry["outcome"] != "completed" {
		t.Errorf("the first run: %v", entry)
	}
}
