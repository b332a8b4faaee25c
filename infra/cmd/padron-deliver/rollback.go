package main

import (
	"context"
	"fmt"
)

type rollbackCommand struct {
	target
	gate
	To  string `required:"" placeholder:"REVISION|FILE" help:"The release: its revision, or its release.json."`
	Out string `required:"" placeholder:"DIR" help:"Where record.json and review.md go."`
}

// Run plans the way back. A release passed the gate when it was deployed, and is
// looked at again: whoever signs may have changed since, and so may what is kept.
func (c rollbackCommand) Run(ctx context.Context) error {
	root, d, err := c.at(ctx)
	if err != nil {
		return err
	}
	release, err := d.Release(ctx, c.To)
	if err != nil {
		return err
	}
	if err := c.passed(ctx, root, d, release.Images); err != nil {
		return fmt.Errorf("going back to release %d is refused:\n%w", release.Revision, err)
	}
	plan, err := d.Rollback(ctx, release)
	if err != nil {
		return err
	}
	return write(plan, c.Out)
}
