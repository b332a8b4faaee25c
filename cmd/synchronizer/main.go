// Command synchronizer copies customers from the provider into the register.
package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"padron"
	"padron/internal/app"
	"padron/internal/cli"
)

type commands struct {
	cli.Flags
	Run    runCmd    `cmd:"" help:"Do one run, or one partition of a divided one, and end."`
	Plan   planCmd   `cmd:"" help:"Begin a run that is divided among processes: run --partition does each part, finish ends it."`
	Finish finishCmd `cmd:"" help:"End a divided run whose partitions are complete; it alone deletes."`

	Serve serveCmd `cmd:"" help:"Do a run every so often until stopped, with health and metrics."`

	Healthcheck healthcheckCmd `cmd:"" help:"Ask the serving synchronizer in this container whether it is healthy: exit 0 or 1."`
}

func main() {
	tune()
	var c commands
	os.Exit(cli.Main("synchronizer", "Copies customers from the provider into the register.", &c, &c.Flags))
}

type runCmd struct {
	DryRun bool `help:"Say what would be done and write nothing."`
	Full   bool `help:"Write every customer again under fresh keys, changed or not."`
	JSON   bool `name:"json" help:"Print the run's report as JSON."`

	Force *string `placeholder:"REASON" help:"Lift the limits on deletions and changes for this run; the reason is recorded."`

	Partition string `placeholder:"I/N" help:"Do partition I of the N of the divided run that plan began, from where it stands."`
}

// Run does one run. A run that another one keeps out is no failure.
func (r *runCmd) Run(ctx context.Context, env *cli.Env) error {
	if r.Partition != "" {
		return r.runPartition(ctx, env)
	}
	cfg, err := env.Load(nil, "PADRON_PROVIDER_URL")
	force, wrong := forceReason(r.Force)
	if err := errors.Join(err, wrong); err != nil {
		return err
	}
	logger := env.Logger(cfg)
	a, err := app.Open(ctx, cfg, logger)
	if err != nil {
		return err
	}
	defer a.Close() //nolint:errcheck // every write was committed before
	show, done := app.Progress(env.Stderr, env.Terminal(), logger)
	run, err := a.Sync(ctx, app.SyncOptions{DryRun: r.DryRun, Full: r.Full, Force: force, OnProgress: show})
	done()
	return printRun(env, r.JSON, &run, err)
}

// printRun prints a run's report, and returns why it failed, if it did.
func printRun(env *cli.Env, asJSON bool, run *padron.Run, err error) error {
	if run.ID == "" {
		return err // nothing began: there is no report
	}
	if asJSON {
		return cmp.Or(err, cli.WriteJSON(env.Stdout, run))
	}
	_, printErr := fmt.Fprintln(env.Stdout, summary(run))
	return cmp.Or(err, printErr)
}

// forceReason returns the reason to lift the limits, "" where they hold.
func forceReason(reason *string) (string, error) {
	if reason == nil {
		return "", nil
	}
	return padron.ParsePurpose("--force", *reason)
}

// summary is the report for a person.
func summary(r *padron.Run) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s: %d read, %d inserted, %d updated, %d unchanged, %d deleted, %d quarantined, %d duplicates in %v (%.0f/s)",
		r.ID, r.Outcome, r.Read, r.Inserted, r.Updated, r.Unchanged, r.Deleted, r.Quarantined, r.Duplicates,
		r.Duration.Round(1e6), r.Rate())
	if unusual := r.UnusualText(); unusual != "" {
		b.WriteString("; not as usual: " + unusual)
	}
	if r.Outcome == padron.OutcomeSkipped {
		b.WriteString("; another run holds the lease")
	}
	return b.String()
}
