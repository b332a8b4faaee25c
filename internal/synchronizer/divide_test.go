package synchronizer_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"padron"
	"padron/internal/provider"
	"padron/internal/store"
	"padron/internal/synchronizer"
)

// onBoth runs a test on each engine.
func onBoth(t *testing.T, test func(t *testing.T, r *register)) {
	t.Run("SQLite", func(t *testing.T) { test(t, newRegister(t)) })
	t.Run("MySQL", func(t *testing.T) { test(t, newMySQLRegister(t)) })
}

func divisible(cfg synchronizer.Config) synchronizer.Divisible {
	return cfg.Provider.(*provider.Client)
}

func (r *register) divide(cfg synchronizer.Config, parts int) *padron.Plan {
	r.t.Helper()
	plan, err := synchronizer.Divide(r.t.Context(), cfg, divisible(cfg), synchronizer.Division{Parts: parts})
	if err != nil {
		r.t.Fatal(err)
	}
	return plan
}

func (r *register) part(cfg synchronizer.Config, part, of int) padron.Run {
	r.t.Helper()
	run, err := synchronizer.RunPart(r.t.Context(), cfg, divisible(cfg), padron.PartRef{Part: part, Of: of})
	if err != nil {
		r.t.Fatalf("partition %d/%d: %v", part, of, err)
	}
	return run
}

// finish ends the divided run and checks that its counts add up.
func (r *register) finish(cfg synchronizer.Config) (padron.Run, error) {
	r.t.Helper()
	run, err := synchronizer.Finish(r.t.Context(), cfg)
	if sum := run.Inserted + run.Updated + run.Unchanged + run.Quarantined + run.Duplicates; run.Read != sum {
		r.t.Errorf("read %d, but the parts add up to %d: %+v", run.Read, sum, run)
	}
	return run, err
}

func (r *register) mustFinish(cfg synchronizer.Config) padron.Run {
	r.t.Helper()
	run, err := r.finish(cfg)
	if err != nil {
		r.t.Fatal(err)
	}
	return run
}

// divided does a divided run whose partitions run one after the other.
func (r *register) divided(cfg synchronizer.Config, parts int) padron.Run {
	r.t.Helper()
	r.divide(cfg, parts)
	for i := range parts {
		r.part(cfg, i+1, parts)
	}
	return r.mustFinish(cfg)
}

func TestDividedRun(t *testing.T) {
	onBoth(t, func(t *testing.T, r *register) {
		p := newPeople(95)
		want(t, r.divided(r.config(p), 4), counts{Read: 95, Inserted: 95})
		p.edit(func(rs []map[string]any) []map[string]any {
			rs[50] = person(51)
			rs[50]["user_name"] = "Otra"
			return rs[1:]
		})
		run := r.divided(r.config(p), 3)
		want(t, run, counts{Read: 94, Updated: 1, Unchanged: 93, Deleted: 1})
		stored, err := r.store.Run(t.Context(), run.ID)
		if err != nil || stored.Outcome != padron.OutcomeCompleted || stored.Deleted != 1 {
			t.Errorf("history says %+v (%v)", stored, err)
		}
		want(t, r.mustSync(r.config(p)), counts{Read: 94, Unchanged: 94})
	})
}

// TestEndsAreLoggedAlike: what counts the lines of one kind of run counts those
// of the other.
func TestEndsAreLoggedAlike(t *testing.T) {
	r, p := newRegister(t), newPeople(20)
	var log bytes.Buffer
	cfg := r.config(p)
	cfg.Logger = slog.New(slog.NewJSONHandler(&log, nil))
	r.mustSync(cfg)
	r.divided(cfg, 2)
	var ends []map[string]any
	for line := range strings.Lines(log.String()) {
		var entry map[string]any
		if err := json.Unmarshal([]byte(line), &entry); err != nil {
			t.Fatal(err)
		}
		if entry["msg"] == "run ended" {
			ends = append(ends, entry)
		}
	}
	if len(ends) != 2 {
		t.Fatalf("two runs ended, and %d lines say so:\n%s", len(ends), log.String())
	}
	fields := func(entry map[string]any) []string { return slices.Sorted(maps.Keys(entry)) }
	if diff := cmp.Diff(fields(ends[0]), fields(ends[1])); diff != "" {
		t.Errorf("fields (-whole +divided)\n%s", diff)
	}
	if ends[1]["outcome"] != "completed" || ends[1]["read"] != 20.0 {
		t.Errorf("the divided run's line is %v", ends[1])
	}
}

