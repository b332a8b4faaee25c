package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"padron/infra/cdkout"
	"padron/infra/ledger"
	"padron/infra/proof"
)

type checkCommand struct {
	Write bool `help:"Write docs/compliance.md, too."`
}

// Run prints what the checking tools find in the templates, which it makes
// first, and fails where anything stands outside the ledger.
func (c checkCommand) Run() error {
	if err := (synthCommand{}).Run(); err != nil {
		return err
	}
	root, err := cdkout.Root()
	if err != nil {
		return err
	}
	report, err := proof.Run(context.Background(), root)
	if err != nil {
		return err
	}
	if err := report.Print(os.Stdout); err != nil {
		return err
	}
	if c.Write {
		if err := os.WriteFile(proof.Document(root), []byte(report.Markdown()), 0o644); err != nil { //nolint:gosec // a page for everybody
			return err
		}
	}
	return verdict(root, report)
}

// verdict is an error where anything stands outside the ledger or has lapsed.
func verdict(root string, report *proof.Report) error {
	for _, line := range report.Ledger.Lapsing(time.Now()) {
		fmt.Fprintln(os.Stderr, "ledger: "+line)
	}
	lapsed := report.Ledger.Lapsed(time.Now())
	for _, line := range lapsed {
		fmt.Fprintln(os.Stderr, "ledger: "+line)
	}
	if len(lapsed) > 0 || !report.Clean() {
		return errors.New("not clean: change the estate, or decide in " + ledger.File(root))
	}
	return nil
}
