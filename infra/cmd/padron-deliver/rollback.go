package main

import "context"

type rollbackCommand struct {
	target
	To  string `required:"" placeholder:"REVISION|FILE" help:"The release: its revision, or its release.json."`
	Out string `required:"" placeholder:"DIR" help:"Where record.json and review.md go."`
}

// Run plans the way back.
func (c rollbackCommand) Run(ctx context.Context) error {
	_, d, err := c.at(ctx)
	if err != nil {
		return err
	}
	release, err := d.Release(ctx, c.To)
	if err != nil {
		return err
	}
	plan, err := d.Rollback(ctx, release)
	if err != nil {
		return err
	}
	return write(plan, c.Out)
}
