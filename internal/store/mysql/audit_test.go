package mysql_test

import (
	"database/sql"
	"slices"
	"sync"
	"testing"
	"time"

	"padron"
	"padron/internal/audit"
	"padron/internal/store/mysql"
	"padron/internal/store/mysqltest"
)

// TestAppendWaitsForItsTurn: entries are added behind those of whoever had the
// turn, whatever the server knew of the chain's end while it waited for it.
func TestAppendWaitsForItsTurn(t *testing.T) { mysqltest.Each(t, testAppendWaitsForItsTurn) }

func testAppendWaitsForItsTurn(t *testing.T, server *mysqltest.Server) {
	st := open(t, server.Database(t))
	add := func() error {
		return st.AppendAudit(t.Context(), func(head padron.AuditHead) ([]padron.AuditEntry, error) {
			return []padron.AuditEntry{linked(head)}, nil
		})
	}
	if err := add(); err != nil {
		t.Fatal(err)
	}
	head, err := st.AuditHead(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	tx, err := st.DB().BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback()
	if _, err := tx.Exec("SELECT one FROM audit_turn WHERE one = 1 FOR UPDATE"); err != nil {
		t.Fatal(err)
	}
	var behind sync.WaitGroup
	behind.Go(func() {
		if err := add(); err != nil {
			t.Error(err)
		}
	})
	waitFor(t, st.DB(), "%audit_turn%FOR UPDATE%")
	insertLinked(t, tx.Exec, head)
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	behind.Wait()
	unbroken(t, st, 3)
}

// TestAppendFindsItsNumberTaken: what is behind an older end than the chain has
// is linked anew, and the chain has no fork.
func TestAppendFindsItsNumberTaken(t *testing.T) {
	mysqltest.Each(t, testAppendFindsItsNumberTaken)
}

func testAppendFindsItsNumberTaken(t *testing.T, server *mysqltest.Server) {
	st := open(t, server.Database(t))
	var ends []int64
	if err := st.AppendAudit(t.Context(), func(head padron.AuditHead) ([]padron.AuditEntry, error) {
		if ends = append(ends, head.Seq); len(ends) == 1 {
			insertLinked(t, st.DB().Exec, head)
		}
		return []padron.AuditEntry{linked(head)}, nil
	}); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(ends, []int64{0, 1}) {
		t.Errorf("linked to the ends %v, want 0 and then 1", ends)
	}
	unbroken(t, st, 2)
}

func unbroken(t *testing.T, st *mysql.Store, entries int64) {
	t.Helper()
	r, err := audit.Verify(t.Context(), st, nil)
	if err != nil || r.Broken != nil || r.Entries != entries {
		t.Errorf("%d entries, broken at %+v, %v; want %d, unbroken", r.Entries, r.Broken, err, entries)
	}
}

// insertLinked adds an entry behind a chain's end, and takes no turn.
func insertLinked(t *testing.T, exec func(string, ...any) (sql.Result, error), head padron.AuditHead) {
	t.Helper()
	e := linked(head)
	if _, err := exec("INSERT INTO audit (seq, time, principal, role, action, customers, fields, purpose, outcome, request_id, prev, hash) "+
		"VALUES (?, ?, 'other', '', '', '[]', '[]', '', '', '', ?, ?)", e.Seq, e.Time.UnixMilli(), e.Prev[:], e.Hash[:]); err != nil {
		t.Fatal(err)
	}
}

// linked is an entry behind a chain's end.
func linked(head padron.AuditHead) padron.AuditEntry {
	e := padron.AuditEntry{Seq: head.Seq + 1, Prev: head.Hash, Principal: "other", Time: time.Unix(1, 0).UTC()}
	e.Hash = audit.Hash(head.Hash, &e)
	return e
}
