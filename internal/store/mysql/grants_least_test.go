package mysql_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"padron"
	"padron/internal/store/mysql"
	"padron/internal/store/mysqltest"
	"padron/internal/store/storetest"
)

// divide does all that a divided run asks of a store, under one lease.
func divide(ctx context.Context, st *mysql.Store, held padron.Lease, run *padron.Run, key padron.KeyID) error {
	var failed []error
	note := func(err error) { failed = append(failed, err) }
	note(st.Divide(ctx, held, &padron.Plan{RunID: run.ID, Parts: []padron.Part{{Part: 1}}}, time.Hour))
	_, err := st.Plan(ctx)
	note(err)
	lease, _, err := st.BeginPart(ctx, held, 1)
	note(err)
	_, err = st.ReserveNumbers(ctx, lease, 1)
	note(err)
	b := batch(1, 3)
	b.Messages = map[padron.KeyID]int64{key: 1}
	b.Part = &padron.PartState{Seen: []byte{1}, Done: true}
	note(st.Apply(ctx, lease, b))
	_, err = st.PartsSeen(ctx, 0)
	note(err)
	note(st.Renew(ctx, lease, time.Hour))
	if err := st.Claim(ctx, held); !errors.Is(err, padron.ErrLeaseLost) { // the plan is the lease's already
		note(err)
	}
	return errors.Join(failed...)
}

// synchronize does all that the synchronizer asks of a store; n makes its runs
// and keys others than before. It returns what failed.
func synchronize(ctx context.Context, st *mysql.Store, n int) error {
	failed := []error{st.Ping(ctx)}
	note := func(err error) {
		if err != nil && !errors.Is(err, padron.ErrNotFound) {
			failed = append(failed, err)
		}
	}
	held, err := st.Acquire(ctx, "least", time.Hour)
	if err != nil {
		return errors.Join(append(failed, err)...)
	}
	run := &padron.Run{ID: fmt.Sprint("run-", n), StartedAt: time.Unix(int64(n), 0)}
	key := padron.DataKey{ID: padron.KeyID(n + 1), Purpose: padron.PurposeSeal, Group: "personal", Wrapped: []byte{1}, CreatedAt: time.Unix(1, 0)}
	b := batch(1, 3)
	b.Rejected = []padron.Rejected{{ID: "q", CustomerID: "q", Reasons: []padron.Reason{"id:missing"}, RunID: run.ID, Record: padron.Sealed{1}, Key: key.ID}}
	b.Cleared = []padron.CustomerID{"was rejected"}
	b.Messages = map[padron.KeyID]int64{key.ID: 1}
	b.Checkpoint = &padron.Checkpoint{RunID: run.ID, Fresh: true, Seen: [][]byte{{1}}, SavedAt: time.Unix(1, 0)}
	note(st.StartRun(ctx, held, run))
	note(st.AddKey(ctx, key))
	_, err = st.Key(ctx, key.ID)
	note(err)
	_, err = st.Lookup(ctx, []padron.CustomerID{storetest.Customer(1).ID})
	note(err)
	note(st.Apply(ctx, held, b))
	note(st.ApplyAgain(ctx, held, b))
	_, err = st.Checkpoint(ctx)
	note(err)
	for _, err := range st.Live(ctx) {
		note(err)
	}
	note(st.Delete(ctx, held, []padron.Number{1}, time.Unix(1, 0)))
	_, err = st.QuarantineEntry(ctx, "q")
	note(err)
	note(st.Renew(ctx, held, time.Hour))
	note(st.StartRun(ctx, held, run))
	note(divide(ctx, st, held, run, key.ID))
	run.Outcome = padron.OutcomeCompleted
	note(st.FinishRun(ctx, held, run))
	_, err = st.Runs(ctx, 1)
	note(err)
	note(st.Release(ctx, held))
	return errors.Join(failed...)
}

// serve does all that customers-mngr asks of a store.
func serve(ctx context.Context, st *mysql.Store, n int) error {
	_, err := st.Customers(ctx, padron.Filter{}, "", 1, padron.Whole)
	failed := []error{st.Ping(ctx), err}
	note := func(err error) {
		if err != nil && !errors.Is(err, padron.ErrNotFound) {
			failed = append(failed, err)
		}
	}
	page := padron.DataKey{ID: padron.KeyID(n + 1), Purpose: padron.PurposePage, Wrapped: []byte{1}, CreatedAt: time.Unix(1, 0)}
	_, err = st.EnsureKey(ctx, padron.PurposePage, func() (padron.DataKey, error) { return page, nil })
	note(err)
	_, err = st.Token(ctx, "t")
	note(err)
	_, err = st.Runs(ctx, 1)
	note(err)
	_, err = st.Quarantine(ctx, "", 1)
	note(err)
	note(st.AppendAudit(ctx, func(head padron.AuditHead) ([]padron.AuditEntry, error) {
		return []padron.AuditEntry{{Seq: head.Seq + 1, Time: time.Unix(1, 0)}}, nil
	}))
	_, err = st.AuditEntries(ctx, padron.AuditFilter{Limit: 1})
	note(err)
	return errors.Join(failed...)
}

// TestNoRightTooMany takes each right away by itself: something that the service
// does must then fail for want of it.
func TestNoRightTooMany(t *testing.T) { mysqltest.Each(t, testNoRightTooMany) }

func testNoRightTooMany(t *testing.T, server *mysqltest.Server) {
	url := server.Database(t)
	admin := open(t, url)
	exec := func(statement string) {
		t.Helper()
		if _, err := admin.DB().Exec(statement); err != nil {
			t.Fatal(statement, err)
		}
	}
	var version string
	if err := admin.DB().QueryRow("SELECT version()").Scan(&version); err != nil {
		t.Fatal(err)
	}
	// MySQL wants UPDATE of a table whose rows a SELECT locks, and MariaDB does not.
	spared := map[string]bool{"UPDATE audit_turn": strings.Contains(version, "MariaDB")}
	n := 0
	for service, work := range map[string]func(context.Context, *mysql.Store, int) error{
		mysql.UserSynchronizer: synchronize, mysql.UserCustomersMngr: serve,
	} {
		user := mysql.ServiceUser{Service: service, Name: fmt.Sprint("least_", n), Password: testPassword}
		put := func() {
			t.Helper()
			if err := admin.PutUser(t.Context(), user); err != nil {
				t.Fatal(err)
			}
		}
		put()
		n++ // the keys of the service before are there
		st := serviceStore(t, url, service, user.Name)
		if err := work(t.Context(), st, n); err != nil {
			t.Fatalf("%s with all its rights: %v", service, err)
		}
		for _, g := range mysql.Grants(service) {
			if spared[g.Privilege+" "+g.Table] {
				continue
			}
			parts := g.Columns
			if len(parts) == 0 {
				parts = []string{""}
			}
			for _, column := range parts {
				n++
				right := g.Privilege
				if column != "" {
					right += " (" + column + ")"
				}
				exec("DELETE FROM data_keys WHERE purpose = 'page'")
				exec("UPDATE lease SET expires_at = 0")
				exec(fmt.Sprintf("REVOKE %s ON %s FROM %s@'%%'", right, g.Table, user.Name))
				if err := work(t.Context(), st, n); err == nil || !strings.Contains(err.Error(), "lacks a right") {
					t.Errorf("%s does without %s on %s (%v)", service, right, g.Table, err)
				}
				put()
			}
		}
	}
}
