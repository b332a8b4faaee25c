package synchronizer

import (
	"testing"
	"time"

	"padron"
)

func TestBatchSizeFollowsTheWritingTime(t *testing.T) {
	const ms = time.Millisecond
	for _, tc := range []struct {
		what string
		size int
		rows int
		took time.Duration
		want int
	}{
		{"as fast as it should be", 4000, 4000, writeTime, 4000},
		{"a little slow", 4000, 4000, 400 * ms, 2500},
		{"very slow: by half at a time", 4000, 4000, 10 * time.Second, 2000},
		{"never less than the least", 600, 600, time.Hour, leastBatch},
		{"a little fast", 2000, 2000, 200 * ms, 2500},
		{"very fast: to the double at a time", 1000, 1000, ms, 2000},
		{"never more than the most", 3000, 3000, ms, mostBatch},
		{"a clock that stands", 1000, 1000, 0, 2000},
		{"a clock that was put back", 1000, 1000, -time.Hour, 1000},
		{"little was written, which says nothing of more", 1000, 499, ms, 1000},
		{"little was written, and slowly", 1000, 1, 400 * ms, 625},
		{"nothing was written", 1000, 0, time.Hour, 1000},
	} {
		s := newSizer(0)
		s.size = tc.size
		if s.wrote(tc.rows, tc.took); s.limit() != tc.want {
			t.Errorf("%s: %d, want %d", tc.what, s.limit(), tc.want)
		}
	}
	given := newSizer(10)
	if given.wrote(10, time.Hour); given.limit() != 10 {
		t.Errorf("a size that was given became %d", given.limit())
	}
}

// TestBatchSizeSettles: on a database of any speed, transactions come to take
// what they should, as far as the bounds allow.
func TestBatchSizeSettles(t *testing.T) {
	for rate, want := range map[int]int{100: leastBatch, 4000: 1000, 12_000: 3000, 1_000_000: mostBatch} {
		s := newSizer(0)
		for range 10 {
			s.wrote(s.limit(), time.Duration(s.limit())*time.Second/time.Duration(rate))
		}
		if s.limit() != want {
			t.Errorf("at %d rows a second: %d, want %d", rate, s.limit(), want)
		}
	}
}

// TestBatchesAreBoundInBytes: large records make small batches, and one that is
// too large for any still goes through.
func TestBatchesAreBoundInBytes(t *testing.T) {
	record := func(bytes int) (r padron.Record) {
		r.Values[padron.FieldAddress].Text = padron.Sensitive(make([]byte, bytes))
		return r
	}
	large, small := record(batchBytes/4), record(1)
	g := &gatherer{limit: 10, batch: &batch{}}
	if n, _ := g.fitting([]padron.Record{large, large, large, large, large}); n != 4 {
		t.Errorf("%d records of a quarter of the most fit", n)
	}
	if n, _ := g.fitting([]padron.Record{record(batchBytes + 1), small}); n != 1 {
		t.Errorf("of a record that is too large and a small one, %d fit", n)
	}
	for range 9 {
		g.batch.items = append(g.batch.items, item{record: &small})
	}
	if n, _ := g.fitting([]padron.Record{small, small}); n != 1 {
		t.Errorf("%d records fit where there is room for one", n)
	}
}
