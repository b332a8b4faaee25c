package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"padron"
)

// TestLatestRuns: the filter looks as far back as it must, and no further.
func TestLatestRuns(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	var all []padron.Run // newest first, one an hour; every tenth failed
	for i := range 100 {
		run := padron.Run{ID: fmt.Sprint(i), Outcome: padron.OutcomeCompleted, StartedAt: now.Add(-time.Duration(i) * time.Hour)}
		if i%10 == 9 {
			run.Outcome = padron.OutcomeFailed
		}
		all = append(all, run)
	}
	asked := 0
	history := func(_ context.Context, limit int) ([]padron.Run, error) {
		asked = limit
		return slices.Clone(all[:min(limit, len(all))]), nil
	}
	failed := runFilter{outcome: padron.OutcomeFailed}
	tests := []struct {
		name   string
		limit  int
		filter runFilter
		want   string
		asked  int
	}{
		{"all", 3, runFilter{}, "0 1 2", 3},
		{"failed", 2, failed, "9 19", 32},
		{"failed, more than there are", 20, failed, "9 19 29 39 49 59 69 79 89 99", 320},
		{"since", 5, runFilter{since: now.Add(-2 * time.Hour)}, "0 1 2", 5},
		{"failed since", 5, runFilter{outcome: padron.OutcomeFailed, since: now.Add(-12 * time.Hour)}, "9", 20},
		{"none", 5, runFilter{since: now.Add(time.Hour)}, "", 5},
	}
	for _, tt := range tests {
		got, err := latestRuns(t.Context(), history, tt.limit, tt.filter)
		var ids []string
		for i := range got {
			ids = append(ids, got[i].ID)
		}
		if text := strings.Join(ids, " "); err != nil || text != tt.want || asked != tt.asked {
			t.Errorf("%s: %q, asked for %d, %v; want %q, %d", tt.name, text, asked, err, tt.want, tt.asked)
		}
	}
	gone := errors.New("gone")
	broken := func(context.Context, int) ([]padron.Run, error) { return nil, gone }
	if _, err := latestRuns(t.Context(), broken, 1, runFilter{}); !errors.Is(err, gone) {
		t.Error(err)
	}
}

func TestParseSince(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for text, want := range map[string]time.Time{
		"": {}, "2d": now.Add(-48 * time.Hour), "90m": now.Add(-90 * time.Minute),
		"2025-12-31": time.Date(2025, 12, 31, 0, 0, 0, 0, time.UTC), "2025-12-31T23:00:00-03:00": time.Date(2026, 1, 1, 2, 0, 0, 0, time.UTC),
	} {
		if got, err := parseSince(text, now); err != nil || !got.Equal(want) {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
	for _, text := range []string{"soon", "-1h", "31.12.2025"} {
		if _, err := parseSince(text, now); padron.ErrorCode(err) != padron.CodeInvalid {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// TestNarrowRuns: where the table does not fit a run has two lines, and one under
// way has taken no time yet.
func TestNarrowRuns(t *testing.T) {
	var b strings.Builder
	run := padron.Run{ID: "20260102T030405.678Z-ABCDEFGH", Outcome: padron.OutcomeRunning, Read: 3, Inserted: 1, Updated: 1, Quarantined: 1}
	if err := narrowRuns(&b, []padron.Run{run}); err != nil {
		t.Fatal(err)
	}
	const want = "20260102T030405.678Z-ABCDEFGH running -\n  3 read: 1 inserted, 1 updated, 0 unchanged, 0 deleted, 1 quarantined\n"
	if b.String() != want {
		t.Errorf("got %q", b.String())
	}
}

func TestEntryFacts(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	q := padron.QuarantineEntry{ID: "q_1", Reasons: []padron.Reason{"id:old"}, RunID: "r", FirstSeen: at, LastSeen: at.Add(time.Hour), Count: 2}
	got := entryFacts(&q, nil, 90*padron.Day)
	for _, want := range []string{"q_1 of nobody known: id:old\n", "padron quarantine replay q_1 moves it in", "a run removes it after 2026-04-02T04:04:05.000Z"} {
		if !strings.Contains(got, want) {
			t.Errorf("%q lacks %q", got, want)
		}
	}
}
