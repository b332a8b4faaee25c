package main

import (
	"fmt"
	"os"
	"path/filepath"

	"padron/infra/cdkout"
	"padron/infra/cfn"
	"padron/infra/config"
	"padron/infra/controls"
)

type controlsCommand struct {
	Write bool `help:"Write docs/controls.md."`
}

// Run prints the table of controls, with what notices the removal of each.
func (c controlsCommand) Run() error {
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
	var estates []*controls.Estate
	for _, env := range environments {
		a, err := cfn.Load(cdkout.Dir(root, env.Name))
		if err != nil {
			return err
		}
		estates = append(estates, &controls.Estate{Assembly: a, Env: env})
	}
	text := controls.Document(controls.Mutate(estates))
	if c.Write {
		return os.WriteFile(filepath.Join(root, "..", "docs", "controls.md"), []byte(text), 0o600)
	}
	fmt.Print(text)
	return nil
}
