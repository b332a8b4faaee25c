package providertest

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"padron"
	"padron/internal/provider"
)

// open returns a provider.
func open(t rapid.TB, o Options) *Server {
	t.Helper()
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// get asks the provider without a network.
func get(s *Server, target string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	s.ServeHTTP(w, httptest.NewRequest(http.MethodGet, target, nil))
	return w
}

// elements are the elements of an answer.
func elements(t rapid.TB, w *httptest.ResponseRecorder) []json.RawMessage {
	t.Helper()
	var out []json.RawMessage
	if err := json.Unmarshal(w.Body.Bytes(), &out); err != nil || w.Code != http.StatusOK {
		t.Fatalf("status %d: %v in %.200s", w.Code, err, w.Body)
	}
	return out
}

// register is what a run makes of a provider: the first valid record of each id.
func register(t rapid.TB, s *Server) map[padron.CustomerID]padron.Customer {
	t.Helper()
	out := map[padron.CustomerID]padron.Customer{}
	for _, element := range elements(t, get(s, CollectionPath)) {
		r := provider.DecodeRecord(element)
		c, _, reasons := r.Validate()
		if _, ok := out[c.ID]; len(reasons) == 0 && !ok {
			out[c.ID] = c
		}
	}
	return out
}

// truth is what the provider says a register should hold.
func truth(t rapid.TB, s *Server) map[padron.CustomerID]padron.Customer {
	t.Helper()
	out := map[padron.CustomerID]padron.Customer{}
	s.Truth(func(id string, record map[string]any) bool {
		element, err := json.Marshal(record)
		if err != nil {
			t.Fatal(err)
		}
		r := provider.DecodeRecord(element)
		c, _, reasons := r.Validate()
		if _, twice := out[c.ID]; len(reasons) > 0 || string(c.ID) != id || twice {
			t.Fatalf("%s: customer %s, twice %v, reasons %v", id, c.ID, twice, reasons)
		}
		out[c.ID] = c
		return true
	})
	return out
}

// TestSeed: the same seed makes the same people, another one makes others.
func TestSeed(t *testing.T) {
	all := func(seed uint64) string {
		return get(open(t, Options{Customers: 300, Seed: seed, Dirty: .1}), CollectionPath).Body.String()
	}
	first, again := all(7), all(7)
	if first != again {
		t.Error("one seed made two collections")
	}
	if first == all(8) {
		t.Error("two seeds made one collection")
	}
}

// TestRandomAccess: a person asked for alone is the one met in the row, whoever
// was asked for before.
func TestRandomAccess(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		o := Options{Customers: 100, Seed: rapid.Uint64().Draw(t, "seed"), Dirty: rapid.Float64Range(0, .2).Draw(t, "dirty")}
		var row []string
		for n, inOrder := 0, open(t, o).snapshot(); n < 100; n++ {
			row = append(row, string(inOrder.appendElement(nil, n)))
		}
		snap := open(t, o).snapshot()
		for _, n := range rapid.SliceOfN(rapid.IntRange(0, 99), 1, 50).Draw(t, "order") {
			if got := snap.appendElement(nil, n); string(got) != row[n] {
				t.Fatalf("element %d is\n%s alone and\n%s in the row", n, got, row[n])
			}
		}
	})
}

// TestFirstPeopleDoNotDependOnTheNumber: a larger provider begins with the same.
func TestFirstPeopleDoNotDependOnTheNumber(t *testing.T) {
	small := elements(t, get(open(t, Options{Customers: 50, Seed: 3}), CollectionPath))
	large := elements(t, get(open(t, Options{Customers: 500, Seed: 3}), CollectionPath))
	if diff := cmp.Diff(small, large[:50]); diff != "" {
		t.Error(diff)
	}
}

