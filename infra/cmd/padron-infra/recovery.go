package main

import (
	"fmt"
	"os"
	"path/filepath"

	"padron/infra/cdkout"
	"padron/infra/cfn"
	"padron/infra/config"
	"padron/infra/recovery"
)

type recoveryCommand struct {
	Write bool `help:"Write the figures into docs/recovery.md."`
}

// Run prints docs/recovery.md with the figures of the present templates.
func (c recoveryCommand) Run() error {
	root, err := cdkout.Root()
	if err != nil {
		return err
	}
	if err := fresh(root); err != nil {
		return err
	}
	environments, err := config.All(filepath.Join(root, "config"))
	if err != nil {
		return err
	}
	var all []recovery.Figures
	for _, env := range environments {
		a, err := cfn.Load(cdkout.Dir(root, env.Name))
		if err != nil {
			return err
		}
		f, err := recovery.Of(a, env)
		if err != nil {
			return fmt.Errorf("%s: %w", env.Name, err)
		}
		all = append(all, f)
	}
	path := filepath.Join(root, "..", "docs", "recovery.md")
	text, err := os.ReadFile(path) //nolint:gosec // the repository's own document
	if err != nil {
		return err
	}
	document, err := recovery.Insert(string(text), all)
	if err != nil {
		return err
	}
	if c.Write {
		return os.WriteFile(path, []byte(document), 0o600) //nolint:gosec // a document of ours
	}
	fmt.Print(document)
	return nil
}
