package bench

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"padron/bench/report"
)

var readFigures = []report.Figure{
	{Name: "bare-customer", Short: "bare, one customer", Unit: "requests/s", What: "bare handler: one prepared `SELECT` by key, JSON out; no auth, no opening, no audit: the limit"},
	{Name: "customer", Short: "one customer", Unit: "requests/s", What: "customers-mngr: one customer by id", Goals: []report.Goal{{Of: "bare-customer", Least: 0.7}}},
	{Name: "bare-page", Short: "bare, page of 100", Unit: "requests/s", What: "bare handler: the same for a page of 100"},
	{Name: "page", Short: "page of 100", Unit: "requests/s", What: "customers-mngr: a page of 100", Goals: []report.Goal{{Of: "bare-page", Least: 0.7}}},
	{Name: "bare-customer-p99", Short: "the bare handler's", Unit: "ms", What: "99th percentile of one customer, bare handler"},
	{Name: "customer-p99", Short: "one customer, p99", Unit: "ms", What: "99th percentile of one customer, customers-mngr", Goals: []report.Goal{{Of: "bare-customer-p99", Most: 2}}},
	{Name: "bare-page-p99", Short: "the bare handler's", Unit: "ms", What: "99th percentile of a page, bare handler"},
	{Name: "page-p99", Short: "page of 100, p99", Unit: "ms", What: "99th percentile of a page, customers-mngr", Goals: []report.Goal{{Of: "bare-page-p99"}}},
}

// readers is how many connections read at once.
const readers = 32

// measureRead reads single customers and pages from customers-mngr and from a bare
// handler, in turn, each a process over the same database.
func measureRead(h *harness, r *recorder) {
	r.part.Declare(readFigures...)
	to, customers := h.synchronized()
	bare, done := h.bare(to)
	defer done()
	service, token, done := h.serve(to)
	defer done()
	ids := h.ids(to)
	type target struct {
		name     string
		base     string
		requests [][]byte
	}
	targets := []target{
		{"bare-customer", bare, requests(bare, "", paths("/customer?id=", ids))},
		{"customer", service, requests(service, token, paths("/v1/customers/", ids))},
		{"bare-page", bare, requests(bare, "", paths("/page?after=", ids))},
		{"page", service, requests(service, token, h.pages(service, token))},
	}
	for round := range h.rounds {
		for i := range targets {
			t := targets[i^(round&1)] // the limit first, and then the limit last
			times := h.read(t.base, t.requests)
			took := h.hold.Seconds()
			r.add(t.name, float64(len(times))/took)
			slices.Sort(times)
			r.add(t.name+"-p99", times[len(times)*99/100].Seconds()*1000)
		}
	}
	h.drop(to)
	r.note("%d connections, %v each, %s customers in MariaDB, ids at random. Client, services and database share this machine.",
		readers, h.hold, report.Number(float64(customers)))
}

// synchronized is a register after its first run.
func (h *harness) synchronized() (to register, customers int) {
	h.Helper()
	customers = max(h.scale/5, 200)
	from, done := h.provide(customers, dirty)
	defer done()
	to = h.register()
	h.first(to, from)
	h.settle()
	return to, customers
}

// ids are those of customers at random.
func (h *harness) ids(of register) (ids []string) {
	h.Helper()
	db := open(h, of)
	defer db.Close()
	rows := must(db.Query("SELECT id FROM customers ORDER BY rand(1) LIMIT 2000"))(h)
	defer rows.Close()
	for rows.Next() {
		var id string
		check(h, rows.Scan(&id))
		ids = append(ids, id)
	}
	check(h, rows.Err())
	return ids
}

func paths(before string, ids []string) (out []string) {
	for _, id := range ids {
		out = append(out, before+url.PathEscape(id))
	}
	return out
}

