package provider

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"padron"
)

// source is a provider that pages as its fields say.
type source struct {
	total int
	// style is the one it really has.
	style Paging
	// most is the most records it gives a page, 0 as many as asked for.
	most int
	// fixed is how many it gives whatever is asked for.
	fixed int
	// gone: it answers 404 behind the last page.
	gone bool

	requests *requests
}

// requests is what a source was asked for.
type requests struct {
	mu  sync.Mutex
	all []string
}

func (r *requests) add(address string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.all = append(r.all, address)
}

func (r *requests) made() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.all)
}

func (s *source) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.requests.add(r.URL.RequestURI())
	q := r.URL.Query()
	limit, _ := strconv.Atoi(q.Get("limit"))
	if s.most > 0 {
		limit = min(limit, s.most)
	}
	if s.fixed > 0 {
		limit = s.fixed
	}
	from := 0
	switch s.style {
	case None:
		limit = s.total
	case ByPage:
		page, _ := strconv.Atoi(q.Get("page"))
		from = (page - 1) * limit
	case ByLink:
		from, _ = strconv.Atoi(q.Get("after"))
		if from+limit < s.total {
			w.Header().Set("Link", fmt.Sprintf(`<?limit=%d&after=%d>; rel="next"`, limit, from+limit))
		}
	}
	if s.gone && from >= s.total {
		http.NotFound(w, r)
		return
	}
	_, _ = w.Write([]byte(list(from+1, min(from+limit, s.total))))
}

func (s *source) start(t *testing.T) string {
	t.Helper()
	s.requests = &requests{}
	srv := httptest.NewServer(s)
	t.Cleanup(srv.Close)
	return srv.URL + "/usuarios"
}

// TestPaging: everybody is read once, however the provider pages, whether we
// know the style or find it out, and from each cursor the rest.
func TestPaging(t *testing.T) {
	const size = 4
	shapes := map[string]source{
		"none": {style: None}, "page": {style: ByPage}, "link": {style: ByLink},
		"page, 404 behind the last": {style: ByPage, gone: true},
		"page, smaller than asked":  {style: ByPage, most: 3}, "page, larger than asked": {style: ByPage, fixed: 6},
		"link, smaller than asked": {style: ByLink, most: 3}, "link, larger than asked": {style: ByLink, fixed: 6},
	}
	for name, shape := range shapes {
		for _, paging := range []Paging{Auto, shape.style} {
			for _, total := range []int{0, 1, 3, 4, 5, 6, 8, 9, 12, 13, 24} {
				t.Run(fmt.Sprintf("%s/%s/%d", name, paging, total), func(t *testing.T) {
					if shape.gone && total == 0 {
						return // nothing but 404: the address is wrong
					}
					provider := shape
					provider.total = total
					c := client(t, Config{URL: provider.start(t), Paging: paging, PageSize: size, Concurrency: 4})
					got, err := collect(t.Context(), c, "")
					if err != nil {
						t.Fatal(err)
					}
					wantIDs(t, got.ids, ids(1, total))
					read := 0
					for i, cursor := range got.cursors {
						if read += got.sizes[i]; cursor == "" {
							continue
						}
						rest, err := collect(t.Context(), c, cursor)
						if err != nil {
							t.Fatalf("from %q: %v", cursor, err)
						}
						// Where page 2 shows that the provider does not page, it is everybody again.
						if again := ids(1, total); cursor == "page:2" && paging == Auto && shape.style != ByPage && slices.Equal(rest.ids, again) {
							continue
						}
						wantIDs(t, rest.ids, ids(read+1, total))
					}
				})
			}
		}
	}
}

// TestPagingAsksNoMoreThanNeeded: the requests of a pass of ten, four a page, one
// page at a time, and how many more behind the end pages in flight may ask for.
func TestPagingAsksNoMoreThanNeeded(t *testing.T) {
	for style, want := range map[Paging]int{None: 2, ByPage: 4, ByLink: 3} { // none: the second page tells that it does not page; page: a short page may not be the last
		for n, more := range map[int]int{1: 0, 4: 3} {
			provider := &source{style: style, total: 10}
			if _, err := collect(t.Context(), client(t, Config{URL: provider.start(t), PageSize: 4, Concurrency: n}), ""); err != nil {
				t.Fatal(err)
			}
			if got := provider.requests.made(); len(got) < want || len(got) > want+more {
				t.Errorf("%s, %d at once: %q, want %d requests", style, n, got, want)
			}
		}
	}
}

