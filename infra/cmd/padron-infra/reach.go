package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"padron/infra/cdkout"
	"padron/infra/cfn"
	"padron/infra/config"
	"padron/infra/reach"
)

type reachCommand struct {
	Env   string `help:"Show this environment alone, such as dev."`
	Write bool   `help:"Write docs/reachability.md of all environments."`
	Ask   string `placeholder:"FROM,TO,PORT" help:"Answer one question with its reason, such as 'BastionGroup,DatabaseGroup,3306'; needs --env."`
}

// Run prints who can reach whom.
func (c reachCommand) Run() error {
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
	var views []reach.View
	for _, env := range environments {
		if c.Env != "" && env.Name != c.Env {
			continue
		}
		a, err := cfn.Load(cdkout.Dir(root, env.Name))
		if err != nil {
			return err
		}
		n, err := reach.New(a, env)
		if err != nil {
			return fmt.Errorf("%s: the model does not know everything that is there:\n%w", env.Name, err)
		}
		if c.Ask != "" && c.Env != "" {
			return answer(n, c.Ask)
		}
		views = append(views, reach.See(n, env))
	}
	switch {
	case c.Ask != "" || len(views) == 0:
		return fmt.Errorf("no environment %q: --env wants one of those in config", c.Env)
	case c.Write:
		return os.WriteFile(filepath.Join(root, "..", "docs", "reachability.md"), []byte(reach.Document(views)), 0o600)
	}
	fmt.Print(reach.Document(views))
	return nil
}

// fresh makes the templates where the sources changed.
func fresh(root string) error {
	if ok, err := cdkout.Fresh(root); err != nil || ok {
		return err
	}
	return synthCommand{}.Run()
}

// answer prints one answer: the way, or what stops it.
func answer(n *reach.Network, question string) error {
	parts := strings.Split(question, ",")
	var port int
	if len(parts) == 3 {
		_, _ = fmt.Sscan(parts[2], &port)
	}
	if port < 1 || port > 65535 {
		return fmt.Errorf("--ask %q: want FROM,TO,PORT with a port from 1 to 65535", question)
	}
	from, to := n.Party(parts[0]), n.Party(parts[1])
	if from == nil || to == nil {
		var names []string
		for _, p := range n.Parties {
			names = append(names, p.Name)
		}
		return fmt.Errorf("--ask %q: FROM and TO are of: %s", question, strings.Join(names, ", "))
	}
	a := n.Reach(from, to, port)
	if !a.Reachable {
		fmt.Println("no:", a.Stop)
		return nil
	}
	fmt.Println("yes:")
	for _, step := range a.Path {
		fmt.Println("  " + step)
	}
	return nil
}
