package e2e

import (
	"net/http"
	"strings"
	"testing"

	"padron/internal/awstest"
	"padron/internal/provider/providertest"
)

// The roles' rights to the key, as the estate's key policy gives them.
var (
	operatorsRole     = awstest.Allow{"GenerateDataKey": {"index", "fingerprint", "quarantine", "page"}}
	synchronizersRole = awstest.Allow{"GenerateDataKey": {"seal"}, "Decrypt": {"index", "fingerprint", "quarantine"}}
	readersRole       = awstest.Allow{"Decrypt": {"seal", "index", "page"}}
)

// TestKMS: the services on a key in KMS, each with its own role's rights alone.
// The synchronizer's role cannot open what it seals.
func TestKMS(t *testing.T) {
	dir, key := t.TempDir(), awstest.Key(t, "alias/e2e")
	as := func(role awstest.Allow, key string) (*awstest.Guard, []string) {
		guard := awstest.NewGuard(t, role)
		return guard, append(awstest.Env(guard.URL), "PADRON_KEYS=aws-kms:"+key)
	}
	operatorGuard, operator := as(operatorsRole, key)
	syncGuard, synchronizer := as(synchronizersRole, key)
	readGuard, reader := as(readersRole, "alias/e2e")
	_, source := provide(t, providertest.Options{Customers: 300, Seed: 5, Dirty: 0.02}, nil)

	if r := run(t, dir, synchronizer, "synchronizer", "run", "--provider-url", source); r.code != 1 || !strings.Contains(r.stderr, "GenerateDataKey with purpose") {
		t.Errorf("before the shared keys are made: exit %d, %s", r.code, r.stderr)
	}
	mustRun(t, dir, operator, "padron", "keys", "init")
	mustRun(t, dir, operator, "padron", "keys", "init")
	first := decode[report](t, mustRun(t, dir, synchronizer, "synchronizer", "run", "--json", "--provider-url", source).stdout)
	if first["outcome"] != "completed" || first["quarantined"] == 0.0 {
		t.Fatalf("first run: %v", first)
	}
	second := decode[report](t, mustRun(t, dir, synchronizer, "synchronizer", "run", "--json", "--provider-url", source).stdout)
	wantCounts(t, second, map[string]float64{"unchanged": first["inserted"].(float64)})
	mustRun(t, dir, synchronizer, "padron", "quarantine", "replay")

	admin := strings.TrimSpace(mustRun(t, dir, reader, "padron", "token", "create", "--role", "admin", "--name", "kms-test").stdout)
	revealing := `{"fields":["card_number"],"purpose":"checking a disputed charge"}`
	p := start(t, dir, reader, "customers-mngr", "serve", "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0")
	if a := call(t, http.MethodPost, servedAt(t, p)+"/v1/customers/7/reveal", admin, revealing); a.status != http.StatusOK {
		t.Errorf("reveal by the reader's role: %d %s", a.status, a.body)
	}
	p.stop(t)
	for _, guard := range []*awstest.Guard{operatorGuard, readGuard} {
		if refused := guard.Refused(); len(refused) > 0 {
			t.Errorf("refused: %v", refused)
		}
	}

	// Whoever holds the synchronizer's role, even with the page key's besides,
	// serves no customer.
	stolen := awstest.Allow{"Decrypt": append([]string{"page"}, synchronizersRole["Decrypt"]...)}
	thiefGuard, thief := as(stolen, key)
	p = start(t, dir, thief, "customers-mngr", "serve", "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0")
	if a := call(t, http.MethodGet, servedAt(t, p)+"/v1/customers/7", admin, ""); a.status == http.StatusOK || strings.Contains(a.body, "user_name") {
		t.Errorf("a customer by the synchronizer's role: %d %s", a.status, a.body)
	}
	p.stop(t)
	if refused := strings.Join(thiefGuard.Refused(), ","); !strings.Contains(refused, "Decrypt seal") {
		t.Errorf("refused to the thief: %s", refused)
	}
	if refused := syncGuard.Refused(); len(refused) != 1 || refused[0] != "GenerateDataKey index" {
		t.Errorf("refused to the synchronizer: %v", refused)
	}
	status := mustRun(t, dir, operator, "padron", "keys", "status", "--json").stdout
	if !strings.Contains(status, key) || strings.Contains(status, "alias/") {
		t.Errorf("the register does not name the key by its ARN: %s", status)
	}
}