// TestNotFoundInTheMiddle: a 404 is the end only while the page before is there.
func TestNotFoundInTheMiddle(t *testing.T) {
	requests := 0
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if requests++; requests > 2 {
			http.NotFound(w, r)
			return
		}
		page, _ := strconv.Atoi(r.URL.Query().Get("page"))
		_, _ = w.Write([]byte(list(page*2-1, page*2)))
	})
	got, err := collect(t.Context(), client(t, Config{URL: url, Paging: ByPage, PageSize: 2}), "")
	if padron.ErrorCode(err) != padron.CodeUnavailable || !strings.Contains(err.Error(), "404") {
		t.Errorf("error %v", err)
	}
	wantIDs(t, got.ids, ids(1, 4))
}

func TestPageThatRepeats(t *testing.T) {
	requests := 0
	url := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		requests++
		_, _ = w.Write([]byte(list(1, 2)))
	})
	_, err := collect(t.Context(), client(t, Config{URL: url, Paging: ByPage, PageSize: 2}), "")
	if err == nil || !strings.Contains(err.Error(), "page 2 repeats") || requests != 2 {
		t.Errorf("after %d requests: %v", requests, err)
	}
	got, err := collect(t.Context(), client(t, Config{URL: url, PageSize: 2}), "") // it may not page at all
	if err != nil {
		t.Error(err)
	}
	wantIDs(t, got.ids, ids(1, 2))
}

func TestTooManyRecordsOnAPage(t *testing.T) {
	body := "[" + strings.Repeat("0,", maxPageRecords) + "0]"
	url := serve(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(body)) })
	_, err := collect(t.Context(), client(t, Config{URL: url, Paging: ByPage}), "")
	if err == nil || !strings.Contains(err.Error(), "more than 100000 records") {
		t.Error(err)
	}
}

// TestPartsOfLargeRecords: in style none, too, what is held at once is bounded in
// bytes, by whatever records the one array has.
func TestPartsOfLargeRecords(t *testing.T) {
	const size, records = 200 << 10, 100
	url := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		all := make([]string, records)
		for i := range all {
			all[i] = fmt.Sprintf(`{"id":"%d","direccion":%q}`, i+1, strings.Repeat("x", size))
		}
		_, _ = w.Write([]byte("[" + strings.Join(all, ",") + "]"))
	})
	got, err := collect(t.Context(), client(t, Config{URL: url, Paging: None, PageSize: 1000}), "")
	if err != nil {
		t.Fatal(err)
	}
	wantIDs(t, got.ids, ids(1, records))
	if most := slices.Max(got.sizes); most > partBytes/size+2 {
		t.Errorf("%d records of %d bytes at once", most, size)
	}
}

// TestLinksThatMislead: links to another host, in a circle and to nothing.
func TestLinksThatMislead(t *testing.T) {
	stolen := 0
	evil := serve(t, func(http.ResponseWriter, *http.Request) { stolen++ })
	tests := []struct {
		name, want string
		next       func(step int) string
		body       func(step int) string
	}{
		{"another host", "another scheme, host or port", func(int) string { return evil }, nil},
		{"itself", "same page again", func(int) string { return "?step=0" }, nil},
		{"a circle of five", "circle", func(step int) string { return fmt.Sprintf("?step=%d", (step+1)%5) }, nil},
		{"the same page", "same page again", func(step int) string { return fmt.Sprintf("?step=%d", step+1) },
			func(int) string { return list(1, 2) }},
		{"empty pages", "nothing but empty pages", func(step int) string { return fmt.Sprintf("?step=%d", step+1) },
			func(int) string { return "[]" }},
	}
	for _, tt := range tests {
		for _, paging := range []Paging{ByLink, Auto} {
			t.Run(tt.name+"/"+string(paging), func(t *testing.T) {
				requests := 0
				url := serve(t, func(w http.ResponseWriter, r *http.Request) {
					requests++
					step, _ := strconv.Atoi(r.URL.Query().Get("step"))
					w.Header().Set("Link", "<"+tt.next(step)+">; rel=next")
					body := list(step*2+1, step*2+2)
					if tt.body != nil {
						body = tt.body(step)
					}
					_, _ = w.Write([]byte(body))
				})
				_, err := collect(t.Context(), client(t, Config{URL: url, Paging: paging, PageSize: 2}), "")
				if padron.ErrorCode(err) != padron.CodeUnavailable || !strings.Contains(err.Error(), tt.want) {
					t.Errorf("error %v", err)
				}
				if requests > maxEmptyPages+2 || stolen > 0 {
					t.Errorf("%d requests, %d to the other host", requests, stolen)
				}
			})
		}
	}
}

