package providertest

import (
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"padron"
	"padron/internal/provider"
)

func TestParseFaults(t *testing.T) {
	tests := []struct {
		spec string
		want Faults
	}{
		{"", Faults{Odds: map[string]float64{}}},
		{" , ", Faults{Odds: map[string]float64{}}},
		{"gzip", Faults{Odds: map[string]float64{}, Gzip: true}},
		{"rate=0.05", Faults{Odds: map[string]float64{"rate": .05}}},
		{"rate=0,half=1", Faults{Odds: map[string]float64{"rate": 0, "half": 1}}},
		{"5xx=.1:3, truncate=2e-2 ,gzip", Faults{Odds: map[string]float64{"5xx": .1, "truncate": .02}, Burst: 3, Gzip: true}},
		{"5xx=1:1000", Faults{Odds: map[string]float64{"5xx": 1}, Burst: 1000}},
	}
	for _, tt := range tests {
		got, err := ParseFaults(tt.spec)
		if diff := cmp.Diff(tt.want, got); diff != "" || err != nil {
			t.Errorf("%q: %v (-want +got):\n%s", tt.spec, err, diff)
		}
	}
	for kind := range FaultKinds() {
		if got, err := ParseFaults(kind + "=0.5"); err != nil || got.Odds[kind] != .5 {
			t.Errorf("%s: %v %v", kind, got, err)
		}
	}
}

func TestParseFaultsRefuses(t *testing.T) {
	for spec, want := range map[string]string{
		"slwo=0.1":        `"slwo" is not one of gzip, 5xx, empty, endless,`,
		"Rate=0.1":        `"Rate" is not one of`,
		"rate":            `rate: "" is not a probability`,
		"rate=":           `rate: "" is not a probability`,
		"rate=often":      `rate: "often" is not a probability from 0 to 1`,
		"rate=1.01":       `"1.01" is not a probability`,
		"rate=-0.01":      `"-0.01" is not a probability`,
		"rate=NaN":        `"NaN" is not a probability`,
		"rate=Inf":        `"Inf" is not a probability`,
		"rate=0.1:3":      `rate: "3" is not a burst of 1 to 1000; only 5xx has one`,
		"5xx=0.1:0":       `5xx: "0" is not a burst`,
		"5xx=0.1:1001":    `5xx: "1001" is not a burst`,
		"5xx=0.1:":        `5xx: "" is not a burst`,
		"5xx=0.1:x":       `5xx: "x" is not a burst`,
		"gzip=1":          "gzip takes no value",
		"rate=0.1;half=1": "is not a probability",
		"half=1,nope=1":   `"nope" is not one of`,
	} {
		f, err := ParseFaults(spec)
		if err == nil || !strings.Contains(err.Error(), want) || padron.ErrorCode(err) != padron.CodeInvalid {
			t.Errorf("%q: got %v, want %q", spec, err, want)
		}
		if f.Odds != nil || f.Gzip || f.Burst != 0 {
			t.Errorf("%q: faults %+v came with the error", spec, f)
		}
	}
}

// answer is what a client sees of one request.
type answer struct {
	status int
	header http.Header
	body   []byte
	err    error // of reading the body
	took   time.Duration
}

