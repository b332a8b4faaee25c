package proof

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
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

// validation reads the CDK's own report, and the errors and warnings on
// constructs that are not cdk-nag's. What the CDK suppresses in its report is
// of its own making, such as literal zones.
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
		for _, v := range p.Violations {
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