// TestLinkCursorsAreLocal: what a cursor of a pass holds leads nowhere else.
func TestLinkCursorsAreLocal(t *testing.T) {
	provider := &source{style: ByLink, total: 5}
	got, err := collect(t.Context(), client(t, Config{URL: provider.start(t), Paging: ByLink, PageSize: 2}), "")
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"link:/usuarios?limit=2&after=2", "link:/usuarios?limit=2&after=4", ""}
	if !slices.Equal(got.cursors, want) {
		t.Errorf("cursors %q, want %q", got.cursors, want)
	}
}

// TestPagesThatAreNeverTheSame: a provider that ignores the page's number and
// stamps or shuffles each answer does not keep us for ever.
func TestPagesThatAreNeverTheSame(t *testing.T) {
	const total = 20
	for name, order := range map[string]func(request, i int) int{
		"stamped": func(_, i int) int { return i }, "shuffled": func(request, i int) int { return (i*7 + request) % total },
	} {
		for _, size := range []int{7, total, 100} {
			t.Run(fmt.Sprintf("%s/%d", name, size), func(t *testing.T) {
				requests := 0
				url := serve(t, func(w http.ResponseWriter, _ *http.Request) {
					requests++
					var parts []string
					for i := range total {
						parts = append(parts, fmt.Sprintf(`{"id":"%d","fetched":"%d-%d"}`, order(requests, i)+1, requests, i))
					}
					_, _ = w.Write([]byte("[" + strings.Join(parts, ",") + "]"))
				})
				got, err := collect(t.Context(), client(t, Config{URL: url, PageSize: size}), "")
				if err != nil || requests > 5 {
					t.Fatalf("after %d requests: %v", requests, err)
				}
				seen := map[string]bool{}
				for _, id := range got.ids {
					seen[id] = true
				}
				if len(seen) != total {
					t.Errorf("%d of %d customers", len(seen), total)
				}
			})
		}
	}
}

// TestPagesThatGoRound: behind the last page the first one comes again.
func TestPagesThatGoRound(t *testing.T) {
	requests := 0
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		requests++
		page, _ := strconv.Atoi(r.URL.Query().Get("page"))
		at := (page - 1) % 5
		_, _ = w.Write([]byte(list(at*2+1, at*2+2)))
	})
	for _, paging := range []Paging{Auto, ByPage} {
		requests = 0
		_, err := collect(t.Context(), client(t, Config{URL: url, Paging: paging, PageSize: 2}), "")
		if err == nil || !strings.Contains(err.Error(), "repeats an earlier one") || requests > 15 {
			t.Errorf("%s: after %d requests: %v", paging, requests, err)
		}
	}
}

// TestPageThatFailsInTheMiddle: a short page does not end the list, and an empty
// or missing one in the middle fails the pass instead of ending it.
func TestPageThatFailsInTheMiddle(t *testing.T) {
	answers := map[string]func(w http.ResponseWriter, r *http.Request){
		"short":   func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(list(7, 7))) },
		"empty":   func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("[]")) },
		"missing": http.NotFound,
	}
	for name, answer := range answers {
		url := serve(t, func(w http.ResponseWriter, r *http.Request) {
			page, _ := strconv.Atoi(r.URL.Query().Get("page"))
			if page == 4 {
				answer(w, r)
				return
			}
			_, _ = w.Write([]byte(list(page*2-1, min(page*2, 12))))
		})
		got, err := collect(t.Context(), client(t, Config{URL: url, Paging: ByPage, PageSize: 2}), "")
		switch {
		case name == "short" && (err != nil || len(got.ids) != 11):
			t.Errorf("short: %q, %v", got.ids, err)
		case name != "short" && (err == nil || !strings.Contains(err.Error(), "page 4 is empty or not found, but page 5 is not")):
			t.Errorf("%s: %q, %v", name, got.ids, err)
		}
	}
}
