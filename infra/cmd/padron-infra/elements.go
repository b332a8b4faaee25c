package main

import (
	"os"

	"padron/infra/cdkout"
	"padron/infra/elements"
)

type elementsCommand struct {
	Write bool `help:"Write the section into docs/architecture.md."`
}

// Run prints docs/architecture.md with the elements of today.
func (c elementsCommand) Run() error {
	root, err := cdkout.Root()
	if err != nil {
		return err
	}
	const page = "architecture.md"
	text, err := os.ReadFile(document(root, page))
	if err != nil {
		return err
	}
	now, err := elements.Insert(string(text), root)
	if err != nil {
		return err
	}
	return publish(c.Write, root, page, now)
}
