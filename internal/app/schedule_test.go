package app

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

// TestEvery: the first run is at once, others a period after the last began, give
// or take a tenth; a long run is followed at once, and none overlaps another.
func TestEvery(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		begun := time.Now()
		var gaps []time.Duration
		took := []time.Duration{time.Minute, 0, 25 * time.Minute, 14 * time.Minute, time.Second}
		running := false
		every(ctx, 10*time.Minute, func() {
			if running {
				t.Error("two at a time")
			}
			running = true
			gaps = append(gaps, time.Since(begun))
			begun = time.Now()
			time.Sleep(took[len(gaps)-1])
			running = false
			if len(gaps) == len(took) {
				cancel()
			}
		})
		if len(gaps) != len(took) || gaps[0] != 0 {
			t.Fatalf("gaps %v", gaps)
		}
		for i, gap := range gaps[1:] {
			least, most := 9*time.Minute, 11*time.Minute
			if took[i] > most {
				least, most = took[i], took[i]
			}
			if gap < least || gap > most {
				t.Errorf("run %d came after %v, want %v to %v", i+2, gap, least, most)
			}
		}
		if since := time.Since(begun); since != time.Second {
			t.Errorf("a stop took %v", since)
		}
	})
}

// TestJitter: two services that start together do not stay together.
func TestJitter(t *testing.T) {
	seen := map[time.Duration]bool{}
	for range 100 {
		d := jittered(time.Hour)
		if d < 54*time.Minute || d > 66*time.Minute {
			t.Fatalf("%v", d)
		}
		seen[d] = true
	}
	if len(seen) < 50 {
		t.Errorf("%d different waits of 100", len(seen))
	}
}
