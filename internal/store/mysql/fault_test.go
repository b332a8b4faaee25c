package mysql_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"padron"
	"padron/internal/audit"
	"padron/internal/store/mysql"
	"padron/internal/store/mysqltest"
)

// TestOneWinsTheLease: sixteen at once, in two instances.
func TestOneWinsTheLease(t *testing.T) { mysqltest.Each(t, testOneWinsTheLease) }

func testOneWinsTheLease(t *testing.T, server *mysqltest.Server) {
	url := server.Database(t)
	stores := []*mysql.Store{open(t, url), open(t, url)}
	last := int64(0)
	for round := range 3 {
		var won atomic.Pointer[padron.Lease]
		var wg sync.WaitGroup
		for i := range 16 {
			wg.Go(func() {
				lease, err := stores[i%2].Acquire(t.Context(), "holder", time.Hour)
				switch {
				case err == nil && won.Swap(&lease) != nil:
					t.Error("two hold the lease")
				case err != nil && !errors.Is(err, padron.ErrLeaseHeld):
					t.Error(err)
				}
			})
		}
		wg.Wait()
		lease := won.Load()
		if lease == nil || lease.Token <= last {
			t.Fatalf("round %d: lease %+v after token %d", round, lease, last)
		}
		last = lease.Token
		if err := stores[round%2].Release(t.Context(), *lease); err != nil {
			t.Fatal(err)
		}
	}
}

// TestKilledInATransaction kills a child in the middle of a batch.
func TestKilledInATransaction(t *testing.T) {
	if url := os.Getenv("MYSQL_TEST_CHILD"); url != "" {
		child(t, url)
	}
	mysqltest.Each(t, testKilledInATransaction)
}

func testKilledInATransaction(t *testing.T, server *mysqltest.Server) {
	url := server.Database(t)
	st := open(t, url)
	cmd := exec.Command(os.Args[0], "-test.run", "^TestKilledInATransaction$")
	cmd.Env = append(os.Environ(), "MYSQL_TEST_CHILD="+url)
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
		t.Fatalf("the child was not killed: %v\n%s", err, out)
	}
	// The dead child's lease is free at once, once its transaction is undone.
	lease(t, st)
	if n := count(t, st); n != 10 {
		t.Errorf("%d customers, want the 10 of the batch that was whole", n)
	}
}

// child writes one batch, begins another and is killed in it.
func child(t *testing.T, url string) {
	st := open(t, url)
	held := lease(t, st)
	apply(t, st, held, batch(1, 11))
	err := st.Fenced(t.Context(), held, func(tx *sql.Tx) error {
		if _, err := tx.Exec("UPDATE customers SET deleted_at = 1"); err != nil {
			return err
		}
		return syscall.Kill(os.Getpid(), syscall.SIGKILL)
	})
	t.Fatal("still alive after the transaction that should have killed it:", err)
}

// TestBrokenConnections breaks the connection after ever more bytes of a batch:
// whatever the place, all of the batch is written or nothing, and the store
// goes on.
func TestBrokenConnections(t *testing.T) { mysqltest.Each(t, testBrokenConnections) }

func testBrokenConnections(t *testing.T, server *mysqltest.Server) {
	url := server.Database(t)
	direct := open(t, url)
	line := newProxy(t, server.Addr())
	st := open(t, strings.Replace(url, server.Addr(), line.addr(), 1), mysql.WithOutageTime(0))
	held := lease(t, st)
	b := batch(1, 60)
	b.Checkpoint = &padron.Checkpoint{RunID: "r", Cursor: "page:2", SavedAt: time.Unix(0, 0)}
	b.Rejected = []padron.Rejected{{ID: "q", Reasons: []padron.Reason{padron.ReasonMalformed}, Record: padron.Sealed("r")}}
	broken := 0
	for bytes := int64(1); ; bytes += bytes/3 + 1 {
		line.breakAfter(bytes)
		err := st.Apply(t.Context(), held, b)
		whole := line.breakAfter(-1)
		cp, cpErr := direct.Checkpoint(t.Context())
		q, qErr := direct.Quarantine(t.Context(), "", 9)
		if cpErr != nil || qErr != nil {
			t.Fatal(cpErr, qErr)
		}
		switch n := count(t, direct); {
		case n == 0 && cp == nil && len(q) == 0 && err != nil:
			broken++
		case n == 59 && cp != nil && len(q) == 1:
			if broken < 10 || err == nil != whole {
				t.Errorf("whole after %d broken connections: %v", broken, err)
			}
			return
		default:
			t.Fatalf("after %d bytes: %d customers, checkpoint %v, %d in quarantine (%v)", bytes, n, cp, len(q), err)
		}
		if padron.ErrorCode(err) != padron.CodeUnavailable {
			t.Errorf("after %d bytes: %v", bytes, err)
		}
		// The lease's own connection broke too: renewing takes its lock again.
		if err := st.Renew(t.Context(), held, time.Hour); err != nil {
			t.Fatal(err)
		}
		if broken == 1 {
			if _, err := direct.Acquire(t.Context(), "other", time.Hour); !errors.Is(err, padron.ErrLeaseHeld) {
				t.Fatalf("a lease whose connection broke was free: %v", err)
			}
		}
	}
}

