package sqlite_test

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"padron"
	"padron/internal/audit"
)

// recorded is a register with n audit entries in it.
func recorded(t *testing.T, n int) (path string, verify func() audit.Result) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "r.db")
	st := open(t, path)
	log := audit.New(st, time.Now)
	for range n {
		if err := log.Record(t.Context(), padron.AuditEntry{Principal: "p", Action: padron.ActionGet, Customers: []padron.CustomerID{"1", "2"}}); err != nil {
			t.Fatal(err)
		}
	}
	return path, func() audit.Result {
		result, err := audit.Verify(t.Context(), st, nil)
		if err != nil {
			t.Fatal(err)
		}
		return result
	}
}

// TestDamagedEntriesAreNamed: whatever somebody does to a row of the audit log
// with SQL, verification names the first one.
func TestDamagedEntriesAreNamed(t *testing.T) {
	for _, damage := range []string{
		"UPDATE audit SET customers = 'garbage' WHERE seq = 5", "UPDATE audit SET customers = '[1]' WHERE seq = 5",
		"UPDATE audit SET customers = '{}' WHERE seq = 5", "UPDATE audit SET customers = '[ \"1\",\"2\"]' WHERE seq = 5",
		"UPDATE audit SET fields = 'nope' WHERE seq = 5", "UPDATE audit SET fields = 'null' WHERE seq = 5",
		"UPDATE audit SET hash = CAST(hash || x'00' AS BLOB) WHERE seq = 5", "UPDATE audit SET prev = CAST(prev || x'41' AS BLOB) WHERE seq = 5",
		"UPDATE audit SET hash = x'' WHERE seq = 5", "UPDATE audit SET purpose = 'x' WHERE seq = 5", "DELETE FROM audit WHERE seq = 5",
		"UPDATE audit SET customers = 'garbage' WHERE seq IN (5, 7)",
	} {
		path, verify := recorded(t, 9)
		execute(t, path, damage)
		if got := verify(); got.Broken == nil || got.Broken.Seq != 5 || got.Entries != 4 {
			t.Errorf("%s: %d entries, broken %+v", damage, got.Entries, got.Broken)
		}
	}
}

// TestEntriesBeforeTheFirst: a row that sorts before entry 1 is found.
func TestEntriesBeforeTheFirst(t *testing.T) {
	for _, seq := range []int{0, -7} {
		path, verify := recorded(t, 3)
		execute(t, path, fmt.Sprintf("INSERT INTO audit SELECT %d, time, principal, role, action, customers, fields, purpose, outcome, request_id, prev, hash FROM audit WHERE seq = 1", seq))
		if got := verify(); got.Broken == nil || !strings.Contains(got.Broken.Why, fmt.Sprint(seq)) {
			t.Errorf("row %d: broken %+v", seq, got.Broken)
		}
	}
}

func execute(t *testing.T, path, statement string) {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec(statement); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

// TestFileThatIsGone: where the register's file was removed or replaced, a write
// would land in a file that nobody can open again, so it fails, and health with
// it.
func TestFileThatIsGone(t *testing.T) {
	for name, remove := range map[string]func(path string) error{
		"removed": os.Remove, "renamed": func(path string) error { return os.Rename(path, path+".old") },
		"replaced": func(path string) error {
			if err := os.Rename(path, path+".old"); err != nil {
				return err
			}
			return os.WriteFile(path, nil, 0o600)
		},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "r.db")
			st := open(t, path)
			if err := remove(path); err != nil {
				t.Fatal(err)
			}
			link := func(padron.AuditHead) ([]padron.AuditEntry, error) { return nil, nil }
			for _, err := range []error{st.Ping(t.Context()), st.AppendAudit(context.Background(), link)} {
				if padron.ErrorCode(err) != padron.CodeUnavailable || !strings.Contains(err.Error(), "removed or replaced") {
					t.Errorf("error %v", err)
				}
			}
		})
	}
}
