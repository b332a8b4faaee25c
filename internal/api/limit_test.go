package api

import (
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"
)

func TestLimits(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	l := newLimits(2)
	for i, want := range []struct{ left, reset string }{{"1", "1"}, {"0", "1"}} {
		h := http.Header{}
		if err := l.take(h, "a", now); err != nil {
			t.Fatalf("request %d: %v", i, err)
		}
		if got := h.Get("RateLimit"); got != `"default";r=`+want.left+`;t=`+want.reset {
			t.Errorf("request %d: RateLimit %s", i, got)
		}
		if got := h.Get("RateLimit-Policy"); got != `"default";q=2;w=1` {
			t.Errorf("RateLimit-Policy %s", got)
		}
	}
	var r *refusal
	if err := l.take(http.Header{}, "a", now); !errors.As(err, &r) || r.status != http.StatusTooManyRequests || r.value != "1" {
		t.Errorf("third request of a burst: %v", err)
	}
	if err := l.take(http.Header{}, "b", now); err != nil {
		t.Errorf("another principal pays: %v", err)
	}
	if err := l.take(http.Header{}, "a", now.Add(500*time.Millisecond)); err != nil {
		t.Errorf("after half a second: %v", err)
	}
}

func TestLimitsBelowOne(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	l := newLimits(0.1)
	if err := l.take(http.Header{}, "a", now); err != nil {
		t.Fatal(err)
	}
	h := http.Header{}
	var r *refusal
	if err := l.take(h, "a", now); !errors.As(err, &r) || r.value != "10" {
		t.Errorf("got %v, want to wait for 10 seconds", r)
	}
	if h.Get("RateLimit-Policy") != `"default";q=1;w=10` || h.Get("RateLimit") != `"default";r=0;t=10` {
		t.Errorf("headers %v", h)
	}
}

func TestLimitsOff(t *testing.T) {
	l, h := newLimits(0), http.Header{}
	for range 1000 {
		if err := l.take(h, "a", time.Unix(0, 0)); err != nil {
			t.Fatal(err)
		}
	}
	if len(h) > 0 || l.recent.Len() > 0 {
		t.Errorf("headers %v, %d buckets", h, l.recent.Len())
	}
}

func TestLimitsForgetTheOldest(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	l := newLimits(1)
	l.capacity = 10
	take := func(i int) error { return l.take(http.Header{}, fmt.Sprint("principal-", i), now) }
	for i := range 15 {
		if err := take(i); err != nil {
			t.Fatal(err)
		}
	}
	if len(l.buckets) != 10 || l.recent.Len() != 10 {
		t.Errorf("%d buckets, %d in order; want 10", len(l.buckets), l.recent.Len())
	}
	if take(14) == nil {
		t.Error("the latest principal was forgotten")
	}
	if take(0) != nil {
		t.Error("the oldest principal was kept")
	}
}
