package padron_test

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"padron"
)

// reportKeys are the keys of a run report that outside checks rely on.
var reportKeys = []string{
	"customers_per_second", "deleted", "duplicates", "duration_ms", "inserted", "outcome", "quarantined", "read", "reasons", "resumed_from",
	"run_id", "started_at", "unchanged", "unknown_fields", "updated", "warnings",
}

func keys(t *testing.T, v any) []string {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	var m map[string]json.RawMessage
	if err := json.Unmarshal(data, &m); err != nil {
		t.Fatal(err)
	}
	for key, value := range m {
		if string(value) == "null" {
			t.Errorf("%s is null", key)
		}
	}
	return slices.Sorted(maps.Keys(m))
}

func TestRunReportKeys(t *testing.T) {
	if diff := cmp.Diff(reportKeys, keys(t, padron.Run{})); diff != "" {
		t.Errorf("an empty run (-want +got):\n%s", diff)
	}
	want := slices.Sorted(slices.Values(append([]string{"dry_run", "error"}, reportKeys...)))
	if diff := cmp.Diff(want, keys(t, padron.Run{DryRun: true, Error: "no answer"})); diff != "" {
		t.Errorf("a dry run that failed (-want +got):\n%s", diff)
	}
}

func TestRunReport(t *testing.T) {
	run := padron.Run{
		ID: "r1", Outcome: padron.OutcomeCompleted, Read: 10, Inserted: 1, Updated: 2, Unchanged: 3, Deleted: 9, Quarantined: 3, Duplicates: 1,
		Reasons:       map[padron.Reason]int64{"id:missing": 3},
		Warnings:      map[padron.Warning]int64{padron.WarningLuhn: 2},
		UnknownFields: []string{"nivel"}, StartedAt: time.Date(2025, 6, 1, 2, 3, 4, 5_000_000, time.FixedZone("", 3600)),
		Duration: 3 * time.Second, ResumedFrom: "r0",
		Stages: map[padron.Stage]time.Duration{padron.StageSeal: 1500 * time.Millisecond, padron.StageFetch: 900 * time.Microsecond},
	}
	const want = `{"run_id":"r1","outcome":"completed","read":10,"inserted":1,"updated":2,"unchanged":3,"deleted":9,"quarantined":3,"duplicates":1,` +
		`"reasons":{"id:missing":3},"warnings":{"card_number_luhn":2},"unknown_fields":["nivel"],"drift":{"id":{"missing":3}},"started_at":"2025-06-01T01:03:04.005Z",` +
		`"duration_ms":3000,"stages":{"fetch":0,"seal":1500},"customers_per_second":3.3,"resumed_from":"r0"}`
	if got, err := json.Marshal(run); err != nil || string(got) != want {
		t.Errorf("got  %s %v\nwant %s", got, err, want)
	}
}

func counts() *rapid.Generator[int64] { return rapid.Int64Range(0, 1<<40) }

func millis() *rapid.Generator[time.Time] {
	return rapid.Custom(func(t *rapid.T) time.Time {
		return time.UnixMilli(rapid.Int64Range(0, 4e12).Draw(t, "ms")).UTC()
	})
}

// TestRunReportRoundTrip: a stored report is read as it was written.
func TestRunReportRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := func(name string) int64 { return counts().Draw(t, name) }
		run := padron.Run{
			ID: rapid.String().Draw(t, "id"), Outcome: padron.OutcomeRefused, DryRun: rapid.Bool().Draw(t, "dry"),
			Read: n("read"), Inserted: n("inserted"), Updated: n("updated"), Unchanged: n("unchanged"), Deleted: n("deleted"),
			Quarantined: n("quarantined"), Duplicates: n("duplicates"),
			Reasons: rapid.MapOfN(rapid.Map(rapid.StringMatching(`[a-z_]+:[a-z_]+`), func(s string) padron.Reason { return padron.Reason(s) }),
				counts(), 0, 3).Draw(t, "reasons"),
			Warnings:      map[padron.Warning]int64{padron.WarningDuplicate: n("warnings")},
			UnknownFields: rapid.SliceOfN(rapid.String(), 0, 3).Draw(t, "unknown"),
			StartedAt:     millis().Draw(t, "started"), Duration: time.Duration(rapid.Int64Range(0, 1e9).Draw(t, "ms")) * time.Millisecond,
			Stages:      map[padron.Stage]time.Duration{padron.StageWrite: time.Duration(rapid.Int64Range(0, 1e9).Draw(t, "write")) * time.Millisecond},
			ResumedFrom: rapid.String().Draw(t, "resumed"), Error: rapid.String().Draw(t, "error"),
			Forced: rapid.String().Draw(t, "forced"), Version: rapid.String().Draw(t, "version"),
		}
		roundTrip(t, run)
	})
}

