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

// validation reads the CDK's own report. What the CDK suppresses in it is of
// its own making, such as literal zones.
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
			for _, c := range v.ViolatingConstructs {
				stack, path, _ := strings.Cut(strings.TrimSuffix(c.ConstructPath, "/Resource"), "/")
				r.left = append(r.left, Finding{CDK, v.RuleName, e.Name, stack, path, v.Description})
			}
		}
	}
	return r, nil
}
