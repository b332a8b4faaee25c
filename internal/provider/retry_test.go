package provider

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"padron"
)

// answers stands in for the network, so that a test has its own clock. It is asked
// by one request at a time.
type answers func(*http.Request) *http.Response

func (a answers) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	resp := a(r)
	resp.Request = r
	return resp, nil
}

// answer is one with a status and a body.
func answer(status int, body string, header ...string) *http.Response {
	h := http.Header{"Content-Type": {"application/json"}}
	for i := 0; i < len(header); i += 2 {
		h.Set(header[i], header[i+1])
	}
	return &http.Response{StatusCode: status, Header: h, Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body))}
}

// offline returns a client with production's waits that gets its answers from a.
func offline(t *testing.T, cfg Config, a answers) *Client {
	t.Helper()
	cfg.URL = "http://h.example/usuarios"
	c, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	c.http.Transport.(*limitedTransport).next = answers(func(r *http.Request) *http.Response {
		mu.Lock()
		defer mu.Unlock()
		return a(r)
	})
	return c
}

// waits returns a Config whose log tells the wait before each retry.
func waits(into *[]time.Duration) *slog.Logger {
	return slog.New(slog.NewTextHandler(writerFunc(func(line string) {
		if _, rest, ok := strings.Cut(line, " in="); ok {
			d, _ := time.ParseDuration(rest[:strings.IndexByte(rest, ' ')])
			*into = append(*into, d)
		}
	}), nil))
}

type writerFunc func(string)

func (f writerFunc) Write(p []byte) (int, error) { f(string(p)); return len(p), nil }

// TestBackoff: each wait is about twice the one before, give or take half, up to
// the maximum, and never the same twice over.
func TestBackoff(t *testing.T) {
	var got []time.Duration
	synctest.Test(t, func(t *testing.T) {
		const retries = 7
		for range 5 {
			c := offline(t, Config{Paging: ByPage, Retries: retries, RetryBase: time.Second, RetryMax: 10 * time.Second, Logger: waits(&got)},
				func(*http.Request) *http.Response { return answer(500, "") })
			started := len(got)
			begin := time.Now()
			if _, err := collect(t.Context(), c, ""); err == nil {
				t.Fatal("no error")
			}
			var sum time.Duration
			for i, d := range got[started:] {
				sum += d
				if about := min(time.Second<<i, 10*time.Second); d < about/2 || d > about*3/2 {
					t.Errorf("wait %d is %v, want %v give or take half", i+1, d, about)
				}
			}
			if took := time.Since(begin); len(got)-started != retries || (took-sum).Abs() > 10*time.Millisecond {
				t.Errorf("%d waits of %v took %v", len(got)-started, sum, took)
			}
		}
	})
	slices.Sort(got)
	if all := len(got); len(slices.Compact(got)) < all/2 {
		t.Error("the waits have no jitter")
	}
}

// TestRetryAfterHoldsEveryRequest: no request is sent before the time that the
// provider asked for in either form, whoever sends it.
func TestRetryAfterHoldsEveryRequest(t *testing.T) {
	for name, header := range map[string]func() string{
		"seconds": func() string { return "120" },
		"date":    func() string { return time.Now().Add(120 * time.Second).UTC().Format(http.TimeFormat) },
	} {
		synctest.Test(t, func(t *testing.T) {
			var told time.Time
			var first, second []time.Duration
			c := offline(t, Config{Paging: ByPage, PageSize: 2, Logger: waits(&first)}, func(*http.Request) *http.Response {
				if told.IsZero() {
					told = time.Now()
					return answer(429, "", "Retry-After", header())
				}
				second = append(second, time.Since(told))
				return answer(200, list(1, 1))
			})
			done := make(chan error)
			go func() {
				time.Sleep(time.Second) // another page, under way meanwhile
				_, err := c.fetch(t.Context(), c.pageURL(7))
				done <- err
			}()
			_, err := collect(t.Context(), c, "")
			if err := errors.Join(err, <-done); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if least := slices.Min(second); least < 119*time.Second {
				t.Errorf("%s: asked again after %v", name, least)
			}
			if len(first) != 1 || first[0] < 119*time.Second || first[0] > 121*time.Second {
				t.Errorf("%s: the log told of %v", name, first)
			}
		})
	}
}

