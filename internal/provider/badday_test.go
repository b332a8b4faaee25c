package provider

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"padron"
)

// TestForeignRedirect: the key goes to the provider's own host and nowhere else.
func TestForeignRedirect(t *testing.T) {
	var stolen []string
	evil := serve(t, func(_ http.ResponseWriter, r *http.Request) {
		stolen = append(stolen, r.Header.Get("Authorization"))
	})
	for _, status := range []int{301, 302, 303, 307, 308} {
		requests := 0
		url := serve(t, func(w http.ResponseWriter, r *http.Request) {
			requests++
			http.Redirect(w, r, evil+"?secret-canary", status)
		})
		_, err := collect(t.Context(), client(t, Config{URL: url}), "")
		if err == nil || !strings.Contains(err.Error(), "redirects to another") || strings.Contains(err.Error(), "canary") {
			t.Errorf("%d: %v", status, err)
		}
		if requests != 1 || len(stolen) > 0 {
			t.Errorf("%d: asked %d times, the other host got %q", status, requests, stolen)
		}
	}
}

func TestOwnRedirect(t *testing.T) {
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == "/usuarios":
			http.Redirect(w, r, "/v2/usuarios?"+r.URL.RawQuery, http.StatusPermanentRedirect)
		case r.Header.Get("Authorization") != "Bearer "+testKey:
			w.WriteHeader(http.StatusUnauthorized)
		default:
			_, _ = w.Write([]byte(list(1, 2)))
		}
	})
	got, err := collect(t.Context(), client(t, Config{URL: url}), "")
	if err != nil {
		t.Fatal(err)
	}
	wantIDs(t, got.ids, ids(1, 2))
}

func TestEndlessRedirect(t *testing.T) {
	requests := 0
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		requests++
		http.Redirect(w, r, r.URL.RequestURI(), http.StatusFound)
	})
	_, err := collect(t.Context(), client(t, Config{URL: url}), "")
	if err == nil || !strings.Contains(err.Error(), "redirects more than 5 times") || requests != 6 {
		t.Errorf("after %d requests: %v", requests, err)
	}
}

// TestSilence: neither a header nor a body that does not come is waited for for
// ever. The handlers wait until the client has gone.
func TestSilence(t *testing.T) {
	const soon = 20 * time.Millisecond
	tests := []struct {
		reason, want string
		cfg          Config
		answer       func(http.ResponseWriter)
	}{
		{"timeout", "did not answer in time", Config{HeaderTimeout: soon}, func(http.ResponseWriter) {}},
		{"stalled", "brought next to nothing for 20ms", Config{StallTimeout: soon}, func(w http.ResponseWriter) {
			_, _ = w.Write([]byte(`[{"id":"1"},`))
			_ = http.NewResponseController(w).Flush()
		}},
		{"stalled", "brought next to nothing for 20ms", Config{StallTimeout: soon}, func(w http.ResponseWriter) {
			_, err := w.Write([]byte("["))
			for tick := time.NewTicker(time.Millisecond); err == nil; <-tick.C { // white space, for ever
				_, _ = w.Write([]byte(" "))
				err = http.NewResponseController(w).Flush()
			}
		}},
	}
	for _, tt := range tests {
		for _, paging := range []Paging{None, ByPage} {
			t.Run(tt.reason+"/"+string(paging), func(t *testing.T) {
				var comes atomic.Bool
				var reasons []string
				tt.cfg.URL = serve(t, func(w http.ResponseWriter, r *http.Request) {
					if comes.Load() {
						_, _ = w.Write([]byte(list(1, 2)))
						return
					}
					tt.answer(w)
					<-r.Context().Done()
				})
				tt.cfg.Paging, tt.cfg.Retries = paging, -1
				_, err := collect(t.Context(), client(t, tt.cfg), "")
				if err == nil || !strings.Contains(err.Error(), tt.want) {
					t.Errorf("error %v", err)
				}
				tt.cfg.Retries, tt.cfg.OnRetry = 1, func(r string) {
					comes.Store(true)
					reasons = append(reasons, r)
				}
				got, err := collect(t.Context(), client(t, tt.cfg), "")
				if err != nil || !slices.Equal(reasons, []string{tt.reason}) {
					t.Errorf("second try: %v after %q", err, reasons)
				}
				wantIDs(t, got.ids, ids(1, 2))
			})
		}
	}
}

func TestTooLarge(t *testing.T) {
	url := serve(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(list(1, 100))) })
	for _, cfg := range []Config{{Paging: ByPage, MaxPage: 500}, {Paging: None, MaxBody: 500}} {
		retries := 0
		cfg.URL, cfg.OnRetry = url, func(string) { retries++ }
		_, err := collect(t.Context(), client(t, cfg), "")
		if err == nil || !strings.Contains(err.Error(), "larger than the limit") || retries > 0 {
			t.Errorf("%s: %v after %d retries", cfg.Paging, err, retries)
		}
	}
	body := int64(len(list(1, 100)))
	got, err := collect(t.Context(), client(t, Config{URL: url, Paging: ByPage, MaxPage: body}), "")
	if err != nil || len(got.ids) != 100 {
		t.Errorf("a page of exactly the limit: %d customers, %v", len(got.ids), err)
	}
}

