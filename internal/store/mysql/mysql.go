// Package mysql is the production engine of the register: MySQL 8.0 and what
// speaks its language, like Amazon Aurora, and MariaDB 10.11. It passes the
// suite in storetest.
package mysql

import (
	"context"
	"database/sql"
	sqldriver "database/sql/driver"
	"errors"
	"net"
	"strings"
	"sync"
	"time"

	driver "github.com/go-sql-driver/mysql"

	"padron"
	"padron/internal/store"
	"padron/internal/store/sqlstore"
)

// Store is the register in one database. It is safe for concurrent use, in this
// process and with others on the same database.
type Store struct {
	sqlstore.Tables

	cfg         Config
	credentials Credentials
	now         func() time.Time
	// change is made to the rules of each session.
	change func(*driver.Config)
	// patience is how long Open waits for a server that does not answer.
	patience time.Duration
	// outage is how long a run bears a server that went away; onOutage is told.
	outage   time.Duration
	onOutage func(error)
	db       *sql.DB
	// load says that the server takes LOAD DATA LOCAL.
	load bool
	// lines is room for what LOAD DATA reads.
	lines sync.Pool
	// version is the schema's that this program knows.
	version int64

	prepared prepared
	// chain are the connections that append to the audit chain: no reader keeps
	// one of them busy, and few of them prepare its many INSERTs.
	chain         *sql.DB
	chainPrepared prepared
	appending     chan struct{}
	// tokens and customers, these by the parts that are read, are looked up by id.
	tokens    gather[string, padron.Token]
	customers [padron.Whole + 1]gather[padron.CustomerID, padron.SealedCustomer]

	holdMu sync.Mutex
	hold   *hold
}

var _ store.Engine = (*Store)(nil)

// Option changes how a store is opened.
type Option func(*Store)

// WithClock replaces the clock that decides when a lease has expired, which is
// the server's: those of the hosts that its clients run on differ, and jump.
func WithClock(now func() time.Time) Option { return func(s *Store) { s.now = now } }

// Credentials returns who logs in. It is asked for each new connection, so that
// a short-lived token is made in time, and once more with the password that the
// server has refused, so that a rotated one is found; "" is the first time. It
// must be safe for concurrent use.
type Credentials func(ctx context.Context, refused padron.Sensitive) (user string, password padron.Sensitive, err error)

// WithCredentials replaces the user and password of the URL.
func WithCredentials(c Credentials) Option { return func(s *Store) { s.credentials = c } }

// WithOutages has f told of each try that found the server gone, while a run
// waits for it. The error holds nothing personal and none of the server's words.
func WithOutages(f func(error)) Option {
	return func(s *Store) { s.onOutage = func(err error) { f(explain("wait for the database", err)) } }
}

// The pool: connections are few, since the server shares its memory among all
// the clients' connections, and young, since after a failover a name leads to
// another machine.
const (
	maxConns = 16
	maxAge   = 5 * time.Minute
	maxIdle  = time.Minute
)

// chainConns append to the audit chain: one is in a transaction while the other
// prepares.
const chainConns = 2

// pool returns connections of which at most n are open.
func pool(c sqldriver.Connector, n int) *sql.DB {
	db := sql.OpenDB(c)
	db.SetMaxOpenConns(n)
	db.SetMaxIdleConns(n)
	db.SetConnMaxLifetime(maxAge)
	db.SetConnMaxIdleTime(maxIdle)
	return db
}

// Open connects to the register. It does not migrate.
func Open(ctx context.Context, cfg Config, opts ...Option) (*Store, error) {
	s := &Store{cfg: cfg, change: func(*driver.Config) {}, outage: outageTime, onOutage: func(error) {}, appending: make(chan struct{}, 1)}
	for _, o := range opts {
		o(s)
	}
	s.tokens.read = s.readTokens
	for parts := range s.customers {
		s.customers[parts].read = s.readCustomers(padron.Parts(parts))
	}
	if cfg.User == "" && s.credentials == nil {
		return nil, padron.Errorf(padron.CodeInvalid, "the database's URL names no user")
	}
	var err error
	if s.version, err = latest(); err != nil {
		return nil, err
	}
	c, err := newConnector(&cfg, s.credentials, s.change)
	if err != nil {
		return nil, err
	}
	s.db, s.chain = pool(c, maxConns), pool(c, chainConns)
	s.prepared.db, s.chainPrepared.db = s.db, s.chain
	s.Tables = s.tables()
	if err := s.firstAnswer(ctx); err != nil {
		_ = s.Close() // the first error is the one to tell
		return nil, explain("open the register "+cfg.String(), err)
	}
	return s, nil
}

