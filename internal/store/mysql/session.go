package mysql

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	sqldriver "database/sql/driver"
	"errors"
	"fmt"
	"net"
	"os"
	"time"

	driver "github.com/go-sql-driver/mysql"

	"padron"
)

const (
	dialTime  = 10 * time.Second
	replyTime = 2 * time.Minute
	// lockTime is how long a statement waits for a row that somebody else has
	// locked, in seconds; tableLockTime is the same for a table's definition.
	lockTime      = "10"
	tableLockTime = "60"
	// idleTime is how long the server keeps a connection that says nothing, in
	// seconds: longer than the pool does, and than a lease is not renewed.
	idleTime = "120"
)

// session sets the rules of every connection:
//   - sql_mode: strict for every table, so that a value that does not fit is an
//     error and never cut; backslashes escape, which the driver and LOAD DATA
//     rest on;
//   - time_zone UTC: the only times that the server makes are goose's;
//   - utf8mb4 with a binary collation, for the texts that the driver puts into
//     statements; ids and hashes are bytes in any case;
//   - READ COMMITTED (see connector): no gap locks, so that readers and the
//     synchronizer never lock one another out; what must be seen as of one
//     moment asks for its own snapshot;
//   - a statement waits at most 10 s for a locked row, and 60 s for a table;
//   - wait_timeout: the server ends a session that says nothing for 2 min. One
//     that was stopped in a transaction keeps the lease's row locked no longer;
//   - 10 s to connect, 2 min for each reply: a server that is gone is noticed
//     without a context's help. Limits on single statements are contexts, which
//     close the connection, which rolls back;
//   - arguments are put into the statement by the driver, escaped for utf8mb4:
//     one round trip in place of three. What is asked most is prepared;
//   - an UPDATE counts the rows it found, not those it changed;
//   - a server that has become read-only is left, which finds the new primary
//     after a failover; with it go connections older than five minutes;
//   - several statements in one, old passwords, a fall back to plain text and
//     reading local files stay off: LOAD DATA reads registered readers alone.
func session(cfg *driver.Config) {
	cfg.Net, cfg.Collation, cfg.Loc, cfg.ParseTime = "tcp", "utf8mb4_bin", time.UTC, true
	cfg.Timeout, cfg.ReadTimeout, cfg.WriteTimeout = dialTime, replyTime, replyTime
	cfg.Params = map[string]string{
		"sql_mode": "'STRICT_ALL_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_ZERO_DATE,NO_ZERO_IN_DATE," +
			"NO_ENGINE_SUBSTITUTION,ONLY_FULL_GROUP_BY,NO_AUTO_VALUE_ON_ZERO'",
		"time_zone":                "'+00:00'",
		"innodb_lock_wait_timeout": lockTime,
		"lock_wait_timeout":        tableLockTime,
		"wait_timeout":             idleTime,
	}
	cfg.MaxAllowedPacket = maxPacket
	cfg.InterpolateParams, cfg.ClientFoundRows, cfg.RejectReadOnly, cfg.CheckConnLiveness = true, true, true, true
	cfg.AllowNativePasswords = true // MariaDB's, a challenge and answer
	cfg.MultiStatements, cfg.AllowOldPasswords, cfg.AllowFallbackToPlaintext, cfg.AllowAllFiles = false, false, false, false
	cfg.AllowCleartextPasswords = cfg.TLS != nil && !cfg.TLS.InsecureSkipVerify // RDS's IAM tokens are sent so
	cfg.Logger = &driver.NopLogger{}                                            // what it would say is in the errors
}

// maxPacket is the longest statement: MariaDB's default.
const maxPacket = 16 << 20

// isolation cannot be set like the other rules: the two servers name the
// variable differently.
const isolation = "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED"

// connector connects under the session's rules.
type connector struct{ sqldriver.Connector }

// login is one attempt to log in: the password that was refused before, and the
// one that is tried.
type login struct{ refused, tried padron.Sensitive }

type loginKey struct{}

