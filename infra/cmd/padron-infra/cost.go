package main

import (
	"fmt"

	"padron/infra/cost"
)

type costCommand struct {
	Env   string `xor:"cost" help:"Show this environment alone, such as dev."`
	Write bool   `xor:"cost" help:"Write docs/cost.md of all environments."`
}

// Run prints what each environment costs in a month.
func (c costCommand) Run() error {
	root, all, err := load(c.Env)
	if err != nil {
		return err
	}
	prices, err := cost.Load()
	if err != nil {
		return err
	}
	var estimates []*cost.Estimate
	for _, s := range all {
		e, err := prices.Estimate(s.templates, s.env.Name)
		if err != nil {
			return err
		}
		estimates = append(estimates, e)
	}
	if c.Write {
		return publish(true, root, "cost.md", prices.Document(estimates))
	}
	for _, e := range estimates {
		fmt.Print(e)
	}
	return nil
}
