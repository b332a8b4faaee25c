package main

import (
	"fmt"

	"padron/infra/cli"
)

type roleCommand struct {
	Environment string `arg:"" help:"The environment: a file in config without its .yaml."`
	Role        string `arg:"" enum:"plan,deploy,release" help:"plan, deploy or release."`
}

// Run prints three lines of name=value. No workflow then says in which account an
// environment is, nor how long a job keeps a role: its description does.
func (s roleCommand) Run() error {
	_, env, err := cli.Environment(s.Environment)
	if err != nil {
		return err
	}
	_, err = fmt.Printf("arn=arn:aws:iam::%s:role/%s-%s\nregion=%s\nseconds=%.0f\n",
		env.Account, env.Prefix(), s.Role, env.Region, env.Delivery.Session(s.Role).Seconds())
	return err
}
