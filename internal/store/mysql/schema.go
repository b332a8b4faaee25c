package mysql

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"io/fs"
	"strings"
	"time"

	driver "github.com/go-sql-driver/mysql"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"

	"padron"
	"padron/internal/store"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Processes that migrate at once ask for their turn so often, for so long.
const (
	turnEvery = 500 * time.Millisecond
	turnTries = 600
)

// provider returns goose for a database handle.
func provider(db *sql.DB) (*goose.Provider, error) {
	dir, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, err
	}
	locker, err := lock.NewMySQLTableLocker(lock.WithTableLockTimeout(turnEvery, turnTries))
	if err != nil {
		return nil, err
	}
	return goose.NewProvider(goose.DialectMySQL, db, dir, goose.WithLocker(locker))
}

// Goose makes its table and then the first row, and MySQL commits the one before
// the other. Whoever finds the table empty, since another process is just making
// it or was killed then, adds the row; twice does no harm.
const (
	noFirstRow = "missing zero version"
	firstRow   = `INSERT INTO goose_db_version (version_id, is_applied)
		SELECT 0, TRUE FROM DUAL WHERE NOT EXISTS (SELECT 1 FROM goose_db_version)`
)

func up(ctx context.Context, p *goose.Provider) error {
	_, err := p.Up(ctx)
	return err
}

// latest is the version of the newest migration.
func latest() (int64, error) {
	p, err := provider(new(sql.DB)) // asked for its sources alone
	if err != nil {
		return 0, err
	}
	all := p.ListSources()
	return all[len(all)-1].Version, nil
}

// Migrate brings the schema to this version. Processes that migrate at once
// take turns. A migration may take its time: its connections wait for any.
func (s *Store) Migrate(ctx context.Context) error {
	const doing = "migrate the register"
	if version, err := s.schemaVersion(ctx); err == nil && version >= s.version {
		return s.notNewer(version)
	}
	c, err := newConnector(&s.cfg, s.credentials, func(c *driver.Config) { c.ReadTimeout = 0 })
	if err != nil {
		return err
	}
	db := sql.OpenDB(c)
	defer db.Close() //nolint:errcheck // nothing was left open
	p, err := provider(db)
	if err != nil {
		return explain(doing, err)
	}
	if err = up(ctx, p); err != nil && strings.Contains(err.Error(), noFirstRow) {
		if _, err = db.ExecContext(ctx, firstRow); err == nil {
			err = up(ctx, p)
		}
	}
	var part *goose.PartialError
	if errors.As(err, &part) && part.Failed != nil {
		return explain(doing+": "+part.Failed.Source.Path, err)
	}
	return explain(doing, err)
}

// generation is how many migrations leave the programs of before at work. A
// release migrates while tasks of the last one serve, so within a hundred
// migrations only add: tables, columns that have defaults or are null, indexes.
// One that takes something away begins the next hundred, and wants those
// programs stopped.
const generation = 100

// serves reports whether this program can work on a schema: on its own version
// and on later ones of its generation.
func (s *Store) serves(version int64) bool {
	return version >= s.version && version/generation == s.version/generation
}

// notNewer refuses a register that a later version has migrated beyond what this
// one can work on.
func (s *Store) notNewer(version int64) error {
	if version > s.version && !s.serves(version) {
		return padron.Errorf(padron.CodeUnavailable,
			"the register has schema version %d, this program knows %d: run a newer padron", version, s.version)
	}
	return nil
}

func (s *Store) schemaVersion(ctx context.Context) (int64, error) {
	var version int64
	err := s.db.QueryRowContext(ctx, "SELECT coalesce(max(version_id), 0) FROM goose_db_version WHERE is_applied").Scan(&version)
	return version, err
}

// Migrations returns every migration, oldest first.
func (s *Store) Migrations(ctx context.Context) ([]store.Migration, error) {
	p, err := provider(s.db)
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

// Ping reports whether the register can be read and has a schema that this
// program can work on.
func (s *Store) Ping(ctx context.Context) error {
	version, err := s.schemaVersion(ctx)
	if err != nil {
		return explain("read the register", err)
	}
	if err := s.notNewer(version); err != nil {
		return err
	}
	if !s.serves(version) {
		return padron.Errorf(padron.CodeUnavailable, "the register has schema version %d, want %d: run padron migrate up", version, s.version)
	}
	return nil
}
