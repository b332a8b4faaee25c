package provider

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"padron"
)

// slow is a provider of numbered pages, one customer each, with a latency.
type slow struct {
	pages   int
	latency func(page int) time.Duration
	// padding is how many bytes a page has besides.
	padding func(page int) int

	mu            sync.Mutex
	now, most     int
	asked, served int
}

func (s *slow) RoundTrip(r *http.Request) (*http.Response, error) {
	page, _ := strconv.Atoi(r.URL.Query().Get("page"))
	s.count(1)
	err := wait(r.Context(), s.latency(page))
	s.count(-1)
	if err != nil {
		return nil, err
	}
	body := list(page, min(page, s.pages))
	if s.padding != nil {
		body += strings.Repeat(" ", s.padding(page))
	}
	resp := answer(200, body)
	resp.Request = r
	return resp, nil
}

func (s *slow) count(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now += n
	s.most = max(s.most, s.now)
	s.asked += max(n, 0)
	s.served += max(-n, 0)
}

// from returns a client that reads from the provider.
func (s *slow) client(t *testing.T, cfg Config) *Client {
	t.Helper()
	cfg.Paging, cfg.PageSize = ByPage, 1
	c := offline(t, cfg, nil)
	c.http.Transport.(*limitedTransport).next = s
	return c
}

func constantly(d time.Duration) func(int) time.Duration { return func(int) time.Duration { return d } }

// TestPagesInFlight: so many pages are under way at once, no more, and they come
// in order, however long each takes.
func TestPagesInFlight(t *testing.T) {
	for n, want := range map[int]time.Duration{1: 42 * time.Second, 4: 12 * time.Second, 16: 5 * time.Second} {
		synctest.Test(t, func(t *testing.T) {
			s := &slow{pages: 40, latency: constantly(time.Second)}
			began := time.Now()
			got, err := collect(t.Context(), s.client(t, Config{Concurrency: n}), "")
			if err != nil {
				t.Fatal(err)
			}
			wantIDs(t, got.ids, ids(1, 40))
			if took := time.Since(began); took > want || s.most != n {
				t.Errorf("%d at once: %d were, and it took %v, want %v", n, s.most, took, want)
			}
		})
	}
	synctest.Test(t, func(t *testing.T) {
		s := &slow{pages: 40, latency: func(page int) time.Duration { return time.Duration(page*7%5) * time.Second }}
		got, err := collect(t.Context(), s.client(t, Config{Concurrency: 7}), "")
		if err != nil {
			t.Fatal(err)
		}
		wantIDs(t, got.ids, ids(1, 40))
	})
}

// TestPagesInFlightAreFewWhereTheyAreLarge: their records are bounded, too.
func TestPagesInFlightAreFewWhereTheyAreLarge(t *testing.T) {
	for size, want := range map[int]int{1: 16, 1000: 16, 5000: 4, 10_000: 2} {
		c := client(t, Config{URL: "http://h.example", PageSize: size, Concurrency: 16})
		if got := c.newAhead(&pageWalk{number: 1}).most; got != want {
			t.Errorf("%d a page: %d in flight, want %d", size, got, want)
		}
	}
}

// TestLargePagesComeOneAtATime: what pages in flight may hold in all is bounded in
// bytes. A page that has more than its share is asked for again, alone, and so are
// those behind it.
func TestLargePagesComeOneAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &slow{pages: 20, latency: constantly(time.Second), padding: func(page int) int {
			if page < 10 {
				return 0
			}
			return 5 << 20 // more than a 16th of 64 MiB
		}}
		c := s.client(t, Config{Concurrency: 16})
		var got []string
		for page, err := range c.Pages(t.Context(), "") {
			if err != nil {
				t.Fatal(err)
			}
			if len(got) == 16 { // those asked for before the first large one was met are through
				s.mu.Lock()
				s.most = 0
				s.mu.Unlock()
			}
			for i := range page.Records {
				id, _ := page.Records[i].Identity()
				got = append(got, string(id))
			}
		}
		wantIDs(t, got, ids(1, 20))
		if s.most != 1 {
			t.Errorf("%d large pages at once", s.most)
		}
	})
}

