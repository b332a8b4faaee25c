package main

import (
	"context"
	"errors"
	"fmt"

	"padron/infra/emulate"
)

type emulateCommand struct {
	Write bool `help:"Write docs/emulation.md."`
}

// Run says how much of each stack an emulated deployment makes for real.
func (c emulateCommand) Run() error {
	root, all, err := load("")
	if err != nil {
		return err
	}
	environments, err := countStubs(root, all)
	if err != nil {
		return err
	}
	if c.Write {
		return publish(true, root, "emulation.md", emulate.Document(environments))
	}
	for _, e := range environments {
		sum := emulate.Sum(e.Counts)
		fmt.Printf("%s: %d resources, %d real, %d stubs: %s\n", e.Name, sum.Total(), sum.Moto+sum.Extended, sum.Stubbed(), sum.Names())
	}
	return nil
}

// countStubs asks an empty account what it would make of the templates.
func countStubs(root string, all []synthesized) (environments []emulate.Environment, err error) {
	account, err := emulate.Start(context.Background(), root, "000000000000")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, account.Stop()) }()
	for _, s := range all {
		environments = append(environments, emulate.Environment{Name: s.env.Name, Counts: account.Count(s.templates)})
	}
	return environments, nil
}
