package proof

import (
	"context"
	_ "embed"
	"encoding/json"

	"padron/infra/ledger"
)

// script is what asks parliament about many policies in one start.
//
//go:embed judge.py
var script string

// parliamentFinding is one in the script's answer, a list for each policy.
type parliamentFinding struct{ Issue, Title, Detail string }

// parliament judges every policy document: whether its actions exist, fit its
// resources and conditions, and name resources where they can.
func (t *tools) parliament(ctx context.Context, e *Environment) (result, error) {
	r := result{tool: ledger.Parliament}
	policies, err := Policies(e.assembly)
	if err != nil {
		return r, err
	}
	documents := make([]string, len(policies))
	for i, p := range policies {
		text, err := json.Marshal(p.Document)
		if err != nil {
			return r, err
		}
		documents[i] = string(text)
	}
	input, err := json.Marshal(documents)
	if err != nil {
		return r, err
	}
	var answer struct {
		Rules    int
		Findings [][]parliamentFinding
	}
	if err := t.run(ctx, &answer, input, "python", "-I", "-c", script); err != nil {
		return r, err
	}
	for i, found := range answer.Findings {
		at := policies[i].Resource
		for _, f := range found {
			message := policies[i].Where + ": " + f.Title + ": " + f.Detail
			r.all = append(r.all, Finding{ledger.Parliament, f.Issue, e.Name, at.Stack.Name, at.Path(), message})
		}
	}
	e.Policies = len(policies)
	r.count = Count{Rules: answer.Rules, Verdicts: len(policies)}
	return r, nil
}
