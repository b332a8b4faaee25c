// Package bench measures the whole, each figure beside its limit in the same
// run. `make bench` and `make bench-peers` run it and write docs/benchmarks.md;
// no test asserts a time.
package bench

import (
	"database/sql"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	_ "modernc.org/sqlite" // the driver "sqlite"

	"padron"
	"padron/internal/app/apptest"
	"padron/internal/store/sqlite"
)

// customers is how many the sample provider has in each benchmark.
const customers = 100_000

// BenchmarkFirstSync reads, seals and writes everybody into an empty register,
// and then copies the rows it wrote with a bare loop of inserts: the limit.
func BenchmarkFirstSync(b *testing.B) {
	var synced, bare time.Duration
	for b.Loop() {
		b.StopTimer()
		r := apptest.Unsynced(b, customers, 1)
		started := time.Now()
		b.StartTimer()
		run := r.Sync(b)
		b.StopTimer()
		synced += time.Since(started)
		if run.Inserted < customers*98/100 {
			b.Fatalf("%d customers were written", run.Inserted)
		}
		bare += bareInsert(b, r)
		b.StartTimer()
	}
	b.ReportMetric(customers*float64(b.N)/synced.Seconds(), "customers/s")
	b.ReportMetric(customers*float64(b.N)/bare.Seconds(), "bare-inserts/s")
	b.ReportMetric(bare.Seconds()/synced.Seconds(), "of-limit")
}

// BenchmarkUnchangedSync reads everybody again and writes nobody.
func BenchmarkUnchangedSync(b *testing.B) {
	r := apptest.Start(b, customers, 1)
	for b.Loop() {
		if run := r.Sync(b); run.Inserted+run.Updated+run.Deleted != 0 {
			b.Fatalf("%d inserted, %d updated, %d deleted", run.Inserted, run.Updated, run.Deleted)
		}
	}
	b.ReportMetric(customers*float64(b.N)/b.Elapsed().Seconds(), "customers/s")
}

// bareInsert copies the register's rows into an empty one and returns how long
// the copying took: one prepared statement, transactions of 4,000 rows.
func bareInsert(b *testing.B, r *apptest.Running) time.Duration {
	path := filepath.Join(b.TempDir(), "bare.db")
	st := must(sqlite.Open(b.Context(), path))(b)
	check(b, st.Migrate(b.Context()))
	check(b, st.Close())
	from := must(sql.Open("sqlite", "file:"+r.Path))(b)
	defer from.Close()
	to := must(sql.Open("sqlite", "file:"+path+"?_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=wal_autocheckpoint(4000)&_pragma=cache_size(-16384)"))(b)
	defer to.Close()
	to.SetMaxOpenConns(1)
	rows := must(from.Query("SELECT * FROM customers ORDER BY num"))(b)
	defer rows.Close()
	columns := must(rows.Columns())(b)
	insert := "INSERT INTO customers VALUES (" + strings.TrimSuffix(strings.Repeat("?,", len(columns)), ",") + ")"
	var took time.Duration
	for part := read(b, rows, len(columns)); len(part) > 0; part = read(b, rows, len(columns)) {
		started := time.Now()
		tx := must(to.Begin())(b)
		stmt := must(tx.Prepare(insert))(b)
		for _, row := range part {
			must(stmt.Exec(row...))(b)
		}
		check(b, tx.Commit())
		took += time.Since(started)
	}
	return took
}

// read returns the next rows, at most 4,000.
func read(b *testing.B, rows *sql.Rows, columns int) (part [][]any) {
	for len(part) < 4000 && rows.Next() {
		row, at := make([]any, columns), make([]any, columns)
		for i := range row {
			at[i] = &row[i]
		}
		check(b, rows.Scan(at...))
		part = append(part, row)
	}
	check(b, rows.Err())
	return part
}

// BenchmarkReads: 16 clients read single customers over HTTP, each one put on
// the audit record before it is answered. The limit is the same requests to
// /healthz, which reads nothing.
func BenchmarkReads(b *testing.B) {
	r := apptest.Start(b, customers, 1)
	ids := must(r.App.Store.Customers(b.Context(), padron.Filter{}, "", 1000, padron.Whole))(b)
	for name, path := range map[string]func(i int) string{
		"customer": func(i int) string { return "/v1/customers/" + string(ids[i%len(ids)].ID) },
		"healthz":  func(int) string { return "/healthz" },
	} {
		b.Run(name, func(b *testing.B) {
			var times []time.Duration
			for b.Loop() {
				times = append(times, clients(b, r, path)...)
			}
			slices.Sort(times)
			b.ReportMetric(float64(len(times))/b.Elapsed().Seconds(), "requests/s")
			for _, share := range []int{50, 99} {
				b.ReportMetric(float64(times[len(times)*share/100].Microseconds())/1000, fmt.Sprintf("p%d-ms", share))
			}
		})
	}
}

// clients sends 16 times 250 requests and returns how long each took.
func clients(b *testing.B, r *apptest.Running, path func(i int) string) []time.Duration {
	const at, each = 16, 250
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: at}}
	defer client.CloseIdleConnections()
	times := make([]time.Duration, at*each)
	var group sync.WaitGroup
	for c := range at {
		group.Go(func() {
			for i := c * each; i < (c+1)*each; i++ {
				started := time.Now()
				get(b, client, r, path(i))
				times[i] = time.Since(started)
			}
		})
	}
	group.Wait()
	return times
}

func get(b *testing.B, client *http.Client, r *apptest.Running, path string) {
	req, err := http.NewRequestWithContext(b.Context(), http.MethodGet, r.URL+path, nil)
	if err != nil {
		b.Error(err)
		return
	}
	req.Header.Set("Authorization", "Bearer "+r.Tokens["viewer"])
	resp, err := client.Do(req)
	if err != nil {
		b.Error(err)
		return
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil || resp.StatusCode != http.StatusOK {
		b.Errorf("%s: %d %v", path, resp.StatusCode, err)
	}
}

// must returns a value, or ends the benchmark with the error.
func must[T any](v T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		check(t, err)
		return v
	}
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