// TestCleanPeople: ids of their own, valid, varied, and in the provider's shape.
func TestCleanPeople(t *testing.T) {
	const n = 5_000
	got := register(t, open(t, Options{Customers: n, Seed: 9}))
	if len(got) != n {
		t.Fatalf("%d of %d are valid and have an id of their own", len(got), n)
	}
	names, cards, emoji, six := map[string]bool{}, map[string]bool{}, 0, 0
	for _, c := range got {
		names[c.Personal.UserName.Expose()] = true
		cards[c.Financial.CardNumber.Expose()] = true
		if strings.Contains(c.Personal.UserName.Expose(), "🌻") {
			emoji++
		}
		if strings.Contains(c.Personal.IPAddress.Expose(), ":") {
			six++
		}
	}
	if len(names) < n/2 || len(cards) < n*99/100 || emoji == 0 || six < n/10 {
		t.Errorf("%d names, %d cards, %d with emoji, %d with IPv6", len(names), len(cards), emoji, six)
	}
}

// TestLuhnWarnings: most cards pass the check, and some do not.
func TestLuhnWarnings(t *testing.T) {
	bad := 0
	for _, c := range register(t, open(t, Options{Customers: 5000, Seed: 9})) {
		if !padron.Luhn(c.Financial.CardNumber.Expose()) {
			bad++
		}
	}
	if bad < 50 || bad > 500 {
		t.Errorf("%d of 5000 cards fail", bad)
	}
}

