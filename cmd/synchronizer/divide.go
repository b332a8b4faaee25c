package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"padron"
	"padron/internal/app"
	"padron/internal/cli"
	"padron/internal/synchronizer"
)

type planCmd struct {
	Partitions int  `required:"" placeholder:"N" help:"How many processes share the run, 1 to 1000."`
	Full       bool `help:"Write every customer again under fresh keys, changed or not."`
	Replace    bool `help:"Begin anew though a divided run is open, whose partitions then stop."`
	JSON       bool `name:"json" help:"Print the plan as JSON."`

	Force *string `placeholder:"REASON" help:"Lift the limits on deletions and changes for the whole divided run; the reason is recorded."`
}

// Run begins a divided run. One that is kept out by another is skipped, with an
// exit code of its own: what would follow it has no plan, or that of the other.
func (p *planCmd) Run(ctx context.Context, env *cli.Env) error {
	if p.Partitions < 1 || p.Partitions > padron.MaxParts {
		return padron.Invalid("--partitions", "want 1 to %d", padron.MaxParts)
	}
	force, err := forceReason(p.Force)
	if err != nil {
		return err
	}
	a, err := open(ctx, env)
	if err != nil {
		return err
	}
	defer a.Close() //nolint:errcheck // every write was committed before
	plan, err := a.Divide(ctx, app.SyncOptions{Full: p.Full, Force: force}, synchronizer.Division{Parts: p.Partitions, Replace: p.Replace})
	if errors.Is(err, padron.ErrLeaseHeld) {
		return p.skipped(env, err)
	}
	if err != nil {
		return err
	}
	if p.JSON {
		return cli.WriteJSON(env.Stdout, plan)
	}
	return printPlan(env.Stdout, plan)
}

// skipped tells that another run has the register.
func (p *planCmd) skipped(env *cli.Env, why error) error {
	if p.JSON {
		if err := cli.WriteJSON(env.Stdout, map[string]padron.Outcome{"outcome": padron.OutcomeSkipped}); err != nil {
			return err
		}
	}
	return &cli.Skipped{Err: why}
}

// open opens the register for a part of a divided run.
func open(ctx context.Context, env *cli.Env) (*app.App, error) {
	cfg, err := env.Load(nil, "PADRON_PROVIDER_URL")
	if err != nil {
		return nil, err
	}
	return app.Open(ctx, cfg, env.Logger(cfg))
}

// printPlan writes a plan for a person.
func printPlan(w io.Writer, plan *padron.Plan) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s planned in %d partitions\n", plan.RunID, len(plan.Parts))
	for i := range plan.Parts {
		fmt.Fprintf(&b, "%d/%d %s\n", i+1, len(plan.Parts), pages(&plan.Parts[i]))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func pages(p *padron.Part) string {
	switch {
	case p.First == 0:
		return "everything"
	case p.Empty():
		return "nothing to do"
	case p.End == 0:
		return fmt.Sprintf("page %d to the last", p.First)
	}
	return fmt.Sprintf("pages %d to %d", p.First, p.End-1)
}

// runPartition does one partition of the divided run that is open.
func (r *runCmd) runPartition(ctx context.Context, env *cli.Env) error {
	ref, err := padron.ParsePartRef("--partition", r.Partition)
	if err != nil {
		return err
	}
	if r.DryRun || r.Full || r.Force != nil {
		return padron.Invalid("--partition", "goes without --dry-run, --full and --force: a partition follows its plan")
	}
	a, err := open(ctx, env)
	if err != nil {
		return err
	}
	defer a.Close() //nolint:errcheck // every write was committed before
	show, done := app.Progress(env.Stderr, env.Terminal(), a.Logger)
	run, err := a.SyncPart(ctx, app.SyncOptions{OnProgress: show}, ref)
	done()
	return printRun(env, r.JSON, &run, err)
}

type finishCmd struct {
	JSON bool `name:"json" help:"Print the run's report as JSON."`
}

// Run ends the divided run that is open.
func (f *finishCmd) Run(ctx context.Context, env *cli.Env) error {
	a, err := open(ctx, env)
	if err != nil {
		return err
	}
	defer a.Close() //nolint:errcheck // every write was committed before
	run, err := a.Finish(ctx)
	return printRun(env, f.JSON, &run, err)
}
