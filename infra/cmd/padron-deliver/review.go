package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

type reviewCommand struct {
	target
	Record string `required:"" placeholder:"FILE|DIR" help:"The record.json of a plan, or the folder that holds it. The review.md beside it is what was shown."`
}

// Run prints the document of the record as this checkout says it, and fails where
// another one was shown: whoever approves reads what is printed here.
func (c reviewCommand) Run(ctx context.Context) error {
	path, record, err := readRecord(c.Record)
	if err != nil {
		return err
	}
	if err := expects(record, false); err != nil {
		return err
	}
	shown, err := os.ReadFile(filepath.Join(filepath.Dir(path), "review.md"))
	if err != nil {
		return err
	}
	root, d, err := c.ofCommit(ctx)
	if err != nil {
		return err
	}
	findings, err := prove(ctx, root, c.Environment)
	if err != nil {
		return err
	}
	made, err := d.Review(ctx, record, findings...)
	if err != nil {
		return err
	}
	if _, err := fmt.Print(made); err != nil {
		return err
	}
	return same(string(shown), made)
}

// same returns an error that names the first line in which the document that was
// shown is not the one that was made anew.
func same(shown, made string) error {
	if shown == made {
		return nil
	}
	was, is := strings.Split(shown, "\n"), strings.Split(made, "\n")
	at := 0
	for at < len(was) && at < len(is) && was[at] == is[at] {
		at++
	}
	line := func(all []string) string {
		if at == len(all) {
			return "nothing more"
		}
		return fmt.Sprintf("%q", all[at])
	}
	return fmt.Errorf("another review was shown than this checkout makes of the same record: line %d was %s and is %s; "+
		"where only findings differ, plan again and have that reviewed, else ask who changed what plans", at+1, line(was), line(is))
}
