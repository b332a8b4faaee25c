package provider

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"padron"
)

const testKey = "key-5f1d-canary"

// client returns a client that retries at once and asks for one page at a time, so
// that a test knows the order, but for what cfg says.
func client(t *testing.T, cfg Config) *Client {
	t.Helper()
	cfg.APIKey = testKey
	cfg.Concurrency = orDefault(cfg.Concurrency, 1)
	cfg.RetryBase = orDefault(cfg.RetryBase, time.Nanosecond)
	cfg.RetryMax = orDefault(cfg.RetryMax, time.Nanosecond)
	c, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.http.CloseIdleConnections)
	return c
}

// serve serves h, to one request at a time, and returns its address.
func serve(t *testing.T, h http.HandlerFunc) string {
	t.Helper()
	var mu sync.Mutex
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		h(w, r)
	}))
	t.Cleanup(srv.Close)
	return srv.URL + "/usuarios"
}

// pass is what one reading of the provider brought.
type pass struct {
	ids     []string
	sizes   []int
	cursors []string
}

func collect(ctx context.Context, c *Client, cursor string) (pass, error) {
	var p pass
	var last error
	for page, err := range c.Pages(ctx, cursor) {
		if last != nil {
			panic("something was yielded after an error")
		}
		if last = err; err != nil {
			continue
		}
		for i := range page.Records {
			p.ids = append(p.ids, page.Records[i].Values[padron.FieldID].Text.Expose())
		}
		p.sizes, p.cursors = append(p.sizes, len(page.Records)), append(p.cursors, page.Cursor)
	}
	return p, last
}

// list is the JSON array of the customers from up to to.
func list(from, to int) string {
	parts := make([]string, 0, max(0, to-from+1))
	for i := from; i <= to; i++ {
		parts = append(parts, fmt.Sprintf(`{"id":"%d","credit_card_ccv":"731"}`, i))
	}
	return "[" + strings.Join(parts, ",") + "]"
}

// ids is the customers from up to to.
func ids(from, to int) []string {
	var out []string
	for i := from; i <= to; i++ {
		out = append(out, fmt.Sprint(i))
	}
	return out
}

func wantIDs(t *testing.T, got, want []string) {
	t.Helper()
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("customers (-want +got):\n%s", d)
	}
}

func TestNewNamesEveryFault(t *testing.T) {
	_, err := New(Config{
		URL: "ftp://x", APIKey: "a\nb", Paging: "offset", PageSize: 10_001, ConnectTimeout: -1, HeaderTimeout: -1,
		StallTimeout: -1, MaxRecord: -1, Rate: -1, RetryBase: -1, RetryMax: -1,
	})
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{"URL", "API key", "paging", "page size", "connect timeout", "header timeout", "stall timeout",
		"size limits", "rate", "retry base", "retry maximum"} {
		if !strings.Contains(err.Error(), want+":") {
			t.Errorf("%q is not named in: %v", want, err)
		}
	}
}

func TestNewChecksTheURL(t *testing.T) {
	for _, in := range []string{"", "x", "http://", "https://:80", "http://u:geheim@h/", "http://u@h/", "http://h/%zz", "http://h/?a=%zz", "http://h/?a;b"} {
		_, err := New(Config{URL: in})
		if padron.ErrorCode(err) != padron.CodeInvalid || strings.Contains(err.Error(), "geheim") {
			t.Errorf("%q: %v", in, err)
		}
	}
	if _, err := New(Config{URL: "http://h", PageSize: -1}); err == nil {
		t.Error("a negative page size was taken")
	}
}

func TestParsePaging(t *testing.T) {
	for _, p := range []Paging{Auto, None, ByPage, ByLink} {
		if got, err := ParsePaging(string(p)); err != nil || got != p {
			t.Errorf("%s: %s, %v", p, got, err)
		}
	}
	for _, s := range []string{"", "AUTO", "offset"} {
		if _, err := ParsePaging(s); padron.ErrorCode(err) != padron.CodeInvalid {
			t.Errorf("%q: %v", s, err)
		}
	}
}

func TestSource(t *testing.T) {
	c := client(t, Config{URL: "https://h.example:8443/a/b?token=geheim#frag", Paging: ByPage, PageSize: 7})
	if got, want := c.Source(), "https://h.example:8443/a/b page 7"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

// TestKeyAndQuery: the key goes in the header, and the address's own query stays.
func TestKeyAndQuery(t *testing.T) {
	for _, paging := range []Paging{None, ByPage, ByLink, Auto} {
		url := serve(t, func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Authorization") != "Bearer "+testKey || r.URL.Query().Get("tenant") != "9" {
				w.WriteHeader(http.StatusForbidden)
				return
			}
			_, _ = w.Write([]byte(list(1, 1)))
		})
		got, err := collect(t.Context(), client(t, Config{URL: url + "?tenant=9", Paging: paging, PageSize: 2}), "")
		if err != nil {
			t.Errorf("%s: %v", paging, err)
		}
		wantIDs(t, got.ids, ids(1, 1))
	}
}

