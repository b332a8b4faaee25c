package bench

import (
	"cmp"
	"database/sql"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"padron/bench/report"
	"padron/internal/store/mysqltest"
)

// harness is what the parts measure with.
type harness struct {
	testing.TB
	sizes
	book report.Book
	// bin has the three programs.
	bin string
	// load is the machine's load average before anything began.
	load   float64
	server *mysqltest.Server
	admin  *sql.DB
	// unsettled counts how often the server had not written all in time.
	unsettled int
}

// sizes are how much to measure.
type sizes struct {
	// customers are those of the synchronizations, rounds how often each figure
	// is measured.
	customers, rounds int
	// memory are the numbers of customers whose memory is measured.
	memory []int
	// scale are the customers of the divided runs, of up to partitions parts.
	scale, partitions int
	// settle is how long the server may take to write what it put off; 0 does not
	// wait for it. watch is how long to look whether the machine is quiet.
	// hold is how long to read.
	settle, watch, hold time.Duration
	// pool is the server's memory for pages, in MiB.
	pool int
}

// tiny is for the test of the benchmarks themselves.
var tiny = sizes{
	customers: 300, rounds: 1, memory: []int{200, 400}, scale: 400, partitions: 2,
	hold: 50 * time.Millisecond, pool: 64,
}

// whole is what `make bench` measures, unless the environment says otherwise.
func whole(t testing.TB) sizes {
	s := sizes{
		customers: setting(t, "BENCH_CUSTOMERS", 1_000_000), rounds: setting(t, "BENCH_ROUNDS", 3),
		settle: 5 * time.Minute, watch: time.Second, hold: 5 * time.Second, pool: 2048, partitions: 4, memory: []int{1_000_000, 5_000_000},
	}
	s.scale = setting(t, "BENCH_SCALE", s.customers/2)
	if text := os.Getenv("BENCH_MEMORY"); text != "" {
		s.memory = nil
		for _, word := range strings.Split(text, ",") {
			s.memory = append(s.memory, must(strconv.Atoi(word))(t))
		}
	}
	return s
}

func setting(t testing.TB, name string, otherwise int) int {
	t.Helper()
	return must(strconv.Atoi(cmp.Or(os.Getenv(name), strconv.Itoa(otherwise))))(t)
}

// part is one thing to measure, with a place of its own in the document.
type part struct {
	name, title string
	measure     func(*harness, *recorder)
	// settings are the variables that it depends on.
	settings []string
}

var parts = []part{
	{"sync", "Synchronizing into MySQL", measureSync, []string{"BENCH_CUSTOMERS", "BENCH_ROUNDS"}},
	{"memory", "Resident memory of one run", measureMemory, []string{"BENCH_MEMORY"}},
	{"scale", "One run divided among processes", measureScale, []string{"BENCH_CUSTOMERS", "BENCH_SCALE", "BENCH_ROUNDS"}},
	{"read", "Reading over HTTP", measureRead, []string{"BENCH_CUSTOMERS", "BENCH_SCALE", "BENCH_ROUNDS"}},
	{"start", "From start to ready", measureStart, []string{"BENCH_ROUNDS"}},
	{"profile", "Where a first run's time goes", measureProfile, []string{"BENCH_CUSTOMERS", "BENCH_SCALE", "BENCH_ROUNDS"}},
}

// TestBench measures the parts that BENCH names, or "all", and writes them into
// docs/benchmarks.md: `make bench`. Without BENCH it measures next to nothing,
// into a copy, so that the benchmarks themselves are tested.
func TestBench(t *testing.T) {
	wanted := os.Getenv("BENCH")
	docs := must(filepath.Abs("../docs"))(t)
	h := &harness{TB: t, load: report.Load()}
	if wanted == "" {
		wanted, h.sizes = "all", tiny
		docs = copyDocument(t, docs)
	} else {
		h.sizes = whole(t)
	}
	h.book = report.Book{
		Data: filepath.Join(docs, "benchmarks.json"), Document: filepath.Join(docs, "benchmarks.md"), Plot: filepath.Join(docs, "benchmarks.svg"),
	}
	h.build()
	h.start()
	for _, p := range chosen(t, wanted) {
		t.Run(p.name, func(t *testing.T) { // one that fails does not end the others
			part := *h
			part.TB = t
			part.measure(p)
		})
	}
	h.complete(wanted)
}

