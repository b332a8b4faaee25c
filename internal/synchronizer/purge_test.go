package synchronizer_test

import (
	"net/http"
	"testing"
	"time"

	"padron"
)

// TestOldEntriesAreRemoved: what nobody has sent for too long leaves the
// quarantine by a run that read everything, and no other; it is recorded.
func TestOldEntriesAreRemoved(t *testing.T) {
	r := newRegister(t)
	source := newPeople(3)
	source.edit(func(all []map[string]any) []map[string]any {
		all[2]["ip"] = "nowhere" // is sent again with every run
		return all
	})
	cfg := r.config(source)
	cfg.KeepRejected = 90 * padron.Day
	now := time.Now().UTC()
	r.quarantined(cfg, now.Add(-91*padron.Day), "ip_address:invalid_format", source.records[2])
	r.quarantined(cfg, now.Add(-91*padron.Day), "user_name:old_rule", person(7))
	r.quarantined(cfg, now.Add(-89*padron.Day), "user_name:old_rule", person(8))

	dry := cfg
	dry.DryRun = true
	if run := r.mustSync(dry); run.Purged != 0 || len(r.quarantine()) != 3 {
		t.Errorf("a dry run removed %d, left %v", run.Purged, r.quarantine())
	}
	broken := cfg
	broken.Provider = r.config(handler(http.StatusBadGateway)).Provider
	if run, err := r.sync(broken); err == nil || run.Purged != 0 || len(r.quarantine()) != 3 {
		t.Errorf("a failed run removed %d, left %v", run.Purged, r.quarantine())
	}
	run := r.mustSync(cfg)
	left := r.quarantine()
	if run.Purged != 1 || len(left) != 2 || left[0].CustomerID == "7" || left[1].CustomerID == "7" {
		t.Errorf("removed %d, left %v", run.Purged, left)
	}
	if stored, err := r.store.Run(t.Context(), run.ID); err != nil || stored.Purged != 1 {
		t.Errorf("the history says %d, %v", stored.Purged, err)
	}
	if again := r.mustSync(cfg); again.Purged != 0 {
		t.Errorf("again: %d", again.Purged)
	}
}

// TestFinishRemovesOldEntries as a run of one process does.
func TestFinishRemovesOldEntries(t *testing.T) {
	r := newRegister(t)
	cfg := r.config(newPeople(20))
	cfg.KeepRejected = 90 * padron.Day
	r.quarantined(cfg, time.Now().Add(-91*padron.Day), "user_name:old_rule", person(77))
	r.divide(cfg, 2)
	r.part(cfg, 1, 2)
	r.part(cfg, 2, 2)
	if n := len(r.quarantine()); n != 1 {
		t.Errorf("%d entries before the end: a partition removed one", n)
	}
	if run := r.mustFinish(cfg); run.Purged != 1 || len(r.quarantine()) != 0 {
		t.Errorf("removed %d, left %v", run.Purged, r.quarantine())
	}
}

// handler answers with a status alone.
type handler int

func (h handler) ServeHTTP(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(int(h)) }
