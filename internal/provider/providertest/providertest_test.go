package providertest

import (
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"padron"
	"padron/internal/provider"
)

func TestOptions(t *testing.T) {
	for name, o := range map[string]Options{
		"customers: -1 is not":      {Customers: -1},
		"customers: 1073741825":     {Customers: maxCustomers + 1},
		"dirty: 0.6 is not":         {Dirty: .6},
		`style: "cursor" is not`:    {Paging: "cursor"},
		`style: "page link" is`:     {Paging: "page link"},
		"customers: -2 is not 0 to": {Customers: -2, Dirty: 1, Paging: "x"},
	} {
		_, err := New(o)
		if err == nil || !strings.Contains(err.Error(), name) || padron.ErrorCode(err) != padron.CodeInvalid {
			t.Errorf("%+v: got %v, want %q", o, err, name)
		}
	}
	_, err := New(Options{Customers: -1, Dirty: 1, Paging: "x"})
	if lines := strings.Count(err.Error(), "\n") + 1; lines != 3 {
		t.Errorf("three faults are named in %d lines: %v", lines, err)
	}
	if n := open(t, Options{Customers: maxCustomers}).Len(); n != 1<<30 {
		t.Errorf("the largest provider has %d", n)
	}
	if w := get(open(t, Options{}), CollectionPath); w.Body.String() != "[]" {
		t.Errorf("an empty provider answers %s", w.Body)
	}
	if _, err := New(Options{Dirty: math.NaN()}); err == nil {
		t.Error("a share that is no number was taken")
	}
}

func TestRequests(t *testing.T) {
	s := open(t, Options{Customers: 100, Dirty: .1})
	tests := []struct {
		method, target string
		status         int
		holds          string
	}{
		{"GET", CollectionPath + "/1", 200, `"id":"1"`},
		{"GET", CollectionPath + "/100", 200, `"id":"100"`},
		{"GET", CollectionPath + "/0", 404, "Not found"},
		{"GET", CollectionPath + "/101", 404, "Not found"},
		{"GET", CollectionPath + "/6", 404, "Not found"}, // dirty: its address is missing
		{"GET", CollectionPath + "/96", 200, `"nivel_fidelidad":"oro"`},
		{"GET", CollectionPath + "/x", 404, "Not found"},
		{"GET", CollectionPath + "/", 404, "Not found"},
		{"GET", CollectionPath + "x", 404, "there is only"},
		{"GET", "/", 404, "there is only"},
		{"GET", CollectionPath + "?page=x", 400, "page is not a whole number"},
		{"GET", CollectionPath + "?limit=-1", 400, "limit is not a whole number"},
		{"GET", CollectionPath + "?cursor=1.5", 400, "cursor is not a whole number"},
		{"GET", CollectionPath + "?limit=4294967296", 400, "limit is not a whole number"},
		{"HEAD", CollectionPath, 200, ""},
		{"POST", CollectionPath, 405, "only GET"},
		{"DELETE", CollectionPath + "/1", 405, "only GET"},
		{"GET", "/_sample/mutate", 404, "there is only"},
		{"GET", "/_sample/stats", 200, `"customers":100`},
	}
	for _, tt := range tests {
		w := httptest.NewRecorder()
		s.ServeHTTP(w, httptest.NewRequest(tt.method, tt.target, nil))
		if w.Code != tt.status || !strings.Contains(w.Body.String(), tt.holds) || w.Header().Get("Content-Type") != "application/json" {
			t.Errorf("%s %s: %d %s", tt.method, tt.target, w.Code, w.Body)
		}
		if allow := w.Header().Get("Allow"); (w.Code == 405) != (allow == "GET, HEAD") {
			t.Errorf("%s %s: Allow %q", tt.method, tt.target, allow)
		}
	}
}

// TestOneIsTheOneInTheRow: a customer asked for by id is the listed one.
func TestOneIsTheOneInTheRow(t *testing.T) {
	s := open(t, Options{Customers: 200, Seed: 2, Dirty: .1})
	for id, want := range truth(t, s) {
		r := provider.DecodeRecord(get(s, CollectionPath+"/"+string(id)).Body.Bytes())
		if got, _, reasons := r.Validate(); got != want {
			t.Errorf("%s is another customer alone: %v", id, reasons)
		}
	}
}

func TestAPIKey(t *testing.T) {
	s := open(t, Options{Customers: 1, APIKey: "secret-1"})
	for header, want := range map[string]int{
		"": 401, "Bearer secret-1": 200, "Bearer secret-2": 401, "Bearer ": 401, "Bearer secret-1 ": 401, "Basic secret-1": 401,
	} {
		r := httptest.NewRequest(http.MethodGet, CollectionPath, nil)
		r.Header.Set("Authorization", header)
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		if w.Code != want || strings.Contains(w.Body.String(), "secret") {
			t.Errorf("%q: %d %s", header, w.Code, w.Body)
		}
	}
}

// TestPut: what a test puts is served last, as it is, and is nobody's truth.
func TestPut(t *testing.T) {
	s := open(t, Options{Customers: 10, Seed: 1, Dirty: .5})
	before, expected := truth(t, s), s.Expect()
	s.Put(map[string]any{"id": "canary-1", "credit_card_ccv": "731"}, map[string]any{"id": "canary-2"})
	s.Put(map[string]any{"id": nil})
	if s.Len() != 13 {
		t.Errorf("there are %d elements", s.Len())
	}
	all := elements(t, get(s, CollectionPath))
	for i, want := range []string{`{"credit_card_ccv":"731","id":"canary-1"}`, `{"id":"canary-2"}`, `{"id":null}`} {
		if got := string(all[10+i]); got != want {
			t.Errorf("element %d is %s, want %s", 10+i, got, want)
		}
	}
	if page := elements(t, get(s, CollectionPath+"?page=6&limit=2")); len(page) != 2 || string(page[1]) != `{"id":"canary-2"}` {
		t.Errorf("page 6 is %s", page)
	}
	if got := truth(t, s); len(got) != len(before) || len(s.Expect()) != len(expected) {
		t.Errorf("the truth went from %d to %d", len(before), len(got))
	}
	defer func() {
		if recover() == nil {
			t.Error("a record that is no JSON was put")
		}
	}()
	s.Put(map[string]any{"id": math.Inf(1)})
}

// TestTruthIsWhatARunFinds: no dirty record, the first of each id.
func TestTruthIsWhatARunFinds(t *testing.T) {
	for _, dirty := range []float64{0, .01, .1, .5} {
		s := open(t, Options{Customers: 400, Seed: 3, Dirty: dirty})
		checkTruth(t, s)
	}
}

func TestTruthStops(t *testing.T) {
	calls := 0
	open(t, Options{Customers: 10}).Truth(func(string, map[string]any) bool { calls++; return calls < 3 })
	if calls != 3 {
		t.Errorf("it went on to %d", calls)
	}
}
