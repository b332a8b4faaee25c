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

// Run prints two lines of name=value. No workflow then says in which account an
// environment is: its description does.
func (s roleCommand) Run() error {
	root, err := cdkout.Root()
	if err != nil {
		return err
	}
	env, err := config.Load(filepath.Join(root, "config"), s.Environment)
	if err != nil {
		return err
	}
	_, err = fmt.Printf("arn=arn:aws:iam::%s:role/%s-%s\nregion=%s\n", env.Account, env.Prefix(), s.Role, env.Region)
	return err
}