// TestPagesArePlanned: every page is in one partition, and the last one is open.
func TestPagesArePlanned(t *testing.T) {
	for pages, wants := range map[int]string{
		0: "1-1 1-1 1-0", 1: "1-1 1-1 1-0", 2: "1-1 1-2 2-0", 3: "1-2 2-3 3-0", 7: "1-3 3-5 5-0", 64: "1-22 22-43 43-0",
	} {
		r, p := newRegister(t), newPeople(10*pages)
		plan := r.divide(r.config(p), 3)
		got := ""
		for _, part := range plan.Parts {
			got += fmt.Sprintf("%d-%d ", part.First, part.End)
		}
		if strings.TrimSpace(got) != wants {
			t.Errorf("%d pages: %s, want %s", pages, got, wants)
		}
	}
}

// TestListThatGrowsOrShrinks between plan and reading is read to its end.
func TestListThatGrowsOrShrinks(t *testing.T) {
	for _, after := range []int{55, 62, 130} {
		r, p := newRegister(t), newPeople(60)
		cfg := r.config(p)
		r.mustSync(cfg)
		r.divide(cfg, 6)
		p.edit(func([]map[string]any) []map[string]any { return newPeople(after).records })
		for i := range 6 {
			r.part(cfg, i+1, 6)
		}
		cfg.MaxDelete = 0.5
		if run := r.mustFinish(cfg); run.Read != int64(after) || len(r.names()) != after {
			t.Errorf("read %d and %d are live, want %d", run.Read, len(r.names()), after)
		}
	}
}

// TestUndividedProvider: where pages have no numbers, one partition reads all.
func TestUndividedProvider(t *testing.T) {
	r, p := newRegister(t), newPeople(30)
	cfg := r.config(p)
	client, err := provider.New(provider.Config{URL: r.servers[p].URL, Paging: provider.None})
	if err != nil {
		t.Fatal(err)
	}
	cfg.Provider = client
	plan := r.divide(cfg, 3)
	if first := plan.Parts[0]; first.First != 0 || first.End != 0 || !plan.Parts[1].Done || !plan.Parts[2].Done {
		t.Fatalf("plan %+v", plan.Parts)
	}
	if run := r.part(cfg, 2, 3); run.Read != 0 {
		t.Errorf("a partition without pages read %d", run.Read)
	}
	want(t, r.part(cfg, 1, 3), counts{Read: 30, Inserted: 30})
	want(t, r.mustFinish(cfg), counts{Read: 30, Inserted: 30})
}

// TestFinishWantsEveryPartition and deletes nobody before.
func TestFinishWantsEveryPartition(t *testing.T) {
	r, p := newRegister(t), newPeople(60)
	cfg := r.config(p)
	r.mustSync(cfg)
	p.edit(func(rs []map[string]any) []map[string]any { return rs[2:] })
	r.divide(cfg, 3)
	r.part(cfg, 2, 3)
	if _, err := r.finish(cfg); err == nil || !strings.Contains(err.Error(), "1/3, 3/3") {
		t.Errorf("finish without two partitions: %v", err)
	}
	r.part(cfg, 1, 3)
	r.part(cfg, 3, 3)
	if n := len(r.names()); n != 60 {
		t.Errorf("%d customers before the end, want 60", n)
	}
	want(t, r.mustFinish(cfg), counts{Read: 58, Unchanged: 58, Deleted: 2})
	ref := padron.PartRef{Part: 1, Of: 3}
	if _, err := synchronizer.RunPart(t.Context(), cfg, divisible(cfg), ref); err == nil || !strings.Contains(err.Error(), "no divided run") {
		t.Errorf("a partition after the end: %v", err)
	}
	if _, err := r.finish(cfg); err == nil || !strings.Contains(err.Error(), "no divided run") {
		t.Errorf("a second end: %v", err)
	}
}

// TestDividedMassDeletionIsRefused by the sums, and ends the run.
func TestDividedMassDeletionIsRefused(t *testing.T) {
	r, p := newRegister(t), newPeople(60)
	cfg := r.config(p)
	r.mustSync(cfg)
	p.edit(func(rs []map[string]any) []map[string]any { return rs[7:] })
	r.divide(cfg, 2)
	r.part(cfg, 1, 2)
	r.part(cfg, 2, 2)
	run, err := r.finish(cfg)
	if run.Outcome != padron.OutcomeRefused || err == nil || run.Deleted != 0 || len(r.names()) != 60 {
		t.Errorf("7 of 60 gone: %s (%v), deleted %d, %d left", run.Outcome, err, run.Deleted, len(r.names()))
	}
	cfg.Force = "they have really left us"
	want(t, r.divided(cfg, 2), counts{Read: 53, Unchanged: 53, Deleted: 7})
}

