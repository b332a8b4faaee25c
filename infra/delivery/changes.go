package delivery

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"padron/infra/review"
)

// changeSet is a change set as CloudFormation tells it.
type changeSet struct {
	stackID   string
	status    types.ChangeSetStatus
	execution types.ExecutionStatus
	reason    string
	// parameters are the template's, with what they were looked up to be.
	parameters map[string]string
	// asked are the parameters as they were given, and tags the stack's.
	asked, tags map[string]string
	changes     []review.Change
	// beyond is what it would do that a template does not say, "" for nothing.
	beyond string
}

// errNoChangeSet is a change set that is not there any more.
var errNoChangeSet = errors.New("its change set is gone: somebody deleted it, or changed the stack otherwise")

// describe returns the change set, or errNoChangeSet.
func describe(ctx context.Context, client *cloudformation.Client, stackName, arn string) (*changeSet, error) {
	var all *changeSet
	pages := cloudformation.NewDescribeChangeSetPaginator(client, &cloudformation.DescribeChangeSetInput{StackName: &stackName, ChangeSetName: &arn})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if gone := (*types.ChangeSetNotFoundException)(nil); errors.As(err, &gone) {
			return nil, errNoChangeSet
		}
		if err != nil {
			return nil, fmt.Errorf("change set %s: %w", arn, err)
		}
		if all == nil {
			all = &changeSet{stackID: aws.ToString(page.StackId), status: page.Status, execution: page.ExecutionStatus, reason: aws.ToString(page.StatusReason)}
			all.parameters, all.asked = parametersOf(page.Parameters)
			all.tags, all.beyond = tagsOf(page.Tags), beyond(page)
		}
		for _, c := range page.Changes {
			if c.ResourceChange != nil {
				all.changes = append(all.changes, changeOf(c.ResourceChange))
			}
		}
	}
	slices.SortFunc(all.changes, func(a, b review.Change) int { return strings.Compare(a.LogicalID, b.LogicalID) })
	return all, nil
}

func parametersOf(list []types.Parameter) (resolved, asked map[string]string) {
	resolved, asked = map[string]string{}, map[string]string{}
	for _, p := range list {
		name, value := aws.ToString(p.ParameterKey), aws.ToString(p.ParameterValue)
		asked[name], resolved[name] = value, cmp.Or(aws.ToString(p.ResolvedValue), value)
	}
	return resolved, asked
}

func tagsOf(list []types.Tag) map[string]string {
	all := map[string]string{}
	for _, t := range list {
		all[aws.ToString(t.Key)] = aws.ToString(t.Value)
	}
	return all
}

// beyond says what no change set of a plan asks for: each changes what an
// execution does, or who is told, and no template shows it.
func beyond(told *cloudformation.DescribeChangeSetOutput) string {
	switch rollback := told.RollbackConfiguration; {
	case len(told.NotificationARNs) > 0:
		return "tells " + strings.Join(told.NotificationARNs, ", ")
	case aws.ToBool(told.ImportExistingResources):
		return "takes over resources that exist"
	case told.OnStackFailure != "" && told.OnStackFailure != types.OnStackFailureRollback:
		return "does " + string(told.OnStackFailure) + " where it fails"
	case rollback != nil && len(rollback.RollbackTriggers) > 0:
		return "rolls back at alarms that nobody declared"
	case told.ParentChangeSetId != nil:
		return "belongs to another change set"
	}
	return ""
}

// empty reports whether CloudFormation found nothing to do.
func (c *changeSet) empty() bool {
	return c.status == types.ChangeSetStatusFailed &&
		(strings.Contains(c.reason, "didn't contain changes") || strings.Contains(c.reason, "No updates are to be performed"))
}

func changeOf(c *types.ResourceChange) review.Change {
	change := review.Change{
		Action: string(c.Action), LogicalID: aws.ToString(c.LogicalResourceId), Type: aws.ToString(c.ResourceType),
		PhysicalID: aws.ToString(c.PhysicalResourceId), Replacement: string(c.Replacement),
	}
	for _, s := range c.Scope {
		change.Scope = append(change.Scope, string(s))
	}
	slices.Sort(change.Scope)
	for _, d := range c.Details {
		if d.Target == nil {
			continue
		}
		change.Details = append(change.Details, review.Detail{
			Attribute: string(d.Target.Attribute), Name: aws.ToString(d.Target.Name),
			Recreation: string(d.Target.RequiresRecreation), Source: string(d.ChangeSource),
		})
	}
	slices.SortFunc(change.Details, func(a, b review.Detail) int {
		return cmp.Or(strings.Compare(a.Attribute, b.Attribute), strings.Compare(a.Name, b.Name), strings.Compare(a.Source, b.Source))
	})
	change.Details = slices.Compact(change.Details)
	return change
}
