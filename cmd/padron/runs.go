package main

import (
	"context"
	"strconv"
	"time"

	"padron"
	"padron/internal/app"
	"padron/internal/cli"
)

type runsCmd struct {
	Limit int  `default:"20" help:"How many."`
	JSON  bool `name:"json" help:"As JSON."`
}

// Run lists the latest runs.
func (c *runsCmd) Run(ctx context.Context, env *cli.Env) error {
	if c.Limit < 1 {
		return padron.Invalid("--limit", "want at least 1")
	}
	return withApp(ctx, env, func(a *app.App) error {
		runs, err := a.Store.Runs(ctx, c.Limit)
		if err != nil {
			return err
		}
		header := []string{"RUN", "OUTCOME", "READ", "INSERTED", "UPDATED", "UNCHANGED", "DELETED", "QUARANTINED", "TIME"}
		return cli.List(env.Stdout, c.JSON, "runs", runs, header, runRow)
	})
}

func runRow(r padron.Run) []string {
	row := []string{r.ID, string(r.Outcome)}
	for _, n := range []int64{r.Read, r.Inserted, r.Updated, r.Unchanged, r.Deleted, r.Quarantined} {
		row = append(row, strconv.FormatInt(n, 10))
	}
	return append(row, r.Duration.Round(time.Millisecond).String())
}
