package sqlite_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"padron"
	"padron/internal/store"
	"padron/internal/store/sqlite"
	"padron/internal/store/storetest"
)

func open(t testing.TB, path string, opts ...sqlite.Option) *sqlite.Store {
	t.Helper()
	st, err := sqlite.Open(t.Context(), path, opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = st.Close() })
	if err := st.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	return st
}

func TestConformance(t *testing.T) {
	storetest.Run(t, func(t *testing.T, now func() time.Time) (store.Engine, func() store.Engine) {
		path := filepath.Join(t.TempDir(), "r.db")
		return open(t, path, sqlite.WithClock(now)), func() store.Engine { return open(t, path, sqlite.WithClock(now)) }
	})
}

func batch(from, to padron.Number) *padron.Batch {
	b := &padron.Batch{At: time.Unix(0, 0)}
	for n := from; n < to; n++ {
		b.Upserts = append(b.Upserts, storetest.Customer(n))
	}
	return b
}

func TestFilesAreTheOwnersAlone(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "var")
	st := open(t, filepath.Join(dir, "r.db"))
	lease, err := st.Acquire(t.Context(), "test", time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	if err := st.Apply(t.Context(), lease, batch(1, 100)); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		info, err := e.Info()
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %o", e.Name(), info.Mode().Perm())
		}
	}
	if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("the folder has mode %o (%v)", info.Mode().Perm(), err)
	}
}

// TestKilledInATransaction kills a child in the middle of a batch.
func TestKilledInATransaction(t *testing.T) {
	if path := os.Getenv("SQLITE_TEST_CHILD"); path != "" {
		child(t, path)
	}
	path := filepath.Join(t.TempDir(), "r.db")
	st := open(t, path)
	cmd := exec.Command(os.Args[0], "-test.run", "^TestKilledInATransaction$")
	cmd.Env = append(os.Environ(), "SQLITE_TEST_CHILD="+path)
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
		t.Fatalf("the child was not killed: %v\n%s", err, out)
	}
	if n, err := st.Count(t.Context()); err != nil || n != 10 {
		t.Errorf("%d customers (%v), want the 10 of the batch that was whole", n, err)
	}
	// The dead child's lease is free at once.
	if _, err := st.Acquire(t.Context(), "next", time.Minute); err != nil {
		t.Errorf("the lease of a dead process: %v", err)
	}
}

