package providertest

import (
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"padron"
)

// Faults are what a bad day brings: each kind with a probability per request,
// 0 to 1.
type Faults struct {
	// Odds are by the names in [FaultKinds].
	Odds map[string]float64
	// Burst is how many requests in a row a server error lasts; 0 is one.
	Burst int
	// Gzip: answer compressed where the client takes it.
	Gzip bool
}

// faultKinds say what each fault does.
var faultKinds = map[string]string{
	"rate":         "429 with Retry-After",
	"5xx":          "500, 502 or 503; N in a row with 5xx=P:N",
	"reset":        "the connection breaks in the middle of the array",
	"truncate":     "the body ends in the middle, as if it were whole",
	"slow":         "a few bytes at a time",
	"stall":        "the body stops and brings no byte any more",
	"endless":      "the body never ends",
	"html":         "200 with an HTML page",
	"object":       "200 with an error object",
	"empty":        "an empty array",
	"half":         "half of the customers",
	"redirect":     "a redirect to another host",
	"unauthorized": "401",
}

// FaultKinds returns every kind of fault with what it does, for help.
func FaultKinds() map[string]string { return maps.Clone(faultKinds) }

// ParseFaults reads a list such as "rate=0.05,5xx=0.1:3,truncate=0.02,gzip".
func ParseFaults(spec string) (Faults, error) {
	f := Faults{Odds: map[string]float64{}}
	for part := range strings.SplitSeq(spec, ",") {
		part = strings.TrimSpace(part)
		name, text, _ := strings.Cut(part, "=")
		switch {
		case part == "":
			continue
		case part == "gzip":
			f.Gzip = true
			continue
		case name == "gzip":
			return Faults{}, padron.Invalid("faults", "gzip takes no value")
		case faultKinds[name] == "":
			return Faults{}, padron.Invalid("faults", "%q is not one of gzip, %s", name, strings.Join(slices.Sorted(maps.Keys(faultKinds)), ", "))
		}
		odds, burst, hasBurst := strings.Cut(text, ":")
		p, err := strconv.ParseFloat(odds, 64)
		if err != nil || !(p >= 0 && p <= 1) {
			return Faults{}, padron.Invalid("faults", "%s: %q is not a probability from 0 to 1", name, odds)
		}
		f.Odds[name] = p
		if !hasBurst {
			continue
		}
		if f.Burst, err = strconv.Atoi(burst); err != nil || name != "5xx" || f.Burst < 1 || f.Burst > 1000 {
			return Faults{}, padron.Invalid("faults", "%s: %q is not a burst of 1 to 1000; only 5xx has one", name, burst)
		}
	}
	return f, nil
}

// injector decides which request meets which fault.
type injector struct {
	faults Faults
	kinds  []string
	mu     sync.Mutex
	rng    *rand.Rand
	burst  int
	met    map[string]int
}

func newInjector(f Faults, seed uint64) *injector {
	return &injector{
		faults: f, kinds: slices.Sorted(maps.Keys(f.Odds)),
		rng: rand.New(rand.NewPCG(seed, 0xfa17)), met: map[string]int{},
	}
}

// SetFaults changes the weather: from the next request on these faults happen,
// drawn with the seed.
func (s *Server) SetFaults(f Faults, seed uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = newInjector(f, seed)
}

func (s *Server) injector() *injector {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.faults
}

// next draws the fault of one request; kind "" is none.
func (j *injector) next() fault {
	j.mu.Lock()
	defer j.mu.Unlock()
	f := fault{at: j.rng.IntN(flushSize), pick: j.rng.IntN(3)}
	if j.burst > 0 {
		j.burst--
		f.kind = "5xx"
	} else {
		for _, kind := range j.kinds {
			if j.rng.Float64() < j.faults.Odds[kind] {
				f.kind = kind
				break
			}
		}
		if f.kind == "5xx" {
			j.burst = max(0, j.faults.Burst-1)
		}
	}
	j.met[map[bool]string{true: "clean", false: f.kind}[f.kind == ""]]++
	return f
}

func (j *injector) counts() map[string]int {
	j.mu.Lock()
	defer j.mu.Unlock()
	return maps.Clone(j.met)
}

// fault is what happens to one request. at is the byte where it happens.
type fault struct {
	kind     string
	at, pick int
}

// answer answers in place of the collection, if the fault does.
func (f *fault) answer(w http.ResponseWriter, r *http.Request) bool {
	switch f.kind {
	case "rate":
		after := []string{"1", "0", time.Now().Add(time.Second).UTC().Format(http.TimeFormat)}
		w.Header().Set("Retry-After", after[f.pick])
		problem(w, http.StatusTooManyRequests, "too many requests")
	case "5xx":
		problem(w, []int{500, 502, 503}[f.pick], "something broke")
	case "html":
		w.Header().Set("Content-Type", "text/html")
		_, _ = io.WriteString(w, "<!doctype html><title>Maintenance</title>")
	case "object":
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"error":"internal","code":17}`)
	case "redirect":
		http.Redirect(w, r, "http://elsewhere.invalid"+CollectionPath, http.StatusFound)
	case "unauthorized":
		problem(w, http.StatusUnauthorized, "the key has expired")
	default:
		return false
	}
	return true
}

// body returns where the array is written to, and what to do at its end.
func (f *fault) body(w http.ResponseWriter, r *http.Request) (io.Writer, func()) {
	switch f.kind {
	case "reset":
		return &cutWriter{w: w, left: f.at}, func() { panic(http.ErrAbortHandler) }
	case "truncate":
		return &cutWriter{w: w, left: f.at}, func() {}
	case "stall":
		return &cutWriter{w: w, left: f.at}, func() {
			_ = http.NewResponseController(w).Flush()
			<-r.Context().Done()
		}
	case "endless":
		return &cutWriter{w: w, left: f.at}, func() {
			for r.Context().Err() == nil {
				if _, err := io.WriteString(w, strings.Repeat(" ", flushSize)); err != nil {
					return
				}
			}
		}
	case "slow":
		return &slowWriter{w: w, done: r.Context().Done()}, func() {}
	}
	return w, func() {}
}

// cutWriter passes on the first bytes and drops the rest. The very last byte it
// always drops, so that a short body is cut, too.
type cutWriter struct {
	w    io.Writer
	left int
	last []byte
}

func (c *cutWriter) Write(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	for _, part := range [][]byte{c.last, p[:len(p)-1]} {
		n := min(len(part), c.left)
		c.left -= n
		if n == 0 {
			continue
		}
		if _, err := c.w.Write(part[:n]); err != nil {
			return 0, err
		}
	}
	c.last = append(c.last[:0], p[len(p)-1])
	return len(p), nil
}

// slowWriter writes 4 KiB every millisecond.
type slowWriter struct {
	w    http.ResponseWriter
	done <-chan struct{}
}

func (s *slowWriter) Write(p []byte) (int, error) {
	for part := range slices.Chunk(p, 4<<10) {
		if _, err := s.w.Write(part); err != nil {
			return 0, err
		}
		if err := http.NewResponseController(s.w).Flush(); err != nil {
			return 0, err
		}
		select {
		case <-time.After(time.Millisecond):
		case <-s.done:
			return 0, fmt.Errorf("the client left")
		}
	}
	return len(p), nil
}
