package delivery

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"

	"padron/infra/cfn"
)

// need is what a template takes from another stack: an export of its region, or
// an output of a named stack.
type need struct {
	// export is its name; or stack and output are those of an output.
	export, stack, output, region string
}

// String says what is needed.
func (n need) String() string {
	if n.export != "" {
		return "the export " + n.export
	}
	return fmt.Sprintf("the output %s of stack %s", n.output, n.stack)
}

// needs returns what the stack's template takes from others.
func needs(s *cfn.Stack) []need {
	var found []need
	var walk func(v any)
	walk = func(v any) {
		switch v := v.(type) {
		case []any:
			for _, x := range v {
				walk(x)
			}
		case map[string]any:
			if name, ok := s.Resolve(v["Fn::ImportValue"]).(string); ok {
				found = append(found, need{export: name})
			}
			if what, ok := v["Fn::GetStackOutput"].(map[string]any); ok {
				stack, _ := s.Resolve(what["StackName"]).(string)
				output, _ := what["OutputName"].(string)
				region, _ := s.Resolve(what["Region"]).(string)
				found = append(found, need{stack: stack, output: output, region: region})
			}
			for _, x := range v {
				walk(x)
			}
		}
	}
	walk(s.Template)
	slices.SortFunc(found, func(a, b need) int { return strings.Compare(a.String(), b.String()) })
	return slices.Compact(found)
}

// given is what stacks of the account give to others now.
type given struct {
	d       *Delivery
	exports map[string]map[string]bool // by region
}

// lacks returns what the stack needs and nobody gives yet.
func (g *given) lacks(ctx context.Context, s *cfn.Stack) ([]need, error) {
	var missing []need
	for _, n := range needs(s) {
		has, err := g.has(ctx, s.Region, n)
		if err != nil {
			return nil, err
		}
		if !has {
			missing = append(missing, n)
		}
	}
	return missing, nil
}

// waits says what the stack needs that a plan only brings; before are the stacks
// that the plan has already. CloudFormation makes no change set of a template
// whose imports are not there.
func (g *given) waits(ctx context.Context, s *cfn.Stack, before []StackPlan) ([]string, error) {
	missing, err := g.lacks(ctx, s)
	if err != nil {
		return nil, err
	}
	var reasons []string
	for _, n := range missing {
		reasons = append(reasons, n.String())
	}
	for _, other := range before {
		if other.State == Waiting && slices.Contains(s.Needs, other.Name) {
			reasons = append(reasons, "the stack "+other.Name+", which waits itself")
		}
	}
	return reasons, nil
}

func (g *given) has(ctx context.Context, region string, n need) (bool, error) {
	if n.export != "" {
		all, err := g.exported(ctx, region)
		return all[n.export], err
	}
	if n.region != "" {
		region = n.region
	}
	told, err := g.d.stacks(region).DescribeStacks(ctx, &cloudformation.DescribeStacksInput{StackName: &n.stack})
	if noSuchStack(err) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	for _, o := range told.Stacks[0].Outputs {
		if aws.ToString(o.OutputKey) == n.output {
			return true, nil
		}
	}
	return false, nil
}

// exported are the names of the region's exports.
func (g *given) exported(ctx context.Context, region string) (map[string]bool, error) {
	if g.exports[region] != nil {
		return g.exports[region], nil
	}
	all := map[string]bool{}
	pages := cloudformation.NewListExportsPaginator(g.d.stacks(region), &cloudformation.ListExportsInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("exports of %s: %w", region, err)
		}
		for _, e := range page.Exports {
			all[aws.ToString(e.Name)] = true
		}
	}
	if g.exports == nil {
		g.exports = map[string]map[string]bool{}
	}
	g.exports[region] = all
	return all, nil
}
