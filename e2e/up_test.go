package e2e

import (
	"flag"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files")

// ready is the line `padron up --json` prints.
type ready struct {
	API      string            `json:"api"`
	Console  string            `json:"console"`
	Provider string            `json:"provider"`
	Tokens   map[string]string `json:"tokens"`
}

var roles = []string{"viewer", "analyst", "admin", "operator", "auditor", "privacy"}

func up(t *testing.T, dir string, args ...string) (*process, ready) {
	t.Helper()
	p := start(t, dir, nil, "padron", append([]string{"up", "--json", "--listen", "127.0.0.1:0"}, args...)...)
	return p, decode[ready](t, p.line(t))
}

func TestUpServesEachRoleItsView(t *testing.T) {
	_, r := up(t, t.TempDir(), "--customers", "500", "--seed", "1")
	for _, role := range roles {
		for _, route := range []string{
			"/v1/me", "/v1/customers/7", "/v1/customers?page_size=2", "/v1/customers/7?fields=user_name,card_number", "/v1/customers?page_size=1&purchases_min=490",
		} {
			got := call(t, http.MethodGet, r.API+route, r.Tokens[role], "")
			golden(t, role+strings.NewReplacer("/", "_", "?", "-", "=", "-", ",", "-", "&", "-").Replace(route), got)
		}
	}
}

// golden compares an answer's status and body with the file of that name. What
// differs from start to start is left out.
func golden(t *testing.T, name string, got answer) {
	t.Helper()
	path := filepath.Join("testdata", "golden", name+".txt")
	text := fmt.Sprintf("%d %s\n%s\n", got.status, got.header.Get("Content-Type"), strings.TrimSpace(normalize(got.body)))
	if *update {
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), text); diff != "" {
		t.Errorf("%s (-want +got):\n%s", name, diff)
	}
}

func TestUpRoutesByRole(t *testing.T) {
	_, r := up(t, t.TempDir(), "--customers", "200")
	purpose := `{"fields":["card_number"],"purpose":"checking a disputed charge"}`
	// In the order of roles; the last column is without a credential.
	table := []struct {
		method, route, body string
		want                [7]int
	}{
		{"GET", "/healthz", "", [7]int{200, 200, 200, 200, 200, 200, 200}},
		{"GET", "/readyz", "", [7]int{200, 200, 200, 200, 200, 200, 200}},
		{"GET", "/openapi.json", "", [7]int{200, 200, 200, 200, 200, 200, 200}},
		{"GET", "/docs", "", [7]int{200, 200, 200, 200, 200, 200, 200}},
		{"GET", "/", "", [7]int{200, 200, 200, 200, 200, 200, 200}},
		{"GET", "/v1/me", "", [7]int{200, 200, 200, 200, 200, 200, 401}},
		{"GET", "/v1/customers", "", [7]int{200, 200, 200, 403, 403, 403, 401}},
		{"GET", "/v1/customers/3", "", [7]int{200, 200, 200, 403, 403, 403, 401}},
		{"GET", "/v1/customers/nobody", "", [7]int{404, 404, 404, 403, 403, 403, 401}},
		{"GET", "/v1/customers?page_size=0", "", [7]int{422, 422, 422, 403, 403, 403, 401}},
		{"GET", "/v1/customers?fields=card_number", "", [7]int{403, 200, 200, 403, 403, 403, 401}},
		{"GET", "/v1/customers?purchases_min=1", "", [7]int{403, 200, 200, 403, 403, 403, 401}},
		{"GET", "/v1/customers?purchases_max=1", "", [7]int{403, 200, 200, 403, 403, 403, 401}},
		{"GET", "/v1/customers?favorite_color=azul", "", [7]int{403, 200, 200, 403, 403, 403, 401}},
		{"GET", "/v1/customers?car_type=Van", "", [7]int{403, 200, 200, 403, 403, 403, 401}},
		{"GET", "/v1/customers?registered_from=2020-01-01T00:00:00Z", "", [7]int{200, 200, 200, 403, 403, 403, 401}},
		{"POST", "/v1/customers/search", `{"zip_code":"00000"}`, [7]int{403, 200, 200, 403, 403, 403, 401}},
		{"POST", "/v1/customers/3/reveal", purpose, [7]int{403, 403, 200, 403, 403, 403, 401}},
		{"POST", "/v1/customers/3/reveal", `{"fields":["card_number"]}`, [7]int{403, 403, 422, 403, 403, 403, 401}},
		{"GET", "/v1/runs", "", [7]int{403, 403, 403, 200, 403, 403, 401}},
		{"GET", "/v1/runs/none", "", [7]int{403, 403, 403, 404, 403, 403, 401}},
		{"GET", "/v1/quarantine", "", [7]int{403, 403, 403, 200, 403, 403, 401}},
		{"GET", "/v1/audit", "", [7]int{403, 403, 403, 403, 200, 403, 401}},
		{"DELETE", "/v1/customers/3", "", [7]int{405, 405, 405, 405, 405, 405, 405}},
	}
	for _, row := range table {
		for i, role := range append(roles, "") {
			got := call(t, row.method, r.API+row.route, r.Tokens[role], row.body)
			if got.status != row.want[i] {
				t.Errorf("%s %s as %q: %d, want %d: %s", row.method, row.route, role, got.status, row.want[i], got.body)
			}
			if got.status >= 400 && got.header.Get("Content-Type") != "application/problem+json" {
				t.Errorf("%s %s as %q: a fault of type %s", row.method, row.route, role, got.header.Get("Content-Type"))
			}
		}
	}
}

