package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"padron/infra/cdkout"
	"padron/infra/cfn"
	"padron/infra/config"
	"padron/infra/emulate"
)

type emulateCommand struct {
	Write bool `help:"Write docs/emulation.md."`
}

// Run says how much of each stack an emulated deployment makes for real.
func (c emulateCommand) Run() error {
	root, err := cdkout.Root()
	if err != nil {
		return err
	}
	if err := fresh(root); err != nil {
		return err
	}
	names, err := config.Names(filepath.Join(root, "config"))
	if err != nil {
		return err
	}
	environments, err := countStubs(root, names)
	if err != nil {
		return err
	}
	if c.Write {
		return os.WriteFile(filepath.Join(root, "..", "docs", "emulation.md"), []byte(emulate.Document(environments)), 0o600)
	}
	for _, e := range environments {
		sum := emulate.Sum(e.Counts)
		fmt.Printf("%s: %d resources, %d real, %d stubs: %s\n", e.Name, sum.Total(), sum.Moto+sum.Extended, sum.Stubbed(), sum.Names())
	}
	return nil
}

// countStubs asks an empty account what it would make of the templates.
func countStubs(root string, names []string) (environments []emulate.Environment, err error) {
	account, err := emulate.Start(context.Background(), root, "000000000000")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, account.Stop()) }()
	for _, name := range names {
		assembly, err := cfn.Load(cdkout.Dir(root, name))
		if err != nil {
			return nil, err
		}
		environments = append(environments, emulate.Environment{Name: name, Counts: account.Count(assembly)})
	}
	return environments, nil
}
