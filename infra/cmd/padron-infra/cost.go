package main

import (
	"fmt"
	"os"
	"path/filepath"

	"padron/infra/cdkout"
	"padron/infra/cfn"
	"padron/infra/config"
	"padron/infra/cost"
)

type costCommand struct {
	Env   string `help:"Show this environment alone, such as dev."`
	Write bool   `help:"Write docs/cost.md of all environments."`
}

// Run prints what each environment costs in a month.
func (c costCommand) Run() error {
	root, err := cdkout.Root()
	if err != nil {
		return err
	}
	if err := fresh(root); err != nil {
		return err
	}
	prices, err := cost.Load()
	if err != nil {
		return err
	}
	all, err := c.estimates(root, prices)
	if err != nil {
		return err
	}
	if c.Write {
		return os.WriteFile(filepath.Join(root, "..", "docs", "cost.md"), []byte(prices.Document(all)), 0o600)
	}
	for _, e := range all {
		fmt.Print(e)
	}
	return nil
}

func (c costCommand) estimates(root string, prices *cost.Prices) ([]*cost.Estimate, error) {
	names, err := config.Names(filepath.Join(root, "config"))
	if err != nil {
		return nil, err
	}
	var all []*cost.Estimate
	for _, name := range names {
		if c.Env != "" && c.Env != name && !c.Write {
			continue
		}
		a, err := cfn.Load(cdkout.Dir(root, name))
		if err != nil {
			return nil, err
		}
		e, err := prices.Estimate(a, name)
		if err != nil {
			return nil, err
		}
		all = append(all, e)
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("no environment %q: --env wants one of those in config", c.Env)
	}
	return all, nil
}