func TestGzip(t *testing.T) {
	var packed bytes.Buffer
	zip := gzip.NewWriter(&packed)
	_, _ = zip.Write([]byte(list(1, 3)))
	_ = zip.Close()
	for name, body := range map[string][]byte{"whole": packed.Bytes(), "cut off": packed.Bytes()[:packed.Len()/2], "none": []byte(list(1, 3))} {
		url := serve(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = w.Write(body)
		})
		got, err := collect(t.Context(), client(t, Config{URL: url, Paging: ByPage, PageSize: 10, Retries: -1}), "")
		switch {
		case name != "whole" && padron.ErrorCode(err) != padron.CodeUnavailable:
			t.Errorf("%s: %v", name, err)
		case name == "whole" && (err != nil || len(got.ids) != 3):
			t.Errorf("%s: %q, %v", name, got.ids, err)
		}
	}
}

// reset breaks the connection off.
func reset(w http.ResponseWriter) {
	_ = http.NewResponseController(w).Flush()
	panic(http.ErrAbortHandler)
}

// TestArrayThatBreaksOff: the one array is asked for again and goes on where it
// broke, in more tries than the budget as long as each comes further.
func TestArrayThatBreaksOff(t *testing.T) {
	all, until := list(1, 30), 0
	url := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		if until += 100; until < len(all) {
			_, _ = w.Write([]byte(all[:until]))
			reset(w)
		}
		_, _ = w.Write([]byte(all))
	})
	reasons := map[string]int{}
	c := client(t, Config{URL: url, Paging: None, PageSize: 2, Retries: 1, OnRetry: func(r string) { reasons[r]++ }})
	got, err := collect(t.Context(), c, "")
	if err != nil {
		t.Fatal(err)
	}
	wantIDs(t, got.ids, ids(1, 30))
	if reasons["truncated"]+reasons["reset"] < 5 {
		t.Errorf("retries %v", reasons)
	}
}

// TestArrayThatChanges: where the array came otherwise the second time, all of
// it is yielded again, so that nobody is missed.
func TestArrayThatChanges(t *testing.T) {
	first := true
	url := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		if first {
			first = false
			_, _ = w.Write([]byte(list(1, 5)[:120]))
			reset(w)
		}
		_, _ = w.Write([]byte(list(2, 6)))
	})
	got, err := collect(t.Context(), client(t, Config{URL: url, Paging: None, PageSize: 2}), "")
	if err != nil {
		t.Fatal(err)
	}
	wantIDs(t, got.ids, append(ids(1, 2), ids(2, 6)...))
}

// TestArrayThatNeverComesThrough: a provider that sends something else each time
// does not keep us for ever.
func TestArrayThatNeverComesThrough(t *testing.T) {
	requests := 0
	url := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		requests++
		_, _ = w.Write([]byte(list(requests*10, requests*10+5)[:120]))
		reset(w)
	})
	_, err := collect(t.Context(), client(t, Config{URL: url, Paging: None, PageSize: 2, Retries: 3}), "")
	if padron.ErrorCode(err) != padron.CodeUnavailable || requests > 10 {
		t.Errorf("after %d requests: %v", requests, err)
	}
}

func TestStopsWhenTold(t *testing.T) {
	for _, paging := range []Paging{None, ByPage, ByLink, Auto} {
		provider := &source{style: paging, total: 20}
		if paging == Auto {
			provider.style = None
		}
		c := client(t, Config{URL: provider.start(t), Paging: paging, PageSize: 2})
		pages := 0
		for _, err := range c.Pages(t.Context(), "") {
			if err != nil {
				t.Fatal(err)
			}
			if pages++; pages == 2 {
				break
			}
		}
		if pages != 2 {
			t.Errorf("%s: %d pages", paging, pages)
		}
	}
}

// TestStopsAndCancelled: whoever is told to stop may do both, leave and cancel.
func TestStopsAndCancelled(t *testing.T) {
	for _, paging := range []Paging{None, ByPage, ByLink, Auto} {
		provider := &source{style: paging, total: 20}
		if paging == Auto {
			provider.style = None
		}
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		for _, err := range client(t, Config{URL: provider.start(t), Paging: paging, PageSize: 2}).Pages(ctx, "") {
			if err != nil {
				t.Errorf("%s: %v", paging, err)
			}
			cancel()
			break
		}
	}
}

