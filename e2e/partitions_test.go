package e2e

import (
	"context"
	"fmt"
	"net/http"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"padron/internal/provider/providertest"
	"padron/internal/store"
	"padron/internal/store/mysql"
	"padron/internal/store/mysqltest"
	"padron/internal/store/sqlite"
)

// dividedRun is a register and a provider, for processes that share a run.
type dividedRun struct {
	*testing.T
	dir, url string
	env      []string
	store    store.Engine
	sample   *providertest.Server
	// onPage is called before a page is answered, if not nil.
	onPage atomic.Pointer[func(page int)]
}

func newDividedRun(t *testing.T, o providertest.Options, db string) *dividedRun {
	t.Helper()
	d := &dividedRun{T: t, dir: t.TempDir(), env: []string{"PADRON_PROVIDER_PAGING=page", "PADRON_PROVIDER_PAGE_SIZE=500"}}
	if db != "" {
		d.env = append(d.env, "PADRON_DB="+db)
	}
	d.sample, d.url = provide(t, o, func(_ int64, _ http.ResponseWriter, r *http.Request) {
		page, _ := strconv.Atoi(r.URL.Query().Get("page"))
		if f := d.onPage.Load(); f != nil {
			(*f)(page)
		}
	})
	d.env = append(d.env, "PADRON_PROVIDER_URL="+d.url)
	mustRun(t, d.dir, d.env, "padron", "migrate", "up")
	d.store = d.open(db)
	t.Cleanup(func() { _ = d.store.Close() })
	return d
}

func (d *dividedRun) open(db string) store.Engine {
	d.Helper()
	if db == "" {
		st, err := sqlite.Open(context.Background(), filepath.Join(d.dir, "var", "padron.db"))
		if err != nil {
			d.Fatal(err)
		}
		return st
	}
	cfg, err := mysql.ParseURL(db)
	if err != nil {
		d.Fatal(err)
	}
	st, err := mysql.Open(context.Background(), cfg)
	if err != nil {
		d.Fatal(err)
	}
	return st
}

func (d *dividedRun) synchronizer(args ...string) result {
	d.Helper()
	return run(d.T, d.dir, d.env, "synchronizer", args...)
}

func (d *dividedRun) must(args ...string) report {
	d.Helper()
	return decode[report](d.T, mustRun(d.T, d.dir, d.env, "synchronizer", append(args, "--json")...).stdout)
}

// refused runs a command that must fail and say so.
func (d *dividedRun) refused(says string, args ...string) {
	d.Helper()
	if r := d.synchronizer(args...); r.code != 1 || !strings.Contains(r.stderr, says) {
		d.Errorf("synchronizer %v: exit %d, want 1 and %q\n%s", args, r.code, says, r.stderr)
	}
}

// count returns how many customers are live.
func (d *dividedRun) count() int {
	d.Helper()
	n, err := d.store.Count(context.Background())
	if err != nil {
		d.Fatal(err)
	}
	return int(n)
}

// partition does a partition in a process of its own.
func (d *dividedRun) partition(i, n int) report {
	d.Helper()
	return d.must("run", "--partition", fmt.Sprintf("%d/%d", i, n))
}

// killSecond does all three partitions at once and kills the second when it has
// saved a place and asks for more.
func (d *dividedRun) killSecond() {
	d.Helper()
	second := command(d.T, d.dir, d.env, "synchronizer", "run", "--partition", "2/3")
	var once sync.Once
	started, killed := make(chan struct{}), make(chan struct{})
	kill := func(page int) {
		if page < 19 || page > 20 { // the last of its pages, behind the first batch
			return
		}
		once.Do(func() {
			defer close(killed)
			for {
				plan, err := d.store.Plan(context.Background())
				if err != nil || plan.Parts[1].Cursor != "" {
					break
				}
			}
			<-started
			_ = second.Process.Kill()
		})
	}
	d.onPage.Store(&kill)
	var others sync.WaitGroup
	for _, i := range []int{1, 3} {
		others.Go(func() { d.partition(i, 3) })
	}
	if err := second.Start(); err != nil {
		d.Fatal(err)
	}
	close(started)
	<-killed
	if err := second.Wait(); err == nil {
		d.Fatal("the second partition ended before it was killed: the test shows nothing")
	}
	others.Wait()
	d.onPage.Store(nil)
}

