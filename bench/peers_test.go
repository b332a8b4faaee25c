package bench

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"padron/bench/report"
)

// peersPart compares with other programs, which `make bench-peers` installs.
var peersPart = part{"peers", "Beside other programs", measurePeers, []string{"BENCH_CUSTOMERS", "BENCH_ROUNDS"}}

// peer is another program that copies the customers.
type peer struct {
	report.Figure
	// share is how many of the customers it gets: what takes about a minute.
	share int
	// args are its command line, in the folder bench/peers.
	args []string
}

// patience is how long a peer may take.
const patience = 10 * time.Minute

func (h *harness) peers() []peer {
	h.Helper()
	venv := os.Getenv("BENCH_VENV")
	found := must(filepath.Glob(filepath.Join(venv, "lib/python3*/site-packages/sling_linux_amd64/bin/sling-linux-amd64")))(h)
	if len(found) != 1 {
		h.Fatalf("there is no Sling in BENCH_VENV=%q: use make bench-peers", venv)
	}
	python := filepath.Join(venv, "bin/python")
	return []peer{
		{
			report.Figure{Name: "sling", Short: "Sling", Unit: perSecond, What: "Sling 1.4.11, full refresh, pages of 1,000, 4 at once, no encryption"},
			5, []string{found[0], "run", "-r", "replication.yaml"},
		},
		{
			report.Figure{Name: "rows", Short: "row by row", Unit: perSecond, What: "a Python script, row by row: requests, mysql-connector, Fernet on 3 fields, a commit a page"},
			10, []string{python, "rowbyrow.py"},
		},
		{
			report.Figure{Name: "same", Short: "the same job, row by row", Unit: perSecond, What: "a Python script, row by row, that does padron's job but for validation: looks up, compares, encrypts two groups, makes five blind indexes, a commit a customer"},
			25, []string{python, "samejob.py"},
		},
		{
			report.Figure{Name: "dlt", Short: "dlt", Unit: perSecond, What: "dlt 1.31, `merge` by primary key through its sqlalchemy destination, no encryption"},
			50, []string{python, "merge.py"},
		},
	}
}

// measurePeers copies customers of one provider into one server with each program
// in turn. Every program starts with an empty database, and nobody's work is
// counted before it is there.
func measurePeers(h *harness, r *recorder) {
	peers := h.peers()
	r.part.Declare(report.Figure{
		Name: "first", Short: "padron", Unit: perSecond, What: "padron's first synchronization: validated, sealed, indexed",
		Goals: []report.Goal{{Of: "sling", Least: 20}, {Of: "rows", Least: 40}, {Of: "same", Least: 40}, {Of: "dlt"}},
	})
	for _, p := range peers {
		r.part.Declare(p.Figure)
	}
	h.account()
	failed := map[string]bool{}
	for range h.rounds {
		r.ours()
		for _, p := range peers {
			if failed[p.Name] {
				continue
			}
			if err := r.theirs(p); err != nil {
				failed[p.Name] = true
				r.note("%s was not measured to the end: %v", p.Short, err)
			}
		}
	}
	got := "padron " + report.Number(float64(h.customers))
	for _, p := range peers {
		got += ", " + p.Short + " " + report.Number(float64(h.customers/p.share))
	}
	r.note("Customers: %s; all of them clean, from `padron provider --dirty 0`, since Sling ends at a record that is no object.", got)
}

// account makes a user with a plain password; some of the programs do not escape
// theirs.
func (h *harness) account() {
	h.Helper()
	must(h.admin.Exec("CREATE USER IF NOT EXISTS peer IDENTIFIED BY 'peer'"))(h)
	must(h.admin.Exec("GRANT ALL ON *.* TO peer"))(h)
}

func (r *recorder) ours() {
	r.Helper()
	from, done := r.provide(r.customers, "0")
	defer done()
	to := r.register()
	defer r.drop(to)
	r.settle()
	r.add("first", r.rate(r.first(to, from)))
}

// theirs runs a peer. An error is one of its own.
func (r *recorder) theirs(p peer) error {
	r.Helper()
	customers := r.customers / p.share
	from, done := r.provide(customers, "0")
	defer done()
	for _, name := range []string{"peer", "peer_staging"} { // dlt has the second
		must(r.admin.Exec("DROP DATABASE IF EXISTS " + name))(r)
	}
	must(r.admin.Exec("CREATE DATABASE peer"))(r)
	r.settle()
	took, err := r.runPeer(p, from)
	if err != nil {
		return err
	}
	var rows, ids int
	check(r, r.admin.QueryRow("SELECT count(*), count(DISTINCT id) FROM peer.customers").Scan(&rows, &ids))
	if rows != customers || ids != customers {
		return fmt.Errorf("%d rows of %d customers are there, want %d", rows, ids, customers)
	}
	r.add(p.Name, float64(customers)/took.Seconds())
	return nil
}

// runPeer runs a peer's command.
func (r *recorder) runPeer(p peer, from source) (time.Duration, error) {
	r.Helper()
	ctx, cancel := context.WithTimeout(r.Context(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, p.args[0], p.args[1:]...)
	cmd.Dir, cmd.WaitDelay = must(filepath.Abs("peers"))(r), time.Second
	home, database := r.TempDir(), "peer:peer@"+r.server.Addr()+"/peer"
	cmd.Env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + home, "PYTHONDONTWRITEBYTECODE=1",
		"SLING_HOME_DIR=" + home, "SLING_DISABLE_TELEMETRY=TRUE", "RUNTIME__DLTHUB_TELEMETRY=false",
		"PROVIDER={type: api, spec: 'file://" + filepath.Join(cmd.Dir, "sling.yaml") + "', secrets: {url: '" + from.url + "'}}",
		"REGISTER=mysql://" + database,
		"BENCH_URL=" + from.url, "BENCH_DB=" + database, "BENCH_DIR=" + home,
	}
	started := time.Now()
	out, err := cmd.CombinedOutput()
	took := time.Since(started)
	if ctx.Err() != nil {
		return 0, fmt.Errorf("it took more than %v", patience)
	}
	if err != nil {
		fmt.Printf("%s\n", out)
		return 0, fmt.Errorf("%w: %s", err, lastLine(out))
	}
	return took, nil
}

// colour is what terminals read as a colour.
var colour = regexp.MustCompile("\x1b\\[[0-9;]*m")

// lastLine is the last line of an output that says something, shortened.
func lastLine(out []byte) string {
	lines := strings.Split(strings.TrimSpace(colour.ReplaceAllString(string(out), "")), "\n")
	last := strings.TrimSpace(lines[len(lines)-1])
	return last[:min(len(last), 200)]
}