// TestBackPressure: whoever takes pages slowly slows the provider down.
func TestBackPressure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const n = 4
		s, taken := &slow{pages: 30, latency: constantly(time.Second)}, 0
		for _, err := range s.client(t, Config{Concurrency: n}).Pages(t.Context(), "") {
			if err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Hour)
			synctest.Wait()
			s.mu.Lock()
			asked := s.asked
			s.mu.Unlock()
			if taken++; asked > taken+n {
				t.Fatalf("%d pages were taken, and %d asked for", taken, asked)
			}
		}
	})
}

// TestNoPageOutlivesThePass: whether it ends, is left, fails or is cancelled, no
// request is under way afterwards. A goroutine left would fail the bubble, too.
func TestNoPageOutlivesThePass(t *testing.T) {
	ways := map[string]func(ctx context.Context, cancel func(), c *Client) error{
		"ends": func(ctx context.Context, _ func(), c *Client) error {
			_, err := collect(ctx, c, "")
			return err
		},
		"is left": func(ctx context.Context, _ func(), c *Client) error {
			for _, err := range c.Pages(ctx, "") {
				if err != nil || len(ctx.Done()) > 0 {
					return err
				}
				break
			}
			return nil
		},
		"is cancelled": func(ctx context.Context, cancel func(), c *Client) error {
			time.AfterFunc(3500*time.Millisecond, cancel)
			if _, err := collect(ctx, c, ""); !errors.Is(err, context.Canceled) {
				return fmt.Errorf("not the cause: %w", err)
			}
			return nil
		},
		"panics": func(ctx context.Context, _ func(), c *Client) error {
			defer func() { _ = recover() }()
			for _, err := range c.Pages(ctx, "page:3") {
				panic(err)
			}
			return nil
		},
	}
	for name, way := range ways {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			s := &slow{pages: 12, latency: constantly(time.Second)}
			if err := way(ctx, cancel, s.client(t, Config{Concurrency: 5})); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			if s.asked != s.served || s.asked == 0 {
				t.Errorf("%s: of %d requests %d have ended", name, s.asked, s.served)
			}
		})
	}
}

// TestRateHoldsForPagesInFlight: how many may be under way changes nothing about
// the rate that was promised.
func TestRateHoldsForPagesInFlight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &slow{pages: 20, latency: constantly(3 * time.Second)}
		began := time.Now()
		if _, err := collect(t.Context(), s.client(t, Config{Concurrency: 8, Rate: 2}), ""); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(began); s.most > 7 || took < 10*time.Second {
			t.Errorf("%d at once, %v for %d requests", s.most, took, s.asked)
		}
	})
}

// TestConnectionsAreKept: pages in flight use the same few connections.
func TestConnectionsAreKept(t *testing.T) {
	var dialled atomic.Int64
	provider := &source{style: ByPage, total: 400, requests: &requests{}}
	srv := httptest.NewUnstartedServer(provider)
	srv.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			dialled.Add(1)
		}
	}
	srv.Start()
	t.Cleanup(srv.Close)
	const n = 8
	if _, err := collect(t.Context(), client(t, Config{URL: srv.URL, Paging: ByPage, PageSize: 1, Concurrency: n}), ""); err != nil {
		t.Fatal(err)
	}
	if got := dialled.Load(); got > 3*n {
		t.Errorf("%d connections for %d requests", got, len(provider.requests.made()))
	}
}

// TestRangeAsksForItsOwnPages: pages of the next reader's are not fetched.
func TestRangeAsksForItsOwnPages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &slow{pages: 30, latency: constantly(time.Second)}
		met, _ := inRange(t, s.client(t, Config{Concurrency: 6}).Range(5, 15), "")
		wantIDs(t, met, ids(5, 14))
		if s.asked != 10 || s.most != 6 {
			t.Errorf("%d requests, %d at once", s.asked, s.most)
		}
	})
}

// moody is a source whose answers go wrong as its moods say: those of a page are
// met one after the other.
type moody struct {
	source source
	moods  map[int][]string

	mu  sync.Mutex
	met map[int]int
}

func (m *moody) mood(page int) string {
	m.mu.Lock()
	defer m.mu.Unlock()
	n := m.met[page]
	m.met[page]++
	if n >= len(m.moods[page]) {
		return ""
	}
	return m.moods[page][n]
}