// TestPowerCut kills the server, and starts it again.
func TestPowerCut(t *testing.T) {
	server := mysqltest.Private(t)
	st := open(t, server.Database(t), mysql.WithOutageTime(0))
	held := lease(t, st)
	apply(t, st, held, batch(1, 11))
	err := st.Fenced(t.Context(), held, func(tx *sql.Tx) error {
		_, err := tx.Exec("UPDATE customers SET deleted_at = 1")
		server.Kill()
		return err
	})
	if padron.ErrorCode(err) != padron.CodeUnavailable {
		t.Errorf("a commit to a server that is gone: %v", err)
	}
	if err := st.Apply(t.Context(), held, batch(11, 21)); padron.ErrorCode(err) != padron.CodeUnavailable {
		t.Errorf("a batch for a server that is gone: %v", err)
	}
	if err := st.Ping(t.Context()); err == nil {
		t.Error("a server that is gone is said to be well")
	}
	server.Restart(t)
	if n := count(t, st); n != 10 {
		t.Errorf("%d customers, want the 10 from before", n)
	}
	apply(t, st, held, batch(11, 21)) // the lease is a row: it is still ours
	if n := count(t, st); n != 20 {
		t.Errorf("%d customers, want 20", n)
	}
}

// TestStopInACommit: who is told to stop while the server does not answer a commit,
// as one does that is being backed up, is gone at once.
func TestStopInACommit(t *testing.T) {
	server := mysqltest.Private(t)
	st := open(t, server.Database(t))
	admin := server.Admin(t)
	admin.SetMaxOpenConns(1)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	ended := make(chan error, 1)
	go func() {
		ended <- st.InTx(ctx, func(tx *sql.Tx) error {
			if _, err := tx.Exec("UPDATE lease SET holder = 'stopped'"); err != nil {
				return err
			}
			_, err := admin.Exec("FLUSH TABLES WITH READ LOCK")
			return err
		})
	}()
	waitFor(t, st.DB(), "COMMIT")
	stop()
	select {
	case err := <-ended:
		if !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	case <-time.After(10 * time.Second):
		t.Error("it waits for the commit")
	}
	if _, err := admin.Exec("UNLOCK TABLES"); err != nil {
		t.Error(err)
	}
}

// TestTakeoverWaitsForATransaction: a holder whose lease expires while it
// writes ends its transaction before the next holder begins.
func TestTakeoverWaitsForATransaction(t *testing.T) {
	mysqltest.Each(t, testTakeoverWaitsForATransaction)
}

