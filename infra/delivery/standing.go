package delivery

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/smithy-go"

	"padron/infra/cfn"
)

// deployed is a stack as it stands, with its template.
type deployed struct {
	Standing
	template map[string]any
}

// errNoStack is a stack that is not there. One that a change set only announced
// (REVIEW_IN_PROGRESS) is not.
var errNoStack = errors.New("there is no such stack")

// standing returns the stack as it stands, or errNoStack.
func (d *Delivery) standing(ctx context.Context, region, stackName string) (*deployed, error) {
	client := d.stacks(region)
	told, err := client.DescribeStacks(ctx, &cloudformation.DescribeStacksInput{StackName: &stackName})
	if noSuchStack(err) {
		return nil, errNoStack
	}
	if err != nil {
		return nil, fmt.Errorf("stack %s: %w", stackName, err)
	}
	s := told.Stacks[0]
	if s.StackStatus == types.StackStatusReviewInProgress {
		return nil, errNoStack
	}
	template, err := client.GetTemplate(ctx, &cloudformation.GetTemplateInput{StackName: &stackName, TemplateStage: types.TemplateStageOriginal})
	if err != nil {
		return nil, fmt.Errorf("template of stack %s: %w", stackName, err)
	}
	at := &deployed{Standing: Standing{ID: aws.ToString(s.StackId), Status: string(s.StackStatus), Updated: *s.CreationTime}}
	if s.LastUpdatedTime != nil {
		at.Updated = *s.LastUpdatedTime
	}
	if at.template, at.MeaningSHA256, err = Meaning([]byte(aws.ToString(template.TemplateBody))); err != nil {
		return nil, fmt.Errorf("template of stack %s as it is deployed: %w", stackName, err)
	}
	return at, nil
}

// Meaning reads a template, and hashes what it says: the same for two that
// differ in spaces or the order of names.
func Meaning(text []byte) (template map[string]any, hash string, err error) {
	if err := json.Unmarshal(text, &template); err != nil {
		return nil, "", fmt.Errorf("it is not JSON: %w", err)
	}
	return template, hashOf(template), nil
}

// settled reports whether the stack may be updated.
func (s *Standing) settled() bool {
	return slices.Contains([]types.StackStatus{
		types.StackStatusCreateComplete, types.StackStatusUpdateComplete, types.StackStatusUpdateRollbackComplete,
		types.StackStatusImportComplete, types.StackStatusImportRollbackComplete,
	}, types.StackStatus(s.Status))
}

// noSuchStack reports whether the stack is not there.
func noSuchStack(err error) bool {
	var told smithy.APIError
	return errors.As(err, &told) && told.ErrorCode() == "ValidationError" && strings.Contains(told.ErrorMessage(), "does not exist")
}

// standingAll returns each stack of the templates as it stands, by short name.
func (d *Delivery) standingAll(ctx context.Context) (map[string]*deployed, error) {
	all := map[string]*deployed{}
	for _, s := range d.Templates.Stacks {
		at, err := d.standing(ctx, s.Region, s.StackName)
		if errors.Is(err, errNoStack) {
			continue
		}
		if err != nil {
			return nil, err
		}
		all[s.Name] = at
	}
	return all, nil
}

// before is the assembly of what stands.
func (d *Delivery) before(all map[string]*deployed) *cfn.Assembly {
	var stacks []*cfn.Stack
	for _, s := range d.Templates.Stacks {
		at := all[s.Name]
		if at == nil {
			continue
		}
		old := *s
		old.Template = at.template
		stacks = append(stacks, &old)
	}
	return cfn.Assemble(stacks...)
}
