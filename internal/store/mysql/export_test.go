package mysql

import (
	"context"
	"database/sql"
	"io"
	"strings"
	"testing"
	"time"
	"unicode"

	driver "github.com/go-sql-driver/mysql"

	"padron"
	"padron/internal/store/sqlstore"
)

// DB is the store's pool.
func (s *Store) DB() *sql.DB { return s.db }

// InTx runs f in a transaction, again where the server asks for it.
func (s *Store) InTx(ctx context.Context, f func(*sql.Tx) error) error { return s.inTx(ctx, "test", f) }

// Fenced runs f in a transaction under the lease.
func (s *Store) Fenced(ctx context.Context, lease padron.Lease, f func(*sql.Tx) error) error {
	return s.fenced(ctx, "test", lease, f)
}

// ApplyAgain writes a batch as after an outage.
func (s *Store) ApplyAgain(ctx context.Context, lease padron.Lease, b *padron.Batch) error {
	w := s.writing(lease, b)
	defer s.reuse(w.lines)
	return s.inTx(ctx, "test", func(tx *sql.Tx) error { return w.again(ctx, tx) })
}

// LoadBare loads customers by one LOAD DATA LOCAL, from bytes made before, and
// nothing else; it returns how long that took.
func (s *Store) LoadBare(t testing.TB, customers []padron.SealedCustomer) time.Duration {
	t.Helper()
	text := s.encode(customers)
	text.made.Wait()
	driver.RegisterReaderHandler("bare", text.reader)
	defer driver.DeregisterReaderHandler("bare")
	started := time.Now()
	r, err := s.db.ExecContext(t.Context(), loadSQL("bare"))
	took := time.Since(started)
	if err != nil {
		t.Fatal(err)
	}
	if n, err := r.RowsAffected(); err != nil || n != int64(len(customers)) {
		t.Fatal(n, err)
	}
	return took
}

// RDSAuthorities are the embedded certificates in PEM form.
var RDSAuthorities = rdsPEM

// TrustsOnlyRDS reports whether a server at the URL must be vouched for by the
// authorities of RDS.
func TrustsOnlyRDS(t testing.TB, url string) bool {
	t.Helper()
	c, err := ParseURL(url)
	if err != nil {
		t.Fatal(err)
	}
	cfg, err := tlsConfig(&c)
	if err != nil {
		t.Fatal(err)
	}
	pool, err := rdsAuthorities()
	if err != nil {
		t.Fatal(err)
	}
	return cfg != nil && !cfg.InsecureSkipVerify && cfg.RootCAs != nil && cfg.RootCAs.Equal(pool)
}

// Grants are the rights of a service's user.
func Grants(service string) []Grant { return grants[service] }

// Identified is how a user logs in, in SQL.
func Identified(u ServiceUser) string { return new(Store).identified(&u) }

// WithPatience has Open wait so long for a server that does not answer, as it
// waits for one of RDS.
func WithPatience(d time.Duration) Option { return func(s *Store) { s.patience = d } }

// WithoutLoad has a store write as if the server took no LOAD DATA LOCAL.
func (s *Store) WithoutLoad() *Store { s.load = false; return s }

// CustomerColumns are the columns that a load fills, in its order.
func CustomerColumns() []string {
	return strings.FieldsFunc(sqlstore.WrittenColumns, func(r rune) bool { return unicode.IsSpace(r) || r == ',' })
}

// LoadSQL loads what a registered reader yields into the customers.
func LoadSQL(reader string) string { return loadSQL(reader) }

// RowReader yields customers as LOAD DATA reads them.
func (s *Store) RowReader(rows []padron.SealedCustomer) io.Reader { return s.encode(rows).reader() }

// WithOutageTime has runs bear an outage for so long.
func WithOutageTime(d time.Duration) Option { return func(s *Store) { s.outage = d } }

// WithLockTime has statements wait for a row for so many seconds.
func WithLockTime(seconds string) Option {
	return func(s *Store) {
		s.change = func(c *driver.Config) { c.Params["innodb_lock_wait_timeout"] = seconds }
	}
}

// Gone reports whether an error is an outage's.
func Gone(err error) bool { return gone(err) }

// Explain is what a caller sees of an error.
func Explain(err error) error { return explain("test", err) }
