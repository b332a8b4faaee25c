package e2e

import (
	"database/sql"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	_ "modernc.org/sqlite" // to let a lease expire by hand

	"padron"
	"padron/internal/provider/providertest"
	"padron/internal/store/mysqltest"
)

// TestStalledRunWritesNothing: a run is stopped as a debugger or a host short of
// memory stops a process, with a batch in its hands; its lease expires; another
// run takes over and ends. When the first one goes on, it writes nothing.
func TestStalledRunWritesNothing(t *testing.T) {
	t.Run("SQLite", func(t *testing.T) {
		d := newInterrupted(t, "")
		d.stall(func() {
			db, err := sql.Open("sqlite", filepath.Join(d.dir, "var", "padron.db"))
			d.expire(db, err)
		})
	})
	t.Run("MySQL", func(t *testing.T) {
		server := mysqltest.Shared(t)
		url := server.Database(t)
		d := newInterrupted(t, url)
		d.stall(func() {
			admin := server.Admin(t)
			_, err := admin.Exec("USE " + databaseName(t, url))
			admin.SetMaxOpenConns(1)
			d.expire(admin, err)
		})
	})
}

// expire lets the lease's time pass.
func (d *interrupted) expire(db *sql.DB, err error) {
	d.Helper()
	if err != nil {
		d.Fatal(err)
	}
	defer db.Close()
	r, err := db.Exec("UPDATE lease SET expires_at = 1")
	if err != nil {
		d.Fatal(err)
	}
	if n, err := r.RowsAffected(); err != nil || n != 1 {
		d.Fatalf("%d leases (%v)", n, err)
	}
}

func (d *interrupted) stall(expire func()) {
	reached, held := make(chan struct{}), make(chan struct{})
	d.midway(func() { close(reached); <-held })
	stalled := d.begin()
	<-reached
	if err := stalled.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		d.Fatal(err)
	}
	d.onPage.Store(nil)
	expire()
	// What the stalled run has in its hands is old by then.
	d.sample.Mutate(providertest.Mutation{Change: 0.5, Add: 0.01, Remove: 0.01, Seed: 3})
	if rep := d.must("run", "--force", "the test changes half of them"); rep["outcome"] != "completed" {
		d.Fatalf("the run that took over: %v", rep)
	}
	d.must("run", "--force", "the test changes half of them") // it went on from the stalled one's checkpoint: read all once more
	d.checkTruth()
	close(held)
	if err := stalled.cmd.Process.Signal(syscall.SIGCONT); err != nil {
		d.Fatal(err)
	}
	rep, code := stalled.end()
	if code != 1 || rep["outcome"] != "failed" || !strings.Contains(stalled.stderr.String(), padron.ErrLeaseLost.Error()) {
		d.Errorf("the stalled run: exit %d, %v\n%s", code, rep, stalled.stderr)
	}
	d.checkTruth()
}

// TestKilledAnywhere: runs are killed at random moments, and the one that is left
// alone ends with everybody.
func TestKilledAnywhere(t *testing.T) {
	onEngines(t, func(t *testing.T, d *interrupted) {
		rng := rand.New(rand.NewPCG(5, 1))
		killed := 0
		for range 6 {
			if d.killAt(1+rng.IntN(18), time.Duration(rng.Int64N(int64(300*time.Millisecond)))) {
				killed++
			}
		}
		d.onPage.Store(nil)
		if killed == 0 {
			t.Fatal("no run was killed: the test shows nothing")
		}
		if rep := d.must("run"); rep["outcome"] != "completed" {
			t.Errorf("after %d kills: %v", killed, rep)
		}
		d.checkTruth()
	})
}

// killAt begins a run and kills it so long after it asked for a page, or behind
// it. It reports whether the run had not ended by then.
func (d *interrupted) killAt(page int, after time.Duration) bool {
	d.Helper()
	var once sync.Once
	var r *running
	started := make(chan struct{})
	on := func(asked int) {
		if asked < page {
			return
		}
		once.Do(func() {
			<-started
			time.AfterFunc(after, func() { _ = r.cmd.Process.Kill() })
		})
	}
	d.onPage.Store(&on)
	r = d.begin()
	close(started)
	_, code := r.end()
	return code != 0
}