// finishThrice holds one finish in its second reading while another one comes,
// kills it, and begins a third, which must not have to wait.
func (d *dividedRun) finishThrice() report {
	d.Helper()
	entered, held := make(chan struct{}), make(chan struct{})
	var once sync.Once
	wait := func(int) {
		once.Do(func() { close(entered) })
		<-held
	}
	d.onPage.Store(&wait)
	first := command(d.T, d.dir, d.env, "synchronizer", "finish", "--json")
	if err := first.Start(); err != nil {
		d.Fatal(err)
	}
	<-entered
	if second := d.must("finish"); second["outcome"] != "skipped" {
		d.Errorf("a second finish at once: %v, want it skipped", second)
	}
	_ = first.Process.Kill()
	if err := first.Wait(); err == nil {
		d.Fatal("the first finish ended before it was killed: the test shows nothing")
	}
	d.onPage.Store(nil)
	close(held)
	return d.must("finish")
}

// TestDividedRun: three processes share a run, one is killed and started again
// alone, and the end is that of one process's run.
func TestDividedRun(t *testing.T) {
	t.Run("SQLite", func(t *testing.T) { testDividedRun(t, "", "") })
	t.Run("MySQL", func(t *testing.T) {
		server := mysqltest.Shared(t)
		testDividedRun(t, server.Database(t), server.Database(t))
	})
}

func testDividedRun(t *testing.T, db, otherDB string) {
	options := providertest.Options{Customers: 15_000, Seed: 11, Dirty: 0.005}
	mutation := providertest.Mutation{Change: 0.05, Add: 0.01, Remove: 0.01, Seed: 4}
	alone := newDividedRun(t, options, otherDB)
	alone.must("run")
	alone.sample.Mutate(mutation)
	want := alone.must("run")

	d := newDividedRun(t, options, db)
	d.refused("no divided run is open", "run", "--partition", "1/3")
	d.must("run")
	before := d.count()
	mutated := d.sample.Mutate(mutation)
	d.must("plan", "--partitions", "3")
	if r := d.synchronizer("plan", "--partitions", "3"); r.code != 3 || !strings.Contains(r.stderr, "is open") {
		t.Errorf("a second plan: exit %d, %s", r.code, r.stderr)
	}
	d.killSecond()
	if skipped := d.must("run"); skipped["outcome"] != "skipped" {
		t.Errorf("a run while a divided one is open: %v", skipped)
	}
	d.refused("2/3", "finish")
	if again := d.partition(2, 3); again["resumed_from"] == "" {
		t.Errorf("the partition that was killed began anew: %v", again)
	}
	if n := d.count(); n != before+mutated.Added {
		t.Errorf("%d customers before the end, want %d: a partition deleted", n, before+mutated.Added)
	}
	got := d.finishThrice()
	d.refused("no divided run is open", "run", "--partition", "2/3")
	d.refused("no divided run is open", "finish")
	wantCounts(t, got, map[string]float64{
		"read": want["read"].(float64), "inserted": float64(mutated.Added), "updated": float64(mutated.Changed),
		"deleted": float64(mutated.Removed), "quarantined": want["quarantined"].(float64),
	})
	wantHash, wantLive := openedIn(t, alone.store, alone.dir)
	if hash, live := openedIn(t, d.store, d.dir); hash != wantHash || live != wantLive {
		t.Errorf("%d customers, want the %d that one process leaves", live, wantLive)
	}
	if after := d.must("run"); after["unchanged"] != float64(wantLive) {
		t.Errorf("a run after the divided one: %v", after)
	}
}

// TestPartitionsShareTheRate: a provider that was promised 20 requests a second
// gets 10 from each of two partitions.
func TestPartitionsShareTheRate(t *testing.T) {
	d := newDividedRun(t, providertest.Options{Customers: 100, Seed: 1}, "")
	d.env = append(d.env, "PADRON_PROVIDER_PAGE_SIZE=5", "PADRON_PROVIDER_RATE=20")
	d.must("plan", "--partitions", "2")
	var mu sync.Mutex
	var asked []time.Time
	note := func(int) {
		mu.Lock()
		defer mu.Unlock()
		asked = append(asked, time.Now())
	}
	d.onPage.Store(&note)
	d.partition(2, 2)
	mu.Lock()
	defer mu.Unlock()
	// The first may be late on its way; at 20 a second it would be 50 ms each.
	least := time.Duration(len(asked)-1) * 75 * time.Millisecond
	if took := asked[len(asked)-1].Sub(asked[0]); len(asked) < 10 || took < least {
		t.Errorf("%d requests in %v, want at least 10, in %v or more", len(asked), took, least)
	}
}
