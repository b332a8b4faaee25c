package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"padron/infra/delivery"
	"padron/infra/ledger"
	"padron/infra/proof"
)

type planCommand struct {
	target
	Out string `required:"" placeholder:"DIR" help:"Where record.json and review.md go."`
}

// Run proves the commit and plans it.
func (c planCommand) Run(ctx context.Context) error {
	root, d, err := c.ofCommit(ctx)
	if err != nil {
		return err
	}
	findings, err := prove(ctx, root, c.Environment)
	if err != nil {
		return err
	}
	plan, err := d.Plan(ctx, findings...)
	if err != nil {
		return err
	}
	return write(plan, c.Out)
}

// write puts the plan into dir and says where.
func write(plan *delivery.Plan, dir string) error {
	if err := plan.Write(dir); err != nil {
		return err
	}
	_, err := fmt.Printf("%s/record.json %s\n%s/review.md\n", dir, plan.Record.SHA256, dir)
	return err
}

// prove runs every checking tool over the environment's templates and returns what a reviewer
// should know. Anything outside the ledger stops the plan.
func prove(ctx context.Context, root, environment string) ([]string, error) {
	report, err := proof.Of(ctx, root, environment)
	if err != nil {
		return nil, err
	}
	lapsed := report.Ledger.Lapsed(time.Now())
	if len(lapsed) > 0 || !report.Clean() {
		return nil, errors.Join(report.Print(os.Stderr), fmt.Errorf("the proofs are not clean: change the estate, or decide in %s", ledger.File(root)))
	}
	findings := []string{summary(report, environment)}
	for _, line := range report.Ledger.Lapsing(time.Now()) {
		findings = append(findings, "The ledger: "+line)
	}
	return findings, nil
}

// summary says how much was judged.
func summary(report *proof.Report, environment string) string {
	tools, verdicts, suppressed := 0, 0, 0
	for _, e := range report.Environments {
		if e.Name != environment {
			continue
		}
		tools = len(e.Counts)
		for _, count := range e.Counts {
			verdicts += count.Verdicts
			suppressed += count.Suppressed
		}
	}
	return fmt.Sprintf("%d checking tools gave %d verdicts on the templates: none is bad outside the ledger, which lets %d stand.", tools, verdicts, suppressed)
}
