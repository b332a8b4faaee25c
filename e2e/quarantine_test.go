package e2e

import (
	"context"
	"encoding/json"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"padron"
	"padron/internal/provider"
	"padron/internal/provider/providertest"
	"padron/internal/seal"
	"padron/internal/seal/filewrap"
	"padron/internal/store/sqlite"
)

// quarantined puts a record into the register's quarantine as a version with
// another rule did in a run at a time, and returns the entry's id.
func quarantined(t *testing.T, dir, runID string, data []byte, reason padron.Reason, at time.Time) string {
	t.Helper()
	ctx := context.Background()
	st, err := sqlite.Open(ctx, filepath.Join(dir, "var", "padron.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	wrapper, err := filewrap.Open(filepath.Join(dir, "var", "keys.json"))
	if err != nil {
		t.Fatal(err)
	}
	sealer, err := seal.NewSealer(ctx, wrapper, st)
	if err != nil {
		t.Fatal(err)
	}
	record, reasons := provider.DecodeRecord(data), []padron.Reason{reason}
	owner, _ := record.Identity()
	id := sealer.RejectedID(&record, reasons)
	sealed, key, err := sealer.SealRecord(ctx, &record, id)
	if err != nil {
		t.Fatal(err)
	}
	lease, err := st.Acquire(ctx, "an older version", time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	batch := padron.Batch{Rejected: []padron.Rejected{{ID: id, CustomerID: owner, Reasons: reasons, RunID: runID, Record: sealed, Key: key}}, At: at}
	if err := st.Apply(ctx, lease, &batch); err != nil {
		t.Fatal(err)
	}
	if err := st.Release(ctx, lease); err != nil {
		t.Fatal(err)
	}
	return id
}

// TestQuarantineAfterANewRule: a record that a version before this one rejected,
// by a rule that is no more, is shown as valid and moves in; one that nobody has
// sent for long is removed by the next run.
func TestQuarantineAfterANewRule(t *testing.T) {
	_, url := provide(t, providertest.Options{Customers: 5, Seed: 8, Dirty: -1}, nil)
	_, other := provide(t, providertest.Options{Customers: 2, Seed: 9, Dirty: -1}, nil)
	var people []map[string]any
	if err := json.Unmarshal([]byte(call(t, http.MethodGet, other, "", "").body), &people); err != nil {
		t.Fatal(err)
	}
	people[0]["id"], people[1]["id"] = "7001", "7002"
	dir := t.TempDir()
	first, _ := syncOnce(t, dir, url)
	runID, _ := first["run_id"].(string)
	now := time.Now()
	fresh := quarantined(t, dir, runID, []byte(jsonOf(t, people[0])), "zip_code:old_rule", now)
	old := quarantined(t, dir, runID, []byte(jsonOf(t, people[1])), "zip_code:old_rule", now.Add(-40*padron.Day))

	shown := mustRun(t, dir, nil, "padron", "quarantine", "show", fresh).stdout
	for _, want := range []string{`of customer "7001": zip_code:old_rule`, "valid by the rules of this version: padron quarantine replay " + fresh} {
		if !strings.Contains(shown, want) {
			t.Errorf("show lacks %q:\n%s", want, shown)
		}
	}
	if name, _ := people[0]["user_name"].(string); name == "" || strings.Contains(shown, name) {
		t.Errorf("show tells the name %q:\n%s", name, shown)
	}
	if out := mustRun(t, dir, nil, "padron", "quarantine", "replay", fresh).stdout; !strings.HasPrefix(out, "1 replayed: 1 inserted,") {
		t.Error(out)
	}
	if _, n := opened(t, dir); n != 6 {
		t.Errorf("%d customers, want 6", n)
	}
	listed := func() string { return mustRun(t, dir, nil, "padron", "quarantine", "list", "--json").stdout }
	if list := listed(); strings.Contains(list, fresh) || !strings.Contains(list, old) {
		t.Errorf("after the replay: %s", list)
	}
	// The provider does not list 7001, so the limit on deletions must let it go.
	env := []string{"PADRON_PROVIDER_URL=" + url, "PADRON_QUARANTINE_KEEP=30d", "PADRON_SYNC_MAX_DELETE=1"}
	report := decode[report](t, mustRun(t, dir, env, "synchronizer", "run", "--json").stdout)
	if list := listed(); report["purged"] != 1.0 || strings.Contains(list, old) {
		t.Errorf("purged %v, left %s", report["purged"], list)
	}
}
