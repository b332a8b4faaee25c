package proof

import (
	"fmt"
	"io"
	"text/tabwriter"
)

// Clean reports whether nothing stands outside the ledger and nothing in the
// ledger is stale or unknown.
func (r *Report) Clean() bool {
	clean := len(r.Unknown) == 0
	for _, e := range r.Environments {
		clean = clean && len(e.Findings) == 0 && len(e.Stale) == 0
	}
	return clean
}

// toolNames are the tools in the order in which they are told of.
var toolNames = []string{"nag", "cdk", "checkov", "cfn-lint", "parliament"}

// Print writes the findings and the counts as tables for a person.
func (r *Report) Print(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	line := func(format string, args ...any) {
		fmt.Fprintf(t, format, args...) //nolint:errcheck // Flush reports it
	}
	for _, e := range r.Environments {
		for _, f := range e.Findings {
			line("%s\t%s:%s\t%s\t%s\n", e.Name, f.Tool, f.Rule, f.place(), f.Message)
		}
		for _, s := range e.Stale {
			line("%s\t%s:%s\t%s\tstale: %s suppresses nothing here\n", e.Name, s.Tool, s.Rule, s.Path, s.Entry.ID)
		}
	}
	for _, u := range r.Unknown {
		line("ledger\t%s\tis in no template\t\n", u)
	}
	line("\nenvironment\ttool\trules\tverdicts\tfindings\tin the ledger\n")
	for _, e := range r.Environments {
		for _, tool := range toolNames {
			c := e.Counts[tool]
			line("%s\t%s\t%d\t%d\t%d\t%d\n", e.Name, tool, c.Rules, c.Verdicts, e.of(tool), c.Suppressed)
		}
	}
	return t.Flush()
}

// of is the number of findings of the tool.
func (e *Environment) of(tool string) int {
	n := 0
	for _, f := range e.Findings {
		if f.Tool == tool {
			n++
		}
	}
	return n
}