// complete checks that what was measured is in the document.
func (h *harness) complete(wanted string) {
	h.Helper()
	document := string(must(os.ReadFile(h.book.Document))(h))
	results := must(h.book.Load())(h)
	for _, p := range chosen(h, wanted) {
		if known := results.Parts[p.name]; known == nil || known.Partial || !strings.Contains(document, h.command(p)) {
			h.Errorf("%s is not in the document", p.name)
		}
	}
}

// chosen are the parts of a list of names.
func chosen(t testing.TB, names string) (out []part) {
	t.Helper()
	if names == "all" {
		return parts
	}
	known := append(slices.Clone(parts), peersPart)
	for _, name := range strings.Split(names, ",") {
		i := slices.IndexFunc(known, func(p part) bool { return p.name == name })
		if i < 0 {
			t.Fatalf("there is no part %q", name)
		}
		out = append(out, known[i])
	}
	return out
}

// copyDocument copies the document alone, and returns the copy's folder.
func copyDocument(t testing.TB, docs string) string {
	dir := t.TempDir()
	text := must(os.ReadFile(filepath.Join(docs, "benchmarks.md")))(t)
	check(t, os.WriteFile(filepath.Join(dir, "benchmarks.md"), text, 0o600))
	return dir
}

func (h *harness) build() {
	h.Helper()
	h.bin = h.TempDir()
	build := exec.Command("go", "build", "-trimpath", "-o", h.bin+"/", "padron/cmd/...")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		h.Fatalf("%v\n%s", err, out)
	}
}

// start runs the database server.
func (h *harness) start() {
	h.Helper()
	h.server = mysqltest.Private(h, fmt.Sprintf("--innodb-buffer-pool-size=%dM", h.pool), "--character-set-server=utf8mb4")
	h.admin = h.server.Admin(h)
}

// measure runs a part and tells what came out.
func (h *harness) measure(p part) {
	h.Helper()
	fmt.Printf("== %s: %s\n", p.name, p.title)
	r := h.recorder(p)
	started := time.Now()
	clock := report.Tick()
	h.unsettled = 0
	p.measure(h, r)
	used, stolen := report.Tick().Since(clock)
	if stolen > 0.02 {
		r.note("Other machines of the same host took %.0f%% of the processors' time meanwhile.", 100*stolen)
	}
	if h.unsettled > 0 {
		r.note("Before %d of the measurements the server had not written everything after %v.", h.unsettled, h.sizes.settle)
	}
	r.part.Partial = false
	r.save()
	fmt.Printf("== %s took %v, processors %.0f%% in use\n", p.name, time.Since(started).Round(time.Second), 100*used)
}

// recorder writes what a part measures, after each figure.
type recorder struct {
	*harness
	name string
	part *report.Part
}

func (h *harness) recorder(p part) *recorder {
	clock := report.Tick()
	time.Sleep(h.watch)
	idle, _ := report.Tick().Since(clock)
	return &recorder{h, p.name, &report.Part{
		Title: p.title, Date: time.Now().UTC().Format(time.DateOnly), Commit: commit(), Machine: report.Machine(),
		Load: h.load, Busy: idle, Command: h.command(p), Rounds: h.rounds, Partial: true,
	}}
}

// commit names what is measured. The documents, which measuring changes, are not
// looked at.
func commit() string {
	name, err := exec.Command("git", "rev-parse", "--short", "HEAD").Output()
	if err != nil {
		return "unknown"
	}
	text := strings.TrimSpace(string(name))
	changed, err := exec.Command("git", "status", "--porcelain", "--", ":/", ":(exclude,top)docs/benchmarks.*").Output()
	if err != nil || len(changed) > 0 {
		text += " with changes"
	}
	return text
}

// command is how to measure a part again, with the settings that it looks at.
func (h *harness) command(p part) string {
	var settings string
	for _, variable := range p.settings {
		if value := os.Getenv(variable); value != "" {
			settings += variable + "=" + value + " "
		}
	}
	if p.name == peersPart.name {
		return settings + "make bench-peers"
	}
	return settings + "make bench PARTS=" + p.name
}

// add notes the value of a declared figure and writes everything.
func (r *recorder) add(name string, value float64) {
	r.Helper()
	f := r.part.Figure(name)
	f.Runs = append(f.Runs, value)
	fmt.Printf("%s  %s: %s %s\n", time.Now().Format(time.TimeOnly), f.Short, report.Number(value), f.Unit)
	r.save()
}

func (r *recorder) note(format string, args ...any) {
	r.part.Notes = append(r.part.Notes, fmt.Sprintf(format, args...))
}

func (r *recorder) save() {
	r.Helper()
	results := must(r.book.Load())(r)
	results.Parts[r.name] = r.part
	check(r, r.book.Save(results))
}