// TestBudget: a provider that fails at each page ends the run in bounded time,
// though each page would come in the end.
func TestBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		asked := map[string]int{}
		c := offline(t, Config{Paging: ByPage, PageSize: 1, RetryBudget: 20 * time.Second}, func(r *http.Request) *http.Response {
			page := r.URL.Query().Get("page")
			if asked[page]++; asked[page] < 2 {
				return answer(503, "")
			}
			n, _ := strconv.Atoi(page)
			return answer(200, list(n, n))
		})
		began := time.Now()
		got, err := collect(t.Context(), c, "")
		if padron.ErrorCode(err) != padron.CodeUnavailable || !strings.Contains(err.Error(), "503") || !strings.Contains(err.Error(), "PADRON_PROVIDER_RETRY_BUDGET=20s") {
			t.Errorf("error %v", err)
		}
		if took := time.Since(began); len(got.ids) < 10 || took > 21*time.Second || took < 15*time.Second {
			t.Errorf("%d pages in %v", len(got.ids), took)
		}
		began = time.Now()
		if _, err := collect(t.Context(), c, "page:9000"); err == nil || time.Since(began) > 10*time.Second {
			t.Errorf("the budget is not that of the whole run: %v after %v", err, time.Since(began))
		}
	})
}

// TestBudgetOfSlowFailures: it is not the waits alone that count: a provider that
// lets each page time out once is no faster.
func TestBudgetOfSlowFailures(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tries := 0
		c := offline(t, Config{Paging: ByPage, PageSize: 1, Concurrency: 1, RetryBudget: 5 * time.Minute}, func(r *http.Request) *http.Response {
			if tries++; tries%2 == 1 {
				time.Sleep(30 * time.Second)
				return answer(504, "")
			}
			n, _ := strconv.Atoi(r.URL.Query().Get("page"))
			return answer(200, list(n, n))
		})
		got, err := collect(t.Context(), c, "")
		if err == nil || !strings.Contains(err.Error(), "RETRY_BUDGET") || len(got.ids) < 8 || len(got.ids) > 10 {
			t.Errorf("%d pages, %v", len(got.ids), err)
		}
	})
}

// TestBudgetIsNotWaitedFor: a wait that the budget does not afford is not begun.
func TestBudgetIsNotWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := offline(t, Config{Paging: ByPage, RetryBudget: time.Minute}, func(*http.Request) *http.Response {
			return answer(429, "", "Retry-After", "90")
		})
		began := time.Now()
		_, err := collect(t.Context(), c, "")
		if took := time.Since(began); took > 0 || err == nil || !strings.Contains(err.Error(), "RETRY_BUDGET") {
			t.Errorf("after %v: %v", took, err)
		}
	})
}

// TestBudgetOfPagesInFlight: nor do the other pages wait for one.
func TestBudgetOfPagesInFlight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := offline(t, Config{Paging: ByPage, PageSize: 1, Concurrency: 8, RetryBudget: time.Minute, Rate: 10}, func(r *http.Request) *http.Response {
			if r.URL.Query().Get("page") == "1" {
				return answer(200, list(1, 1))
			}
			return answer(429, "", "Retry-After", "90")
		})
		began := time.Now()
		got, err := collect(t.Context(), c, "")
		if took := time.Since(began); took > time.Second || len(got.ids) != 1 || err == nil || !strings.Contains(err.Error(), "RETRY_BUDGET") {
			t.Errorf("%d pages after %v: %v", len(got.ids), took, err)
		}
	})
}

// TestBudgetCountsOverlapsOnce: pages that fail together hold the run up once.
func TestBudgetCountsOverlapsOnce(t *testing.T) {
	at := func(s int) time.Time { return time.Unix(int64(s), 0) }
	b := budget{most: 20 * time.Second}
	for _, c := range []struct{ from, to, spent int }{{0, 10, 10}, {2, 8, 10}, {5, 12, 12}, {20, 25, 17}, {26, 25, 17}, {19, 26, 18}} {
		if b.charge(at(c.from), at(c.to)); b.spent != time.Duration(c.spent)*time.Second {
			t.Errorf("after %+v: %v", c, b.spent)
		}
	}
	if !b.affords(2*time.Second) || b.affords(2*time.Second+1) {
		t.Error("what is left is not 2 s")
	}
}

// TestBreaker: most of the answers failing opens it; then nobody asks for ten
// seconds, one request finds out, and its success closes it. The waits cost no
// page its tries.
func TestBreaker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		var states []string
		var asked []time.Duration
		c := offline(t, Config{
			Paging: ByPage, PageSize: 2, Retries: 19, RetryBase: 100 * time.Millisecond, RetryMax: 30 * time.Second,
			OnBreaker: func(s string) { states = append(states, s) },
		}, func(*http.Request) *http.Response {
			if asked = append(asked, time.Since(began)); time.Since(began) < 35*time.Second {
				return answer(503, "")
			}
			return answer(200, list(1, 1))
		})
		done := make(chan error)
		for n := range 4 {
			go func() {
				_, err := c.fetch(t.Context(), c.pageURL(n+1))
				done <- err
			}()
		}
		for range 4 {
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
		if want := "closed open half-open open half-open open"; !strings.HasPrefix(strings.Join(states, " "), want) || states[len(states)-1] != "closed" {
			t.Errorf("states %q", states)
		}
		asked = asked[16:] // those before it opened
		for i := range asked[:3] {
			if gap := asked[i+1] - asked[i]; asked[i+1] < 35*time.Second && gap < 10*time.Second {
				t.Errorf("asked at %v and again at %v", asked[i], asked[i+1])
			}
		}
	})
}

