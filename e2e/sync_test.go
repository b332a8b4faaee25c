package e2e

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"padron"
	"padron/internal/provider/providertest"
	"padron/internal/seal"
	"padron/internal/seal/filewrap"
	"padron/internal/store"
	"padron/internal/store/sqlite"
)

// provide serves the sample provider behind a hook that sees every request to
// the collection, counted from 1, before it is answered.
func provide(t *testing.T, o providertest.Options, hook func(n int64, w http.ResponseWriter, r *http.Request)) (*providertest.Server, string) {
	t.Helper()
	sample, err := providertest.New(o)
	if err != nil {
		t.Fatal(err)
	}
	var n atomic.Int64
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if hook != nil {
			hook(n.Add(1), w, r)
		}
		sample.ServeHTTP(w, r)
	}))
	t.Cleanup(srv.Close)
	return sample, srv.URL + providertest.CollectionPath
}

// report is a run's report as a user reads it.
type report = map[string]any

func syncOnce(t *testing.T, dir, url string, args ...string) (report, result) {
	t.Helper()
	r := run(t, dir, []string{"PADRON_PROVIDER_URL=" + url}, "synchronizer", append([]string{"run", "--json"}, args...)...)
	return decode[report](t, r.stdout), r
}

func wantCounts(t *testing.T, got report, want map[string]float64) {
	t.Helper()
	for name, n := range want {
		if got[name] != n {
			t.Errorf("%s = %v, want %v (report %v)", name, got[name], n, got)
		}
	}
	sum := 0.0
	for _, name := range []string{"inserted", "updated", "unchanged", "quarantined", "duplicates"} {
		sum += got[name].(float64)
	}
	if got["read"] != sum {
		t.Errorf("read = %v, but the parts add up to %v", got["read"], sum)
	}
}

