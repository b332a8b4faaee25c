package proof

import (
	"context"
	"strings"

	"padron/infra/ledger"
)

// checkovRecord is one verdict in checkov's JSON.
type checkovRecord struct {
	ID       string `json:"check_id"`
	Name     string `json:"check_name"`
	File     string `json:"file_path"`
	Resource string `json:"resource"`
}

type checkovReport struct {
	Results struct {
		Passed []checkovRecord `json:"passed_checks"`
		Failed []checkovRecord `json:"failed_checks"`
		Errors []string        `json:"parsing_errors"`
	} `json:"results"`
}

// checkov judges the templates twice: without the suppressions in them, and as
// they are deployed.
func (t *tools) checkov(ctx context.Context, e *Environment) (result, error) {
	r := result{tool: ledger.Checkov}
	all, err := t.runCheckov(ctx, e.bare)
	if err != nil {
		return r, err
	}
	left, err := t.runCheckov(ctx, templates(e.assembly, e.assembly.Dir))
	if err != nil {
		return r, err
	}
	r.all, r.left = e.checkovFindings(all), e.checkovFindings(left)
	rules := map[string]bool{}
	for _, c := range append(all.Results.Passed, all.Results.Failed...) {
		rules[c.ID] = true
	}
	r.count = Count{Rules: len(rules), Verdicts: len(all.Results.Passed) + len(all.Results.Failed)}
	return r, nil
}

func (t *tools) runCheckov(ctx context.Context, files []string) (*checkovReport, error) {
	args := []string{"--framework", "cloudformation", "--skip-download", "--compact", "--output", "json"}
	for _, f := range files {
		args = append(args, "--file", f)
	}
	var r checkovReport
	return &r, t.run(ctx, &r, nil, "checkov", args...)
}

func (e *Environment) checkovFindings(r *checkovReport) []Finding {
	var found []Finding
	for _, c := range r.Results.Failed {
		_, id, _ := strings.Cut(c.Resource, ".")
		found = append(found, e.find(ledger.Checkov, c.ID, c.File, id, c.Name))
	}
	for _, file := range r.Results.Errors {
		found = append(found, e.find(ledger.Checkov, "parsing", file, "", "the template could not be read"))
	}
	return found
}
