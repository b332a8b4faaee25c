package padron_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"padron"
)

func TestDriftComesFromReasonsAndNames(t *testing.T) {
	run := padron.Run{Read: 100, Reasons: map[padron.Reason]int64{
		"address:missing": 3, "address:null": 2, "zip_code:wrong_type": 4, "zip_code:missing": 1, "birthday:invalid_date": 9, "record:malformed": 5, "id:null": 0,
	}}
	run.NoteUnknown("nivel", 7)
	run.NoteUnknown("nivel", 1)
	want := map[string]padron.Drift{
		"direccion": {Missing: 5}, "codigo_zip": {Missing: 1, Kind: 4}, "nivel": {Unknown: 8},
	}
	if diff := cmp.Diff(want, run.Drift()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"nivel"}, run.UnknownFields); diff != "" {
		t.Errorf("names (-want +got):\n%s", diff)
	}
	if got := (&padron.Run{}).Drift(); len(got) > 0 {
		t.Errorf("a run that read nothing drifts: %v", got)
	}
}

// TestUnknownNamesOfARunAreBounded: a provider with a million names costs no more
// than one with a hundred, and none of its records goes uncounted.
func TestUnknownNamesOfARunAreBounded(t *testing.T) {
	var run padron.Run
	const names = 100_000
	for i := range names {
		run.NoteUnknown(fmt.Sprintf("campo_%06d", (i*7919)%names), 1)
	}
	if len(run.UnknownFields) != 100 || len(run.Unknown) != 101 || run.Unknown[padron.MoreUnknown] != names-100 {
		t.Errorf("%d names, %d counts, %d of others", len(run.UnknownFields), len(run.Unknown), run.Unknown[padron.MoreUnknown])
	}
}

// TestNamesThatAreValuesAreWithheld: where each record has names of its own, these
// may be people's; a field that most records have keeps its name.
func TestNamesThatAreValuesAreWithheld(t *testing.T) {
	for _, each := range []int{1, 31} {
		run, names := padron.Run{}, 0
		for range 1000 {
			run.Read++
			run.NoteUnknown("nivel", 1)
			for range each {
				run.NoteUnknown(fmt.Sprintf("apellido_%d", names), 1)
				names++
			}
		}
		if diff := cmp.Diff([]string{"nivel"}, run.UnknownFields[len(run.UnknownFields)-1:]); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff(map[string]int64{"nivel": 1000, padron.MoreUnknown: int64(names)}, run.Unknown); diff != "" {
			t.Errorf("%d names in each record (-want +got):\n%s", each, diff)
		}
	}
}

// TestUnusual: what is new, or much more than last time, is told; what was always
// so is not.
func TestUnusual(t *testing.T) {
	of := func(read, missing, kind int64, unknown ...string) *padron.Run {
		r := &padron.Run{Read: read, Reasons: map[padron.Reason]int64{"address:missing": missing, "zip_code:wrong_type": kind}}
		for _, name := range unknown {
			r.NoteUnknown(name, 1)
		}
		return r
	}
	older := of(1000, 0, 0, "nivel")
	older.Unknown = nil // a report from before names were counted
	tests := []struct {
		name        string
		before, now *padron.Run
		want        []string
	}{
		{"nothing", nil, of(1000, 0, 0), nil},
		{"a first run", nil, of(1000, 10, 11, "nivel"), []string{"codigo_zip", "nivel"}},
		{"as before", of(1000, 50, 50, "nivel"), of(1000, 90, 100, "nivel"), nil},
		{"in a larger run", of(1000, 50, 50), of(10_000, 1000, 1000), nil},
		{"twice as much", of(1000, 50, 50), of(1000, 101, 100), []string{"direccion"}},
		{"a field more", of(1000, 0, 0, "a"), of(1000, 0, 0, "a", "b"), []string{"b"}},
		{"a field less", of(1000, 0, 0, "a", "b"), of(1000, 0, 0, "a"), nil},
		{"known to an older version", older, of(1000, 0, 0, "nivel"), nil},
	}
	for _, tt := range tests {
		tt.now.NoteUnusual(tt.before)
		if diff := cmp.Diff(tt.want, tt.now.Unusual); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}

func TestUnusualText(t *testing.T) {
	run := padron.Run{Read: 10, Reasons: map[padron.Reason]int64{"address:missing": 3, "address:wrong_type": 4}}
	for i := range 6 {
		run.NoteUnknown(fmt.Sprintf("campo_%c", 'a'+i), 1)
	}
	run.NoteUnusual(nil)
	const want = "direccion missing 3, of another type 4, campo_a unknown 1, campo_b unknown 1, campo_c unknown 1, campo_d unknown 1, and 2 more"
	if got := run.UnusualText(); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// TestDriftRoundTrip: what a report says of drift is read as it was written, and
// an older version reads the rest of it.
func TestDriftRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		run := padron.Run{Read: 1000, Reasons: map[padron.Reason]int64{
			"address:missing": counts().Draw(t, "missing"), "zip_code:wrong_type": counts().Draw(t, "kind"),
		}, Warnings: map[padron.Warning]int64{}}
		for range rapid.IntRange(0, 120).Draw(t, "names") {
			run.NoteUnknown(rapid.StringMatching(`[a-z]{1,3}`).Draw(t, "name"), rapid.Int64Range(1, 9).Draw(t, "n"))
		}
		run.NoteUnusual(nil)
		data, err := json.Marshal(run)
		if err != nil {
			t.Fatal(err)
		}
		var got padron.Run
		if err := json.Unmarshal(data, &got); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(run.Drift(), got.Drift()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", data, diff)
		}
		if diff := cmp.Diff(run.UnusualText(), got.UnusualText()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", data, diff)
		}
	})
}

func TestDriftInTheReport(t *testing.T) {
	run := padron.Run{Read: 10, Reasons: map[padron.Reason]int64{"zip_code:wrong_type": 4}}
	run.NoteUnknown("nivel", 2)
	run.NoteUnusual(&padron.Run{UnknownFields: []string{"nivel"}})
	data, err := json.Marshal(run)
	const want = `"drift":{"codigo_zip":{"kind":4,"unusual":true},"nivel":{"unknown":2}}`
	if err != nil || !strings.Contains(string(data), want) {
		t.Errorf("%s holds no %s, %v", data, want, err)
	}
}