// TestStatuses: which statuses are tried again, and what the errors say.
func TestStatuses(t *testing.T) {
	for status, want := range map[int]struct {
		requests int
		advice   string
	}{
		400: {1, "400 Bad Request"}, 401: {1, "PADRON_PROVIDER_API_KEY"}, 403: {1, "PADRON_PROVIDER_API_KEY"},
		404: {1, "PADRON_PROVIDER_URL"}, 410: {1, "PADRON_PROVIDER_URL"}, 204: {1, "204"}, 304: {1, "304"}, 418: {1, "418"},
		501: {1, "501"}, 429: {3, "429"}, 500: {3, "500"}, 502: {3, "502"}, 503: {3, "503"}, 504: {3, "504"},
	} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			requests, reasons := 0, []string{}
			url := serve(t, func(w http.ResponseWriter, _ *http.Request) {
				requests++
				w.WriteHeader(status)
				if status != 204 && status != 304 {
					_, _ = w.Write([]byte(`{"error":"body-canary"}`))
				}
			})
			c := client(t, Config{URL: url + "?token=query-canary", Retries: 2, OnRetry: func(r string) { reasons = append(reasons, r) }})
			got, err := collect(t.Context(), c, "")
			if requests != want.requests || len(got.ids) != 0 {
				t.Errorf("%d requests, want %d; %v", requests, want.requests, got)
			}
			if padron.ErrorCode(err) != padron.CodeUnavailable || !strings.Contains(err.Error(), want.advice) || strings.Contains(err.Error(), "canary") {
				t.Errorf("error %v", err)
			}
			if want := slices.Repeat([]string{fmt.Sprintf("status_%d", status)}, want.requests-1); !slices.Equal(reasons, want) {
				t.Errorf("retries %q, want %q", reasons, want)
			}
		})
	}
}

// TestOddAnswers: each answer that is no list is a clear error that repeats
// none of it, and a page that comes right after it is read.
func TestOddAnswers(t *testing.T) {
	answers := map[string]struct{ kind, body, want, reason string }{
		"object":    {"application/json", `{"error":"canary"}`, "an object instead of an array", "object"},
		"HTML":      {"text/html; charset=utf-8", "canary", "HTML", "html"},
		"HTML in":   {"application/json", "<html>canary", "HTML", "html"},
		"empty":     {"application/json", "", "empty", "empty"},
		"text":      {"application/json", `"canary"`, "not a JSON array", "not_an_array"},
		"truncated": {"application/json", `[{"id":"canary"},{"id"`, "ended in the middle", "truncated"},
		"behind":    {"application/json", `[{"id":"canary"}] canary`, "goes on after", "malformed"},
		"between":   {"application/json", `[{"id":"canary"} canary]`, "between two customers", "malformed"},
	}
	for name, a := range answers {
		for _, paging := range []Paging{None, ByPage, ByLink, Auto} {
			t.Run(name+"/"+string(paging), func(t *testing.T) {
				bad, reasons := true, []string{}
				url := serve(t, func(w http.ResponseWriter, _ *http.Request) {
					if bad {
						w.Header().Set("Content-Type", a.kind)
						_, _ = w.Write([]byte(a.body))
						return
					}
					_, _ = w.Write([]byte(list(1, 3)))
				})
				cfg := Config{URL: url, Paging: paging, PageSize: 5, Retries: -1}
				_, err := collect(t.Context(), client(t, cfg), "")
				if padron.ErrorCode(err) != padron.CodeUnavailable || !strings.Contains(err.Error(), a.want) || strings.Contains(err.Error(), "canary") {
					t.Errorf("error %v", err)
				}
				cfg.Retries, cfg.OnRetry = 1, func(r string) { bad, reasons = false, append(reasons, r) }
				got, err := collect(t.Context(), client(t, cfg), "")
				if err != nil || !slices.Equal(reasons, []string{a.reason}) {
					t.Errorf("second try: %v after %q", err, reasons)
				}
				wantIDs(t, got.ids, ids(1, 3))
			})
		}
	}
}

func TestRecordsWithFaults(t *testing.T) {
	url := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(`[{"id":"1"},{"id":"2",,},"3",{"id":"4","x":"` + strings.Repeat("y", 200) + `"},{"id":"5"}]`))
	})
	for page, err := range client(t, Config{URL: url, MaxRecord: 100}).Pages(t.Context(), "") {
		if err != nil {
			t.Fatal(err)
		}
		var got []padron.Reason
		for i := range page.Records {
			got = append(got, page.Records[i].Fault)
		}
		if d := cmp.Diff([]padron.Reason{"", padron.ReasonMalformed, padron.ReasonNotObject, padron.ReasonTooLarge, ""}, got); d != "" {
			t.Errorf("(-want +got):\n%s", d)
		}
	}
}

// TestRate: twelve requests at a hundred a second take 110 ms at least.
func TestRate(t *testing.T) {
	provider := &source{style: ByPage, total: 10}
	started := time.Now()
	if _, err := collect(t.Context(), client(t, Config{URL: provider.start(t), Paging: ByPage, PageSize: 1, Rate: 100}), ""); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(started); len(provider.requests.made()) != 12 || took < 110*time.Millisecond {
		t.Errorf("%d requests took %v", len(provider.requests.made()), took)
	}
}