func testTakeoverWaitsForATransaction(t *testing.T, server *mysqltest.Server) {
	url := server.Database(t)
	first := open(t, url)
	later := open(t, url, mysql.WithClock(func() time.Time { return time.Now().Add(2 * time.Hour) }))
	held := lease(t, first)
	var ended atomic.Bool
	taken := make(chan error, 1)
	if err := first.Fenced(t.Context(), held, func(*sql.Tx) error {
		go func() {
			_, err := later.Acquire(context.Background(), "next", time.Hour)
			if err == nil && !ended.Load() {
				err = errors.New("taken over in the middle of a transaction")
			}
			taken <- err
		}()
		waitFor(t, first.DB(), "%FOR UPDATE")
		ended.Store(true)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if err := <-taken; err != nil {
		t.Fatal(err)
	}
	if err := first.Apply(t.Context(), held, batch(1, 2)); !errors.Is(err, padron.ErrLeaseLost) {
		t.Errorf("the stalled holder writes: %v", err)
	}
}

// TestLeaseKeepsTheServersTime: the server's clock is an hour off the clock of the
// host that the program runs on, either way.
func TestLeaseKeepsTheServersTime(t *testing.T) {
	server := mysqltest.Private(t)
	url := server.Database(t)
	admin := open(t, url)
	user := mysql.ServiceUser{Service: mysql.UserSynchronizer, Name: "elsewhen", Password: testPassword}
	if err := admin.PutUser(t.Context(), user); err != nil {
		t.Fatal(err)
	}
	for _, off := range []time.Duration{time.Hour, -time.Hour} {
		there := time.Now().Add(off)
		// Whoever has not every right begins a session with this.
		if _, err := admin.DB().Exec("SET GLOBAL init_connect = ?", fmt.Sprintf("SET timestamp = %d", there.Unix())); err != nil {
			t.Fatal(err)
		}
		st := serviceStore(t, url, user.Service, user.Name)
		held := lease(t, st) // for an hour
		expires := func(least time.Time) {
			t.Helper()
			var at int64
			if err := admin.DB().QueryRow("SELECT expires_at FROM lease").Scan(&at); err != nil {
				t.Fatal(err)
			}
			if d := time.UnixMilli(at).Sub(least); d < -time.Minute || d > time.Minute {
				t.Errorf("the clock off by %v: the lease ends %v from when it should", off, d)
			}
		}
		expires(there.Add(time.Hour))
		if err := st.Renew(t.Context(), held, 10*time.Minute); err != nil {
			t.Fatal(err)
		}
		expires(there.Add(10 * time.Minute))
		if err := st.Release(t.Context(), held); err != nil {
			t.Fatal(err)
		}
	}
}

// waitFor waits until another session executes such a statement.
func waitFor(t *testing.T, db *sql.DB, like string) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for n := 0; n == 0; <-tick.C {
		if err := db.QueryRow("SELECT count(*) FROM information_schema.processlist WHERE info LIKE ? AND id <> connection_id() AND db = database()",
			like).Scan(&n); err != nil {
			t.Fatal(err)
		}
	}
}

// TestDeadlocksAreRepeated: two transactions lock two rows crosswise.
func TestDeadlocksAreRepeated(t *testing.T) { mysqltest.Each(t, testDeadlocksAreRepeated) }

func testDeadlocksAreRepeated(t *testing.T, server *mysqltest.Server) {
	st := open(t, server.Database(t))
	statements := []string{"UPDATE lease SET holder = concat(holder, 'x')", "UPDATE data_keys SET messages = messages + 1"}
	if err := st.AddKey(t.Context(), padron.DataKey{ID: 1, Purpose: padron.PurposeSeal, Wrapped: []byte{1}}); err != nil {
		t.Fatal(err)
	}
	var both, wg sync.WaitGroup
	var tries atomic.Int64
	both.Add(2)
	for i := range 2 {
		wg.Go(func() {
			arrive := sync.OnceFunc(func() { both.Done(); both.Wait() })
			if err := st.InTx(t.Context(), func(tx *sql.Tx) error {
				tries.Add(1)
				if _, err := tx.Exec(statements[i]); err != nil {
					return err
				}
				arrive()
				_, err := tx.Exec(statements[1-i])
				return err
			}); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if tries.Load() != 3 {
		t.Errorf("%d tries, want one of the two again", tries.Load())
	}
	if key, err := st.Key(t.Context(), 1); err != nil || key.Messages != 2 {
		t.Errorf("%d messages (%v), want each once", key.Messages, err)
	}
}

func TestMigrateTogether(t *testing.T) { mysqltest.Each(t, testMigrateTogether) }

func testMigrateTogether(t *testing.T, server *mysqltest.Server) {
	url := server.Database(t)
	var wg sync.WaitGroup
	for range 4 {
		st, err := connect(t, url)
		if err != nil {
			t.Fatal(err)
		}
		if err := st.Ping(t.Context()); err == nil {
			t.Error("a register without schema is said to be well")
		}
		wg.Go(func() {
			if err := st.Migrate(context.Background()); err != nil {
				t.Error(err)
			}
			if err := st.Ping(context.Background()); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

// TestMigrationIsTakenUp: MySQL commits each statement, so a migration that was
// killed has done a part.
func TestMigrationIsTakenUp(t *testing.T) { mysqltest.Each(t, testMigrationIsTakenUp) }

func testMigrationIsTakenUp(t *testing.T, server *mysqltest.Server) {
	st := open(t, server.Database(t))
	held := lease(t, st)
	for _, statement := range []string{"DELETE FROM goose_db_version WHERE version_id > 0", "DROP TABLE tokens, audit, audit_turn"} {
		if _, err := st.DB().Exec(statement); err != nil {
			t.Fatal(err)
		}
	}
	if err := st.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := st.AppendAudit(t.Context(), func(padron.AuditHead) ([]padron.AuditEntry, error) { return nil, nil }); err != nil {
		t.Error(err)
	}
	apply(t, st, held, batch(1, 2)) // the lease is as it was
}

// TestMigrationBeforeTheFirstRow: somebody who migrated was killed when goose had
// made its table and not yet put its first row in.
func TestMigrationBeforeTheFirstRow(t *testing.T) {
	mysqltest.Each(t, testMigrationBeforeTheFirstRow)
}

func testMigrationBeforeTheFirstRow(t *testing.T, server *mysqltest.Server) {
	st, err := connect(t, server.Database(t))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := st.DB().Exec(`CREATE TABLE goose_db_version (id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
		version_id BIGINT NOT NULL, is_applied BOOLEAN NOT NULL, tstamp DATETIME NULL DEFAULT CURRENT_TIMESTAMP)`); err != nil {
		t.Fatal(err)
	}
	if err := st.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := st.Ping(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestNewerSchemaIsRefused(t *testing.T) { mysqltest.Each(t, testNewerSchemaIsRefused) }

func testNewerSchemaIsRefused(t *testing.T, server *mysqltest.Server) {
	st := open(t, server.Database(t))
	if _, err := st.DB().Exec("INSERT INTO goose_db_version (version_id, is_applied) VALUES (999, 1)"); err != nil {
		t.Fatal(err)
	}
	for _, err := range []error{st.Migrate(t.Context()), st.Ping(t.Context())} {
		if err == nil || !strings.Contains(err.Error(), "999") {
			t.Errorf("a newer schema: %v", err)
		}
	}
}

// TestSchemaOfTheNextRelease: a release migrates while the tasks of the last one
// serve, and those that start meanwhile; a schema that takes something away
// stops them.
func TestSchemaOfTheNextRelease(t *testing.T) { mysqltest.Each(t, testSchemaOfTheNextRelease) }

func testSchemaOfTheNextRelease(t *testing.T, server *mysqltest.Server) {
	url := server.Database(t)
	for _, step := range []struct {
		version int
		served  bool
	}{{4, true}, {99, true}, {100, false}} {
		running := open(t, url)
		if _, err := running.DB().Exec("INSERT INTO goose_db_version (version_id, is_applied) VALUES (?, 1)", step.version); err != nil {
			t.Fatal(err)
		}
		started, err := connect(t, url)
		if err != nil {
			t.Fatal(err)
		}
		for name, err := range map[string]error{
			"the running one": running.Ping(t.Context()), "one that starts": started.Ping(t.Context()), "its migration": started.Migrate(t.Context()),
		} {
			if (err == nil) != step.served {
				t.Errorf("schema %d, %s: %v", step.version, name, err)
			}
		}
	}
}

// TestDamagedEntriesAreNamed: whatever somebody does to a row of the audit log
// with SQL, verification names the first one.
func TestDamagedEntriesAreNamed(t *testing.T) { mysqltest.Each(t, testDamagedEntriesAreNamed) }

func testDamagedEntriesAreNamed(t *testing.T, server *mysqltest.Server) {
	for _, damage := range []string{
		"UPDATE audit SET customers = 'garbage' WHERE seq = 5", "UPDATE audit SET customers = '[1]' WHERE seq = 5",
		"UPDATE audit SET customers = '{}' WHERE seq = 5", `UPDATE audit SET customers = '[ "1","2"]' WHERE seq = 5`,
		"UPDATE audit SET fields = 'nope' WHERE seq = 5", "UPDATE audit SET fields = 'null' WHERE seq = 5",
		"UPDATE audit SET hash = x'00' WHERE seq = 5", "UPDATE audit SET prev = hash WHERE seq = 5",
		"UPDATE audit SET purpose = 'x' WHERE seq = 5", "UPDATE audit SET purpose = ' ' WHERE seq = 5", "DELETE FROM audit WHERE seq = 5",
		"UPDATE audit SET customers = 'garbage' WHERE seq IN (5, 7)",
	} {
		st := open(t, server.Database(t))
		log := audit.New(st, time.Now)
		for range 9 {
			if err := log.Record(t.Context(), padron.AuditEntry{Principal: "p", Action: padron.ActionGet, Customers: []padron.CustomerID{"1", "2"}}); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := st.DB().Exec(damage); err != nil {
			t.Fatalf("%s: %v", damage, err)
		}
		got, err := audit.Verify(t.Context(), st, nil)
		if err != nil || got.Broken == nil || got.Broken.Seq != 5 || got.Entries != 4 {
			t.Errorf("%s: %d entries, broken %+v (%v)", damage, got.Entries, got.Broken, err)
		}
	}
}
