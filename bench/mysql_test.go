package bench

import (
	"bufio"
	"database/sql"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	driver "github.com/go-sql-driver/mysql"

	"padron/internal/app/apptest"
	"padron/internal/provider/providertest"
	"padron/internal/store/mysqltest"
)

// many is how many customers the MySQL benchmarks have: BENCH_CUSTOMERS, or as
// many as the others.
func many(b *testing.B) int {
	b.Helper()
	text := os.Getenv("BENCH_CUSTOMERS")
	if text == "" {
		return customers
	}
	return must(strconv.Atoi(text))(b)
}

// BenchmarkMySQL synchronizes into MySQL: everybody for the first time, nobody
// changed, and one in a hundred changed. The limit of the first is one bare LOAD
// DATA LOCAL of the rows that it wrote, into a table like theirs.
func BenchmarkMySQL(b *testing.B) {
	server, n := mysqltest.Shared(b), many(b)
	var first, bare, unchanged, some time.Duration
	var written int64
	for b.Loop() {
		at := server.Database(b)
		r := apptest.UnsyncedIn(b, at, n, 1)
		first += timed(func() { r.Sync(b) })
		db := must(sql.Open("mysql", dsn(b, at)))(b)
		bare += bareLoad(b, db)
		before := bytesWritten(b, db)
		unchanged += timed(func() { r.Sync(b) })
		written += bytesWritten(b, db) - before
		r.Provider.Mutate(providertest.Mutation{Change: 0.01, Seed: 1})
		some += timed(func() { r.Sync(b) })
		check(b, db.Close())
	}
	per := func(d time.Duration) float64 { return float64(n) * float64(b.N) / d.Seconds() }
	b.ReportMetric(per(first), "first/s")
	b.ReportMetric(per(bare), "bare-load/s")
	b.ReportMetric(bare.Seconds()/first.Seconds(), "first-of-limit")
	b.ReportMetric(per(unchanged), "unchanged/s")
	b.ReportMetric(first.Seconds()/unchanged.Seconds(), "unchanged-of-first")
	b.ReportMetric(unchanged.Seconds()/some.Seconds(), "1%-changed-of-unchanged")
	b.ReportMetric(float64(written)/float64(b.N), "B-written-unchanged")
}

func timed(f func()) time.Duration {
	started := time.Now()
	f()
	return time.Since(started)
}

// dsn is the test server's URL as the driver wants it.
func dsn(b *testing.B, address string) string {
	u := must(url.Parse(address))(b)
	cfg := driver.NewConfig()
	cfg.Net, cfg.Addr, cfg.DBName, cfg.User = "tcp", u.Host, strings.TrimPrefix(u.Path, "/"), u.User.Username()
	cfg.Passwd, _ = u.User.Password()
	return cfg.FormatDSN()
}

// bytesWritten is what InnoDB has written since the server started: to the log
// and to the tables.
func bytesWritten(b *testing.B, db *sql.DB) (total int64) {
	for _, name := range []string{"Innodb_os_log_written", "Innodb_data_written"} {
		var n int64
		var ignore string
		check(b, db.QueryRow("SHOW GLOBAL STATUS LIKE '"+name+"'").Scan(&ignore, &n))
		total += n
	}
	return total
}

// bareLoad copies the customers by way of a file, and returns how long loading
// took.
func bareLoad(b *testing.B, db *sql.DB) time.Duration {
	path := filepath.Join(b.TempDir(), "rows")
	columns := dump(b, db, path)
	driver.RegisterReaderHandler("bare", func() io.Reader { return must(os.Open(path))(b) })
	defer driver.DeregisterReaderHandler("bare")
	must(db.Exec("CREATE TABLE bare LIKE customers"))(b)
	took := timed(func() {
		must(db.Exec("LOAD DATA LOCAL INFILE 'Reader::bare' INTO TABLE bare CHARACTER SET binary (" + columns + ")"))(b)
	})
	var want, got int64
	check(b, db.QueryRow("SELECT (SELECT count(*) FROM customers), (SELECT count(*) FROM bare)").Scan(&want, &got))
	if got != want || got == 0 {
		b.Fatalf("%d of %d rows were loaded", got, want)
	}
	must(db.Exec("DROP TABLE bare"))(b)
	check(b, os.Remove(path))
	return took
}

// escaper writes bytes as LOAD DATA reads them.
var escaper = strings.NewReplacer("\\", "\\\\", "\t", "\\t", "\n", "\\n", "\x00", "\\0")

// dump writes every customer to a file, and returns the columns' names.
func dump(b *testing.B, db *sql.DB, path string) string {
	rows := must(db.Query("SELECT * FROM customers ORDER BY num"))(b)
	defer rows.Close()
	names := must(rows.Columns())(b)
	raw, at := make([]sql.RawBytes, len(names)), make([]any, len(names))
	for i := range raw {
		at[i] = &raw[i]
	}
	file := must(os.Create(path))(b)
	out := bufio.NewWriterSize(file, 1<<20)
	for rows.Next() {
		check(b, rows.Scan(at...))
		end := byte('\t')
		for i, field := range raw {
			if i == len(raw)-1 {
				end = '\n'
			}
			text := "\\N"
			if field != nil {
				text = escaper.Replace(string(field))
			}
			must(out.WriteString(text))(b)
			check(b, out.WriteByte(end))
		}
	}
	check(b, rows.Err())
	check(b, out.Flush())
	check(b, file.Close())
	return strings.Join(names, ", ")
}
