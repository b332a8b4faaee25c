// Package sqlite is the embedded engine of the register: SQLite in pure Go, one
// file, nothing to install. It passes the suite in storetest.
package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	_ "modernc.org/sqlite" // the driver "sqlite"

	"padron"
	"padron/internal/store"
	"padron/internal/store/sqlstore"
)

// Store is the register in one SQLite file. It is safe for concurrent use, in
// this process and with others on the same file.
type Store struct {
	sqlstore.Tables

	path string
	file os.FileInfo // of the open file, to see that path still leads to it
	// write has one connection: SQLite has one writer, and waiting for it here
	// is fairer than in the file's lock.
	write *sql.DB
	read  *sql.DB
	now   func() time.Time

	leaseMu sync.Mutex
	lock    *os.File // held while this store holds the lease
}

var _ store.Engine = (*Store)(nil)

// Option changes how a store is opened.
type Option func(*Store)

// WithClock replaces the clock that decides when a lease has expired.
func WithClock(now func() time.Time) Option { return func(s *Store) { s.now = now } }

// readers is how many connections read at once.
const readers = 4

// Open opens the database file, made with mode 0600 if need be, in a folder
// made with mode 0700. It does not migrate.
func Open(ctx context.Context, path string, opts ...Option) (*Store, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("make the register's folder: %w", err)
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600) //nolint:gosec // the operator names it
	if err != nil {
		return nil, fmt.Errorf("open the register: %w", err)
	}
	info, err := f.Stat()
	if err := errors.Join(err, f.Close()); err != nil {
		return nil, fmt.Errorf("open the register: %w", err)
	}
	s := &Store{path: path, file: info, now: time.Now}
	for _, o := range opts {
		o(s)
	}
	if s.write, err = openPool(path, "immediate", 16<<10, 1); err != nil {
		return nil, err
	}
	if s.read, err = openPool(path, "deferred", 4<<10, readers); err != nil {
		return nil, err
	}
	s.Tables = s.tables()
	if err := s.write.PingContext(ctx); err != nil {
		_ = s.Close()
		return nil, explain("open the register "+path, err)
	}
	return s, nil
}

// tables are the statements that the engines share, in SQLite's words. A row is
// locked with all others by the transaction that writes.
func (s *Store) tables() sqlstore.Tables {
	return sqlstore.New(sqlstore.Database{
		Read: s.read, Write: s.write, Explain: explain, Fenced: s.fenced,
		Bear:     func(_ context.Context, f func() error) error { return f() },
		Snapshot: sql.TxOptions{ReadOnly: true},
		Upsert:   upsertRow, Chunk: chunk,
		Concerns: "EXISTS (SELECT 1 FROM json_each(audit.customers) WHERE value = ?)",
		Text:     func(s string) any { return s },
	})
}

// upsertRow ends an INSERT.
func upsertRow(key string, columns ...string) string {
	assignments := make([]string, len(columns))
	for i, c := range columns {
		assignments[i] = c + " = excluded." + c
	}
	return " ON CONFLICT (" + key + ") DO UPDATE SET " + strings.Join(assignments, ", ")
}

// openPool opens connections under the session rules:
//   - WAL: readers never wait for the writer, and a kill leaves the file whole;
//   - synchronous FULL: a commit is on disk before it returns, which the audit
//     log's promise rests on;
//   - transactions of the writer are immediate, so that they wait for the file's
//     lock at the start and never fail half-way;
//   - busy_timeout: wait up to 10 s for another process's transaction;
//   - cache_size: KiB of page cache a connection, which bounds memory;
//   - the WAL is folded in every 4,000 pages (16 MiB) and cut back to 64 MiB;
//   - temp_store: temporary tables in memory, so that nothing is left on disk.
func openPool(path, transactions string, cacheKiB, most int) (*sql.DB, error) {
	q := url.Values{"_txlock": {transactions}, "_pragma": {
		"busy_timeout(10000)", "journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(ON)", "temp_store(MEMORY)",
		fmt.Sprintf("cache_size(-%d)", cacheKiB), "wal_autocheckpoint(4000)", "journal_size_limit(67108864)",
	}}
	db, err := sql.Open("sqlite", "file:"+(&url.URL{Path: path}).EscapedPath()+"?"+q.Encode())
	if err != nil {
		return nil, fmt.Errorf("open the register: %w", err)
	}
	db.SetMaxOpenConns(most)
	db.SetMaxIdleConns(most)
	return db, nil
}

// Close closes every connection, and gives a lease's file lock back.
func (s *Store) Close() error {
	s.dropLock()
	var first error
	for _, db := range []*sql.DB{s.read, s.write} {
		if db == nil {
			continue
		}
		if err := db.Close(); err != nil && first == nil {
			first = err
		}
	}
	return first
}

// errReplaced: what is written now would be lost with the last process that
// holds the old file open.
var errReplaced = padron.Errorf(padron.CodeUnavailable, "the register's file was removed or replaced while in use: restore it and start again")

// there returns an error where the path no longer leads to the open file.
func (s *Store) there() error {
	info, err := os.Stat(s.path)
	if err != nil || !os.SameFile(info, s.file) {
		return errReplaced
	}
	return nil
}

// inTx runs f in one write transaction: all of it or nothing.
func (s *Store) inTx(ctx context.Context, doing string, f func(*sql.Tx) error) error {
	if err := s.there(); err != nil {
		return err
	}
	tx, err := s.write.BeginTx(ctx, nil)
	if err != nil {
		return explain(doing, err)
	}
	if err := f(tx); err != nil {
		_ = tx.Rollback() // the first error is the one to tell
		return explain(doing, err)
	}
	return explain(doing, tx.Commit())
}