// TestBreakerStaysClosed: pages that fail once each, and those that are not
// there, do not open it.
func TestBreakerStaysClosed(t *testing.T) {
	for _, status := range []int{500, 404} {
		synctest.Test(t, func(t *testing.T) {
			var states []string
			tries := 0
			c := offline(t, Config{Paging: ByPage, PageSize: 1, OnBreaker: func(s string) { states = append(states, s) }},
				func(*http.Request) *http.Response {
					if tries++; status == 404 || tries%2 == 0 {
						return answer(status, "")
					}
					return answer(200, list(tries, tries))
				})
			for range 30 {
				_, err := c.fetch(t.Context(), c.pageURL(1))
				if status == 500 && err != nil {
					t.Fatal(err)
				}
			}
			if !slices.Equal(states, []string{"closed"}) {
				t.Errorf("%d: states %q", status, states)
			}
		})
	}
}

// TestOpenBreakerEndsByTheBudget: a provider that does not come back ends the run,
// at most one wait after its budget.
func TestOpenBreakerEndsByTheBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := offline(t, Config{Paging: ByPage, Retries: 1000, RetryBudget: 2 * time.Minute}, func(*http.Request) *http.Response { return answer(502, "") })
		began := time.Now()
		_, err := collect(t.Context(), c, "")
		if took := time.Since(began); took < 100*time.Second || took > 165*time.Second || err == nil || !strings.Contains(err.Error(), "RETRY_BUDGET=2m0s") {
			t.Errorf("after %v: %v", took, err)
		}
	})
}

// TestWaitsEndWithTheContext: neither a backoff, a Retry-After nor an open
// breaker outlives the run.
func TestWaitsEndWithTheContext(t *testing.T) {
	cause := errors.New("enough")
	for name, header := range map[string]string{"backoff or breaker": "0", "Retry-After": "300"} {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithCancelCause(t.Context())
			c := offline(t, Config{Paging: ByPage, Retries: 1000}, func(*http.Request) *http.Response {
				return answer(503, "", "Retry-After", header)
			})
			go func() {
				time.Sleep(40 * time.Second)
				cancel(cause)
			}()
			began := time.Now()
			if _, err := collect(ctx, c, ""); !errors.Is(err, cause) || time.Since(began) != 40*time.Second {
				t.Errorf("%s: %v after %v", name, err, time.Since(began))
			}
		})
	}
}

// TestRateHoldsForEverything: retries and redirects wait for their turn as well.
func TestRateHoldsForEverything(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var asked []time.Time
		c := offline(t, Config{Paging: ByPage, PageSize: 1, Rate: 2, RetryBase: 1, RetryMax: 1}, func(r *http.Request) *http.Response {
			asked = append(asked, time.Now())
			n, _ := strconv.Atoi(r.URL.Query().Get("page"))
			switch {
			case len(asked)%3 == 1:
				return answer(500, "")
			case r.URL.Path == "/usuarios":
				return answer(308, "", "Location", "/v2?"+r.URL.RawQuery)
			}
			return answer(200, list(n, min(n, 5)))
		})
		if _, err := collect(t.Context(), c, ""); err != nil {
			t.Fatal(err)
		}
		for i := range asked[1:] {
			if gap := asked[i+1].Sub(asked[i]); gap < 499*time.Millisecond {
				t.Errorf("requests %d and %d are %v apart", i+1, i+2, gap)
			}
		}
		if len(asked) < 15 {
			t.Errorf("only %d requests", len(asked))
		}
	})
}

// TestRetriesLogNothingSecret: the warning names the wait and the reason.
func TestRetriesLogNothingSecret(t *testing.T) {
	var log bytes.Buffer
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		c := offline(t, Config{APIKey: testKey, OnRetry: func(string) { cancel() }, Logger: slog.New(slog.NewTextHandler(&log, nil))},
			func(*http.Request) *http.Response { return answer(429, "body-canary", "Retry-After", "120") })
		_, _ = collect(ctx, c, "")
	})
	if !strings.Contains(log.String(), "in=2m0s reason=status_429") || strings.Contains(log.String(), "canary") {
		t.Errorf("log %s", log.String())
	}
}
