package padron_test

import (
	"encoding/json"
	"testing"

	"padron"
)

func TestParsePartRef(t *testing.T) {
	for _, good := range []string{"1/1", "2/4", "64/64", "1000/1000"} {
		ref, err := padron.ParsePartRef("--partition", good)
		if err != nil || ref.String() != good {
			t.Errorf("%s: %v, %v", good, ref, err)
		}
	}
	for _, bad := range []string{"", "1", "/", "0/4", "5/4", "-1/4", "1/0", "01/4", "1/4/4", "1 /4", "a/b", "1/1001", "99999999999999999999/1"} {
		if ref, err := padron.ParsePartRef("--partition", bad); padron.ErrorCode(err) != padron.CodeInvalid {
			t.Errorf("%q is taken for %v (%v)", bad, ref, err)
		}
	}
}

func TestPlanAsJSON(t *testing.T) {
	plan := padron.Plan{RunID: "r", Token: 7, Source: "https://provider.example/ page 100", Parts: []padron.Part{
		{Part: 1, First: 1, End: 5, Done: true, Report: padron.Run{Read: 400}}, {Part: 2, First: 5, Cursor: "page:6"},
		{Part: 3, First: 1, End: 1, Done: true},
	}}
	got, err := json.Marshal(plan)
	const want = `{"run_id":"r","partitions":[` +
		`{"partition":"1/3","first_page":1,"last_page":4,"done":true,"read":400},` +
		`{"partition":"2/3","first_page":5,"last_page":0,"done":false,"read":0},` +
		`{"partition":"3/3","first_page":1,"last_page":0,"empty":true,"done":true,"read":0}]}`
	if err != nil || string(got) != want {
		t.Errorf("%s, %v, want %s", got, err, want)
	}
	if missing := plan.Missing(); len(missing) != 1 || missing[0].String() != "2/3" {
		t.Errorf("missing %v, want 2/3", missing)
	}
}