// pages are the first pages of 100, by the service's own tokens.
func (h *harness) pages(service, token string) (out []string) {
	h.Helper()
	const first = "/v1/customers?page_size=100"
	for at := first; len(out) < 50; {
		out = append(out, at)
		req := must(http.NewRequestWithContext(h.Context(), http.MethodGet, service+at, nil))(h)
		req.Header.Set("Authorization", "Bearer "+token)
		resp := must(http.DefaultClient.Do(req))(h)
		var page struct {
			Next string `json:"next_page_token"`
		}
		err := json.NewDecoder(resp.Body).Decode(&page)
		resp.Body.Close()
		check(h, err)
		if page.Next == "" {
			break
		}
		at = first + "&page_token=" + url.QueryEscape(page.Next)
	}
	return out
}

// env of a service that listens on a free port, or on an address.
func (r register) serving(address string) []string {
	return []string{"PADRON_DB=" + r.url, "PADRON_KEYS=file:" + r.keys, "PADRON_LISTEN=" + address, "PADRON_ADMIN_LISTEN=127.0.0.1:0", "PADRON_LOG_FORMAT=json"}
}

// serve runs customers-mngr over a register, and makes a viewer's token.
func (h *harness) serve(of register) (base, token string, done func()) {
	h.Helper()
	made := h.run(h.program(of.serving("127.0.0.1:0"), "padron", "token", "create", "--role", "viewer", "--name", "bench"))
	cmd := h.program(of.serving("127.0.0.1:0"), "customers-mngr", "serve")
	log := must(cmd.StderrPipe())(h)
	check(h, cmd.Start())
	lines := bufio.NewScanner(log)
	for base == "" && lines.Scan() {
		var line struct {
			Msg, API string
		}
		if json.Unmarshal(lines.Bytes(), &line) == nil && line.Msg == "serving" {
			base = line.API
		}
	}
	if base == "" {
		h.Fatalf("customers-mngr serves nothing: %v", cmd.Wait())
	}
	go func() {
		for lines.Scan() { // it must not wait for a reader
			continue
		}
	}()
	return base, strings.TrimSpace(string(made.out)), h.ending(cmd)
}

// ending returns what ends a process, now or with the test.
func (h *harness) ending(cmd *exec.Cmd) func() {
	done := func() {
		_ = cmd.Process.Signal(syscall.SIGTERM) // it may be gone
		_ = cmd.Wait()
	}
	h.Cleanup(done)
	return done
}

var startFigures = []report.Figure{
	{Name: "sqlite", Short: "SQLite", Unit: "ms", What: "`customers-mngr serve` over SQLite: from its start until `/readyz` answers 200", Goals: []report.Goal{{Most: 150}}},
	{Name: "mysql", Short: "MySQL", Unit: "ms", What: "the same over MySQL", Goals: []report.Goal{{Most: 300}}},
}

// measureStart starts the service over registers that it knows.
func measureStart(h *harness, r *recorder) {
	r.part.Declare(startFigures...)
	from, done := h.provide(200, dirty)
	defer done()
	dir := h.TempDir()
	registers := map[string]register{
		"sqlite": {url: "sqlite:" + filepath.Join(dir, "padron.db"), keys: filepath.Join(dir, "keys.json")}, "mysql": h.register(),
	}
	for _, to := range registers {
		h.first(to, from)
		h.ready(to) // the first start makes keys
	}
	for range h.rounds {
		for _, f := range startFigures {
			r.add(f.Name, h.ready(registers[f.Name]).Seconds()*1000)
		}
	}
}

// ready returns how long the service takes until it is ready.
func (h *harness) ready(of register) time.Duration {
	h.Helper()
	address := freeAddress(h)
	cmd := h.program(of.serving(address), "customers-mngr", "serve")
	started := time.Now()
	check(h, cmd.Start())
	defer h.ending(cmd)()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for time.Since(started) < time.Minute {
		<-tick.C
		resp, err := http.Get(fmt.Sprintf("http://%s/readyz", address)) //nolint:noctx // bounded by the loop
		if err != nil {
			continue
		}
		resp.Body.Close()
		if resp.StatusCode == http.StatusOK {
			return time.Since(started)
		}
	}
	h.Fatal("customers-mngr is not ready after a minute")
	return 0
}