// TestCancelled: the context's cause ends a pass, waiting for a try included.
func TestCancelled(t *testing.T) {
	cause := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	url := serve(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) })
	c := client(t, Config{URL: url, RetryBase: time.Hour, RetryMax: time.Hour, OnRetry: func(string) { cancel(cause) }})
	if _, err := collect(ctx, c, ""); !errors.Is(err, cause) {
		t.Error(err)
	}
	if _, err := collect(ctx, c, ""); !errors.Is(err, cause) {
		t.Errorf("cancelled before: %v", err)
	}
}

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for in, want := range map[string]time.Duration{
		"": 0, "0": 0, "7": 7 * time.Second, "300": 5 * time.Minute, "301": 5 * time.Minute, "99999999999999999999": 5 * time.Minute,
		"-1": 0, "1.5": 0, "soon": 0,
		now.Add(time.Minute).Format(http.TimeFormat): time.Minute, now.Add(-time.Minute).Format(http.TimeFormat): 0,
		now.Add(time.Hour).Format(http.TimeFormat): 5 * time.Minute,
	} {
		if got := retryAfter(in, now); got != want {
			t.Errorf("%q: %v, want %v", in, got, want)
		}
	}
}

// TestArrayIsNotHeld: an array of 100,000 customers, 65 MB, is read in memory
// that a page needs.
func TestArrayIsNotHeld(t *testing.T) {
	const customers, chunk = 100_000, 1000
	url := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		part := []byte(strings.Repeat(typical+",", chunk))
		_, _ = w.Write([]byte("["))
		for range customers/chunk - 1 {
			if _, err := w.Write(part); err != nil {
				return
			}
		}
		_, _ = w.Write(append(part[:len(part)-1], ']'))
	})
	var before, now runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	read, pages, most := 0, 0, uint64(0)
	for page, err := range client(t, Config{URL: url, Paging: None}).Pages(t.Context(), "") {
		if err != nil {
			t.Fatal(err)
		}
		read += len(page.Records)
		if pages++; pages%20 == 0 {
			runtime.ReadMemStats(&now)
			most = max(most, now.HeapAlloc)
		}
	}
	if grew := int64(most) - int64(before.HeapAlloc); read != customers || grew > 24<<20 {
		t.Errorf("%d customers, the heap grew by %d MiB", read, grew>>20)
	}
}

// TestErrorsHoldNothingPersonal: whatever kind of answer breaks, no error and no
// log line repeats it, the address's query or the key.
func TestErrorsHoldNothingPersonal(t *testing.T) {
	for i, body := range []string{
		`[{"id":"canary"`, `{"canary":1}`, `"canary"`, `<canary>`, `[{"id":"1"}canary]`, `canary`, "\x00canary", `[` + strings.Repeat(`{"id":"canary"},`, 100),
	} {
		for _, paging := range []Paging{None, ByPage, ByLink, Auto} {
			url := serve(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("X-Canary", "canary")
				_, _ = w.Write([]byte(body))
			})
			var log bytes.Buffer
			c := client(t, Config{URL: url + "?key=canary", Paging: paging, Retries: 1, MaxPage: 500, MaxBody: 500,
				Logger: slog.New(slog.NewJSONHandler(&log, nil))})
			_, err := collect(t.Context(), c, "")
			if shown := fmt.Sprintf("%+v %#v %s", err, err, log.String()); err == nil || strings.Contains(shown, "canary") || strings.Contains(shown, testKey) {
				t.Errorf("body %d, %s: %s", i, paging, shown)
			}
		}
	}
}

// TestGzipBomb: what is small on the wire and vast when unpacked is bounded like
// anything else, in time and memory: as a page it is refused, as one record that
// record alone.
func TestGzipBomb(t *testing.T) {
	const vast = 100 << 20
	bombs := map[string]struct{ head, tail string }{
		"a page": {`[{"id":"1"},`, `{"id":"2"}]`}, "a record": {`[{"id":"1"},{"id":"2","x":"`, `"},{"id":"3"}]`},
	}
	for name, b := range bombs {
		var packed bytes.Buffer
		zip := gzip.NewWriter(&packed)
		_, _ = zip.Write([]byte(b.head))
		space := bytes.Repeat([]byte(" "), 1<<20)
		for range vast >> 20 {
			_, _ = zip.Write(space)
		}
		_, _ = zip.Write([]byte(b.tail))
		_ = zip.Close()
		url := serve(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = w.Write(packed.Bytes())
		})
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		c := client(t, Config{URL: url, Paging: ByPage, PageSize: 10})
		if name == "a record" {
			c.cfg.MaxPage = 2 * vast
		}
		got, err := c.fetch(t.Context(), c.pageURL(1))
		runtime.ReadMemStats(&after)
		if used := int64(after.TotalAlloc) - int64(before.TotalAlloc); used > 8<<20 || packed.Len() > 1<<20 {
			t.Errorf("%s of %d bytes on the wire took %d MiB", name, packed.Len(), used>>20)
		}
		switch {
		case name == "a page" && (err == nil || !strings.Contains(err.Error(), "larger than the limit")):
			t.Errorf("%s: %v", name, err)
		case name == "a record" && (err != nil || len(got.records) != 3 || got.records[1].Fault != padron.ReasonTooLarge):
			t.Errorf("%s: %v", name, err)
		}
	}
}
