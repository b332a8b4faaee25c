package synchronizer_test

import (
	"context"
	"database/sql"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"padron"
	"padron/internal/store"
	"padron/internal/store/mysql"
	"padron/internal/store/mysqltest"
)

// written is what a server says that it has written to its tables, in rows, and
// to its log, in bytes, as MariaDB counts them.
type written struct{ inserted, updated, deleted, log int64 }

func writtenBy(t *testing.T, db *sql.DB) (w written) {
	t.Helper()
	for name, n := range map[string]*int64{
		"Handler_write": &w.inserted, "Handler_update": &w.updated, "Handler_delete": &w.deleted,
		"Innodb_os_log_written": &w.log,
	} {
		var text string
		if err := db.QueryRowContext(t.Context(), "SHOW GLOBAL STATUS LIKE '"+name+"'").Scan(new(string), &text); err != nil {
			t.Fatal(name, err)
		}
		var err error
		if *n, err = strconv.ParseInt(text, 10, 64); err != nil {
			t.Fatal(name, err)
		}
	}
	return w
}

// slowLookup is a store whose lookups take time by the clock.
type slowLookup struct {
	store.Engine
	clock *ticker
	took  time.Duration
}

func (s *slowLookup) Lookup(ctx context.Context, ids []padron.CustomerID) (map[padron.CustomerID]padron.Known, error) {
	s.clock.advance(s.took)
	return s.Engine.Lookup(ctx, ids)
}

// TestUnchangedRunWritesItsOwnRowsAlone: by the server's own counters, a run that
// finds nothing changed writes the lease, its report and, where they are due, its
// checkpoints, and nothing else.
func TestUnchangedRunWritesItsOwnRowsAlone(t *testing.T) {
	server := mysqltest.Private(t)
	cfg, err := mysql.ParseURL(server.Database(t))
	if err != nil {
		t.Fatal(err)
	}
	st, err := mysql.Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	r, admin := registerIn(t, st), server.Admin(t)
	const people = 2000
	run := r.config(newPeople(0))
	run.Provider, run.BatchSize = pagesOf(t, people), people
	before := writtenBy(t, admin)
	r.mustSync(run)
	first := writtenBy(t, admin).log - before.log

	clock := newTicker()
	run.Now = clock.now
	for name, tc := range map[string]struct {
		// batch is how long the batch takes by the clock: 0 is before a checkpoint
		// falls due.
		batch time.Duration
		want  written
	}{
		// The lease is taken and given back, the report begun and ended. The server
		// counts the end twice: a row that it tried to insert, and then changed.
		"fast": {0, written{inserted: 2, updated: 3}},
		// The one batch besides makes a checkpoint with one part, which the end
		// removes, and says that it is there, counted twice as well.
		"slow": {time.Minute, written{inserted: 2 + 3, updated: 3 + 1, deleted: 2}},
	} {
		t.Run(name, func(t *testing.T) {
			run.Store = &slowLookup{r.store, clock, tc.batch}
			before := writtenBy(t, admin)
			want(t, r.mustSync(run), counts{Read: people, Unchanged: people})
			after := writtenBy(t, admin)
			got := written{after.inserted - before.inserted, after.updated - before.updated, after.deleted - before.deleted, 0}
			if diff := cmp.Diff(tc.want, got, cmp.AllowUnexported(written{})); diff != "" {
				t.Errorf("rows (-want +got):\n%s", diff)
			}
			if log := after.log - before.log; log*20 > first {
				t.Errorf("%d bytes of log, where the first run of %d customers wrote %d", log, people, first)
			}
		})
	}
}
