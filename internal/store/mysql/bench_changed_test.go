package mysql_test

import (
	"context"
	"database/sql"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	driver "github.com/go-sql-driver/mysql"

	"padron"
	"padron/internal/store/mysql"
	"padron/internal/store/mysqltest"
)

// BenchmarkChanged writes customers that are there already, three ways, one after
// the other in each round: as Apply does, taken out by number and loaded anew;
// and loaded into a temporary table, from where a join updates them, or an
// INSERT ... SELECT ... ON DUPLICATE KEY UPDATE. The table cannot be in memory
// (ENGINE = MEMORY), which has no BLOB. Dense is a whole batch that has changed,
// sparse one in a hundred customers. (docs/adr/0011-mysql-engine.md)
func BenchmarkChanged(b *testing.B) {
	for name, step := range map[string]padron.Number{"dense": 1, "sparse": 100} {
		b.Run(name, func(b *testing.B) {
			st := open(b, mysqltest.Shared(b).Database(b))
			held := lease(b, st)
			const there = 10 * batchSize
			for n := padron.Number(1); n <= there; n += batchSize {
				apply(b, st, held, batch(n, n+batchSize))
			}
			ways := map[string]func(rows *padron.Batch){
				"delete": func(rows *padron.Batch) { apply(b, st, held, rows) },
				"join":   func(rows *padron.Batch) { staged(b, st, held, rows, updateByJoin) },
				"select": func(rows *padron.Batch) { staged(b, st, held, rows, updateBySelect) },
			}
			took := map[string][]time.Duration{}
			round := 0
			for b.Loop() {
				for way, write := range ways {
					from := 1 + padron.Number(round%10*batchSize)
					round++
					rows := changed(from, from+batchSize, step, byte(round))
					started := time.Now()
					write(rows)
					took[way] = append(took[way], time.Since(started)/time.Duration(len(rows.Upserts)))
				}
			}
			if n := count(b, st); n != there {
				b.Fatalf("%d customers of %d are left", n, there)
			}
			for way, times := range took {
				slices.Sort(times)
				b.ReportMetric(float64(time.Second)/float64(times[len(times)/2]), way+"-rows/s")
			}
		})
	}
}

// changed are customers, one in step, with another name and number of purchases.
func changed(from, to, step padron.Number, by byte) *padron.Batch {
	all := batch(from, to)
	some := all.Upserts[:0]
	for i := 0; i < len(all.Upserts); i += int(step) {
		row := all.Upserts[i]
		row.Fingerprint[0], row.Personal[0], row.Indexes[padron.IndexUserName][0] = by, by, by
		some = append(some, row)
	}
	all.Upserts = some
	return all
}

const (
	updateByJoin   = "UPDATE customers c JOIN staged s ON c.num = s.num AND c.id = s.id SET %s"
	updateBySelect = "INSERT INTO customers SELECT * FROM staged s ON DUPLICATE KEY UPDATE %s"
)

// staged writes rows by way of a temporary table, under the lease.
func staged(b *testing.B, st *mysql.Store, held padron.Lease, rows *padron.Batch, how string) {
	b.Helper()
	columns := mysql.CustomerColumns()
	sets := make([]string, 0, len(columns))
	for _, name := range append(columns[2:], "deleted_at") {
		sets = append(sets, fmt.Sprintf("customers.%s = s.%s", name, name))
	}
	if how == updateByJoin {
		for i := range sets {
			sets[i] = strings.Replace(sets[i], "customers.", "c.", 1)
		}
	}
	driver.RegisterReaderHandler("staged", func() io.Reader { return st.RowReader(rows.Upserts) })
	defer driver.DeregisterReaderHandler("staged")
	check := func(_ sql.Result, err error) {
		if err != nil {
			b.Fatal(err)
		}
	}
	ctx := context.Background()
	if err := st.Fenced(ctx, held, func(tx *sql.Tx) error {
		check(tx.ExecContext(ctx, "CREATE TEMPORARY TABLE IF NOT EXISTS staged AS SELECT * FROM customers LIMIT 0"))
		check(tx.ExecContext(ctx, "DELETE FROM staged"))
		check(tx.ExecContext(ctx, strings.Replace(mysql.LoadSQL("staged"), "TABLE customers", "TABLE staged", 1)))
		check(tx.ExecContext(ctx, fmt.Sprintf(how, strings.Join(sets, ", "))))
		return nil
	}); err != nil {
		b.Fatal(err)
	}
}
