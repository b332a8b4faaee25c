package synchronizer_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"padron"
	"padron/internal/provider"
	"padron/internal/provider/providertest"
	"padron/internal/synchronizer"
)

// client returns a run of the register against the address, with a client that
// gives up soon but for what c says.
func (r *register) client(address string, c provider.Config) synchronizer.Config {
	r.t.Helper()
	c.URL, c.RetryBase, c.RetryMax = address+providertest.CollectionPath, 1, 1
	if c.PageSize == 0 {
		c.PageSize = 10
	}
	client, err := provider.New(c)
	if err != nil {
		r.t.Fatal(err)
	}
	cfg := r.config(http.NotFoundHandler())
	cfg.Provider = client
	return cfg
}

// badDays is what a run comes to where every answer is of one kind.
var badDays = map[string]struct {
	outcome padron.Outcome
	why     string // a pattern
}{
	"5xx":          {padron.OutcomeFailed, "it answered 50"},
	"rate":         {padron.OutcomeFailed, "it answered 429"},
	"reset":        {padron.OutcomeFailed, "broke|ended in the middle"},
	"truncate":     {padron.OutcomeFailed, "ended in the middle"},
	"stall":        {padron.OutcomeFailed, "next to nothing"},
	"endless":      {padron.OutcomeFailed, "larger than the limit"},
	"html":         {padron.OutcomeFailed, "HTML, not JSON"},
	"object":       {padron.OutcomeFailed, "an object instead of an array"},
	"redirect":     {padron.OutcomeFailed, "another scheme, host or port"},
	"unauthorized": {padron.OutcomeFailed, "PADRON_PROVIDER_API_KEY"},
	"empty":        {padron.OutcomeRefused, "PADRON_SYNC_MAX_DELETE"},
	"half":         {padron.OutcomeRefused, "PADRON_SYNC_MAX_DELETE"},
	"slow":         {padron.OutcomeCompleted, ""},
}

// TestBadDays: each kind of bad day has its outcome, leaves the register as it
// was, and is over with the next good one.
func TestBadDays(t *testing.T) {
	if diff := cmp.Diff(slices.Sorted(maps.Keys(providertest.FaultKinds())), slices.Sorted(maps.Keys(badDays))); diff != "" {
		t.Fatalf("the kinds there are and those tested:\n%s", diff)
	}
	for kind, want := range badDays {
		for _, paging := range []provider.Paging{provider.None, provider.ByPage, provider.ByLink, provider.Auto} {
			t.Run(kind+"/"+string(paging), func(t *testing.T) {
				r := newRegister(t)
				sample, err := providertest.New(providertest.Options{Customers: 40, Seed: 3, Dirty: 0})
				if err != nil {
					t.Fatal(err)
				}
				srv := httptest.NewServer(sample)
				t.Cleanup(srv.Close)
				c := provider.Config{Paging: paging}
				r.mustSync(r.client(srv.URL, c))
				before := r.names()
				sample.SetFaults(providertest.Faults{Odds: map[string]float64{kind: 1}}, 5)
				bad := provider.Config{Paging: paging, Retries: -1, MaxPage: 1 << 20, MaxBody: 1 << 20}
				if kind == "stall" {
					bad.StallTimeout = 50 * time.Millisecond
				}
				run, err := r.sync(r.client(srv.URL, bad))
				if run.Outcome != want.outcome || !regexp.MustCompile(want.why).MatchString(fmt.Sprint(err)) {
					t.Errorf("%s, %v; want %s with %q", run.Outcome, err, want.outcome, want.why)
				}
				if diff := cmp.Diff(before, r.names()); diff != "" {
					t.Errorf("the register changed (-before +after):\n%s", diff)
				}
				sample.SetFaults(providertest.Faults{}, 5)
				if run := r.mustSync(r.client(srv.URL, c)); run.Deleted+run.Inserted+run.Updated > 0 {
					t.Errorf("the next good day: %+v", run)
				}
			})
		}
	}
}

