package review

import (
	"fmt"
	"strings"

	"padron/infra/cfn"
	"padron/infra/config"
	"padron/infra/controls"
	"padron/infra/cost"
	"padron/infra/reach"
)

// reachability compares who reaches whom, over every pair and port.
func (r *Review) reachability(b *strings.Builder) {
	fmt.Fprint(b, "## Reachability\n\n")
	before, after := network(r.Before, r.EnvBefore), network(r.After, r.EnvAfter)
	if after == nil {
		fmt.Fprint(b, "**The network of this plan cannot be read from its templates**; `padron-infra reach` says why.\n\n")
		return
	}
	if before == nil {
		fmt.Fprint(b, "What stands now is not a whole network, so everything below is new.\n\n")
		before = reach.Matrix{}
	}
	lines := reach.Diff(before, after)
	if len(lines) == 0 {
		fmt.Fprint(b, "Nobody reaches anybody who could not be reached before, nor the other way round.\n\n")
		return
	}
	fmt.Fprintf(b, "A line with + is a way that **opens**, one with - a way that closes.\n\n```diff\n%s\n```\n\n", strings.Join(lines, "\n"))
}

// network asks who reaches whom; nil where the templates hold no whole network.
func network(a *cfn.Assembly, env *config.Environment) reach.Matrix {
	n, err := reach.New(a, env)
	if err != nil || len(n.Subnets) == 0 {
		return nil
	}
	return n.Matrix()
}

// cost compares what the environment costs in a month.
func (r *Review) cost(b *strings.Builder) error {
	prices, err := cost.Load()
	if err != nil {
		return err
	}
	after, err := prices.Estimate(r.After, r.EnvAfter.Name)
	if err != nil {
		return err
	}
	before, err := prices.Estimate(r.Before, r.EnvBefore.Name)
	if err != nil { // what stands may hold a type that has no price any more
		before = &cost.Estimate{}
		fmt.Fprintf(b, "What stands now cannot be priced: %s\n\n", plain(err.Error()))
	}
	fmt.Fprintf(b, "## Cost\n\nIn a month: **%.2f USD, %+.2f** (%.2f before).\n\n", after.Total(), after.Total()-before.Total(), before.Total())
	changes := cost.Diff(before, after)
	if len(changes) == 0 {
		return nil
	}
	fmt.Fprint(b, "| resource | type | before | after | difference |\n| --- | --- | ---: | ---: | ---: |\n")
	for _, c := range changes {
		fmt.Fprintf(b, "| %s | %s | %.2f | %.2f | %+.2f |\n", code(c.Resource), strings.TrimPrefix(c.Type, "AWS::"), c.Before, c.After, c.After-c.Before)
	}
	fmt.Fprintln(b)
	return nil
}

// controls compares the state of every safeguard.
func (r *Review) controls(b *strings.Builder) {
	fmt.Fprint(b, "## Safeguards\n\n")
	before, after := states(r.Before, r.EnvBefore), states(r.After, r.EnvAfter)
	var rows []string
	for _, id := range union(before, after) {
		was, is := before[id], after[id]
		if was.word() == is.word() {
			continue
		}
		row := fmt.Sprintf("| %s | %s | %s | **%s** | %s |\n", code(id), is.or(was).what, was.word(), is.word(), plain(strings.Join(is.or(was).missing, "; ")))
		rows = append(rows, row)
	}
	if len(rows) == 0 {
		fmt.Fprintf(b, "All %d are as before.\n\n", len(after))
		return
	}
	fmt.Fprintf(b, "%d of %d change.\n\n| safeguard | what it is | before | after | where it is missing |\n| --- | --- | --- | --- | --- |\n%s\n", len(rows), len(after), strings.Join(rows, ""))
}

// state is how a safeguard stands.
type state struct {
	what    string
	missing []string
}

func (s *state) word() string {
	switch {
	case s == nil:
		return "not asked for"
	case len(s.missing) > 0:
		return "MISSING"
	}
	return "holds"
}

func (s *state) or(other *state) *state {
	if s == nil {
		return other
	}
	return s
}

// states are how the environment's safeguards stand, by id. Where nothing stands
// there are none.
func states(a *cfn.Assembly, env *config.Environment) map[string]*state {
	all := map[string]*state{}
	if len(a.Stacks) == 0 {
		return all
	}
	estate := &controls.Estate{Assembly: a, Env: env}
	for _, c := range controls.In(env) {
		all[c.ID] = &state{what: c.What, missing: c.Check(estate)}
	}
	return all
}
