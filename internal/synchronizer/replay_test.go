package synchronizer_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"padron"
	"padron/internal/provider"
	"padron/internal/seal"
	"padron/internal/synchronizer"
)

// quarantined puts records into quarantine as an older version with stricter
// rules would have: with a reason that today's rules do not find.
func (r *register) quarantined(cfg synchronizer.Config, at time.Time, reason padron.Reason, people ...map[string]any) []string {
	r.t.Helper()
	return r.quarantinedAs(cfg, at, reason, false, people...)
}

// quarantinedAs can leave out whose records they are: nobodys.
func (r *register) quarantinedAs(cfg synchronizer.Config, at time.Time, reason padron.Reason, nobodys bool, people ...map[string]any) []string {
	r.t.Helper()
	var b padron.Batch
	var ids []string
	for _, p := range people {
		record := provider.DecodeRecord(marshal(r.t, p))
		reasons := []padron.Reason{reason}
		id := cfg.Sealer.RejectedID(&record, reasons)
		sealed, key, err := cfg.Sealer.SealRecord(r.t.Context(), &record, id)
		if err != nil {
			r.t.Fatal(err)
		}
		owner, _ := record.Identity()
		if nobodys {
			owner = ""
		}
		b.Rejected = append(b.Rejected, padron.Rejected{ID: id, CustomerID: owner, Reasons: reasons, RunID: r.lastRun(), Record: sealed, Key: key})
		ids = append(ids, id)
	}
	b.At = at
	lease, err := r.store.Acquire(r.t.Context(), "old", time.Minute)
	if err != nil {
		r.t.Fatal(err)
	}
	if err := r.store.Apply(r.t.Context(), lease, &b); err != nil {
		r.t.Fatal(err)
	}
	if err := r.store.Release(r.t.Context(), lease); err != nil {
		r.t.Fatal(err)
	}
	return ids
}

// lastRun is the id of the latest run, or of one before there were any.
func (r *register) lastRun() string {
	r.t.Helper()
	runs, err := r.store.Runs(r.t.Context(), 1)
	if err != nil {
		r.t.Fatal(err)
	}
	if len(runs) == 0 {
		return "old"
	}
	return runs[0].ID
}

func (r *register) replay(cfg synchronizer.Config, ids ...string) (synchronizer.Replayed, error) {
	r.t.Helper()
	opener, err := seal.NewOpener(r.t.Context(), r.wrapper, r.store)
	if err != nil {
		r.t.Fatal(err)
	}
	return synchronizer.Replay(r.t.Context(), cfg, opener, ids)
}