// ask asks over HTTP; the body is read up to max bytes, and for as long as
// patience, once it has begun to come.
func ask(t *testing.T, address string, limit int64, patience time.Duration) answer {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	client := &http.Client{
		Transport:     &http.Transport{DisableCompression: true, DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	resp, err := client.Do(req)
	if err != nil {
		return answer{err: err} // broken before the head
	}
	defer resp.Body.Close()
	defer time.AfterFunc(patience, cancel).Stop()
	a := answer{status: resp.StatusCode, header: resp.Header}
	a.body, a.err = io.ReadAll(io.LimitReader(resp.Body, limit))
	a.took = time.Since(start)
	return a
}

// observed says of each fault how a client tells it from a clean answer.
var observed = map[string]func(a answer) bool{
	"rate": func(a answer) bool {
		after := a.header.Get("Retry-After")
		_, notNumber := strconv.Atoi(after)
		_, notDate := http.ParseTime(after)
		return a.status == 429 && (notNumber == nil || notDate == nil)
	},
	"5xx":      func(a answer) bool { return slices.Contains([]int{500, 502, 503}, a.status) },
	"reset":    func(a answer) bool { return a.err != nil && !json.Valid(a.body) },
	"truncate": func(a answer) bool { return a.status == 200 && a.err == nil && !json.Valid(a.body) },
	"slow": func(a answer) bool {
		return json.Valid(a.body) && a.took >= time.Duration(len(a.body)/(4<<10))*time.Millisecond
	},
	"stall":   func(a answer) bool { return errors.Is(a.err, context.Canceled) && !json.Valid(a.body) },
	"endless": func(a answer) bool { return a.err == nil && len(a.body) == askLimit },
	"html": func(a answer) bool {
		return a.status == 200 && a.header.Get("Content-Type") == "text/html" && strings.HasPrefix(string(a.body), "<!doctype html>")
	},
	"object": func(a answer) bool {
		return a.status == 200 && strings.HasPrefix(string(a.body), `{"error"`) && json.Valid(a.body)
	},
	"empty":    func(a answer) bool { return a.status == 200 && string(a.body) == "[]" },
	"half":     func(a answer) bool { return a.status == 200 && count(a.body) == faultyCustomers/2 },
	"redirect": func(a answer) bool { return a.status == 302 && foreignHost(a.header.Get("Location")) },
	"unauthorized": func(a answer) bool {
		return a.status == 401
	},
}

const (
	faultyCustomers = 20 // less than flushSize
	askLimit        = 1 << 20
)

func count(body []byte) int {
	var all []json.RawMessage
	if json.Unmarshal(body, &all) != nil {
		return -1
	}
	return len(all)
}

func foreignHost(location string) bool {
	u, err := url.Parse(location)
	return err == nil && u.Host != "" && u.Hostname() != "127.0.0.1"
}

// TestFaults: each fault is there for a client to see, every time, and in a
// short answer, too; a clean answer shows none of them.
func TestFaults(t *testing.T) {
	if diff := cmp.Diff(slices.Sorted(maps.Keys(FaultKinds())), slices.Sorted(maps.Keys(observed))); diff != "" {
		t.Fatalf("the kinds there are and those tested:\n%s", diff)
	}
	for kind, sees := range observed {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			s := open(t, Options{Customers: faultyCustomers, Seed: 1, Faults: Faults{Odds: map[string]float64{kind: 1}}})
			srv := httptest.NewServer(s)
			defer srv.Close()
			const times = 8
			for range times {
				a := ask(t, srv.URL+CollectionPath, askLimit, map[bool]time.Duration{true: 50 * time.Millisecond, false: time.Minute}[kind == "stall"])
				if !sees(a) {
					t.Errorf("not to be seen in status %d %v %v\n%.300s", a.status, a.header, a.err, a.body)
				}
			}
			if met := s.faults.counts(); met[kind] != times || len(met) != 1 {
				t.Errorf("counted %v", met)
			}
		})
	}
}

func TestCleanAnswerShowsNoFault(t *testing.T) {
	s := open(t, Options{Customers: faultyCustomers, Seed: 1})
	srv := httptest.NewServer(s)
	defer srv.Close()
	a := ask(t, srv.URL+CollectionPath, askLimit, time.Minute)
	for kind, sees := range observed {
		if kind != "slow" && sees(a) { // a busy machine is slow, too
			t.Errorf("%s is seen in a clean answer", kind)
		}
	}
	if count(a.body) != faultyCustomers || s.faults.counts()["clean"] != 1 {
		t.Errorf("%d people, counted %v", count(a.body), s.faults.counts())
	}
}

// parts counts what is written and flushed at a time.
type parts struct {
	*httptest.ResponseRecorder
	sizes   []int
	flushes int
}

func (p *parts) Write(b []byte) (int, error) {
	p.sizes = append(p.sizes, len(b))
	return p.ResponseRecorder.Write(b)
}

func (p *parts) Flush() { p.flushes++ }

// TestSlow: a few bytes at a time, each time sent, until the client leaves.
func TestSlow(t *testing.T) {
	w := &parts{ResponseRecorder: httptest.NewRecorder()}
	slow := &slowWriter{w: w}
	if n, err := slow.Write(make([]byte, 10_000)); n != 10_000 || err != nil {
		t.Fatal(n, err)
	}
	if !slices.Equal(w.sizes, []int{4096, 4096, 1808}) || w.flushes != 3 {
		t.Errorf("wrote %v with %d flushes", w.sizes, w.flushes)
	}
	left := make(chan struct{})
	close(left)
	if _, err := (&slowWriter{w: w, done: left}).Write(make([]byte, 10<<20)); err == nil {
		t.Error("it goes on without a client")
	}
}

