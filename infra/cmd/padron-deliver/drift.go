package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"padron/infra/delivery"
)

type driftCommand struct {
	target
	JSON bool   `help:"Print one JSON document."`
	Out  string `placeholder:"DIR" help:"Write drift.md and drift.json there, too. The exit code then says only whether everything could be looked at, and drifted=true or false goes to $$GITHUB_OUTPUT."`
}

// errDrifted makes the exit code: what drifted is printed already.
var errDrifted = errors.New("the account is not as it was deployed")

// Run compares the account with what was deployed to it.
func (c driftCommand) Run(ctx context.Context) error {
	_, d, err := c.at(ctx)
	if err != nil {
		return err
	}
	drift, err := d.Drift(ctx)
	if err != nil {
		return err
	}
	if err := c.show(drift); err != nil {
		return err
	}
	if c.Out != "" {
		return errors.Join(drift.Write(c.Out), tell("drifted", drift.Any()))
	}
	if drift.Any() {
		return errDrifted
	}
	return nil
}

func (c driftCommand) show(drift *delivery.Drift) error {
	if c.JSON {
		return json.NewEncoder(os.Stdout).Encode(drift)
	}
	_, err := fmt.Print(drift.Markdown())
	return err
}

// tell gives a workflow's later steps an answer, where this runs in one.
func tell(name string, value bool) error {
	path := os.Getenv("GITHUB_OUTPUT")
	if path == "" {
		return nil
	}
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY|os.O_CREATE, 0o600) //nolint:gosec // the file that GitHub names
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(f, "%s=%t\n", name, value)
	return errors.Join(err, f.Close())
}
