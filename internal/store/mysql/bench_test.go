package mysql_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"padron"
	"padron/internal/store/mysqltest"
	"padron/internal/store/storetest"
)

// batchSize is how many customers a batch of the synchronizer has.
const batchSize = 4000

// BenchmarkApply writes batches of new customers. Its limit, a bare LOAD DATA
// LOCAL of the same rows into the same table of another database, is measured
// alternately, batch by batch.
func BenchmarkApply(b *testing.B) {
	st := open(b, mysqltest.Shared(b).Database(b))
	bare := open(b, mysqltest.Shared(b).Database(b))
	held := lease(b, st)
	next := padron.Number(1)
	var limit time.Duration
	for b.Loop() {
		b.StopTimer()
		rows := batch(next, next+batchSize)
		next += batchSize
		limit += bare.LoadBare(b, rows.Upserts)
		b.StartTimer()
		apply(b, st, held, rows)
	}
	n := float64(b.N) * batchSize
	b.ReportMetric(n/b.Elapsed().Seconds(), "customers/s")
	b.ReportMetric(n/limit.Seconds(), "bare-loads/s")
	b.ReportMetric(limit.Seconds()/b.Elapsed().Seconds(), "of-limit")
}

// BenchmarkApplyChanged writes batches of customers that are there already.
func BenchmarkApplyChanged(b *testing.B) {
	st := open(b, mysqltest.Shared(b).Database(b))
	held := lease(b, st)
	const there = 10 * batchSize
	for n := padron.Number(1); n < there; n += batchSize {
		apply(b, st, held, batch(n, n+batchSize))
	}
	next := padron.Number(1)
	for b.Loop() {
		b.StopTimer()
		rows := batch(next, next+batchSize)
		for i := range rows.Upserts {
			rows.Upserts[i].Fingerprint[0]++
			rows.Upserts[i].Personal[0]++
		}
		next = (next + batchSize) % there
		b.StartTimer()
		apply(b, st, held, rows)
	}
	b.ReportMetric(float64(b.N)*batchSize/b.Elapsed().Seconds(), "customers/s")
}

// BenchmarkLookup asks for a page of customers among 100,000.
func BenchmarkLookup(b *testing.B) {
	st := open(b, mysqltest.Shared(b).Database(b))
	held := lease(b, st)
	for n := padron.Number(1); n < 100_000; n += 5000 {
		apply(b, st, held, batch(n, n+5000))
	}
	for name, step := range map[string]int{"scattered": 97, "together": 1} {
		b.Run(name, func(b *testing.B) {
			ids := make([]padron.CustomerID, 1000)
			for i := range ids {
				ids[i] = storetest.ID(padron.Number(i*step + 1))
			}
			for b.Loop() {
				if known, err := st.Lookup(context.Background(), ids); err != nil || len(known) != len(ids) {
					b.Fatal(fmt.Sprint(len(known)), err)
				}
			}
			b.ReportMetric(float64(b.N)*1000/b.Elapsed().Seconds(), "customers/s")
		})
	}
}

// BenchmarkCustomer reads one customer.
func BenchmarkCustomer(b *testing.B) {
	st := open(b, mysqltest.Shared(b).Database(b))
	held := lease(b, st)
	apply(b, st, held, batch(1, 10_000))
	n := padron.Number(0)
	for b.Loop() {
		n = n%9000 + 1
		if _, err := st.Customer(context.Background(), storetest.ID(n), padron.Whole); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkAppendAudit writes one entry, durably.
func BenchmarkAppendAudit(b *testing.B) {
	st := open(b, mysqltest.Shared(b).Database(b))
	for b.Loop() {
		if err := st.AppendAudit(context.Background(), func(h padron.AuditHead) ([]padron.AuditEntry, error) {
			return []padron.AuditEntry{{Seq: h.Seq + 1, Time: time.Unix(0, 0), Prev: h.Hash}}, nil
		}); err != nil {
			b.Fatal(err)
		}
	}
}