// TestShiftBetweenPartitions: customers move from one partition's pages to those
// of another while both are read. Those met twice count once, and those met by
// none are found again.
func TestShiftBetweenPartitions(t *testing.T) {
	onBoth(t, func(t *testing.T, r *register) {
		p := newPeople(60)
		cfg := r.config(p)
		r.mustSync(cfg)
		r.divide(cfg, 2)
		r.part(cfg, 1, 2)
		p.edit(func(rs []map[string]any) []map[string]any {
			return append([]map[string]any{person(61), person(62)}, rs...)
		})
		r.part(cfg, 2, 2) // meets 29 and 30 again
		run := r.mustFinish(cfg)
		want(t, run, counts{Read: 62, Unchanged: 60, Duplicates: 2})
		r.divide(cfg, 2)
		r.part(cfg, 1, 2)
		p.edit(func(rs []map[string]any) []map[string]any { return rs[2:] })
		r.part(cfg, 2, 2) // 29 and 30 are on the first partition's pages by now
		want(t, r.mustFinish(cfg), counts{Read: 60, Inserted: 2, Unchanged: 58})
		want(t, r.mustSync(cfg), counts{Read: 60, Unchanged: 60, Deleted: 2}) // those who went while they were read
	})
}

// crossed is a store in which somebody else writes just before partition 2 does.
type crossed struct {
	store.Engine
	once  sync.Once
	first func()
}

func (c *crossed) Apply(ctx context.Context, lease padron.Lease, b *padron.Batch) error {
	if lease.Part == 2 {
		c.once.Do(c.first)
	}
	return c.Engine.Apply(ctx, lease, b)
}

// TestSameNewCustomerAtOnce: two partitions take the same people for new ones, and
// the second to write learns that they are there.
func TestSameNewCustomerAtOnce(t *testing.T) {
	onBoth(t, func(t *testing.T, r *register) {
		p := newPeople(40)
		p.edit(func(rs []map[string]any) []map[string]any {
			rs[25], rs[26] = person(5), person(6) // on both partitions' pages
			return rs
		})
		cfg := r.config(p)
		r.divide(cfg, 2)
		second := cfg
		second.BatchSize = 100
		second.Store = &crossed{Engine: r.store, first: func() { r.part(cfg, 1, 2) }}
		want(t, r.part(second, 2, 2), counts{Read: 20, Inserted: 18, Duplicates: 2})
		want(t, r.mustFinish(cfg), counts{Read: 40, Inserted: 38, Duplicates: 2})
		want(t, r.mustSync(cfg), counts{Read: 40, Unchanged: 38, Duplicates: 2})
	})
}

// TestPartitionIsResumed where it was stopped, with what it had counted and seen.
func TestPartitionIsResumed(t *testing.T) {
	onBoth(t, func(t *testing.T, r *register) {
		p := newPeople(100)
		cfg := r.config(p)
		r.divide(cfg, 2)
		ctx, stop := context.WithCancelCause(t.Context())
		stopped := cfg
		stopped.OnProgress = func(pr synchronizer.Progress) {
			if pr.Read >= 20 {
				stop(errKilled)
			}
		}
		ref := padron.PartRef{Part: 2, Of: 2}
		if run, err := synchronizer.RunPart(ctx, stopped, divisible(cfg), ref); err == nil || run.Read >= 50 {
			t.Fatalf("not stopped: %+v, %v", run, err)
		}
		run := r.part(cfg, 2, 2)
		want(t, run, counts{Read: 50, Inserted: 50})
		if run.ResumedFrom == "" {
			t.Error("it began anew")
		}
		r.part(cfg, 1, 2)
		want(t, r.mustFinish(cfg), counts{Read: 100, Inserted: 100})
	})
}

// TestDividedRunIsSkippedFor while it is alive, and given up when it is too old.
func TestDividedRunIsSkippedFor(t *testing.T) {
	onBoth(t, func(t *testing.T, r *register) {
		p := newPeople(40)
		cfg := r.config(p)
		plan := r.divide(cfg, 2)
		r.part(cfg, 1, 2)
		if run := r.mustSync(cfg); run.Outcome != padron.OutcomeSkipped {
			t.Fatalf("a run while a divided one is open: %s", run.Outcome)
		}
		if _, err := synchronizer.Divide(t.Context(), cfg, divisible(cfg), synchronizer.Division{Parts: 2}); !errors.Is(err, padron.ErrLeaseHeld) {
			t.Fatalf("a second plan: %v", err)
		}
		old := cfg
		old.DivisionTTL = time.Nanosecond
		r.part(old, 2, 2) // the last sign of life is too long ago
		want(t, r.mustSync(cfg), counts{Read: 40, Unchanged: 40})
		if _, err := r.finish(cfg); err == nil {
			t.Error("a divided run that was given up was finished")
		}
		if given, err := r.store.Run(t.Context(), plan.RunID); err != nil || given.Outcome != padron.OutcomeFailed {
			t.Errorf("the history says %s (%v), want failed", given.Outcome, err)
		}
	})
}