// tables are the statements that the engines share, in MySQL's words. Texts are
// passed as bytes, which nothing converts.
func (s *Store) tables() sqlstore.Tables {
	return sqlstore.New(sqlstore.Database{
		Read: s.db, Write: s.db, Explain: explain, Fenced: s.fenced, Bear: s.throughOutage,
		Snapshot: sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true},
		Upsert:   upsertSQL, Lock: " FOR UPDATE", Chunk: chunk,
		Concerns: "EXISTS (SELECT 1 FROM JSON_TABLE(audit.customers, '$[*]' COLUMNS (id VARCHAR(64) CHARACTER SET utf8mb4 PATH '$')) AS c" +
			" WHERE CAST(c.id AS BINARY) = ?)",
		Text: func(s string) any { return []byte(s) },
	})
}

// upsertSQL ends an INSERT: the key is whichever the row breaks.
func upsertSQL(_ string, columns ...string) string {
	assignments := make([]string, len(columns))
	for i, c := range columns {
		assignments[i] = c + " = VALUES(" + c + ")"
	}
	return " ON DUPLICATE KEY UPDATE " + strings.Join(assignments, ", ")
}

// Aurora Serverless pauses a database that nobody uses and resumes it for the
// first connection, in 15 to 30 seconds ("Scaling to zero ACUs" in its guide).
const (
	resumeTime  = time.Minute
	resumePause = 2 * time.Second
)

// firstAnswer waits for a server of RDS that may have to resume; any other one
// answers at once or is not there. What the server refuses is no matter of time.
func (s *Store) firstAnswer(ctx context.Context) error {
	host, _, _ := net.SplitHostPort(s.cfg.Addr) // checked with the URL
	if isRDS(host) {
		s.patience = resumeTime
	}
	began := time.Now()
	for {
		err := s.db.QueryRowContext(ctx, "SELECT @@GLOBAL.local_infile").Scan(&s.load)
		if !notYet(err) || time.Since(began) > s.patience {
			return err
		}
		select {
		case <-time.After(resumePause):
		case <-ctx.Done():
			return err
		}
	}
}

// notYet reports whether an error is that of a connection, not of a server.
func notYet(err error) bool {
	var network net.Error
	var dns *net.DNSError
	return errors.As(err, &network) && !errors.As(err, &dns) || errors.Is(err, sqldriver.ErrBadConn) || errors.Is(err, driver.ErrInvalidConn)
}

// Close gives a lease's lock back and closes every connection.
func (s *Store) Close() error {
	s.letGo(nil)
	return errors.Join(s.prepared.close(), s.chainPrepared.close(), s.db.Close(), s.chain.Close())
}

// attempts is how often a transaction that the server gave up is tried.
const attempts = 5

// repeatedly runs f again where the server chose it to end a deadlock: nothing of
// it was done then.
func repeatedly(ctx context.Context, f func() error) error {
	err := f()
	for n := 1; n < attempts && repeatable(err) && ctx.Err() == nil; n++ {
		err = f()
	}
	return err
}

// inTx runs f in one transaction: all of it or nothing. f may run again.
func (s *Store) inTx(ctx context.Context, doing string, f func(*sql.Tx) error) error {
	return transact(ctx, s.db, doing, f)
}

func transact(ctx context.Context, db *sql.DB, doing string, f func(*sql.Tx) error) error {
	return explain(doing, repeatedly(ctx, func() error {
		tx, err := db.BeginTx(ctx, nil)
		if err != nil {
			return err
		}
		if err := f(tx); err != nil {
			_ = tx.Rollback() // the first error is the one to tell
			return err
		}
		return tx.Commit()
	}))
}

// prepared are the statements that are asked often, by their text. They are
// prepared at their first use, when the schema is there.
type prepared struct {
	db         *sql.DB
	mu         sync.Mutex
	statements map[string]*sql.Stmt
}

// get returns the prepared statement of a query.
func (p *prepared) get(ctx context.Context, query string) (*sql.Stmt, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if stmt := p.statements[query]; stmt != nil {
		return stmt, nil
	}
	stmt, err := p.db.PrepareContext(ctx, query) //nolint:sqlclosecheck // close closes it
	if err != nil {
		return nil, err
	}
	if p.statements == nil {
		p.statements = map[string]*sql.Stmt{}
	}
	p.statements[query] = stmt
	return stmt, nil
}

func (p *prepared) close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	var errs []error
	for _, stmt := range p.statements {
		errs = append(errs, stmt.Close())
	}
	return errors.Join(errs...)
}
