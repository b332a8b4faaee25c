package bench

import (
	"bufio"
	"database/sql"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	driver "github.com/go-sql-driver/mysql"
)

func timed(f func()) time.Duration {
	started := time.Now()
	f()
	return time.Since(started)
}

// dsn is a MySQL register's URL as the driver wants it.
func dsn(t testing.TB, r register) string {
	t.Helper()
	u := must(url.Parse(r.url))(t)
	cfg := driver.NewConfig()
	cfg.Net, cfg.Addr, cfg.DBName, cfg.User = "tcp", u.Host, r.name, u.User.Username()
	cfg.Passwd, _ = u.User.Password()
	return cfg.FormatDSN()
}

// open opens a register by itself.
func open(t testing.TB, r register) *sql.DB {
	t.Helper()
	return must(sql.Open("mysql", dsn(t, r)))(t)
}

// rows are the customers that a first run wrote, as a file that LOAD DATA reads,
// and the statements that make a table like theirs.
type rows struct {
	path, columns, table string
	count                int64
}

// dump copies a register's customers to a file.
func dump(t testing.TB, r register) rows {
	t.Helper()
	db := open(t, r)
	defer db.Close()
	out := rows{path: filepath.Join(t.TempDir(), "rows")}
	var ignore string
	check(t, db.QueryRow("SHOW CREATE TABLE customers").Scan(&ignore, &out.table))
	all := must(db.Query("SELECT * FROM customers ORDER BY num"))(t)
	defer all.Close()
	names := must(all.Columns())(t)
	out.columns = strings.Join(names, ", ")
	file := must(os.Create(out.path))(t)
	defer file.Close()
	to := bufio.NewWriterSize(file, 1<<20)
	raw, at := make([]sql.RawBytes, len(names)), make([]any, len(names))
	for i := range raw {
		at[i] = &raw[i]
	}
	for ; all.Next(); out.count++ {
		check(t, all.Scan(at...))
		writeRow(to, raw)
	}
	check(t, all.Err())
	check(t, to.Flush())
	return out
}

// escaper writes bytes as LOAD DATA reads them.
var escaper = strings.NewReplacer("\\", "\\\\", "\t", "\\t", "\n", "\\n", "\x00", "\\0")

// writeRow writes one line; a failure stays with the writer.
func writeRow(to *bufio.Writer, fields []sql.RawBytes) {
	for i, field := range fields {
		if i > 0 {
			_ = to.WriteByte('\t')
		}
		text := "\\N"
		if field != nil {
			text = escaper.Replace(string(field))
		}
		_, _ = to.WriteString(text)
	}
	_ = to.WriteByte('\n')
}

// bareLoad is the limit: one LOAD DATA LOCAL of rows that are already sealed into
// an empty table with the same indexes, and nothing else.
func bareLoad(h *harness, from rows) time.Duration {
	h.Helper()
	r := h.register()
	defer h.drop(r)
	db := open(h, r)
	defer db.Close()
	must(db.Exec(from.table))(h)
	driver.RegisterReaderHandler("bare", func() io.Reader { return must(os.Open(from.path))(h) })
	defer driver.DeregisterReaderHandler("bare")
	h.settle()
	took := timed(func() {
		must(db.Exec("LOAD DATA LOCAL INFILE 'Reader::bare' INTO TABLE customers CHARACTER SET binary (" + from.columns + ")"))(h)
	})
	var got int64
	check(h, db.QueryRow("SELECT count(*) FROM customers").Scan(&got))
	if got != from.count || got == 0 {
		h.Fatalf("%d of %d rows were loaded", got, from.count)
	}
	return took
}
