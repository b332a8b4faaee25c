package mysql

import (
	"context"
	sqldriver "database/sql/driver"
	"errors"
	"io"
	"net"
	"slices"
	"time"

	driver "github.com/go-sql-driver/mysql"
)

// A failover of Aurora takes most of a minute at worst, a restart for a new
// version somewhat longer ("Fast failover with Amazon Aurora" in its guide). A
// run bears that: it has read much that it would have to read again.
const (
	outageTime       = 90 * time.Second
	firstOutagePause = 50 * time.Millisecond
	lastOutagePause  = 2 * time.Second
)

// throughOutage runs f again for as long as the server cannot be reached, ends
// its sessions or is read-only, at most [outageTime]. It is for the synchronizer
// alone: whoever serves people rather says at once that it cannot.
//
// Where a connection breaks in a commit nobody knows whether it was done: f must
// make the same of it, or ask, as a batch does.
func (s *Store) throughOutage(ctx context.Context, f func() error) error {
	var began time.Time // with its first failure: f itself may wait for long
	for pause := firstOutagePause; ; pause = min(2*pause, lastOutagePause) {
		err := f()
		if !gone(err) || ctx.Err() != nil {
			return err
		}
		if began.IsZero() {
			began = time.Now()
		}
		if time.Since(began) > s.outage {
			return err
		}
		s.onOutage(err)
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return err
		}
	}
}

// goneNumbers are the server's errors that end sessions or writing. To have waited
// for a row counts as such: a process that was stopped in a transaction keeps its
// rows until the server ends its session, after [idleTime].
var goneNumbers = []uint16{
	errTooManyConnections, errShutdown, errLockWait, errReadOnly, errReadOnlyMode, errReadOnlyTransaction, errSessionKilled, errMariaKilled, errSilentTooLong,
}

// gone reports whether an error says that the server was left, and nothing of
// the statement. The driver makes [sqldriver.ErrBadConn] of a server that has
// become read-only.
func gone(err error) bool {
	var network net.Error
	var theirs *driver.MySQLError
	var explained fault
	switch {
	case err == nil:
		return false
	case errors.Is(err, sqldriver.ErrBadConn), errors.Is(err, driver.ErrInvalidConn), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return true // the last two while connecting
	case errors.As(err, &theirs):
		return slices.Contains(goneNumbers, theirs.Number)
	case errors.As(err, &explained):
		return slices.Contains(goneNumbers, explained.number)
	}
	return errors.As(err, &network)
}
