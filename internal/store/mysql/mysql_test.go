package mysql_test

import (
	"context"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"padron"
	"padron/internal/store"
	"padron/internal/store/mysql"
	"padron/internal/store/mysqltest"
	"padron/internal/store/storetest"
)

// connect opens the register of a URL until the test ends.
func connect(t testing.TB, url string, opts ...mysql.Option) (*mysql.Store, error) {
	t.Helper()
	cfg, err := mysql.ParseURL(url)
	if err != nil {
		t.Fatal(err)
	}
	st, err := mysql.Open(t.Context(), cfg, opts...)
	if err == nil {
		t.Cleanup(func() { _ = st.Close() })
	}
	return st, err
}

// open opens and migrates the register of a URL until the test ends.
func open(t testing.TB, url string, opts ...mysql.Option) *mysql.Store {
	t.Helper()
	st, err := connect(t, url, opts...)
	if err != nil {
		t.Fatal(err)
	}
	if err := st.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	return st
}

func lease(t testing.TB, st *mysql.Store) padron.Lease {
	t.Helper()
	lease, err := st.Acquire(t.Context(), "test", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	return lease
}

func apply(t testing.TB, st *mysql.Store, lease padron.Lease, b *padron.Batch) {
	t.Helper()
	if err := st.Apply(context.Background(), lease, b); err != nil {
		t.Fatal(err)
	}
}

func batch(from, to padron.Number) *padron.Batch {
	b := &padron.Batch{At: time.Unix(0, 0)}
	for n := from; n < to; n++ {
		b.Upserts = append(b.Upserts, storetest.Customer(n))
	}
	return b
}

func count(t testing.TB, st *mysql.Store) int64 {
	t.Helper()
	n, err := st.Count(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func conformance(t *testing.T, server *mysqltest.Server) {
	t.Helper()
	storetest.Run(t, func(t *testing.T, now func() time.Time) (store.Engine, func() store.Engine) {
		url := server.Database(t)
		return open(t, url, mysql.WithClock(now)), func() store.Engine { return open(t, url, mysql.WithClock(now)) }
	})
}

func TestConformance(t *testing.T) { mysqltest.Each(t, conformance) }

// TestConformanceWithoutLoad runs the suite where the server has turned LOAD
// DATA LOCAL off, as MySQL does by default.
func TestConformanceWithoutLoad(t *testing.T) {
	conformance(t, mysqltest.Private(t, "--local-infile=OFF"))
}

// engines are registers that write by LOAD DATA and by INSERT.
func engines(t *testing.T, server *mysqltest.Server) map[string]*mysql.Store {
	t.Helper()
	return map[string]*mysql.Store{
		"load": open(t, server.Database(t)), "insert": open(t, server.Database(t)).WithoutLoad(),
	}
}

func TestEveryByteSurvives(t *testing.T) { mysqltest.Each(t, testEveryByteSurvives) }

func testEveryByteSurvives(t *testing.T, server *mysqltest.Server) {
	every := make([]byte, 0, 3*256)
	for i := range 256 {
		every = append(every, byte(i))
	}
	for i := range 256 {
		every = append(every, '\\', byte(i))
	}
	b := batch(1, 258)
	for i := range b.Upserts[:256] {
		c := &b.Upserts[i]
		c.Personal, c.Financial = padron.Sealed{byte(i)}, append(padron.Sealed{0, '\\', '\t', '\n', 0xff, byte(i)}, every...)
		for j := range c.Fingerprint {
			c.Fingerprint[j] = byte(i)
		}
		c.Indexes[padron.IndexZipCode] = padron.BlindIndex(c.Fingerprint)
	}
	odd := &b.Upserts[256]
	odd.Personal, odd.Financial = padron.Sealed(`\N`), padron.Sealed("")
	odd.Profile.Car, odd.Profile.CarModel, odd.Profile.CarType = `\N`, "NULL", `a\tb'";--`+"\t\n\x00\r"
	for name, st := range engines(t, server) {
		apply(t, st, lease(t, st), b)
		for i := range b.Upserts {
			got, err := st.Customer(t.Context(), b.Upserts[i].ID, padron.Whole)
			if err != nil {
				t.Fatal(name, err)
			}
			if diff := cmp.Diff(b.Upserts[i], got); diff != "" {
				t.Fatalf("%s: customer %d (-want +got):\n%s", name, i+1, diff)
			}
		}
	}
}

func TestIDsAreBytes(t *testing.T) { mysqltest.Each(t, testIDsAreBytes) }

func testIDsAreBytes(t *testing.T, server *mysqltest.Server) {
	ids := []padron.CustomerID{
		"jose", "Jose", "JOSE", "José", "Jose\u0301", "jose.", "straße", "strasse", "ı", "i", "İ", "🌻", "🌼", "1", "01", "１",
		padron.CustomerID(strings.Repeat("🌻", 64)), padron.CustomerID(strings.Repeat("🌻", 63) + "🌼"), "'", `\`, `"`, "%", "_", `\'`,
		"jose ", "jose  ", // validation keeps spaces out; the table must not rely on it
	}
	for name, st := range engines(t, server) {
		b := batch(1, padron.Number(len(ids)+1))
		for i := range b.Upserts {
			b.Upserts[i].ID = ids[i]
		}
		apply(t, st, lease(t, st), b)
		known, err := st.Lookup(t.Context(), append(ids, "JOSÉ", "jose   "))
		if err != nil || len(known) != len(ids) {
			t.Errorf("%s: %d of %d ids are known (%v)", name, len(known), len(ids), err)
		}
		for i, id := range ids {
			got, err := st.Customer(t.Context(), id, padron.Whole)
			if err != nil || got.ID != id || known[id].Number != padron.Number(i+1) {
				t.Errorf("%s: %q is %q, number %d (%v)", name, id, got.ID, known[id].Number, err)
			}
		}
	}
}

func TestSessionRules(t *testing.T) { mysqltest.Each(t, testSessionRules) }

func testSessionRules(t *testing.T, server *mysqltest.Server) {
	st := open(t, server.Database(t))
	db := st.DB()
	var mode, zone, collation string
	var wait, idle int
	if err := db.QueryRow("SELECT @@sql_mode, @@time_zone, @@collation_connection, @@innodb_lock_wait_timeout, @@wait_timeout").
		Scan(&mode, &zone, &collation, &wait, &idle); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(mode, "STRICT_ALL_TABLES") || strings.Contains(mode, "NO_BACKSLASH_ESCAPES") {
		t.Errorf("sql_mode %s", mode)
	}
	if zone != "+00:00" || collation != "utf8mb4_bin" || wait != 10 || idle != 120 {
		t.Errorf("time zone %s, collation %s, %d s for a lock, %d s of silence", zone, collation, wait, idle)
	}
	var level string
	if err := db.QueryRow("SELECT @@transaction_isolation").Scan(&level); err != nil {
		if err := db.QueryRow("SELECT @@tx_isolation").Scan(&level); err != nil { // MariaDB's name of it
			t.Fatal(err)
		}
	}
	if level != "READ-COMMITTED" {
		t.Errorf("isolation %s", level)
	}
	for what, statement := range map[string]string{
		"a text that is too long":   "UPDATE lease SET token = 1, holder = REPEAT('x', 70000)",
		"a number out of range":     "INSERT INTO audit_turn (one) VALUES (99999999999)",
		"a text for a number":       "UPDATE lease SET token = 'many'",
		"NULL":                      "UPDATE lease SET token = NULL",
		"several statements in one": "SELECT 1; SELECT 2",
		"a file of this machine":    "LOAD DATA LOCAL INFILE '/etc/hostname' INTO TABLE tokens",
	} {
		if _, err := db.Exec(statement); err == nil {
			t.Errorf("%s was taken", what)
		}
	}
}

// TestWhatDoesNotFitIsRefused: LOAD DATA LOCAL makes warnings of errors.
func TestWhatDoesNotFitIsRefused(t *testing.T) { mysqltest.Each(t, testWhatDoesNotFitIsRefused) }

func testWhatDoesNotFitIsRefused(t *testing.T, server *mysqltest.Server) {
	const secret = "4111-canary"
	for name, st := range engines(t, server) {
		held := lease(t, st)
		apply(t, st, held, batch(1, 2))
		for what, change := range map[string]func(*padron.SealedCustomer){
			"an id that is too long": func(c *padron.SealedCustomer) { c.ID = padron.CustomerID(strings.Repeat(secret, 40)) },
			"a car that is too long": func(c *padron.SealedCustomer) { c.Profile.Car = strings.Repeat(secret, 400) },
			"an id twice":            func(c *padron.SealedCustomer) { c.ID = secret },
			"a number twice":         func(c *padron.SealedCustomer) { c.Number = 5 },
		} {
			b := batch(2, 9)
			b.Upserts[3].ID, b.Upserts[3].Number = secret, 5
			change(&b.Upserts[5])
			err := st.Apply(t.Context(), held, b)
			if padron.ErrorCode(err) != padron.CodeUnavailable || strings.Contains(err.Error(), "canary") {
				t.Errorf("%s: %s: %v", name, what, err)
			}
			if n := count(t, st); n != 1 {
				t.Fatalf("%s: %s: %d customers", name, what, n)
			}
		}
	}
}

func TestIndexesAreUsed(t *testing.T) { mysqltest.Each(t, testIndexesAreUsed) }

func testIndexesAreUsed(t *testing.T, server *mysqltest.Server) {
	st := open(t, server.Database(t))
	apply(t, st, lease(t, st), batch(1, 2000))
	if err := st.AppendAudit(t.Context(), func(padron.AuditHead) (entries []padron.AuditEntry, _ error) {
		for seq := range int64(1000) {
			entries = append(entries, padron.AuditEntry{Seq: seq + 1, Time: time.Unix(0, 0), Principal: strconv.FormatInt(seq, 10)})
		}
		return entries, nil
	}); err != nil {
		t.Fatal(err)
	}
	// MySQL reads a short table whole.
	report := `{"reasons": "` + strings.Repeat("x", 2000) + `"}`
	for n := range 200 {
		if _, err := st.DB().Exec("INSERT INTO runs (id, outcome, started_at, report) VALUES (?, 'completed', ?, ?)", strconv.Itoa(n), n, report); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := st.DB().Exec("ANALYZE TABLE runs"); err != nil {
		t.Fatal(err)
	}
	for query, index := range map[string]string{
		"SELECT * FROM customers WHERE id = 'c0000001' AND deleted_at IS NULL":                                        "customers_id",
		"SELECT num FROM customers WHERE id IN ('a','b')":                                                             "customers_id",
		"SELECT * FROM customers FORCE INDEX (customers_id) WHERE id > 'a' AND car_type = 'SUV' ORDER BY id LIMIT 50": "customers_id",
		"SELECT * FROM customers WHERE ix_card = x'00' AND deleted_at IS NULL ORDER BY id LIMIT 9":                    "customers_card",
		"SELECT * FROM quarantine WHERE customer_id IN ('a','b')":                                                     "quarantine_customer",
		"SELECT * FROM audit WHERE seq > 1 AND principal = '7' ORDER BY seq LIMIT 9":                                  "audit_principal",
		"SELECT report FROM runs ORDER BY started_at DESC, id DESC LIMIT 9":                                           "runs_started",
	} {
		rows, err := st.DB().Query("EXPLAIN FORMAT=TRADITIONAL " + query)
		if err != nil {
			t.Fatal(err)
		}
		columns, err := rows.Columns()
		if err != nil || !rows.Next() {
			t.Fatal(err)
		}
		values, at := make([]*string, len(columns)), make([]any, len(columns))
		key := ""
		for i := range at {
			at[i] = &values[i]
		}
		if err := rows.Scan(at...); err != nil {
			t.Fatal(err)
		}
		for i, name := range columns {
			if name == "key" && values[i] != nil {
				key = *values[i]
			}
		}
		if err := rows.Close(); err != nil {
			t.Fatal(err)
		}
		if key != index {
			t.Errorf("%s\n\tgoes by %q, want %s", query, key, index)
		}
	}
}
