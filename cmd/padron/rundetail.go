package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"padron"
	"padron/internal/app"
	"padron/internal/cli"
)

// show prints one run: its report as JSON, or all of it for a person.
func (c *runsCmd) show(ctx context.Context, env *cli.Env, a *app.App) error {
	run, err := a.Store.Run(ctx, c.ID)
	if padron.ErrorCode(err) == padron.CodeNotFound {
		return padron.Errorf(padron.CodeNotFound, "there is no run %q: see padron runs", c.ID)
	}
	if err != nil {
		return err
	}
	if c.JSON {
		return cli.WriteJSON(env.Stdout, run)
	}
	return cmp.Or(
		writeFacts(env.Stdout, &run),
		writeCounts(env.Stdout, "REASON", run.Reasons),
		writeCounts(env.Stdout, "WARNING", run.Warnings),
		writeDrift(env.Stdout, &run),
		writeStages(env.Stdout, &run),
	)
}

// writeFacts prints what a run is, a line for each fact that there is.
func writeFacts(w io.Writer, r *padron.Run) error {
	rows := [][]string{
		{"run", r.ID},
		{"outcome", string(r.Outcome)},
		{"why", oneLine(r.Error)},
		{"began", padron.FormatTime(r.StartedAt)},
		{"took", tookText(r)},
		{"rate", rateText(r)},
		{"read", count(r.Read)},
		{"inserted", count(r.Inserted)},
		{"updated", count(r.Updated)},
		{"unchanged", count(r.Unchanged)},
		{"quarantined", count(r.Quarantined)},
		{"duplicates", count(r.Duplicates)},
		{"deleted", count(r.Deleted)},
		{"purged", optional(r.Purged)},
		{"forced", r.Forced},
		{"goes on from", r.ResumedFrom},
		{"unknown fields", strings.Join(r.UnknownFields, " ")},
		{"version", r.Version},
	}
	rows = slices.DeleteFunc(rows, func(row []string) bool { return row[1] == "" })
	return cli.WriteTable(w, rows[0], rows[1:])
}

// oneLine is a text of several lines in one: errors come joined.
func oneLine(s string) string { return strings.ReplaceAll(strings.TrimSpace(s), "\n", "; ") }

func count(n int64) string { return strconv.FormatInt(n, 10) }

func rateText(r *padron.Run) string {
	if r.Rate() == 0 {
		return ""
	}
	return fmt.Sprintf("%.0f customers a second", r.Rate())
}

// optional is a count that is told only where there is one.
func optional(n int64) string {
	if n == 0 {
		return ""
	}
	return count(n)
}

// writeCounts prints counts, the largest first; nothing where there are none.
func writeCounts[K ~string](w io.Writer, title string, counts map[K]int64) error {
	if len(counts) == 0 {
		return nil
	}
	names := slices.SortedFunc(maps.Keys(counts), func(a, b K) int {
		return cmp.Or(cmp.Compare(counts[b], counts[a]), cmp.Compare(a, b))
	})
	return section(w, []string{title, "RECORDS"}, names, func(name K) string { return count(counts[name]) })
}

// writeDrift prints the fields that were not as padron knows them.
func writeDrift(w io.Writer, r *padron.Run) error {
	drift := r.Drift()
	if len(drift) == 0 {
		return nil
	}
	return section(w, []string{"FIELD OF THE PROVIDER", "RECORDS"}, slices.Sorted(maps.Keys(drift)), func(name string) string {
		if d := drift[name]; d.Unusual {
			return d.String() + " (not as usual)"
		}
		return drift[name].String()
	})
}

// writeStages prints where the time went, the most first. Stages work at the
// same time, so that they add up to more than the run.
func writeStages(w io.Writer, r *padron.Run) error {
	stages := slices.SortedFunc(maps.Keys(r.Stages), func(a, b padron.Stage) int {
		return cmp.Or(cmp.Compare(r.Stages[b], r.Stages[a]), cmp.Compare(a, b))
	})
	if len(stages) == 0 {
		return nil
	}
	return section(w, []string{"STAGE", "TIME"}, stages, func(s padron.Stage) string {
		return r.Stages[s].Round(time.Millisecond).String()
	})
}

// section prints a table of names and what belongs to each, after an empty line.
func section[K ~string](w io.Writer, header []string, names []K, value func(K) string) error {
	rows := make([][]string, len(names))
	for i, name := range names {
		rows[i] = []string{string(name), value(name)}
	}
	if _, err := fmt.Fprintln(w); err != nil {
		return err
	}
	return cli.WriteTable(w, header, rows)
}