func roundTrip[T any](t *rapid.T, want T) {
	t.Helper()
	data, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	var got T
	if err := json.Unmarshal(data, &got); err != nil {
		t.Fatalf("%s: %v", data, err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", data, diff)
	}
}

func TestRunReportRefusesBadTimes(t *testing.T) {
	for _, text := range []string{`{"started_at":"yesterday"}`, `{"started_at":7}`, `[]`, `{"read":"1"}`} {
		var run padron.Run
		if err := json.Unmarshal([]byte(text), &run); err == nil {
			t.Errorf("%s was read", text)
		}
	}
}

func TestRate(t *testing.T) {
	tests := []struct {
		read     int64
		duration time.Duration
		want     float64
	}{{0, 0, 0}, {100, 0, 0}, {100, -time.Second, 0}, {100, time.Second, 100}, {1, 4 * time.Second, .25}, {0, time.Second, 0}}
	for _, tt := range tests {
		run := padron.Run{Read: tt.read, Duration: tt.duration}
		if got := run.Rate(); got != tt.want {
			t.Errorf("%d in %v: %v a second, want %v", tt.read, tt.duration, got, tt.want)
		}
	}
}

// TestQuarantineEntryKeys: what the operator sees, and nothing personal.
func TestQuarantineEntryKeys(t *testing.T) {
	q := padron.QuarantineEntry{
		ID: "q1", CustomerID: "7", Reasons: []padron.Reason{"id:missing"}, RunID: "r1", FirstSeen: time.UnixMilli(1), LastSeen: time.UnixMilli(2),
		Count: 2, Record: padron.Sealed("ciphertext"), Key: 9,
	}
	want := []string{"count", "customer_id", "first_seen", "id", "last_seen", "reasons", "run_id"}
	if diff := cmp.Diff(want, keys(t, q)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestTokenKeys(t *testing.T) {
	token := padron.Token{ID: "t1", Name: "ci", Role: padron.RoleViewer, Hash: [32]byte{1}, RevokedAt: time.UnixMilli(1)}
	want := []string{"created_at", "expires_at", "id", "name", "revoked_at", "role"}
	if diff := cmp.Diff(want, keys(t, token)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	token.RevokedAt = time.Time{}
	if got := keys(t, token); slices.Contains(got, "revoked_at") {
		t.Errorf("a token that was not revoked has %v", got)
	}
}

func TestTokenValid(t *testing.T) {
	now := time.Date(2025, 6, 1, 0, 0, 0, 0, time.UTC)
	tests := []struct {
		name             string
		expires, revoked time.Time
		want             bool
	}{
		{"fresh", now.Add(time.Hour), time.Time{}, true},
		{"a nanosecond left", now.Add(1), time.Time{}, true},
		{"expires now", now, time.Time{}, false},
		{"expired", now.Add(-time.Hour), time.Time{}, false},
		{"revoked", now.Add(time.Hour), now.Add(-time.Minute), false},
		{"no expiry", time.Time{}, time.Time{}, false},
	}
	for _, tt := range tests {
		token := padron.Token{ExpiresAt: tt.expires, RevokedAt: tt.revoked}
		if got := token.Valid(now); got != tt.want {
			t.Errorf("%s: %v", tt.name, got)
		}
	}
}

// TestAuditEntryRoundTrip: an exported log is read as it was written.
func TestAuditEntryRoundTrip(t *testing.T) {
	ids := rapid.Map(rapid.StringMatching(`[a-z0-9]{1,8}`), func(s string) padron.CustomerID { return padron.CustomerID(s) })
	rapid.Check(t, func(t *rapid.T) {
		e := padron.AuditEntry{
			Seq: rapid.Int64Min(1).Draw(t, "seq"), Time: millis().Draw(t, "time"), Principal: rapid.String().Draw(t, "principal"),
			Role: rapid.SampledFrom(padron.Roles()).Draw(t, "role"), Action: padron.ActionGet, Outcome: padron.AuditAllowed,
			Purpose: rapid.String().Draw(t, "purpose"), RequestID: rapid.String().Draw(t, "request"),
			Prev: [32]byte(rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, "prev")), Hash: [32]byte(rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, "hash")),
		}
		if n := rapid.IntRange(0, 3).Draw(t, "customers"); n > 0 {
			e.Customers = rapid.SliceOfN(ids, n, n).Draw(t, "ids")
			e.Fields = []string{"card_number"}
		}
		roundTrip(t, e)
	})
}

func TestAuditEntryCustomers(t *testing.T) {
	for want, ids := range map[string][]padron.CustomerID{
		`"customer_id":"7"`:        {"7"},
		`"customer_ids":["7","8"]`: {"7", "8"},
	} {
		data, err := json.Marshal(padron.AuditEntry{Customers: ids})
		if err != nil || !strings.Contains(string(data), want) {
			t.Errorf("%s %v holds no %s", data, err, want)
		}
	}
	if data, _ := json.Marshal(padron.AuditEntry{}); strings.Contains(string(data), "customer_id") {
		t.Errorf("%s is about nobody", data)
	}
}

// TestAuditEntryRefusesChanges: nothing can be added to an exported entry or
// cut from its hashes.
func TestAuditEntryRefusesChanges(t *testing.T) {
	good, err := json.Marshal(padron.AuditEntry{Seq: 1, Time: time.UnixMilli(1)})
	if err != nil {
		t.Fatal(err)
	}
	for name, edit := range map[string][2]string{
		"a member more":     {`{"seq"`, `{"note":"x","seq"`},
		"a short hash":      {`"hash":"00`, `"hash":"`},
		"a long hash":       {`"prev":"`, `"prev":"00`},
		"a hash of letters": {`"hash":"00`, `"hash":"zz`},
		"a bad time":        {`"time":"1970`, `"time":"yesterday 1970`},
	} {
		text := strings.Replace(string(good), edit[0], edit[1], 1)
		if text == string(good) {
			t.Fatalf("%s: %q is not in %s", name, edit[0], good)
		}
		var e padron.AuditEntry
		if err := json.Unmarshal([]byte(text), &e); err == nil {
			t.Errorf("%s was read: %s", name, text)
		}
	}
}
