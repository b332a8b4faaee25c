package main

import (
	"fmt"
	"os"

	"padron/infra/recovery"
)

type recoveryCommand struct {
	Write bool `help:"Write the figures into docs/recovery.md."`
}

// Run prints docs/recovery.md with the figures of the present templates.
func (c recoveryCommand) Run() error {
	root, all, err := load("")
	if err != nil {
		return err
	}
	var figures []recovery.Figures
	for _, s := range all {
		f, err := recovery.Of(s.templates, s.env)
		if err != nil {
			return fmt.Errorf("%s: %w", s.env.Name, err)
		}
		figures = append(figures, f)
	}
	const page = "recovery.md"
	text, err := os.ReadFile(document(root, page))
	if err != nil {
		return err
	}
	now, err := recovery.Insert(string(text), figures)
	if err != nil {
		return err
	}
	return publish(c.Write, root, page, now)
}
