package main

import (
	"errors"
	"fmt"
	"strings"

	"padron/infra/reach"
)

type reachCommand struct {
	Env   string `xor:"reach" help:"Show this environment alone, such as dev."`
	Write bool   `xor:"reach" help:"Write docs/reachability.md of all environments."`
	Ask   string `placeholder:"FROM,TO,PORT" help:"Answer one question with its reason, such as 'BastionGroup,DatabaseGroup,3306'; needs --env."`
}

// Run prints who can reach whom.
func (c reachCommand) Run() error {
	if c.Ask != "" && c.Env == "" {
		return errors.New("--ask is about one environment: name it with --env")
	}
	root, all, err := load(c.Env)
	if err != nil {
		return err
	}
	var views []reach.View
	for _, s := range all {
		n, err := reach.New(s.templates, s.env)
		if err != nil {
			return fmt.Errorf("%s: the model does not know everything that is there:\n%w", s.env.Name, err)
		}
		if c.Ask != "" {
			return answer(n, c.Ask)
		}
		views = append(views, reach.See(n, s.env))
	}
	return publish(c.Write, root, "reachability.md", reach.Document(views))
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