func marshal(t *testing.T, v any) []byte {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func renamed(p map[string]any, name string) map[string]any {
	p["user_name"] = name
	return p
}

// TestReplay: what is valid today moves in, new or changed; what is not, and
// what a later entry of the same customer outdates, stays.
func TestReplay(t *testing.T) {
	r := newRegister(t)
	source := newPeople(2)
	cfg := r.config(source)
	r.mustSync(cfg)
	early, late := time.Unix(1_700_000_000, 0), time.Unix(1_700_000_100, 0)
	r.quarantined(cfg, early, "ip_address:old_rule", person(1), renamed(person(2), "Segunda"), person(3), renamed(person(4), "Antes"))
	r.quarantined(cfg, late, "user_name:older_rule", renamed(person(4), "Después"))
	bad := person(5)
	bad["ip"] = "nowhere"
	r.quarantined(cfg, early, "ip_address:invalid_format", bad)

	got, err := r.replay(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(synchronizer.Replayed{Replayed: 4, Inserted: 2, Updated: 1, Unchanged: 1, Rejected: 1, Outdated: 1}, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	names := map[padron.CustomerID]string{"1": "Persona 1", "2": "Segunda", "3": "Persona 3", "4": "Después"}
	if d := cmp.Diff(names, r.names()); d != "" {
		t.Errorf("register (-want +got):\n%s", d)
	}
	if left := r.quarantine(); len(left) != 1 || left[0].CustomerID != "5" {
		t.Errorf("still in quarantine: %v", left)
	}
	again, err := r.replay(cfg)
	if err != nil || again != (synchronizer.Replayed{Rejected: 1}) {
		t.Errorf("again: %+v, %v", again, err)
	}
}

func TestReplayOfSome(t *testing.T) {
	r := newRegister(t)
	cfg := r.config(newPeople(0))
	ids := r.quarantined(cfg, time.Unix(1_700_000_000, 0), "ip_address:old_rule", person(1), person(2))
	if _, err := r.replay(cfg, ids[0], "unknown"); !errors.Is(err, padron.ErrNotFound) || len(r.names()) != 0 {
		t.Errorf("with an unknown id: %v, register %v", err, r.names())
	}
	got, err := r.replay(cfg, ids[1], ids[1])
	if err != nil || got != (synchronizer.Replayed{Replayed: 1, Inserted: 1}) {
		t.Errorf("%+v, %v", got, err)
	}
	if d := cmp.Diff(map[padron.CustomerID]string{"2": "Persona 2"}, r.names()); d != "" {
		t.Errorf("register (-want +got):\n%s", d)
	}
}

func TestReplayWaitsForTheLease(t *testing.T) {
	r := newRegister(t)
	cfg := r.config(newPeople(1))
	if _, err := r.store.Acquire(t.Context(), "a run", time.Minute); err != nil {
		t.Fatal(err)
	}
	if _, err := r.replay(cfg); !errors.Is(err, padron.ErrLeaseHeld) {
		t.Error(err)
	}
}

// TestReplayOfNobodys: entries that an older version could tell no customer of
// are each looked at, and leave the quarantine one by one.
func TestReplayOfNobodys(t *testing.T) {
	r := newRegister(t)
	cfg := r.config(newPeople(1))
	r.mustSync(cfg)
	early, late := time.Unix(1_700_000_000, 0), time.Unix(1_700_000_100, 0)
	r.quarantinedAs(cfg, late, "id:old_rule", true, person(2), renamed(person(3), "Después"))
	r.quarantinedAs(cfg, early, "id:older_rule", true, renamed(person(3), "Antes"), renamed(person(1), "Persona de antes"))
	bad := person(4)
	delete(bad, "id")
	r.quarantinedAs(cfg, late, "id:missing", true, bad)

	got, err := r.replay(cfg)
	if want := (synchronizer.Replayed{Replayed: 2, Inserted: 2, Rejected: 1, Outdated: 2}); err != nil || got != want {
		t.Errorf("%+v, %v, want %+v", got, err, want)
	}
	// Who is in the register already stays as a run brought him.
	names := map[padron.CustomerID]string{"1": "Persona 1", "2": "Persona 2", "3": "Después"}
	if d := cmp.Diff(names, r.names()); d != "" {
		t.Errorf("register (-want +got):\n%s", d)
	}
	if left := r.quarantine(); len(left) != 2 {
		t.Errorf("still in quarantine: %v", left)
	}
}

// TestReplayResurrectsNobody: a customer whose record was rejected and who was
// then removed by the provider does not come back by the old record; one who was
// sent again since does.
func TestReplayResurrectsNobody(t *testing.T) {
	r := newRegister(t)
	source := newPeople(20)
	cfg := r.config(source)
	r.mustSync(cfg)
	r.quarantined(cfg, time.Now(), "zip_code:old_rule", person(1), person(2))
	source.edit(func(all []map[string]any) []map[string]any { return all[2:] })
	if run := r.mustSync(cfg); run.Deleted != 2 {
		t.Fatalf("%d were deleted", run.Deleted)
	}
	got, err := r.replay(cfg)
	if want := (synchronizer.Replayed{Outdated: 2}); err != nil || got != want {
		t.Errorf("%+v, %v, want %+v", got, err, want)
	}
	r.quarantined(cfg, time.Now(), "zip_code:old_rule", person(2)) // met by the last run
	got, err = r.replay(cfg)
	if want := (synchronizer.Replayed{Replayed: 1, Inserted: 1, Outdated: 1}); err != nil || got != want {
		t.Errorf("%+v, %v, want %+v", got, err, want)
	}
	if _, back := r.names()["1"]; back {
		t.Error("who was deleted is back")
	}
}

// TestReplayAfterResumption: what the interrupted first half of a pass met counts
// as met by the run that completed it.
func TestReplayAfterResumption(t *testing.T) {
	r := newRegister(t)
	source := newPeople(60)
	cfg := r.config(source)
	source.edit(func(all []map[string]any) []map[string]any {
		all[0]["ip"] = "nowhere" // on the first page
		return all
	})
	source.hook(func(page int) {
		if page == 5 {
			panic(http.ErrAbortHandler)
		}
	})
	if _, err := r.sync(cfg); err == nil {
		t.Fatal("the run was not interrupted")
	}
	source.hook(nil)
	if run := r.mustSync(cfg); run.ResumedFrom == "" {
		t.Fatal("the run did not go on from the first")
	}
	got, err := r.replay(cfg)
	if want := (synchronizer.Replayed{Rejected: 1}); err != nil || got != want {
		t.Errorf("%+v, %v, want %+v", got, err, want)
	}
}
