package sqlite

import (
	"context"
	"embed"
	"io/fs"
	"os"
	"syscall"

	"github.com/pressly/goose/v3"

	"padron"
	"padron/internal/store"
)

//go:embed migrations/*.sql
var migrations embed.FS

func (s *Store) goose() (*goose.Provider, error) {
	dir, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, err
	}
	return goose.NewProvider(goose.DialectSQLite3, s.write, dir)
}

// Migrate brings the schema to this version. Processes that migrate at once
// take turns.
func (s *Store) Migrate(ctx context.Context) error {
	unlock, err := lockFile(s.path + ".migrate")
	if err != nil {
		return explain("migrate the register", err)
	}
	defer unlock()
	p, err := s.goose()
	if err != nil {
		return explain("migrate the register", err)
	}
	if err := notNewer(ctx, p); err != nil {
		return err
	}
	_, err = p.Up(ctx)
	return explain("migrate the register", err)
}

// notNewer refuses a register that a later version has migrated.
func notNewer(ctx context.Context, p *goose.Provider) error {
	current, target, err := p.GetVersions(ctx)
	if err != nil {
		return explain("read the schema's version", err)
	}
	if current > target {
		return padron.Errorf(padron.CodeUnavailable,
			"the register has schema version %d, this program knows %d: run a newer padron", current, target)
	}
	return nil
}

// lockFile waits for the lock on a file and returns how to give it back.
func lockFile(path string) (func(), error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600) //nolint:gosec // beside the register
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX); err != nil {
		_ = f.Close()
		return nil, err
	}
	return func() { _ = f.Close() }, nil // closing unlocks
}

// Migrations returns every migration, oldest first.
func (s *Store) Migrations(ctx context.Context) ([]store.Migration, error) {
	p, err := s.goose()
	if err != nil {
		return nil, explain("read the migrations", err)
	}
	status, err := p.Status(ctx)
	if err != nil {
		return nil, explain("read the migrations", err)
	}
	out := make([]store.Migration, len(status))
	for i, m := range status {
		out[i] = store.Migration{Version: m.Source.Version, Name: m.Source.Path}
		if m.State == goose.StateApplied {
			out[i].AppliedAt = m.AppliedAt.UTC()
		}
	}
	return out, nil
}

// Ping reports whether the register can be read and has this version's schema.
func (s *Store) Ping(ctx context.Context) error {
	if err := s.there(); err != nil {
		return err
	}
	var version int64
	err := s.read.QueryRowContext(ctx, "SELECT coalesce(max(version_id), 0) FROM goose_db_version WHERE is_applied").Scan(&version)
	if err != nil {
		return explain("read the register", err)
	}
	p, err := s.goose()
	if err != nil {
		return explain("read the register", err)
	}
	all := p.ListSources()
	if want := all[len(all)-1].Version; version != want {
		return padron.Errorf(padron.CodeUnavailable, "the register has schema version %d, want %d: run padron migrate up", version, want)
	}
	return nil
}
