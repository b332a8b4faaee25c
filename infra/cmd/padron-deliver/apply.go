package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"padron/infra/delivery"
)

type applyCommand struct {
	target
	Record string   `required:"" placeholder:"FILE|DIR" help:"The reviewed record.json, or the folder that holds it. The release record is written beside it."`
	Back   bool     `name:"rollback" help:"The record is of padron-deliver rollback: without this, such a record is refused, and with it every other."`
	Allow  []string `name:"allow-replacement" placeholder:"STACK/ID" help:"A stateful resource that may be replaced or deleted, with what is in it; once for each."`
}

// Run applies the record, and writes the release beside it.
func (c applyCommand) Run(ctx context.Context) error {
	path, record, err := readRecord(c.Record)
	if err != nil {
		return err
	}
	if err := expects(record, c.Back); err != nil {
		return err
	}
	_, d, err := c.of(ctx, record)
	if err != nil {
		return err
	}
	release, err := d.Apply(ctx, record, c.Allow)
	if err != nil {
		return err // stacks that wait, too: what was merged is not what runs
	}
	path = filepath.Join(filepath.Dir(path), "release.json")
	if err := release.Write(path); err != nil {
		return err
	}
	_, err = fmt.Printf("release %d of %s runs commit %.12s: %s\n", release.Revision, release.Environment, release.Commit, path)
	return err
}

// readRecord reads a plan's record by its name or by its folder's, and returns
// where it is.
func readRecord(name string) (path string, record *delivery.Record, err error) {
	if at, err := os.Stat(name); err == nil && at.IsDir() {
		name = filepath.Join(name, "record.json")
	}
	record, err = delivery.ReadRecord(name)
	return name, record, err
}

// expects returns an error where the record goes back and the caller does not, or
// the other way round: what was merged is never an earlier release, whatever a
// record beside it says.
func expects(record *delivery.Record, goesBack bool) error {
	switch back := record.RollbackTo > 0; {
	case back && !goesBack:
		return fmt.Errorf("the record goes back to release %d, and a change was to be applied: only --rollback goes back", record.RollbackTo)
	case goesBack && !back:
		return errors.New("the record is of a change, and --rollback takes that of a rollback")
	}
	return nil
}

// of is the delivery of the commit, or the one whose templates were kept, where
// the record is of a rollback.
func (c applyCommand) of(ctx context.Context, record *delivery.Record) (string, *delivery.Delivery, error) {
	if record.RollbackTo > 0 {
		return c.at(ctx)
	}
	return c.ofCommit(ctx)
}
