package proof

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"

	"padron/infra/ledger"
)

// Packs are cdk-nag's sets of rules, as its reports name them.
var Packs = []string{"AwsSolutions", "NIST.800.53.R5", "PCI.DSS.321"}

// nagLine is one verdict in a report of cdk-nag.
type nagLine struct {
	RuleID          string `json:"ruleId"`
	ResourceID      string `json:"resourceId"`
	Compliance      string `json:"compliance"`
	ExceptionReason string `json:"exceptionReason"`
	RuleInfo        string `json:"ruleInfo"`
}

// nag reads the reports that the synthesis wrote, one for each pack and stack.
func nag(_ context.Context, e *Environment) (result, error) {
	r := result{tool: ledger.Nag}
	rules := map[string]bool{}
	for _, s := range e.assembly.Stacks {
		details, err := findings(e.assembly.Dir, s.Name)
		if err != nil {
			return r, err
		}
		for _, pack := range Packs {
			lines, err := nagLines(e.assembly.Dir, pack, s.StackName)
			if err != nil {
				return r, err
			}
			for _, l := range lines {
				rules[l.RuleID] = true
				r.count.Verdicts++
				r.add(e, s.Name, l, details)
			}
		}
	}
	r.count.Rules = len(rules)
	return r, nil
}

func nagLines(dir, pack, stack string) ([]nagLine, error) {
	var report struct{ Lines []nagLine }
	text, err := os.ReadFile(filepath.Join(dir, pack+"-"+stack+"-NagReport.json")) //nolint:gosec // what the synthesis wrote
	if err == nil {
		err = json.Unmarshal(text, &report)
	}
	return report.Lines, err
}

// add takes one verdict up. UNKNOWN is a rule that failed: nobody knows, so it
// counts as a finding.
func (r *result) add(e *Environment, stack string, l nagLine, details map[string][]string) {
	_, path, _ := strings.Cut(l.ResourceID, "/")
	f := Finding{ledger.Nag, l.RuleID, e.Name, stack, strings.TrimSuffix(path, "/Resource"), l.RuleInfo}
	switch l.Compliance {
	case "Compliant":
	case "Suppressed":
		if finding, granular := strings.CutPrefix(l.ExceptionReason, "["); granular {
			f.Rule += "[" + bracketed(finding) + "]"
		}
		r.all = append(r.all, f)
	case "Non-Compliant":
		if of := details[l.ResourceID+" "+l.RuleID]; len(of) > 0 {
			f.Rule, details[l.ResourceID+" "+l.RuleID] = of[0], of[1:]
		}
		r.all, r.left = append(r.all, f), append(r.left, f)
	default:
		f.Message = l.Compliance + ": " + f.Message
		r.all, r.left = append(r.all, f), append(r.left, f)
	}
}

// bracketed returns the text up to the bracket that closes it, for a text
// behind an opening one.
func bracketed(text string) string {
	depth := 1
	for i, c := range text {
		switch c {
		case '[':
			depth++
		case ']':
			depth--
		}
		if depth == 0 {
			return text[:i]
		}
	}
	return text
}

// findings returns the full rules, RULE[FINDING], that cdk-nag wrote on the
// constructs of a stack, by path and rule: its reports leave the finding out.
func findings(dir, stack string) (map[string][]string, error) {
	remarks, err := readRemarks(dir, stack)
	found := map[string][]string{}
	for _, r := range remarks {
		if rule, rest, granular := strings.Cut(r.text, "["); granular && r.ofNag() {
			key := r.path + " " + rule
			found[key] = append(found[key], rule+"["+bracketed(rest)+"]")
		}
	}
	return found, err
}
