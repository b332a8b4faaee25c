package mysql

import (
	"context"
	"database/sql"
	sqldriver "database/sql/driver"
	"fmt"
	"hash/fnv"
	"time"

	"padron"
	"padron/internal/store/sqlstore"
)

// The lease is a row with an expiry, and besides a named lock of the server, one
// name for each fencing token, on a connection that lives as long as its holder.
// The server frees the lock of a process that was killed, so that the next run
// starts at once; the expiry takes the lease from one that is stopped but not
// dead; and the fencing token keeps that one from writing when it goes on. A
// lock that is lost with its connection costs nothing but the head start.

// hold is a lease's named lock: its connection and its token.
type hold struct {
	conn  *sql.Conn
	token int64
}

// lockWait is how long a named lock is waited for: the time that the server
// needs to notice that a process has died.
const lockWait = 1 // second

// lockName names the lock of a token; names are the whole server's.
func (s *Store) lockName(token int64) string {
	h := fnv.New64a()
	_, _ = h.Write([]byte(s.cfg.Database))
	return fmt.Sprintf("padron.lease.%x.%d", h.Sum64(), token)
}

// Acquire takes the lease; see store.Leases.
func (s *Store) Acquire(ctx context.Context, holder string, ttl time.Duration) (padron.Lease, error) {
	const doing = "take the lease"
	conn, err := s.db.Conn(ctx)
	if err != nil {
		return padron.Lease{}, explain(doing, err)
	}
	last, err := s.free(ctx, conn)
	if err != nil {
		discard(conn)
		return padron.Lease{}, explain(doing, err)
	}
	lease := padron.Lease{Holder: holder, Token: last + 1}
	if err := repeatedly(ctx, func() error { return s.take(ctx, conn, lease, ttl) }); err != nil {
		discard(conn)
		return padron.Lease{}, explain(doing, err)
	}
	s.keep(&hold{conn, lease.Token})
	return lease, nil
}

// clock is the time by which leases expire, in milliseconds: the server's.
func (s *Store) clock(ctx context.Context, db sqlstore.Querier) (int64, error) {
	if s.now != nil {
		return sqlstore.Millis(s.now()), nil
	}
	var now int64
	err := db.QueryRowContext(ctx, "SELECT CAST(1000 * UNIX_TIMESTAMP(NOW(3)) AS SIGNED)").Scan(&now)
	return now, err
}

// free returns the last token if nobody alive holds the lease by it.
func (s *Store) free(ctx context.Context, conn *sql.Conn) (int64, error) {
	var token, expires int64
	var divided bool
	if err := conn.QueryRowContext(ctx, `SELECT token, expires_at, EXISTS
		(SELECT 1 FROM division WHERE division.token = lease.token AND finishing = 0) FROM lease WHERE one = 1`).
		Scan(&token, &expires, &divided); err != nil {
		return 0, err
	}
	now, err := s.clock(ctx, conn)
	if err != nil || expires <= now {
		return token, err
	}
	if divided { // its processes come and go
		return 0, padron.ErrLeaseHeld
	}
	dead, err := namedLock(ctx, conn, s.lockName(token), lockWait)
	if err != nil {
		return 0, err
	}
	if !dead {
		return 0, padron.ErrLeaseHeld
	}
	return token, nil
}

// namedLock takes a named lock for the connection's session. A server without
// such locks never gives one.
func namedLock(ctx context.Context, conn *sql.Conn, name string, wait int) (bool, error) {
	var got sql.NullInt64
	err := conn.QueryRowContext(ctx, "SELECT GET_LOCK(?, ?)", name, wait).Scan(&got)
	return got.Int64 == 1, err
}

// take writes the lease, unless somebody was faster, with its lock held already.
func (s *Store) take(ctx context.Context, conn *sql.Conn, lease padron.Lease, ttl time.Duration) error {
	tx, err := conn.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	var last int64
	if err := tx.QueryRowContext(ctx, "SELECT token FROM lease WHERE one = 1 FOR UPDATE").Scan(&last); err != nil {
		return err
	}
	if last+1 != lease.Token {
		return padron.ErrLeaseHeld
	}
	if _, err := namedLock(ctx, conn, s.lockName(lease.Token), 0); err != nil {
		return err
	}
	now, err := s.clock(ctx, tx)
	if err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, "UPDATE lease SET holder = ?, token = ?, expires_at = ? WHERE one = 1",
		lease.Holder, lease.Token, now+ttl.Milliseconds()); err != nil {
		return err
	}
	return tx.Commit()
}