// TestCut: a body is cut at the byte, or else before its last one.
func TestCut(t *testing.T) {
	const text = "0123456789"
	for at := range 15 {
		for size := 1; size <= len(text); size++ {
			var got strings.Builder
			c := &cutWriter{w: &got, left: at}
			for part := range slices.Chunk([]byte(text), size) {
				if n, err := c.Write(part); n != len(part) || err != nil {
					t.Fatalf("%d of %d bytes: %v", n, len(part), err)
				}
			}
			if want := text[:min(at, len(text)-1)]; got.String() != want {
				t.Errorf("cut at %d, %d bytes at a time: %q, want %q", at, size, got.String(), want)
			}
		}
	}
}

// TestRetryAfter: seconds and dates, as providers have both.
func TestRetryAfter(t *testing.T) {
	s := open(t, Options{Faults: Faults{Odds: map[string]float64{"rate": 1}}})
	forms := map[string]bool{}
	for range 50 {
		after := get(s, CollectionPath).Header().Get("Retry-After")
		if _, err := http.ParseTime(after); err == nil {
			after = "date"
		}
		forms[after] = true
	}
	if diff := cmp.Diff(map[string]bool{"0": true, "1": true, "date": true}, forms); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestBurst: a server error lasts as many requests as asked for.
func TestBurst(t *testing.T) {
	for _, burst := range []int{0, 1, 3, 10} {
		s := open(t, Options{Seed: 3, Faults: Faults{Odds: map[string]float64{"5xx": .02}, Burst: burst}})
		shortest, run, total := 1000, 0, 0
		for range 3000 {
			if get(s, CollectionPath).Code >= 500 {
				run++
				total++
				continue
			}
			if run > 0 {
				shortest = min(shortest, run)
			}
			run = 0
		}
		if shortest != max(1, burst) || total == 0 {
			t.Errorf("burst %d: the shortest of %d errors lasts %d", burst, total, shortest)
		}
	}
}

// TestOdds: a fault comes about as often as asked for, the same each time.
func TestOdds(t *testing.T) {
	meet := func() map[string]int {
		s := open(t, Options{Seed: 5, Faults: Faults{Odds: map[string]float64{"html": .1, "empty": 0}}})
		for range 2000 {
			get(s, CollectionPath)
		}
		return s.faults.counts()
	}
	met := meet()
	if n := met["html"]; n < 150 || n > 250 || met["empty"] != 0 || n+met["clean"] != 2000 {
		t.Errorf("met %v", met)
	}
	if diff := cmp.Diff(met, meet()); diff != "" {
		t.Errorf("another time it met others:\n%s", diff)
	}
}

// TestGzip: compressed for who takes it, and for nobody else.
func TestGzip(t *testing.T) {
	s := open(t, Options{Customers: 300, Seed: 1, Faults: Faults{Gzip: true}})
	want := get(s, CollectionPath)
	if want.Header().Get("Content-Encoding") != "" || count(want.Body.Bytes()) != 300 {
		t.Fatalf("without Accept-Encoding: %v", want.Header())
	}
	r := httptest.NewRequest(http.MethodGet, CollectionPath, nil)
	r.Header.Set("Accept-Encoding", "br, gzip")
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	zip, err := gzip.NewReader(w.Body)
	if err != nil || w.Header().Get("Content-Encoding") != "gzip" {
		t.Fatalf("%v %v", err, w.Header())
	}
	if body, err := io.ReadAll(zip); err != nil || string(body) != want.Body.String() {
		t.Errorf("%d bytes of %d: %v", len(body), want.Body.Len(), err)
	}
}

// TestBadDay: through everything that may pass, the client reads each person
// once.
func TestBadDay(t *testing.T) {
	faults, err := ParseFaults("5xx=0.1:2,reset=0.1,truncate=0.1,slow=0.1,html=0.1,object=0.1,gzip")
	if err != nil {
		t.Fatal(err)
	}
	o := Options{Customers: 1000, Seed: 8, Dirty: -1}
	want := readAll(t, open(t, o), provider.Config{Paging: provider.ByPage, PageSize: 50})
	for _, paging := range []provider.Paging{provider.None, provider.ByPage, provider.ByLink} {
		o.Faults, o.Paging = faults, map[provider.Paging]string{provider.ByLink: "link"}[paging]
		s := open(t, o)
		got := readAll(t, s, provider.Config{Paging: paging, PageSize: 50, Retries: 100})
		if !sameRecords(want, got) {
			t.Errorf("%s: %d records of %d, or others", paging, len(got), len(want))
		}
		if paging != provider.None && len(s.faults.counts()) < 4 {
			t.Errorf("%s: met only %v", paging, s.faults.counts())
		}
	}
}