// child writes one batch, begins another and is killed in it.
func child(t *testing.T, path string) {
	st := open(t, path)
	lease, err := st.Acquire(t.Context(), "child", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	if err := st.Apply(t.Context(), lease, batch(1, 11)); err != nil {
		t.Fatal(err)
	}
	b := batch(11, 40_000)
	go func() {
		for { // as soon as the transaction has written something to the WAL
			if info, err := os.Stat(path + "-wal"); err == nil && info.Size() > 1<<20 {
				_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
			}
		}
	}()
	_ = st.Apply(t.Context(), lease, b)
	t.Fatal("still alive after a batch that should have killed it")
}

func TestFullDisk(t *testing.T) {
	path := filepath.Join(t.TempDir(), "r.db")
	st := open(t, path)
	lease, err := st.Acquire(t.Context(), "test", time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	if err := st.Apply(t.Context(), lease, batch(1, 11)); err != nil {
		t.Fatal(err)
	}
	if err := st.LimitPages(t.Context(), 40); err != nil {
		t.Fatal(err)
	}
	err = st.Apply(t.Context(), lease, batch(11, 5000))
	if padron.ErrorCode(err) != padron.CodeUnavailable || !strings.Contains(err.Error(), "disk is full") {
		t.Errorf("a full disk: %v", err)
	}
	if n, err := st.Count(t.Context()); err != nil || n != 10 {
		t.Errorf("%d customers (%v), want the 10 from before", n, err)
	}
}

func TestFaultsAreClear(t *testing.T) {
	dir := t.TempDir()
	garbage := filepath.Join(dir, "garbage.db")
	if err := os.WriteFile(garbage, []byte(strings.Repeat("not a database ", 1000)), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := sqlite.Open(t.Context(), garbage); err == nil || !strings.Contains(err.Error(), "not a register") {
		t.Errorf("garbage: %v", err)
	}
	if _, err := sqlite.Open(t.Context(), filepath.Join(garbage, "r.db")); err == nil {
		t.Error("a file in a file was opened")
	}
	fresh, err := sqlite.Open(t.Context(), filepath.Join(dir, "fresh.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer fresh.Close()
	if err := fresh.Ping(t.Context()); err == nil {
		t.Error("a register without schema is said to be well")
	}
}

func TestNewerSchemaIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "r.db")
	st := open(t, path)
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec("INSERT INTO goose_db_version (version_id, is_applied) VALUES (999, 1)"); err != nil {
		t.Fatal(err)
	}
	for _, err := range []error{st.Migrate(t.Context()), st.Ping(t.Context())} {
		if err == nil || !strings.Contains(err.Error(), "999") {
			t.Errorf("a newer schema: %v", err)
		}
	}
}

func TestIndexesAreUsed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "r.db")
	open(t, path)
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for query, index := range map[string]string{
		"SELECT * FROM customers WHERE id = 'x' AND deleted_at IS NULL":                             "customers_id",
		"SELECT num FROM customers WHERE id IN ('a','b')":                                           "customers_id",
		"SELECT * FROM customers WHERE ix_card = x'00' AND deleted_at IS NULL ORDER BY +id LIMIT 9": "customers_card",
		"DELETE FROM quarantine WHERE customer_id IN ('a','b')":                                     "quarantine_customer",
		"SELECT * FROM audit WHERE seq > 1 AND principal = 'x' ORDER BY seq LIMIT 9":                "audit_principal",
		"SELECT report FROM runs ORDER BY started_at DESC, id DESC LIMIT 9":                         "runs_started",
	} {
		var plan strings.Builder
		rows, err := db.Query("EXPLAIN QUERY PLAN " + query)
		if err != nil {
			t.Fatal(err)
		}
		for rows.Next() {
			var id, parent, unused int
			var detail string
			if err := rows.Scan(&id, &parent, &unused, &detail); err != nil {
				t.Fatal(err)
			}
			plan.WriteString(detail + "; ")
		}
		if err := errors.Join(rows.Err(), rows.Close()); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(plan.String(), index) {
			t.Errorf("%s\n\tgoes by %s, want %s", query, plan.String(), index)
		}
	}
}

func BenchmarkApply(b *testing.B) {
	st := open(b, filepath.Join(b.TempDir(), "r.db"))
	lease, err := st.Acquire(b.Context(), "bench", time.Hour)
	if err != nil {
		b.Fatal(err)
	}
	const size = 2000
	next := padron.Number(1)
	for b.Loop() {
		b.StopTimer()
		rows := batch(next, next+size)
		next += size
		b.StartTimer()
		if err := st.Apply(context.Background(), lease, rows); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)*size/b.Elapsed().Seconds(), "customers/s")
}

func BenchmarkLookup(b *testing.B) {
	st := open(b, filepath.Join(b.TempDir(), "r.db"))
	lease, err := st.Acquire(b.Context(), "bench", time.Hour)
	if err != nil {
		b.Fatal(err)
	}
	for n := padron.Number(1); n < 100_000; n += 5000 {
		if err := st.Apply(b.Context(), lease, batch(n, n+5000)); err != nil {
			b.Fatal(err)
		}
	}
	ids := make([]padron.CustomerID, 1000)
	for i := range ids {
		ids[i] = storetest.ID(padron.Number(i*97 + 1))
	}
	for b.Loop() {
		if known, err := st.Lookup(context.Background(), ids); err != nil || len(known) != len(ids) {
			b.Fatal(fmt.Sprint(len(known)), err)
		}
	}
}
