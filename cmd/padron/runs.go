package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"padron"
	"padron/internal/app"
	"padron/internal/cli"
)

type runsCmd struct {
	ID string `arg:"" optional:"" name:"id" help:"One run, with everything that its report says; none is the history."`

	Limit   int    `default:"20" help:"How many at most, 1 to 10000."`
	Outcome string `placeholder:"OUTCOME" help:"Only those that are completed, refused, failed or running."`
	Since   string `placeholder:"SPAN" help:"Only those that began since then: 7d, 2w, 12h, a day (2026-01-31) or a time of RFC 3339."`
	JSON    bool   `name:"json" help:"As JSON."`
}

// maxRuns is the most runs that one list holds.
const maxRuns = 10_000

// Run lists the latest runs, or shows one.
func (c *runsCmd) Run(ctx context.Context, env *cli.Env) error {
	filter, err := c.filter(time.Now())
	if err != nil {
		return err
	}
	return withApp(ctx, env, func(a *app.App) error {
		if c.ID != "" {
			return c.show(ctx, env, a)
		}
		runs, err := latestRuns(ctx, a.Store.Runs, c.Limit, filter)
		if err != nil {
			return err
		}
		return c.list(env, runs)
	})
}

// runFilter selects runs; zero values select all.
type runFilter struct {
	outcome padron.Outcome
	since   time.Time
}

func (f *runFilter) selects(r *padron.Run) bool {
	return (f.outcome == "" || r.Outcome == f.outcome) && !r.StartedAt.Before(f.since)
}

// filter checks the flags.
func (c *runsCmd) filter(now time.Time) (runFilter, error) {
	f := runFilter{outcome: padron.Outcome(c.Outcome)}
	// A skipped run did nothing and is in no history.
	known := []padron.Outcome{"", padron.OutcomeCompleted, padron.OutcomeRefused, padron.OutcomeFailed, padron.OutcomeRunning}
	switch {
	case c.Limit < 1 || c.Limit > maxRuns:
		return f, padron.Invalid("--limit", "want 1 to %d", maxRuns)
	case !slices.Contains(known, f.outcome):
		return f, padron.Invalid("--outcome", "want completed, refused, failed or running")
	case c.ID != "" && (c.Outcome != "" || c.Since != ""):
		return f, padron.Invalid("id", "goes without --outcome and --since: it names one run")
	}
	var err error
	f.since, err = parseSince(c.Since, now)
	return f, err
}

// parseSince reads a moment: so long ago, a day in UTC, or a time.
func parseSince(s string, now time.Time) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	if span, err := padron.ParseSpan(s); err == nil && span >= 0 {
		return now.Add(-span), nil
	}
	for _, layout := range []string{time.DateOnly, time.RFC3339} {
		if at, err := time.Parse(layout, s); err == nil {
			return at, nil
		}
	}
	return time.Time{}, padron.Invalid("--since", "want a span such as 7d, 2w or 12h, a day such as 2026-01-31, or a time of RFC 3339")
}

// latestRuns returns the latest runs that the filter selects, newest first. It
// asks for more and more, until there are enough or no others.
func latestRuns(ctx context.Context, history func(context.Context, int) ([]padron.Run, error), limit int, f runFilter) ([]padron.Run, error) {
	for ask := limit; ; ask *= 4 {
		all, err := history(ctx, ask)
		if err != nil {
			return nil, err
		}
		enough := len(all) < ask || all[len(all)-1].StartedAt.Before(f.since)
		chosen := slices.DeleteFunc(all, func(r padron.Run) bool { return !f.selects(&r) })
		if enough || len(chosen) >= limit {
			return chosen[:min(limit, len(chosen))], nil
		}
	}
}

var runHeader = []string{"RUN", "OUTCOME", "READ", "INSERTED", "UPDATED", "UNCHANGED", "DELETED", "QUARANTINED", "TIME"}

// list prints runs as a table, or where the terminal is too narrow for it, each
// on two lines.
func (c *runsCmd) list(env *cli.Env, runs []padron.Run) error {
	var table strings.Builder
	if err := cli.List(&table, c.JSON, "runs", runs, runHeader, runRow); err != nil {
		return err
	}
	if width := env.Width(); !c.JSON && width > 0 && cli.Widest(table.String()) > width {
		return narrowRuns(env.Stdout, runs)
	}
	_, err := io.WriteString(env.Stdout, table.String())
	return err
}

func runRow(r padron.Run) []string {
	row := []string{r.ID, string(r.Outcome)}
	for _, n := range []int64{r.Read, r.Inserted, r.Updated, r.Unchanged, r.Deleted, r.Quarantined} {
		row = append(row, strconv.FormatInt(n, 10))
	}
	return append(row, tookText(&r))
}

func narrowRuns(w io.Writer, runs []padron.Run) error {
	var b strings.Builder
	for i := range runs {
		r := &runs[i]
		fmt.Fprintf(&b, "%s %s %s\n  %d read: %d inserted, %d updated, %d unchanged, %d deleted, %d quarantined\n",
			r.ID, r.Outcome, tookText(r), r.Read, r.Inserted, r.Updated, r.Unchanged, r.Deleted, r.Quarantined)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// tookText is how long a run took; one that is under way has not yet taken any
// time that is known.
func tookText(r *padron.Run) string {
	if r.Outcome == padron.OutcomeRunning {
		return "-"
	}
	return r.Duration.Round(time.Millisecond).String()
}