func (m *moody) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	page, _ := strconv.Atoi(r.URL.Query().Get("page"))
	switch mood := m.mood(page); mood {
	case "500", "404", "401", "429":
		status, _ := strconv.Atoi(mood)
		w.WriteHeader(status)
	case "empty":
		_, _ = w.Write([]byte("[]"))
	case "short":
		_, _ = w.Write([]byte(list(page*1000, page*1000)))
	case "object":
		_, _ = w.Write([]byte(`{"error":1}`))
	case "cut":
		_, _ = w.Write([]byte(`[{"id":"1"},`))
	case "first":
		_, _ = w.Write([]byte(list(1, 4)))
	default:
		source := m.source
		source.ServeHTTP(w, r)
	}
}

// outcome is all that a pass shows.
type outcome struct {
	Pass  []string
	Sizes []int
	Cur   []string
	Err   string
}

func (o outcome) without(address string) outcome {
	o.Err = strings.ReplaceAll(o.Err, address, "")
	return o
}

func outcomeOf(ctx context.Context, c *Client, cursor string) outcome {
	p, err := collect(ctx, c, cursor)
	o := outcome{Pass: p.ids, Sizes: p.sizes, Cur: p.cursors}
	if err != nil {
		o.Err = err.Error()
	}
	return o
}

// TestInFlightIsLikeInTurn: with any faults, in any number and at any page, many
// pages in flight yield what one after the other does, and end in the same way.
func TestInFlightIsLikeInTurn(t *testing.T) {
	// Each pass has an address, and moods of its own there: a request that was
	// cancelled may be served as late as in the next one.
	var passes sync.Map
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		m, _ := passes.Load(r.URL.Path)
		m.(*moody).ServeHTTP(w, r)
	}))
	t.Cleanup(srv.Close)
	asked := 0
	moods := []string{"500", "404", "401", "429", "empty", "short", "object", "cut", "first"}
	rapid.Check(t, func(rt *rapid.T) {
		m := &moody{source: source{
			style: ByPage, total: rapid.IntRange(0, 50).Draw(rt, "customers"), most: rapid.SampledFrom([]int{0, 0, 3}).Draw(rt, "most"),
			fixed: rapid.SampledFrom([]int{0, 0, 6}).Draw(rt, "fixed"), gone: rapid.Bool().Draw(rt, "404 behind the last"), requests: &requests{},
		}}
		m.moods = rapid.MapOfN(rapid.IntRange(1, 15), rapid.SliceOfN(rapid.SampledFrom(moods), 1, 4), 0, 4).Draw(rt, "moods")
		cursor := rapid.SampledFrom([]string{"", "", "page:2", "page:5", "page:40"}).Draw(rt, "cursor")
		paging := rapid.SampledFrom([]Paging{ByPage, Auto}).Draw(rt, "paging")
		read := func(n int) outcome {
			asked++
			path := fmt.Sprintf("/pass-%d", asked)
			passes.Store(path, &moody{source: m.source, moods: m.moods, met: map[int]int{}})
			c := client(t, Config{URL: srv.URL + path, Paging: paging, PageSize: 4, Retries: 2, Concurrency: n})
			return outcomeOf(t.Context(), c, cursor).without(path)
		}
		want := read(1)
		for _, n := range []int{2, 5, 16} {
			if diff := cmp.Diff(want, read(n)); diff != "" {
				rt.Errorf("%d at once (-one by one +in flight):\n%s", n, diff)
			}
		}
	})
}

// TestPageThatFailsWaitsItsTurn: what comes before a page that fails for good is
// yielded first.
func TestPageThatFailsWaitsItsTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := offline(t, Config{Paging: ByPage, PageSize: 1, Concurrency: 8}, func(r *http.Request) *http.Response {
			page, _ := strconv.Atoi(r.URL.Query().Get("page"))
			if page == 6 {
				return answer(403, "")
			}
			return answer(200, list(page, page))
		})
		got, err := collect(t.Context(), c, "")
		if padron.ErrorCode(err) != padron.CodeUnavailable || !strings.Contains(err.Error(), "403") {
			t.Errorf("error %v", err)
		}
		wantIDs(t, got.ids, ids(1, 5))
	})
}
