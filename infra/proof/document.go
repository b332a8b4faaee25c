package proof

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
)

// Document is where the report is written down, below root, the folder infra.
func Document(root string) string { return filepath.Join(root, "..", "docs", "compliance.md") }

// what says what each tool looks for, and at what its verdicts are.
var what = map[string]string{
	"nag":        "cdk-nag's packs AwsSolutions, NIST 800-53 R5 and PCI DSS 3.2.1, on every resource",
	"cdk":        "the CDK's own validation, on every template",
	"checkov":    "checkov's rules for CloudFormation, on every resource",
	"cfn-lint":   "CloudFormation's schemas and cfn-lint's rules, warnings and notices included, on every resource",
	"parliament": "IAM's grammar, actions, resources and conditions, on every policy document",
}

// Markdown is the report as docs/compliance.md.
func (r *Report) Markdown() string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("# Compliance")
	line("What the checking tools say of the templates that are deployed. `go run ./cmd/padron-infra check --write` in `infra/` writes")
	line("this page, and a test compares it. The versions are pinned in `infra/go.mod` and `infra/requirements.txt`.\n")
	line("A rule that could not decide counts as a finding. A finding is changed in the estate, or stands in the ledger,")
	line("`infra/ledger/ledger.yaml`, from which each tool's own suppression is written and nowhere else.\n")
	line("| tool | what it judges |\n| --- | --- |")
	for _, tool := range toolNames {
		line("| %s | %s |", tool, what[tool])
	}
	line("\n## Counts")
	line("Rules are those that found something to judge (for cfn-lint and parliament, those that they have). A verdict is one rule on one")
	line("resource for cdk-nag and checkov, and one resource or policy for cfn-lint and parliament.\n")
	line("| environment | tool | rules | verdicts | findings | in the ledger |\n| --- | --- | ---: | ---: | ---: | ---: |")
	for _, e := range r.Environments {
		for _, tool := range toolNames {
			c := e.Counts[tool]
			line("| %s | %s | %d | %d | %d | %d |", e.Name, tool, c.Rules, c.Verdicts, e.of(tool), c.Suppressed)
		}
	}
	line("")
	for _, e := range r.Environments {
		line("- %s: %d resources, %d policy documents, %d findings outside the ledger, %d in it.",
			e.Name, e.Resources, e.Policies, len(e.Findings), len(e.Suppressed))
	}
	r.entries(line)
	return b.String()
}

func unique(list []string) []string {
	slices.Sort(list)
	return slices.Compact(list)
}

func (r *Report) entries(line func(string, ...any)) {
	line("\n## The ledger")
	line("%d decisions.\n", len(r.Ledger))
	line("| decision | rules | places | why it stands | owner | until |\n| --- | --- | ---: | --- | --- | --- |")
	for _, e := range r.Ledger {
		line("| %s | %s | %d | %s | %s | %s |", e.ID, strings.Join(unique(e.AllRules()), "<br>"), len(unique(e.AllPaths())), e.Reason, e.Owner, e.Expires)
	}
}
