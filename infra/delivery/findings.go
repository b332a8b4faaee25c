package delivery

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
)

// gone are stacks of the environment that are in the account and not among the
// templates: nothing here deletes a stack.
func (p *planning) gone(ctx context.Context) ([]string, error) {
	known, regions := map[string]bool{}, map[string]bool{p.Env.Region: true, p.Env.CopyRegion: true}
	for _, s := range p.Templates.Stacks {
		known[s.Region+"/"+s.StackName] = true
	}
	var lines []string
	for _, region := range sortedKeys(regions) {
		pages := cloudformation.NewListStacksPaginator(p.stacks(region), &cloudformation.ListStacksInput{})
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			if err != nil {
				return nil, fmt.Errorf("stacks of %s: %w", region, err)
			}
			for _, s := range page.StackSummaries {
				name := aws.ToString(s.StackName)
				if strings.HasPrefix(name, p.Env.Prefix()+"-") && !known[region+"/"+name] && s.StackStatus != types.StackStatusDeleteComplete {
					lines = append(lines, fmt.Sprintf("Stack %s stands in %s and is not among the templates: it stays until somebody deletes it.", name, region))
				}
			}
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
