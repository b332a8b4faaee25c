package mysql

import (
	"context"
	"crypto/tls"
	"database/sql"
	sqldriver "database/sql/driver"
	"errors"
	"fmt"

	driver "github.com/go-sql-driver/mysql"

	"padron"
)

// The server's error numbers that mean something to us, from the reference of
// MySQL 8.0 and of MariaDB.
const (
	errTooManyConnections  = 1040
	errAccessDenied        = 1045
	errDatabaseDenied      = 1044
	errUnknownDatabase     = 1049
	errShutdown            = 1053
	errDuplicate           = 1062
	errTableFull           = 1114
	errDiskFull            = 1021
	errTableDenied         = 1142
	errColumnDenied        = 1143
	errUnknownTable        = 1146
	errNotAllowed          = 1148
	errLockWait            = 1205
	errDeadlock            = 1213
	errReadOnly            = 1290
	errOutOfRange          = 1264
	errTruncated           = 1265
	errBadString           = 1366
	errTooLong             = 1406
	errReadOnlyTransaction = 1792
	errReadOnlyMode        = 1836
	errMariaKilled         = 1927
	errSessionKilled       = 3169
	errNoLocalFiles        = 3948
	errSilentTooLong       = 4031
	errMariaNoLocalFiles   = 4166
)

// fault is an error of the server without its words: they quote values, as that
// of a duplicate key does, or parts of the statement.
type fault struct {
	number uint16
	state  string
}

// Error implements [error].
func (f fault) Error() string {
	if f.state == "" {
		return fmt.Sprintf("database error %d", f.number)
	}
	return fmt.Sprintf("database error %d (%s)", f.number, f.state)
}

// explain says what was being done when err came, and what a person can do
// about the faults they will meet. It keeps the server's own words out.
func explain(doing string, err error) error {
	var mine *padron.Error
	var theirs *driver.MySQLError
	switch {
	case err == nil:
		return nil
	case errors.Is(err, sql.ErrNoRows):
		return padron.ErrNotFound
	case errors.As(err, &mine), errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	case errors.As(err, &theirs):
		state := string(theirs.SQLState[:])
		if theirs.SQLState == [5]byte{} {
			state = ""
		}
		return &padron.Error{Code: padron.CodeUnavailable, Message: doing + advice(theirs.Number), Err: fault{theirs.Number, state}}
	}
	return &padron.Error{Code: padron.CodeUnavailable, Message: doing + connecting(err), Err: err}
}

func advice(number uint16) string {
	switch number {
	case errAccessDenied:
		return ": the database does not know this user or password"
	case errDatabaseDenied, errTableDenied, errColumnDenied:
		return ": the database user lacks a right; padron migrate up and migrate users, as an administrator, set that right"
	case errUnknownDatabase:
		return ": the server has no such database; create it first"
	case errUnknownTable:
		return ": a table is missing; run padron migrate up"
	case errTooManyConnections:
		return ": the server has no connection left"
	case errTableFull, errDiskFull:
		return ": the server's disk is full; free some space, nothing was half-written"
	case errLockWait, errDeadlock:
		return ": another process kept rows locked for too long"
	case errReadOnly, errReadOnlyMode, errReadOnlyTransaction:
		return ": the server is read-only; it may be failing over"
	case errDuplicate:
		return ": a key is there already"
	case errTruncated, errOutOfRange, errBadString, errTooLong:
		return ": a value does not fit its column"
	case errNotAllowed, errNoLocalFiles, errMariaNoLocalFiles:
		return ": the server has turned LOAD DATA LOCAL off; restart this program, which then goes without"
	}
	return ""
}

func connecting(err error) string {
	var unknown *tls.CertificateVerificationError
	switch {
	case errors.As(err, &unknown):
		return ": the database's certificate is not trusted; name its authority with ca=PATH"
	case errors.Is(err, driver.ErrNoTLS):
		return ": the server speaks no TLS; set tls=false only on a network that nobody else is on"
	case errors.Is(err, driver.ErrInvalidConn), errors.Is(err, sqldriver.ErrBadConn):
		return ": the connection to the database broke, or the server is read-only; nothing was half-written"
	}
	return ""
}

// repeatable reports whether the server undid a transaction to end a deadlock.
func repeatable(err error) bool {
	var e *driver.MySQLError
	return errors.As(err, &e) && e.Number == errDeadlock
}

// taken makes [padron.ErrTaken] of the fault of an id that has another number.
func taken(err error) error {
	if isDuplicate(err) {
		return padron.ErrTaken
	}
	return err
}

// isDuplicate reports whether a key was there already: nothing of the statement
// was done, and its transaction goes on.
func isDuplicate(err error) bool {
	var e *driver.MySQLError
	return errors.As(err, &e) && e.Number == errDuplicate
}
