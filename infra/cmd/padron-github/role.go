package main

import (
	"fmt"
	"path/filepath"

	"padron/infra/cdkout"
	"padron/infra/config"
)

type roleCommand struct {
	Environment string `arg:"" help:"The environment: a file in config without its .yaml."`
	Role        string `arg:"" enum:"plan,deploy,release" help:"plan, deploy or release."`
}

// Run prints three lines of name=value. No workflow then says in which account an
// environment is, nor how long a job keeps a role: its description does.
func (s roleCommand) Run() error {
	root, err := cdkout.Root()
	if err != nil {
		return err
	}
	env, err := config.Load(filepath.Join(root, "config"), s.Environment)
	if err != nil {
		return err
	}
	_, err = fmt.Printf("arn=arn:aws:iam::%s:role/%s-%s\nregion=%s\nseconds=%.0f\n",
		env.Account, env.Prefix(), s.Role, env.Region, env.Delivery.Session(s.Role).Seconds())
	return err
}
