package main

import (
	"padron/infra/controls"
)

type controlsCommand struct {
	Write bool `help:"Write docs/controls.md."`
}

// Run prints the table of controls, with what notices the removal of each.
func (c controlsCommand) Run() error {
	root, all, err := load("")
	if err != nil {
		return err
	}
	var estates []*controls.Estate
	for _, s := range all {
		estates = append(estates, &controls.Estate{Assembly: s.templates, Env: s.env})
	}
	return publish(c.Write, root, "controls.md", controls.Document(controls.Mutate(estates)))
}
