package delivery

import (
	"context"
	"fmt"
	"slices"

	"padron/infra/cfn"
)

// gone are stacks of the environment that are in the account and not among the
// templates: nothing here deletes a stack.
func (p *planning) gone(ctx context.Context) ([]string, error) {
	all, err := p.listed(ctx)
	if err != nil {
		return nil, err
	}
	var lines []string
	for _, at := range all {
		if !slices.ContainsFunc(p.Templates.Stacks, func(s *cfn.Stack) bool { return s.Region == at.region && s.StackName == at.stack }) {
			lines = append(lines, fmt.Sprintf("Stack %s stands in %s and is not among the templates: it stays until somebody deletes it.", at.stack, at.region))
		}
	}
	return lines, nil
}

// torn are exports that a template gives up while another stack, as it stands,
// imports them: CloudFormation refuses that. The import has to go first.
func (p *planning) torn() []string {
	var lines []string
	before := p.before(p.stands)
	for _, s := range p.Templates.Stacks {
		old := before.Stack(s.Name)
		if old == nil {
			continue
		}
		kept := exports(s.Template)
		for _, name := range exports(old.Template) {
			if slices.Contains(kept, name) {
				continue
			}
			for _, other := range before.Stacks {
				if slices.Contains(needs(other), need{export: name}) {
					lines = append(lines, fmt.Sprintf("Stack %s gives up the export %s, which stack %s imports until its own change: CloudFormation will refuse. Deliver the change of %s first.",
						s.Name, name, other.Name, other.Name))
				}
			}
		}
	}
	return lines
}

// exports are the names that the template's outputs export, where they are plain.
func exports(template map[string]any) []string {
	outputs, _ := template["Outputs"].(map[string]any)
	var names []string
	for _, id := range sortedKeys(outputs) {
		output, _ := outputs[id].(map[string]any)
		export, _ := output["Export"].(map[string]any)
		if name, ok := export["Name"].(string); ok {
			names = append(names, name)
		}
	}
	return names
}