// Connect implements [sqldriver.Connector]. Where the server refuses credentials
// that may have been rotated, it asks for them once more.
func (c connector) Connect(ctx context.Context) (sqldriver.Conn, error) {
	var l login
	conn, err := c.Connector.Connect(context.WithValue(ctx, loginKey{}, &l))
	var theirs *driver.MySQLError
	if l.tried != "" && errors.As(err, &theirs) && theirs.Number == errAccessDenied {
		l = login{refused: l.tried}
		conn, err = c.Connector.Connect(context.WithValue(ctx, loginKey{}, &l))
	}
	if err != nil {
		return nil, err
	}
	able, ok := conn.(driverConn)
	if !ok {
		return nil, errors.New("the driver lacks what a connection needs")
	}
	if _, err := able.ExecContext(ctx, isolation, nil); err != nil {
		_ = conn.Close() // the first error is the one to tell
		return nil, err
	}
	return bounded{able}, nil
}

// driverConn is what the driver's connections can do.
type driverConn interface {
	sqldriver.Conn
	sqldriver.ConnBeginTx
	sqldriver.ConnPrepareContext
	sqldriver.ExecerContext
	sqldriver.QueryerContext
	sqldriver.NamedValueChecker
	sqldriver.Pinger
	sqldriver.SessionResetter
	sqldriver.Validator
}

// bounded is a connection whose transactions end with their context, in the middle
// of a commit as well: the driver alone waits for its reply as long as for any.
type bounded struct{ driverConn }

// BeginTx implements [sqldriver.ConnBeginTx].
func (c bounded) BeginTx(ctx context.Context, opts sqldriver.TxOptions) (sqldriver.Tx, error) {
	if _, err := c.driverConn.BeginTx(ctx, opts); err != nil {
		return nil, err
	}
	return boundedTx{func(statement string) error {
		if ctx.Err() != nil {
			return sqldriver.ErrBadConn // which closes it, and that undoes the transaction
		}
		_, err := c.ExecContext(ctx, statement, nil)
		return err
	}}, nil
}

// boundedTx ends a transaction by a statement.
type boundedTx struct{ end func(statement string) error }

// Commit implements [sqldriver.Tx].
func (t boundedTx) Commit() error { return t.end("COMMIT") }

// Rollback implements [sqldriver.Tx].
func (t boundedTx) Rollback() error { return t.end("ROLLBACK") }

// newConnector prepares connecting to a register.
func newConnector(c *Config, credentials Credentials, change func(*driver.Config)) (sqldriver.Connector, error) {
	cfg := driver.NewConfig()
	cfg.Addr, cfg.User, cfg.Passwd, cfg.DBName = c.Addr, c.User, c.Password.Expose(), c.Database
	var err error
	if cfg.TLS, err = tlsConfig(c); err != nil {
		return nil, err
	}
	session(cfg)
	change(cfg)
	if credentials != nil {
		if err := cfg.Apply(driver.BeforeConnect(func(ctx context.Context, cfg *driver.Config) error {
			l, _ := ctx.Value(loginKey{}).(*login)
			if l == nil {
				l = &login{}
			}
			var err error
			cfg.User, l.tried, err = credentials(ctx, l.refused)
			cfg.Passwd = l.tried.Expose()
			return err
		})); err != nil {
			return nil, err
		}
	}
	inner, err := driver.NewConnector(cfg)
	return connector{inner}, err
}

// tlsConfig is how the server is recognised; nil is without encryption.
func tlsConfig(c *Config) (*tls.Config, error) {
	host, _, err := net.SplitHostPort(c.Addr)
	if err != nil {
		return nil, padron.Errorf(padron.CodeInvalid, "the database's address is not host:port")
	}
	cfg := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: host}
	switch c.TLS {
	case TLSOff:
		return nil, nil //nolint:nilnil // nil is the driver's word for no encryption
	case TLSSkipVerify:
		cfg.InsecureSkipVerify = true
	}
	if c.CA == "" && (c.TLS == TLSRDS || isRDS(host)) {
		cfg.RootCAs, err = rdsAuthorities()
		return cfg, err
	}
	if c.CA == "" {
		return cfg, nil
	}
	pem, err := os.ReadFile(c.CA)
	if err != nil {
		return nil, fmt.Errorf("read the database's certificate authorities: %w", err)
	}
	cfg.RootCAs = x509.NewCertPool()
	if !cfg.RootCAs.AppendCertsFromPEM(pem) {
		return nil, padron.Errorf(padron.CodeInvalid, "%s holds no certificate in PEM form", c.CA)
	}
	return cfg, nil
}