// TestReplacedPlanStopsPartitions in the middle of their work.
func TestReplacedPlanStopsPartitions(t *testing.T) {
	onBoth(t, func(t *testing.T, r *register) {
		p := newPeople(60)
		cfg := r.config(p)
		r.divide(cfg, 2)
		replaced := cfg
		replaced.Store = &crossed{Engine: r.store, first: func() {
			if _, err := synchronizer.Divide(t.Context(), cfg, divisible(cfg), synchronizer.Division{Parts: 3, Replace: true}); err != nil {
				t.Error(err)
			}
		}}
		run, err := synchronizer.RunPart(t.Context(), replaced, divisible(cfg), padron.PartRef{Part: 2, Of: 2})
		if !errors.Is(err, padron.ErrLeaseLost) || run.Outcome != padron.OutcomeFailed || len(r.names()) != 0 {
			t.Errorf("a partition of a plan that was replaced: %s, %v, and wrote %d", run.Outcome, err, len(r.names()))
		}
		if _, err := synchronizer.RunPart(t.Context(), cfg, divisible(cfg), padron.PartRef{Part: 2, Of: 2}); padron.ErrorCode(err) != padron.CodeInvalid {
			t.Errorf("2/2 of a run divided in 3: %v", err)
		}
		for i := range 3 {
			r.part(cfg, i+1, 3)
		}
		want(t, r.mustFinish(cfg), counts{Read: 60, Inserted: 60})
	})
}

// TestFailedFinishIsRepeated: the provider fails in the second reading.
func TestFailedFinishIsRepeated(t *testing.T) {
	r, p := newRegister(t), newPeople(60)
	cfg := r.config(p)
	r.mustSync(cfg)
	p.edit(func(rs []map[string]any) []map[string]any { return rs[1:] })
	r.divide(cfg, 2)
	r.part(cfg, 1, 2)
	r.part(cfg, 2, 2)
	client, err := provider.New(provider.Config{URL: "http://127.0.0.1:1/", Paging: "page", PageSize: 10, Retries: -1})
	if err != nil {
		t.Fatal(err)
	}
	down := cfg
	down.Provider = client
	if run, err := r.finish(down); err == nil || run.Outcome != padron.OutcomeFailed || len(r.names()) != 60 {
		t.Errorf("the provider is down: %s, %v, %d left", run.Outcome, err, len(r.names()))
	}
	want(t, r.mustFinish(cfg), counts{Read: 59, Unchanged: 59, Deleted: 1})
}

// TestDividedMassChangeIsRefused by the sums, where no partition met enough
// changes to refuse by itself: nobody is deleted.
func TestDividedMassChangeIsRefused(t *testing.T) {
	r, p := newRegister(t), newPeople(300)
	cfg := r.config(p)
	cfg.MaxChange = 0.5
	r.mustSync(cfg)
	p.edit(func(rs []map[string]any) []map[string]any { return garble(1)(rs)[1:] })
	r.divide(cfg, 4)
	for i := range 4 {
		r.part(cfg, i+1, 4)
	}
	run, err := r.finish(cfg)
	if run.Outcome != padron.OutcomeRefused || err == nil || !strings.Contains(err.Error(), "299 of the 299") || len(r.names()) != 300 {
		t.Errorf("everybody has changed: %s, %v, %d left", run.Outcome, err, len(r.names()))
	}
}

// TestPartitionRefusesMassChanges in the middle of its reading.
func TestPartitionRefusesMassChanges(t *testing.T) {
	r, p := newRegister(t), newPeople(400)
	cfg := r.config(p)
	cfg.MaxChange = 0.5
	r.mustSync(cfg)
	p.edit(garble(1))
	r.divide(cfg, 2)
	ref := padron.PartRef{Part: 1, Of: 2}
	run, err := synchronizer.RunPart(t.Context(), cfg, divisible(cfg), ref)
	if run.Outcome != padron.OutcomeRefused || err == nil || run.Updated >= 200 {
		t.Errorf("everybody has changed: %s, %v, %d written", run.Outcome, err, run.Updated)
	}
	if _, err := r.finish(cfg); err == nil || !strings.Contains(err.Error(), "1/2") {
		t.Errorf("the end without the partition that refused: %v", err)
	}
}
