package main

import (
	"fmt"
	"os"
	"path/filepath"

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
	path := filepath.Join(root, "..", "docs", "architecture.md")
	text, err := os.ReadFile(path) //nolint:gosec // a document of ours
	if err != nil {
		return err
	}
	document, err := elements.Insert(string(text), root)
	if err != nil {
		return err
	}
	if c.Write {
		return os.WriteFile(path, []byte(document), 0o600) //nolint:gosec // a document of ours
	}
	fmt.Print(document)
	return nil
}
