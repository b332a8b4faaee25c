package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"

	"padron"
	"padron/internal/store/sqlstore"
)

// The lease is a row with an expiry, and besides a lock on the file PATH.lease
// for as long as the process lives. The lock gives the lease of a killed
// process back at once; the expiry takes it from one that is stopped but not
// dead, and the fencing token keeps that one from writing when it goes on. Who
// took the lease by its expiry has no lock, so for that one the expiry counts
// alone.

// Acquire takes the lease; see store.Leases.
func (s *Store) Acquire(ctx context.Context, holder string, ttl time.Duration) (padron.Lease, error) {
	s.leaseMu.Lock()
	defer s.leaseMu.Unlock()
	lock, err := s.tryLock()
	if err != nil {
		return padron.Lease{}, explain("take the lease", err)
	}
	lease := padron.Lease{Holder: holder}
	err = s.inTx(ctx, "take the lease", func(tx *sql.Tx) error {
		var expires int64
		var locked bool
		if err := tx.QueryRowContext(ctx, "SELECT token, expires_at, locked FROM lease").Scan(&lease.Token, &expires, &locked); err != nil {
			return err
		}
		dead := locked && lock != nil
		if !dead && expires > sqlstore.Millis(s.now()) {
			return padron.ErrLeaseHeld
		}
		lease.Token++
		_, err := tx.ExecContext(ctx, "UPDATE lease SET holder = ?, token = ?, expires_at = ?, locked = ?",
			holder, lease.Token, sqlstore.Millis(s.now().Add(ttl)), lock != nil)
		return err
	})
	if err != nil {
		closeFile(lock)
		return padron.Lease{}, err
	}
	if lock != nil {
		s.lock = lock
	}
	return lease, nil
}

// tryLock returns the locked file, or nil where somebody alive holds it.
func (s *Store) tryLock() (*os.File, error) {
	f, err := os.OpenFile(s.path+".lease", os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if err == nil {
		return f, nil
	}
	_ = f.Close()
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return nil, nil //nolint:nilnil // held by somebody is an answer, not a fault
	}
	return nil, err
}

func closeFile(f *os.File) {
	if f != nil {
		_ = f.Close() // closing unlocks
	}
}

func (s *Store) dropLock() {
	s.leaseMu.Lock()
	defer s.leaseMu.Unlock()
	closeFile(s.lock)
	s.lock = nil
}

// Renew extends the lease; see store.Leases.
func (s *Store) Renew(ctx context.Context, lease padron.Lease, ttl time.Duration) error {
	return s.inTx(ctx, "renew the lease", func(tx *sql.Tx) error {
		r, err := tx.ExecContext(ctx, "UPDATE lease SET expires_at = ? WHERE token = ?", sqlstore.Millis(s.now().Add(ttl)), lease.Token)
		return sqlstore.LostIfNone(r, err)
	})
}

// Release gives the lease back; see store.Leases.
func (s *Store) Release(ctx context.Context, lease padron.Lease) error {
	err := s.inTx(ctx, "give the lease back", func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "UPDATE lease SET expires_at = 0, holder = '' WHERE token = ?", lease.Token)
		return err
	})
	s.dropLock()
	return err
}

// fenced runs f in a write transaction that the lease's holder alone may enter.
func (s *Store) fenced(ctx context.Context, doing string, lease padron.Lease, f func(*sql.Tx) error) error {
	return s.inTx(ctx, doing, func(tx *sql.Tx) error {
		var current int64
		if err := tx.QueryRowContext(ctx, "SELECT token FROM lease").Scan(&current); err != nil {
			return fmt.Errorf("read the lease: %w", err)
		}
		if current != lease.Token {
			return padron.ErrLeaseLost
		}
		if err := s.CurrentAttempt(ctx, tx, lease); err != nil {
			return err
		}
		return f(tx)
	})
}
