package proof

import (
	"context"
	"fmt"
	"slices"

	"padron/infra/ledger"
)

// cfnLintMatch is one finding in cfn-lint's JSON.
type cfnLintMatch struct {
	Filename string
	Message  string
	Rule     struct{ ID string }
	Location struct{ Path []any }
}

// cfnLint judges the templates against CloudFormation's own schemas in their
// region, twice as checkov does; every warning and notice counts.
func (t *tools) cfnLint(ctx context.Context, e *Environment) (result, error) {
	r := result{tool: ledger.CfnLint}
	var err error
	if r.all, err = t.runCfnLint(ctx, e, e.bare); err != nil {
		return r, err
	}
	if r.left, err = t.runCfnLint(ctx, e, templates(e.assembly, e.assembly.Dir)); err != nil {
		return r, err
	}
	r.count = Count{Verdicts: e.Resources}
	r.count.Rules, err = t.cfnLintRules(ctx)
	return r, err
}

func (t *tools) runCfnLint(ctx context.Context, e *Environment, files []string) ([]Finding, error) {
	args := []string{"--format", "json", "--include-checks", "I", "--regions"}
	for _, s := range e.assembly.Stacks {
		if !slices.Contains(args, s.Region) {
			args = append(args, s.Region)
		}
	}
	args = append(append(args, "--template"), files...)
	var matches []cfnLintMatch
	if err := t.run(ctx, &matches, nil, "cfn-lint", args...); err != nil {
		return nil, err
	}
	var found []Finding
	for _, m := range matches {
		id := ""
		if p := m.Location.Path; len(p) > 1 && p[0] == "Resources" {
			id = fmt.Sprint(p[1])
		}
		found = append(found, e.find(ledger.CfnLint, m.Rule.ID, m.Filename, id, m.Message))
	}
	return found, nil
}

// cfnLintRules is the number of rules that cfn-lint has.
func (t *tools) cfnLintRules(ctx context.Context) (int, error) {
	var n int
	const count = "import json, cfnlint.core; print(json.dumps(len(cfnlint.core.get_rules([], [], ['I']))))"
	return n, t.run(ctx, &n, nil, "python", "-I", "-c", count)
}
