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

// execute runs the stack's change set and waits for the end.
func (d *Delivery) execute(ctx context.Context, s StackPlan) error {
	client := d.stacks(s.Region)
	began, err := newest(ctx, client, s.StackName)
	if err != nil {
		return err
	}
	if _, err := client.ExecuteChangeSet(ctx, &cloudformation.ExecuteChangeSetInput{StackName: &s.StackName, ChangeSetName: &s.ChangeSet}); err != nil {
		return fmt.Errorf("stack %s: execute its change set: %w; this delivery changed nothing of the stack, nor of those after it: see whether another one is under way, and plan again", s.Name, err)
	}
	d.say("%s: executes %s", s.StackName, s.ChangeSet)
	status, err := d.settle(ctx, client, s.StackName, began)
	if err != nil {
		return fmt.Errorf("stack %s: %w", s.Name, err)
	}
	d.say("%s: %s", s.StackName, status)
	if status == types.StackStatusCreateComplete || status == types.StackStatusUpdateComplete {
		return nil
	}
	why, err := firstFailure(ctx, client, s.StackName, began)
	if err != nil {
		return err
	}
	return &Broken{Stack: s.Name, Status: string(status), Why: why}
}

// settle waits until something has happened in the stack since the event, and
// nothing moves any more: just after the request, the stack still shows how it
// was.
func (d *Delivery) settle(ctx context.Context, client *cloudformation.Client, stackName, after string) (types.StackStatus, error) {
	ends := d.Now().Add(d.Patience)
	for {
		last, err := newest(ctx, client, stackName)
		if err != nil {
			return "", err
		}
		told, err := client.DescribeStacks(ctx, &cloudformation.DescribeStacksInput{StackName: &stackName})
		if err != nil {
			return "", err
		}
		status := told.Stacks[0].StackStatus
		if last != after && !strings.HasSuffix(string(status), "_IN_PROGRESS") {
			return status, nil
		}
		if d.Now().After(ends) {
			return "", fmt.Errorf("it is still %s after %s: it goes on without this program; look at its events", status, d.Patience)
		}
		if err := d.pause(ctx); err != nil {
			return "", fmt.Errorf("it is %s and goes on without this program: %w", status, err)
		}
	}
}

// Broken is a stack whose change failed.
type Broken struct {
	Stack, Status string
	// Why is the first resource that failed and its reason.
	Why string
}

// Error says which resource, why, where the stack stands now, and what to do.
func (b *Broken) Error() string {
	after := map[string]string{
		string(types.StackStatusUpdateRollbackComplete): "the stack rolled back and is as it was before: correct the cause, commit, and plan again",
		string(types.StackStatusRollbackComplete):       "the new stack rolled back and holds nothing: delete it (aws cloudformation delete-stack), correct the cause, and plan again",
		string(types.StackStatusUpdateRollbackFailed):   "the stack could not roll back: correct what its events name and continue the rollback (aws cloudformation continue-update-rollback), then plan again",
		string(types.StackStatusRollbackFailed):         "the new stack could not roll back: delete it (aws cloudformation delete-stack), correct the cause, and plan again",
	}[b.Status]
	if after == "" {
		after = "look at its events"
	}
	return fmt.Sprintf("stack %s stopped: %s\nit is %s: %s. Stacks after it were not touched", b.Stack, b.Why, b.Status, after)
}

// newest returns the id of the stack's newest event, "" where there is none.
func newest(ctx context.Context, client *cloudformation.Client, stackName string) (string, error) {
	told, err := client.DescribeStackEvents(ctx, &cloudformation.DescribeStackEventsInput{StackName: &stackName})
	if noSuchStack(err) || err == nil && len(told.StackEvents) == 0 {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("events of stack %s: %w", stackName, err)
	}
	return aws.ToString(told.StackEvents[0].EventId), nil
}

// firstFailure returns the first failed resource after the event, in words: what
// comes after it are mostly cancellations.
func firstFailure(ctx context.Context, client *cloudformation.Client, stackName, after string) (string, error) {
	first := "no event says which resource failed"
	pages := cloudformation.NewDescribeStackEventsPaginator(client, &cloudformation.DescribeStackEventsInput{StackName: &stackName})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return "", fmt.Errorf("events of stack %s: %w", stackName, err)
		}
		for _, e := range page.StackEvents { // the newest first
			if after != "" && aws.ToString(e.EventId) == after {
				return first, nil
			}
			if strings.HasSuffix(string(e.ResourceStatus), "ROLLBACK_IN_PROGRESS") && aws.ToString(e.PhysicalResourceId) == aws.ToString(e.StackId) {
				first = aws.ToString(e.ResourceStatusReason) // the stack's own
			}
			if failed(e) {
				first = fmt.Sprintf("%s (%s) is %s: %s", aws.ToString(e.LogicalResourceId), aws.ToString(e.ResourceType), e.ResourceStatus, aws.ToString(e.ResourceStatusReason))
			}
		}
	}
	return first, nil
}

func failed(e types.StackEvent) bool {
	return slices.Contains([]types.ResourceStatus{types.ResourceStatusCreateFailed, types.ResourceStatusUpdateFailed, types.ResourceStatusDeleteFailed}, e.ResourceStatus) &&
		!strings.Contains(aws.ToString(e.ResourceStatusReason), "cancelled")
}