// discard closes a connection for good, and with it its session's locks.
func discard(conn *sql.Conn) {
	_ = conn.Raw(func(any) error { return sqldriver.ErrBadConn }) // the pool closes a bad connection
	_ = conn.Close()
}

// keep replaces the lock that this store holds.
func (s *Store) keep(h *hold) {
	s.holdMu.Lock()
	defer s.holdMu.Unlock()
	if s.hold != nil {
		discard(s.hold.conn)
	}
	s.hold = h
}

// letGo gives the lock of a lease back, or any.
func (s *Store) letGo(lease *padron.Lease) {
	s.holdMu.Lock()
	defer s.holdMu.Unlock()
	if s.hold != nil && (lease == nil || s.hold.token == lease.Token) {
		discard(s.hold.conn)
		s.hold = nil
	}
}

// Renew extends the lease; see store.Leases.
func (s *Store) Renew(ctx context.Context, lease padron.Lease, ttl time.Duration) error {
	now, err := s.clock(ctx, s.db)
	if err != nil {
		return explain("renew the lease", err)
	}
	r, err := s.db.ExecContext(ctx, "UPDATE lease SET expires_at = ? WHERE one = 1 AND token = ?", now+ttl.Milliseconds(), lease.Token)
	if err := sqlstore.LostIfNone(r, err); err != nil {
		return explain("renew the lease", err)
	}
	s.holdOn(ctx, lease)
	return nil
}

// holdOn takes the lease's lock again where its connection was lost. It is worth
// a try and no error: without it the next run waits for the expiry.
func (s *Store) holdOn(ctx context.Context, lease padron.Lease) {
	s.holdMu.Lock()
	defer s.holdMu.Unlock()
	if s.hold == nil || s.hold.token != lease.Token || s.hold.conn.PingContext(ctx) == nil {
		return
	}
	conn, err := s.db.Conn(ctx)
	if err != nil {
		return
	}
	if got, err := namedLock(ctx, conn, s.lockName(lease.Token), 0); err != nil || !got {
		discard(conn)
		return
	}
	discard(s.hold.conn)
	s.hold.conn = conn
}

// Release gives the lease back; see store.Leases.
func (s *Store) Release(ctx context.Context, lease padron.Lease) error {
	_, err := s.db.ExecContext(ctx, "UPDATE lease SET expires_at = 0, holder = '' WHERE one = 1 AND token = ?", lease.Token)
	s.letGo(&lease)
	return explain("give the lease back", err)
}

// fenced runs f in a transaction that the lease's holder alone may enter. The
// lease's row stays locked until its end: a takeover waits for the transaction
// to end, and a transaction that waited for a takeover sees its token. Partitions
// share that lock, and write at the same time. The transaction outlasts an outage
// of the server: f may run again.
func (s *Store) fenced(ctx context.Context, doing string, lease padron.Lease, f func(*sql.Tx) error) error {
	return s.throughOutage(ctx, func() error { return s.fencedOnce(ctx, doing, lease, f) })
}

func (s *Store) fencedOnce(ctx context.Context, doing string, lease padron.Lease, f func(*sql.Tx) error) error {
	return s.inTx(ctx, doing, func(tx *sql.Tx) error {
		if err := s.fence(ctx, tx, lease); err != nil {
			return err
		}
		return f(tx)
	})
}

// fence locks the lease's row until the transaction ends, and returns
// [padron.ErrLeaseLost] where somebody else has taken it.
func (s *Store) fence(ctx context.Context, tx *sql.Tx, lease padron.Lease) error {
	how := "FOR UPDATE"
	if lease.Part > 0 {
		how = "LOCK IN SHARE MODE"
	}
	var current int64
	if err := tx.QueryRowContext(ctx, "SELECT token FROM lease WHERE one = 1 "+how).Scan(&current); err != nil {
		return fmt.Errorf("read the lease: %w", err)
	}
	if current != lease.Token {
		return padron.ErrLeaseLost
	}
	return s.CurrentAttempt(ctx, tx, lease)
}