// TestShape: a record has the provider's names, the security code among them.
func TestShape(t *testing.T) {
	var record map[string]any
	if err := json.Unmarshal(get(open(t, Options{Customers: 1, Seed: 1}), CollectionPath+"/1").Body.Bytes(), &record); err != nil {
		t.Fatal(err)
	}
	want := []string{padron.SecurityCodeName}
	for _, f := range padron.Fields() {
		want = append(want, f.ProviderName())
	}
	slices.Sort(want)
	if diff := cmp.Diff(want, slices.Sorted(maps.Keys(record))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestPurchasesAreSometimesText, as those of the real provider are.
func TestPurchasesAreSometimesText(t *testing.T) {
	kinds := map[padron.Kind]int{}
	for _, element := range elements(t, get(open(t, Options{Customers: 500, Seed: 1}), CollectionPath)) {
		r := provider.DecodeRecord(element)
		kinds[r.Values[padron.FieldPurchases].Kind]++
	}
	if kinds[padron.KindText] == 0 || kinds[padron.KindNumber] < 300 || len(kinds) != 2 {
		t.Errorf("got %v", kinds)
	}
}

// TestDirtyShare: as many as asked for, and none where none was.
func TestDirtyShare(t *testing.T) {
	for dirty, want := range map[float64]int{0: 0, -1: 100, .01: 100, .1: 1000, .25: 2500, .5: 5000} {
		sum := 0
		for _, n := range open(t, Options{Customers: 10_000, Dirty: dirty}).Expect() {
			sum += n
		}
		if sum != want {
			t.Errorf("share %v: %d of 10000 are dirty, want %d", dirty, sum, want)
		}
	}
}

// wanted are the reasons and warnings that each way leads to.
var wanted = map[string]struct {
	reasons  []padron.Reason
	warnings []padron.Warning
}{
	"missing field":   {reasons: []padron.Reason{"address:missing"}},
	"null":            {reasons: []padron.Reason{"favorite_color:null"}},
	"number for text": {reasons: []padron.Reason{"zip_code:wrong_type"}},
	"NUL in text":     {reasons: []padron.Reason{"user_name:invalid_text"}},
	"zero date":       {reasons: []padron.Reason{"registered_at:invalid_date"}},
	"Unix date":       {reasons: []padron.Reason{"birthday:wrong_type"}},
	"id with spaces":  {reasons: []padron.Reason{"id:invalid_id"}},
	"missing id":      {reasons: []padron.Reason{"id:missing"}},
	"bad zip":         {reasons: []padron.Reason{"zip_code:invalid_format"}},
	"unknown field":   {warnings: []padron.Warning{padron.WarningUnknownField}},
	"duplicate":       {},
	"conflict":        {},
	"not an object":   {reasons: []padron.Reason{padron.ReasonNotObject}},
	"bad UTF-8":       {reasons: []padron.Reason{padron.ReasonMalformed}},
	"name twice":      {reasons: []padron.Reason{padron.ReasonMalformed}},
	"empty text":      {reasons: []padron.Reason{"car_color:empty"}},
	"out of range":    {reasons: []padron.Reason{"latitude:invalid_format"}},
	"object for text": {reasons: []padron.Reason{"address:wrong_type"}},
	"huge text":       {reasons: []padron.Reason{padron.ReasonTooLarge}},
}

// TestWays reads every way over HTTP, as a run does: each is met as often as
// the provider says, and comes to what it should.
func TestWays(t *testing.T) {
	if diff := cmp.Diff(slices.Sorted(maps.Keys(wanted)), slices.Sorted(slices.Values(Ways()))); diff != "" {
		t.Fatalf("this test's ways and the provider's (-want +got):\n%s", diff)
	}
	const period = 2 // the smallest, so that few people make every way
	s := open(t, Options{Customers: 5 * 4 * period * len(wanted), Seed: 4, Dirty: 1. / period})
	all := readAll(t, s, provider.Config{Paging: provider.ByPage, PageSize: 100})
	met := map[string]int{}
	for i := range all {
		way := s.snapshot().people.way(uint32(i))
		if way == nil {
			if _, _, reasons := all[i].Validate(); len(reasons) > 0 {
				t.Errorf("clean record %d is rejected: %v", i, reasons)
			}
			continue
		}
		met[way.name]++
		checkWay(t, way, all, i)
	}
	if diff := cmp.Diff(s.Expect(), met); diff != "" || len(met) != len(wanted) {
		t.Errorf("%d ways (-expected +met):\n%s", len(met), diff)
	}
}

func checkWay(t *testing.T, way *way, all []padron.Record, i int) {
	t.Helper()
	c, warnings, reasons := all[i].Validate()
	want := wanted[way.name]
	if !slices.Equal(reasons, want.reasons) {
		t.Errorf("%s, record %d: reasons %v, want %v", way.name, i, reasons, want.reasons)
	}
	for _, w := range want.warnings {
		if !slices.Contains(warnings, w) {
			t.Errorf("%s, record %d: warnings %v, want %v", way.name, i, warnings, want.warnings)
		}
	}
	before, _, _ := all[i-1].Validate()
	switch {
	case way.name == "duplicate" && c != before:
		t.Errorf("duplicate %d differs from the one before", i)
	case way.name == "conflict" && (c == before || c.ID != before.ID):
		t.Errorf("conflict %d: id %s, equal %v", i, c.ID, c == before)
	case !way.repeats && c.ID == before.ID && c.ID != "":
		t.Errorf("%s: record %d has the id of the one before", way.name, i)
	}
}

// readAll reads a provider over HTTP with the real client.
func readAll(t *testing.T, s *Server, cfg provider.Config) []padron.Record {
	t.Helper()
	srv := httptest.NewServer(s)
	defer srv.Close()
	cfg.URL = srv.URL + CollectionPath
	cfg.RetryBase, cfg.RetryMax = 1, 1
	client, err := provider.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	var all []padron.Record
	for page, err := range client.Pages(t.Context(), "") {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, page.Records...)
	}
	return all
}

// TestPagingStyles: every style of server and client gives the same people in
// the same order.
func TestPagingStyles(t *testing.T) {
	const customers = 457 // no multiple of a page
	canary := map[string]any{"id": "canary"}
	o := Options{Customers: customers, Seed: 6, Dirty: .02}
	first := open(t, o)
	first.Put(canary)
	want := readAll(t, first, provider.Config{Paging: provider.None})
	if len(want) != customers+1 {
		t.Fatalf("%d records", len(want))
	}
	for paging, styles := range map[string][]provider.Paging{
		"":     {provider.Auto, provider.None, provider.ByPage, provider.ByLink},
		"all":  {provider.Auto, provider.None, provider.ByPage, provider.ByLink},
		"none": {provider.Auto, provider.None},
		"page": {provider.Auto, provider.None, provider.ByPage},
		"link": {provider.Auto, provider.ByLink},
	} {
		for _, style := range styles {
			for _, size := range []int{7, 457, 458, 1000} {
				o.Paging = paging
				s := open(t, o)
				s.Put(canary)
				got := readAll(t, s, provider.Config{Paging: style, PageSize: size})
				if diff := cmp.Diff(identities(want), identities(got)); diff != "" || !sameRecords(want, got) {
					t.Errorf("server %q, client %s, pages of %d: %d records (-want +got):\n%s", paging, style, size, len(got), diff)
				}
			}
		}
	}
}

func identities(records []padron.Record) []string {
	out := make([]string, len(records))
	for i := range records {
		out[i] = records[i].Values[padron.FieldID].Text.Expose()
	}
	return out
}

func sameRecords(a, b []padron.Record) bool {
	return slices.EqualFunc(a, b, func(x, y padron.Record) bool {
		return x.Values == y.Values && x.Fault == y.Fault && slices.Equal(x.Unknown, y.Unknown)
	})
}

// TestPages: the parts that each query asks for, and the links to the next.
func TestPages(t *testing.T) {
	tests := []struct {
		paging, query string
		from, to      int // ids; 0 is none
		link          string
	}{
		{"all", "", 1, 10, ""},
		{"all", "?limit=3", 1, 10, ""},
		{"all", "?page=2", 1, 10, ""},
		{"all", "?page=1&limit=4", 1, 4, "limit=4&page=2"},
		{"all", "?page=3&limit=4", 9, 10, ""},
		{"all", "?page=2&limit=5", 6, 10, ""},
		{"all", "?page=4&limit=4", 0, 0, ""},
		{"all", "?page=2147483647&limit=2147483647", 0, 0, ""},
		{"page", "?page=1&limit=4", 1, 4, ""},
		{"none", "?page=2&limit=4", 1, 10, ""},
		{"link", "", 1, 1, "cursor=1&limit=1"},
		{"link", "?limit=4", 1, 4, "cursor=4&limit=4"},
		{"link", "?cursor=8&limit=4", 9, 10, ""},
		{"link", "?cursor=99&limit=4", 0, 0, ""},
	}
	for _, tt := range tests {
		w := get(open(t, Options{Customers: 10, Paging: tt.paging}), CollectionPath+tt.query)
		got, want := []string{}, []string{}
		for _, element := range elements(t, w) {
			r := provider.DecodeRecord(element)
			got = append(got, identities([]padron.Record{r})...)
		}
		for id := tt.from; id > 0 && id <= tt.to; id++ {
			want = append(want, strconv.Itoa(id))
		}
		link := ""
		if tt.link != "" {
			link = fmt.Sprintf("<%s?%s>; rel=\"next\"", CollectionPath, tt.link)
		}
		if !slices.Equal(got, want) || w.Header().Get("Link") != link {
			t.Errorf("%s %q: got %v and link %q, want %v and %q", tt.paging, tt.query, got, w.Header().Get("Link"), want, link)
		}
	}
}

// TestTenMillionCostNoMemory: people are made when they are asked for.
func TestTenMillionCostNoMemory(t *testing.T) {
	const customers, bound = 10_000_000, 32 << 20
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	s := open(t, Options{Customers: customers, Seed: 1, Dirty: -1})
	page := elements(t, get(s, CollectionPath+"?page=10000&limit=1000"))
	runtime.ReadMemStats(&after)
	if grown := after.TotalAlloc - before.TotalAlloc; grown > bound {
		t.Errorf("a page of %d took %d bytes, want at most %d", customers, grown, bound)
	}
	last := provider.DecodeRecord(page[len(page)-1])
	if id, _ := last.Identity(); len(page) != 1000 || id != "10000000" || s.Len() != customers {
		t.Errorf("%d people, the last one %s, of %d", len(page), id, s.Len())
	}
}
