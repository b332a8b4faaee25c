package synchronizer_test

import (
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"padron/internal/provider"
	"padron/internal/provider/providertest"
)

// TestSecondPageThatRepeatsDeletesNobody: to a client that finds out how the
// provider pages, a second page like the first means that there is no paging, and
// a cache can make one. Whoever is behind it is looked for before they are deleted.
func TestSecondPageThatRepeatsDeletesNobody(t *testing.T) {
	r, p := newRegister(t), newPeople(11)
	var stale atomic.Bool
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if q := req.URL.Query(); q.Get("page") == "2" && stale.Swap(false) {
			q.Set("page", "1")
			req.URL.RawQuery = q.Encode()
		}
		p.ServeHTTP(w, req)
	}))
	defer srv.Close()
	client, err := provider.New(provider.Config{URL: srv.URL + providertest.CollectionPath, PageSize: 10})
	if err != nil {
		t.Fatal(err)
	}
	cfg := r.config(p)
	cfg.Provider = client
	r.mustSync(cfg)
	stale.Store(true)
	want(t, r.mustSync(cfg), counts{Read: 10, Unchanged: 10})
	want(t, r.mustSync(cfg), counts{Read: 11, Unchanged: 11})
}
