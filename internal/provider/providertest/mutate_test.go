package providertest

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"padron"
)

// checkTruth checks that what is served is what the provider says it is.
func checkTruth(t rapid.TB, s *Server) map[padron.CustomerID]padron.Customer {
	t.Helper()
	want, got := truth(t, s), register(t, s)
	if len(want) != len(got) {
		t.Fatalf("%d customers are served, %d are the truth", len(got), len(want))
	}
	for id := range want {
		if want[id] != got[id] {
			t.Fatalf("customer %s is served as another", id)
		}
	}
	return want
}

// difference counts what happened between two states.
func difference(before, after map[padron.CustomerID]padron.Customer) MutationResult {
	var r MutationResult
	for id, c := range before {
		now, ok := after[id]
		switch {
		case !ok:
			r.Removed++
		case now != c:
			r.Changed++
		}
	}
	for id := range after {
		if _, ok := before[id]; !ok {
			r.Added++
		}
	}
	return r
}

// TestMutate: whatever is asked for, and however often, the result says exactly
// what a run finds.
func TestMutate(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := open(t, Options{
			Customers: rapid.IntRange(0, 60).Draw(t, "customers"), Seed: rapid.Uint64().Draw(t, "seed"),
			Dirty: rapid.SampledFrom([]float64{0, .01, .1, .25}).Draw(t, "dirty"),
		})
		before := checkTruth(t, s)
		for range rapid.IntRange(1, 4).Draw(t, "rounds") {
			share := rapid.OneOf(rapid.Float64Range(0, 1), rapid.Just(0.), rapid.Just(1.))
			got := s.Mutate(Mutation{
				Change: share.Draw(t, "change"), Add: share.Draw(t, "add"), Remove: share.Draw(t, "remove"), Seed: rapid.Uint64().Draw(t, "by"),
			})
			after := checkTruth(t, s)
			want := difference(before, after)
			want.Total = s.Len()
			if got != want {
				t.Fatalf("it says %+v, a run finds %+v", got, want)
			}
			before = after
		}
	})
}

// TestMutateShares: the shares asked for are those that happen.
func TestMutateShares(t *testing.T) {
	tests := []struct {
		m    Mutation
		want MutationResult
	}{
		{Mutation{}, MutationResult{Total: 10_000}},
		{Mutation{Change: .02, Add: .01, Remove: .005, Seed: 7}, MutationResult{Changed: 200, Added: 100, Removed: 50, Total: 10_050}},
		{Mutation{Change: .00009}, MutationResult{Total: 10_000}},
		{Mutation{Remove: .5}, MutationResult{Removed: 5000, Total: 5000}},
		{Mutation{Add: 1}, MutationResult{Added: 10_000, Total: 20_000}},
	}
	for _, tt := range tests {
		if got := open(t, Options{Customers: 10_000, Seed: 1, Dirty: -1}).Mutate(tt.m); got != tt.want {
			t.Errorf("%+v: got %+v, want %+v", tt.m, got, tt.want)
		}
	}
}

// TestMutateBySeed: the same seed does the same, another one meets others.
func TestMutateBySeed(t *testing.T) {
	after := func(seed uint64) string {
		s := open(t, Options{Customers: 500, Seed: 1})
		s.Mutate(Mutation{Change: .1, Remove: .1, Seed: seed})
		return get(s, CollectionPath).Body.String()
	}
	if first, again, other := after(1), after(1), after(2); first != again || first == other {
		t.Error("the seed does not decide")
	}
}

// TestIndex: with holes anywhere, the n-th live person is the n-th.
func TestIndex(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := open(t, Options{Customers: 64})
		for _, i := range rapid.SliceOfN(rapid.Uint32Range(0, 63), 0, 63).Draw(t, "removed") {
			s.state.removed.Add(i)
		}
		snap, n := s.snapshot(), 0
		for i := range uint32(64) {
			if s.state.removed.Contains(i) {
				continue
			}
			if got := snap.index(n); got != i {
				t.Fatalf("the %d-th is %d, want %d", n, got, i)
			}
			n++
		}
		if snap.live() != n {
			t.Errorf("%d are live, want %d", snap.live(), n)
		}
	})
}

// mutating answers into a recorder, and mutates after the first bytes.
type mutating struct {
	*httptest.ResponseRecorder
	once   sync.Once
	mutate func()
}

func (m *mutating) Write(p []byte) (int, error) {
	m.once.Do(m.mutate)
	return m.ResponseRecorder.Write(p)
}

// TestRequestsUnderWay go on with those they began with.
func TestRequestsUnderWay(t *testing.T) {
	s := open(t, Options{Customers: 1000, Seed: 1}) // several times flushSize
	want := get(s, CollectionPath).Body.String()
	w := &mutating{ResponseRecorder: httptest.NewRecorder(), mutate: func() {
		s.Mutate(Mutation{Change: .5, Add: .1, Remove: .4})
		s.Put(map[string]any{"id": "late"})
	}}
	s.ServeHTTP(w, httptest.NewRequest(http.MethodGet, CollectionPath, nil))
	if w.Body.String() != want {
		t.Error("a request under way saw the mutation")
	}
	if get(s, CollectionPath).Body.String() == want {
		t.Error("the next request did not see the mutation")
	}
}

// TestConcurrently is for the race detector.
func TestConcurrently(t *testing.T) {
	s := open(t, Options{Customers: 50, Seed: 1, Dirty: .1})
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			for range 10 {
				elements(t, get(s, CollectionPath))
				s.Truth(func(string, map[string]any) bool { return true })
			}
		})
		wg.Go(func() {
			for j := range 10 {
				s.Mutate(Mutation{Change: .1, Add: .01, Remove: .01, Seed: uint64(10*i + j)})
				s.Put(map[string]any{"id": "x"})
			}
		})
	}
	wg.Wait()
	if got := len(elements(t, get(s, CollectionPath))); got != s.Len() {
		t.Errorf("%d elements of %d", got, s.Len())
	}
}

func TestMutateOverHTTP(t *testing.T) {
	s := open(t, Options{Customers: 1000})
	post := func(body string) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		s.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/_sample/mutate", strings.NewReader(body)))
		return w
	}
	w := post(`{"change":0.01,"add":0.002,"remove":0.003,"seed":7}`)
	if want := `{"changed":10,"added":2,"removed":3,"total":999}`; strings.TrimSpace(w.Body.String()) != want || w.Code != 200 {
		t.Errorf("got %d %s, want %s", w.Code, w.Body, want)
	}
	for body, want := range map[string]string{
		"":                                  "want JSON such as",
		"[]":                                "want JSON such as",
		`{"chnage":1}`:                      "want JSON such as",
		`{"change":"1"}`:                    "want JSON such as",
		`{"change":1.5}`:                    "change: 1.5 is not a share",
		`{"add":-0.1}`:                      "add: -0.1 is not a share",
		`{"remove":2}`:                      "remove: 2 is not a share",
		strings.Repeat(" ", maxBody) + "{}": "want JSON such as",
	} {
		if w := post(body); w.Code != http.StatusUnprocessableEntity || !strings.Contains(w.Body.String(), want) {
			t.Errorf("%.40s: %d %s", body, w.Code, w.Body)
		}
	}
	var stats struct{ Customers int }
	if err := json.Unmarshal(get(s, "/_sample/stats").Body.Bytes(), &stats); err != nil || stats.Customers != 999 {
		t.Errorf("stats: %+v %v", stats, err)
	}
}