// opened returns the hash of every live customer, opened, in id order, and how
// many they are.
func opened(t *testing.T, dir string) (string, int) {
	t.Helper()
	st, err := sqlite.Open(context.Background(), filepath.Join(dir, "var", "padron.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	return openedIn(t, st, dir)
}

// openedIn is opened of any store, with the keys of the folder.
func openedIn(t *testing.T, st store.Engine, dir string) (string, int) {
	t.Helper()
	ctx := context.Background()
	wrapper, err := filewrap.Open(filepath.Join(dir, "var", "keys.json"))
	if err != nil {
		t.Fatal(err)
	}
	opener, err := seal.NewOpener(ctx, wrapper, st)
	if err != nil {
		t.Fatal(err)
	}
	var all padron.Disclosures
	for _, f := range padron.Fields() {
		all[f] = padron.Full
	}
	sum, count := sha256.New(), 0
	for after := padron.CustomerID(""); ; {
		rows, err := st.Customers(ctx, padron.Filter{}, after, 1000, padron.Whole)
		if err != nil {
			t.Fatal(err)
		}
		for i := range rows {
			c, err := opener.Open(ctx, &rows[i], all)
			if err != nil {
				t.Fatal(err)
			}
			line, err := json.Marshal(padron.NewView(&c, all))
			if err != nil {
				t.Fatal(err)
			}
			sum.Write(line)
			count++
			after = rows[i].ID
		}
		if len(rows) == 0 {
			return hex.EncodeToString(sum.Sum(nil)), count
		}
	}
}

func TestKilledAtAnyMomentEndsTheSame(t *testing.T) {
	const customers = 5000
	options := providertest.Options{Customers: customers, Seed: 7, Dirty: 0.01}
	_, calm := provide(t, options, nil)
	calmDir := t.TempDir()
	if rep, r := syncOnce(t, calmDir, calm, "--page-size", "100"); r.code != 0 {
		t.Fatalf("undisturbed run: %v\n%s", rep, r.stderr)
	}
	want, live := opened(t, calmDir)

	dir, rng := t.TempDir(), rand.New(rand.NewPCG(1, 2))
	var victim atomic.Pointer[exec.Cmd]
	var requests, killAt atomic.Int64
	_, url := provide(t, options, func(n int64, _ http.ResponseWriter, _ *http.Request) {
		requests.Store(n)
		if cmd := victim.Load(); cmd != nil && n >= killAt.Load() {
			_ = cmd.Process.Signal(syscall.SIGKILL)
		}
	})
	killed := 0
	for range 10 {
		// A start needs a request or two before it writes: kill a few pages on.
		killAt.Store(requests.Load() + 2 + rng.Int64N(10))
		cmd := command(t, dir, []string{"PADRON_PROVIDER_URL=" + url}, "synchronizer", "run", "--json", "--page-size", "100")
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		victim.Store(cmd)
		if err := cmd.Wait(); err != nil {
			killed++
		}
		victim.Store(nil)
	}
	if killed == 0 {
		t.Fatal("no run was killed: the test shows nothing")
	}
	rep, r := syncOnce(t, dir, url, "--page-size", "100")
	if rep["outcome"] != "completed" {
		t.Fatalf("the run after %d kills: %v\n%s", killed, rep, r.stderr)
	}
	if got, n := opened(t, dir); got != want || n != live {
		t.Errorf("after %d kills %d customers, want %d and the same content", killed, n, live)
	}
}

func TestTwoRunsAtOnce(t *testing.T) {
	release, held := make(chan struct{}), make(chan struct{})
	_, url := provide(t, providertest.Options{Customers: 300, Seed: 3}, func(n int64, _ http.ResponseWriter, _ *http.Request) {
		if n == 1 {
			close(held)
			<-release
		}
	})
	dir := t.TempDir()
	first := command(t, dir, []string{"PADRON_PROVIDER_URL=" + url}, "synchronizer", "run", "--json")
	out := &syncBuffer{}
	first.Stdout = out
	if err := first.Start(); err != nil {
		t.Fatal(err)
	}
	<-held
	rep, r := syncOnce(t, dir, url)
	if rep["outcome"] != "skipped" || r.code != 0 {
		t.Errorf("second run: outcome %v, exit %d, want skipped and 0", rep["outcome"], r.code)
	}
	close(release)
	if err := first.Wait(); err != nil {
		t.Fatal(err)
	}
	if got := decode[report](t, out.String()); got["outcome"] != "completed" || got["inserted"] != 300.0 {
		t.Errorf("first run: %v", got)
	}
}

func TestEmptyAnswerDeletesNobody(t *testing.T) {
	var empty atomic.Bool
	sample, err := providertest.New(providertest.Options{Customers: 200, Seed: 4})
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if empty.Load() {
			w.Header().Set("Content-Type", "application/json")
			_, _ = w.Write([]byte("[]"))
			return
		}
		sample.ServeHTTP(w, r)
	}))
	defer srv.Close()
	dir, url := t.TempDir(), srv.URL+providertest.CollectionPath
	syncOnce(t, dir, url)
	before, live := opened(t, dir)
	empty.Store(true)
	rep, r := syncOnce(t, dir, url)
	if rep["outcome"] != "refused" || r.code != 1 || rep["deleted"] != 0.0 {
		t.Errorf("outcome %v, exit %d, deleted %v", rep["outcome"], r.code, rep["deleted"])
	}
	if !strings.Contains(r.stderr, "PADRON_SYNC_MAX_DELETE") {
		t.Errorf("the refusal does not say what to do: %s", r.stderr)
	}
	if after, n := opened(t, dir); after != before || n != live || n != 200 {
		t.Errorf("%d customers after the refusal, want the %d from before", n, live)
	}
}

func TestIncrementalRun(t *testing.T) {
	sample, url := provide(t, providertest.Options{Customers: 1000, Seed: 5}, nil)
	dir := t.TempDir()
	first, _ := syncOnce(t, dir, url)
	wantCounts(t, first, map[string]float64{"read": 1000, "inserted": 1000, "deleted": 0})
	again, _ := syncOnce(t, dir, url)
	wantCounts(t, again, map[string]float64{"read": 1000, "inserted": 0, "unchanged": 1000, "deleted": 0})

	m := sample.Mutate(providertest.Mutation{Change: 0.02, Add: 0.01, Remove: 0.01, Seed: 9})
	dry, _ := syncOnce(t, dir, url, "--dry-run")
	real, _ := syncOnce(t, dir, url)
	want := map[string]float64{
		"read": float64(m.Total), "updated": float64(m.Changed), "inserted": float64(m.Added), "deleted": float64(m.Removed),
	}
	wantCounts(t, dry, want)
	wantCounts(t, real, want)
	if _, n := opened(t, dir); n != m.Total {
		t.Errorf("%d live customers, want %d", n, m.Total)
	}
}
