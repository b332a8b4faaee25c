package e2e

import (
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"padron"
	"padron/internal/store/mysqltest"
)

// waits is what a run logs that finds its database gone, and triesAgain its
// provider.
const (
	waits      = "the run waits for the database"
	triesAgain = "trying the provider again"
)

// TestDatabaseRestarts: a run bears a server that is killed under it and started
// again.
func TestDatabaseRestarts(t *testing.T) {
	server := mysqltest.Private(t)
	d := newInterrupted(t, server.Database(t))
	d.midway(server.Kill)
	r := d.begin()
	waitForLog(t, r.process, waits)
	server.Restart(t)
	r.survives()
	d.oneRun()
}

// oneRun wants the history to hold a single run, completed.
func (d *interrupted) oneRun() {
	d.Helper()
	runs, err := d.store.Runs(d.Context(), 9)
	if err != nil || len(runs) != 1 || runs[0].Outcome != padron.OutcomeCompleted {
		d.Errorf("the runs %+v (%v), want one that completed", runs, err)
	}
}

// TestFailover: the primary becomes read-only and then goes away, and its name
// leads to another one on the same storage. The run, whose user may do no more
// than a service's, goes on there.
func TestFailover(t *testing.T) {
	server := mysqltest.Private(t)
	db := server.Database(t)
	d := newInterrupted(t, db)
	d.env = append(d.env, "PADRON_DB="+d.asService(db, server.CAFile()))
	admin := server.Admin(t)
	d.midway(func() {
		if _, err := admin.Exec("SET GLOBAL read_only = ON"); err != nil {
			t.Error(err)
		}
	})
	r := d.begin()
	waitForLog(t, r.process, waits)
	server.Kill()
	server.RestartElsewhere(t)
	d.database.lead(server.Addr())
	rep, code := r.end()
	if rep["outcome"] != "completed" || code != 0 {
		t.Fatalf("exit %d, %v\n%s", code, rep, r.stderr)
	}
	d.store = d.open(server.URL(server.Addr(), databaseName(t, db), "tls=false"))
	defer d.store.Close()
	d.checkTruth()
	d.oneRun()
}

func databaseName(t *testing.T, db string) string {
	t.Helper()
	u, err := url.Parse(db)
	if err != nil {
		t.Fatal(err)
	}
	return u.Path[1:]
}

// asService makes the services' users on the server of a register, and returns
// its URL as the synchronizer's user, by the line.
func (d *interrupted) asService(db, ca string) string {
	d.Helper()
	const user, password = "padron_failing_over", "a password of twenty"
	file := filepath.Join(d.dir, "passwords.json")
	if err := os.WriteFile(file, []byte(jsonOf(d.T, map[string]string{user: password, "padron_idle": password})), 0o600); err != nil {
		d.Fatal(err)
	}
	mustRun(d.T, d.dir, []string{"PADRON_DB=" + db}, "padron", "migrate", "users", "--passwords", file, "--synchronizer", user,
		"--customers-mngr", "padron_idle")
	u, err := url.Parse(db)
	if err != nil {
		d.Fatal(err)
	}
	u.Host, u.User, u.RawQuery = d.database.addr(), url.UserPassword(user, password), "tls=true&ca="+ca
	return u.String()
}

// TestBadNetwork: whatever the network does for a while, between a run and its
// database or its provider, the run bears it.
func TestBadNetwork(t *testing.T) {
	for name, c := range map[string]struct {
		all []trouble
		// breaks: nothing gets through until the line heals.
		breaks bool
	}{
		"slow": {[]trouble{
			{"latency", map[string]any{"latency": 5, "jitter": 5}},
			{"bandwidth", map[string]any{"rate": 8000}}, // KB/s
			{"slicer", map[string]any{"average_size": 4000, "size_variation": 2000, "delay": 10}},
			{"slow_close", map[string]any{"delay": 200}},
		}, false},
		"reset":   {[]trouble{{"reset_peer", map[string]any{"timeout": 100}}}, true},
		"cut off": {[]trouble{{"limit_data", map[string]any{"bytes": 100_000}}}, true}, // less than a page or a batch
	} {
		for where, logs := range map[string]string{"database": waits, "provider": triesAgain} {
			t.Run(name+", to the "+where, func(t *testing.T) {
				d := newInterrupted(t, mysqltest.Shared(t).Database(t))
				l := map[string]*line{"database": d.database, "provider": d.provider}[where]
				d.midway(func() {
					for _, one := range c.all {
						l.add(one)
					}
				})
				r := d.begin()
				if c.breaks {
					waitForLogs(t, r.process, logs, 2)
					l.heal()
				}
				r.survives()
			})
		}
	}
}

// TestThreeRunsAtOnce: one works, the others are skipped, which is no failure.
func TestThreeRunsAtOnce(t *testing.T) {
	onEngines(t, func(t *testing.T, d *interrupted) {
		reached, held := make(chan struct{}), make(chan struct{})
		d.midway(func() { close(reached); <-held })
		first := d.begin()
		<-reached
		var others sync.WaitGroup
		for range 2 {
			others.Go(func() {
				if rep := d.must("run"); rep["outcome"] != "skipped" {
					t.Errorf("a run beside another one: %v", rep)
				}
			})
		}
		others.Wait()
		close(held)
		first.survives()
	})
}