func TestUpAgainKeepsTheRegister(t *testing.T) {
	dir := t.TempDir()
	first, r := up(t, dir, "--customers", "300")
	before := call(t, http.MethodGet, r.API+"/v1/customers/5", r.Tokens["admin"], "")
	first.stop(t)

	second, again := up(t, dir, "--customers", "300")
	after := call(t, http.MethodGet, again.API+"/v1/customers/5", again.Tokens["admin"], "")
	if before.body != after.body || before.status != 200 {
		t.Errorf("customer 5 was %s, is %s", before.body, after.body)
	}
	if old := call(t, http.MethodGet, again.API+"/v1/me", r.Tokens["admin"], ""); old.status != 401 {
		t.Errorf("a token of the first start still works: %d", old.status)
	}
	runs := decode[struct{ Runs []report }](t, call(t, http.MethodGet, again.API+"/v1/runs", again.Tokens["operator"], "").body).Runs
	if len(runs) != 2 || runs[0]["inserted"] != 0.0 || runs[0]["updated"] != 0.0 {
		t.Errorf("the second start's run was not incremental: %v", runs)
	}
	second.stop(t)
	if r := mustRun(t, dir, nil, "padron", "audit", "verify"); !strings.Contains(r.stdout, "unbroken") {
		t.Errorf("audit verify: %s", r.stdout)
	}
}

// TestUpTwice: a second start on the same folder ends at once, and the tokens of
// the first one stay good.
func TestUpTwice(t *testing.T) {
	dir := t.TempDir()
	first, r := up(t, dir, "--customers", "10")
	for _, args := range [][]string{{"--listen", "127.0.0.1:0"}, {"--listen", "127.0.0.1:0", "--dir", dir + "/var"}} {
		got := run(t, dir, nil, "padron", append([]string{"up", "--customers", "10"}, args...)...)
		if got.code != 1 || !strings.Contains(got.stderr, "padron is already up on ") || strings.Count(got.stderr, "\n") != 1 {
			t.Errorf("exit %d, want 1 and one line that says so: %s", got.code, got.stderr)
		}
	}
	if me := call(t, http.MethodGet, r.API+"/v1/me", r.Tokens["viewer"], ""); me.status != http.StatusOK {
		t.Errorf("the first one's token: %d", me.status)
	}
	first.stop(t)
	up(t, dir, "--customers", "10")
}

func TestUpRefusesAnAddressInUse(t *testing.T) {
	_, r := up(t, t.TempDir(), "--customers", "10")
	taken := strings.TrimPrefix(r.API, "http://")
	got := run(t, t.TempDir(), nil, "padron", "up", "--customers", "10", "--listen", taken)
	if got.code != 1 || !strings.Contains(got.stderr, "PADRON_LISTEN="+taken) || strings.Count(got.stderr, "\n") != 1 {
		t.Errorf("exit %d, want 1 and one line that names the address: %s", got.code, got.stderr)
	}
}

func TestRevealIsOnTheRecord(t *testing.T) {
	dir := t.TempDir()
	p, r := up(t, dir, "--customers", "100")
	masked := decode[map[string]any](t, call(t, http.MethodGet, r.API+"/v1/customers/9", r.Tokens["admin"], "").body)
	got := call(t, http.MethodPost, r.API+"/v1/customers/9/reveal", r.Tokens["admin"],
		`{"fields":["card_number"],"purpose":"checking a disputed charge"}`)
	revealed := decode[map[string]string](t, got.body)
	if len(revealed) != 2 || revealed["id"] != "9" {
		t.Errorf("reveal answered %v", revealed)
	}
	number := revealed["card_number"]
	if mask := masked["card_number"].(string); number == mask || !strings.HasPrefix(mask, "**** **** **** ") || !strings.HasSuffix(number, mask[len(mask)-4:]) {
		t.Errorf("masked %v does not belong to what was revealed", mask)
	}
	found := call(t, http.MethodPost, r.API+"/v1/customers/search", r.Tokens["analyst"], fmt.Sprintf(`{"card_number":%q}`, number))
	if n := len(decode[struct{ Customers []map[string]any }](t, found.body).Customers); n != 1 {
		t.Errorf("the revealed number finds %d customers", n)
	}
	entries := decode[struct{ Entries []map[string]any }](t, call(t, http.MethodGet, r.API+"/v1/audit?action=customer.reveal", r.Tokens["auditor"], "").body).Entries
	if len(entries) != 1 || entries[0]["purpose"] != "checking a disputed charge" || entries[0]["customer_id"] != "9" || entries[0]["outcome"] != "allowed" {
		t.Errorf("the reveal's audit entry: %v", entries)
	}
	p.stop(t)
	if strings.Contains(p.stderr.String(), number) {
		t.Error("the log holds the revealed number")
	}
}