// TestKeyThatExpires in the middle of a run fails it at once; the next run, with
// the new key, goes on from there.
func TestKeyThatExpires(t *testing.T) {
	r, p := newRegister(t), newPeople(95)
	var mu sync.Mutex
	refused := 0
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		page, _ := strconv.Atoi(req.URL.Query().Get("page"))
		if page > 5 && req.Header.Get("Authorization") != "Bearer new" {
			mu.Lock()
			refused++
			mu.Unlock()
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		p.ServeHTTP(w, req)
	}))
	t.Cleanup(srv.Close)
	run, err := r.sync(r.client(srv.URL, provider.Config{Paging: provider.ByPage, Concurrency: 3, Retries: 5, APIKey: "old"}))
	if run.Outcome != padron.OutcomeFailed || run.Read != 50 || !strings.Contains(err.Error(), "401") || !strings.Contains(err.Error(), "PADRON_PROVIDER_API_KEY") {
		t.Errorf("%s after %d, %v", run.Outcome, run.Read, err)
	}
	if refused > 3 {
		t.Errorf("the old key was tried %d times, with 3 pages in flight", refused)
	}
	next := r.mustSync(r.client(srv.URL, provider.Config{Paging: provider.ByPage, APIKey: "new"}))
	if next.ResumedFrom != run.ID || next.Read != 45 || len(r.names()) != 95 {
		t.Errorf("went on from %q and read %d; %d customers", next.ResumedFrom, next.Read, len(r.names()))
	}
}

// TestChurn: people come, go and move from page to page at every request, with
// any number of pages in flight. Whoever stays is in the register when it has
// settled, once; nobody else is, and nobody was made up.
func TestChurn(t *testing.T) {
	for _, n := range []int{1, 4, 16} {
		for seed := range uint64(2) {
			t.Run(fmt.Sprintf("%d in flight, seed %d", n, seed), func(t *testing.T) {
				churn(t, n, rand.New(rand.NewPCG(seed, 11)))
			})
		}
	}
}

func churn(t *testing.T, inFlight int, rng *rand.Rand) {
	r, p := newRegister(t), newPeople(150)
	stay := map[padron.CustomerID]bool{} // those with even numbers
	for id := range 150 {
		if id%2 == 0 && id > 0 {
			stay[padron.CustomerID(strconv.Itoa(id))] = true
		}
	}
	next := 150
	var mu sync.Mutex
	busy := true
	p.hook(func(int) {
		mu.Lock()
		defer mu.Unlock()
		if !busy {
			return
		}
		p.edit(func(rs []map[string]any) []map[string]any {
			if at := rng.IntN(len(rs)); !stay[padron.CustomerID(rs[at]["id"].(string))] {
				rs = slices.Delete(slices.Clone(rs), at, at+1)
			}
			next++
			return slices.Insert(slices.Clone(rs), rng.IntN(len(rs)), person(next))
		})
	})
	srv := httptest.NewServer(p)
	t.Cleanup(srv.Close)
	cfg := r.client(srv.URL, provider.Config{Paging: provider.ByPage, Concurrency: inFlight})
	cfg.Force = "the churn is meant to be"
	completed := 0
	for range 5 {
		run, err := r.sync(cfg) // a page that by chance holds those of the one before fails it
		if err == nil {
			completed++
		} else if run.Outcome != padron.OutcomeFailed || !strings.Contains(err.Error(), "repeats") {
			t.Errorf("%s, %v", run.Outcome, err)
		}
	}
	if completed < 2 {
		t.Errorf("only %d of 5 runs completed", completed)
	}
	mu.Lock()
	busy = false
	mu.Unlock()
	r.mustSync(cfg)
	r.mustSync(cfg) // the one before may have gone on from a checkpoint
	got, want := slices.Sorted(maps.Keys(r.names())), []padron.CustomerID{}
	p.edit(func(rs []map[string]any) []map[string]any {
		for _, record := range rs {
			want = append(want, padron.CustomerID(record["id"].(string)))
		}
		return rs
	})
	slices.Sort(want)
	if diff := cmp.Diff(want, got); diff != "" || next < 200 {
		t.Errorf("(-provider +register):\n%s", diff)
	}
	for id := range stay {
		if !slices.Contains(got, id) {
			t.Errorf("customer %s stayed and was lost", id)
		}
	}
}
