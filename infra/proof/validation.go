package proof

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// validationReport is what the CDK itself says of the templates.
type validationReport struct {
	PluginReports []struct {
		Violations           []violation
		SuppressedViolations []violation
	}
}

type violation struct {
	RuleName            string
	Description         string
	ViolatingConstructs []struct{ ConstructPath string }
}

// ofTheCDK reports whether the CDK suppresses its own violation: it writes the
// zones that a VPC is given as texts.
func (v violation) ofTheCDK() bool { return v.RuleName == "W3010" }

// validation reads the CDK's own report, and the errors and warnings on
// constructs that are not cdk-nag's. What is suppressed there was so past the
// ledger, and counts.
func validation(_ context.Context, e *Environment) (result, error) {
	r := result{tool: CDK}
	text, err := os.ReadFile(filepath.Join(e.assembly.Dir, "validation-report.json"))
	if err != nil {
		return r, err
	}
	var report validationReport
	if err := json.Unmarshal(text, &report); err != nil {
		return r, err
	}
	for _, p := range report.PluginReports {
		r.count.Rules++
		r.count.Verdicts += len(p.Violations) + len(p.SuppressedViolations)
		for _, v := range slices.Concat(p.Violations, slices.DeleteFunc(p.SuppressedViolations, violation.ofTheCDK)) {
			if len(v.ViolatingConstructs) == 0 {
				r.left = append(r.left, e.remark(v.RuleName, "", v.Description))
			}
			for _, c := range v.ViolatingConstructs {
				r.left = append(r.left, e.remark(v.RuleName, c.ConstructPath, v.Description))
			}
		}
	}
	for _, s := range e.assembly.Stacks {
		remarks, err := readRemarks(e.assembly.Dir, s.Name)
		if err != nil {
			return r, err
		}
		for _, m := range remarks {
			if !m.ofNag() {
				r.left = append(r.left, e.remark(m.kind, m.path, m.text))
			}
		}
	}
	return r, nil
}

// remark is a finding of the CDK at the construct's path, STACK/PATH.
func (e *Environment) remark(rule, path, message string) Finding {
	stack, path, _ := strings.Cut(strings.TrimSuffix(path, "/Resource"), "/")
	return Finding{CDK, rule, e.Name, stack, path, message}
}
