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
	"github.com/aws/smithy-go"
)

// Drift is what differs between the account and what was deployed to it.
type Drift struct {
	Environment string `json:"environment"`
	// Release is the one that should run, 0 where there is none.
	Release int `json:"release"`
	// Stacks are how many were looked at.
	Stacks int `json:"stacks"`
	// Unchecked are resources of types that CloudFormation cannot look at.
	Unchecked int `json:"unchecked"`
	// Resources differ from their template, or are gone.
	Resources []Drifted `json:"resources"`
	// Notes are stacks that could not be looked at, or have another template
	// than the release's.
	Notes []string `json:"notes"`
	// Known are differences that the estate itself makes, and count for nothing.
	Known []Drifted `json:"known"`
}

// Drifted is one resource that is not as its template says.
type Drifted struct {
	Stack      string `json:"stack"`
	LogicalID  string `json:"logical_id"`
	PhysicalID string `json:"physical_id"`
	Type       string `json:"type"`
	// Status is MODIFIED or DELETED.
	Status      string       `json:"status"`
	Differences []Difference `json:"differences,omitempty"`
}

// Difference is one property that is not as the template says.
type Difference struct {
	// Path is the property's, such as /SecurityGroupIngress/0; Kind is ADD,
	// REMOVE or NOT_EQUAL.
	Path     string `json:"path"`
	Kind     string `json:"kind"`
	Expected string `json:"expected"`
	Actual   string `json:"actual"`
	// Why says who makes a known difference.
	Why string `json:"why,omitempty"`
}

// Any reports whether anything is not as it was deployed.
func (d *Drift) Any() bool { return len(d.Resources)+len(d.Notes) > 0 }

// Drift looks at every stack of the environment, one after the other: each
// detection takes minutes.
func (d *Delivery) Drift(ctx context.Context) (*Drift, error) {
	last, err := NewShelf(d.Env, d.AWS).Last(ctx)
	if err != nil {
		return nil, err
	}
	drift := &Drift{Environment: d.Env.Name}
	names, err := d.present(ctx)
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		if err := d.look(ctx, name, drift); err != nil {
			return nil, fmt.Errorf("stack %s: %w", name.stack, err)
		}
	}
	if last != nil {
		drift.Release = last.Revision
		notes, err := d.otherwise(ctx, last)
		if err != nil {
			return nil, err
		}
		drift.Notes = append(drift.Notes, notes...)
	}
	return drift, nil
}

// place is a stack of the account, and its state.
type place struct {
	region, stack string
	status        types.StackStatus
}

// present are the environment's stacks that stand in the account. One that a
// change set only announced does not.
func (d *Delivery) present(ctx context.Context) ([]place, error) {
	all, err := d.listed(ctx)
	return slices.DeleteFunc(all, func(p place) bool { return p.status == types.StackStatusReviewInProgress }), err
}

// listed are the environment's stacks in both regions, sorted, but for those that
// were deleted.
func (d *Delivery) listed(ctx context.Context) ([]place, error) {
	var all []place
	for _, region := range slices.Compact([]string{d.Env.Region, d.Env.CopyRegion}) {
		pages := cloudformation.NewListStacksPaginator(d.stacks(region), &cloudformation.ListStacksInput{})
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			if err != nil {
				return nil, fmt.Errorf("stacks of %s: %w", region, err)
			}
			for _, s := range page.StackSummaries {
				name := aws.ToString(s.StackName)
				if strings.HasPrefix(name, d.Env.Prefix()+"-") && s.StackStatus != types.StackStatusDeleteComplete {
					all = append(all, place{region, name, s.StackStatus})
				}
			}
		}
	}
	slices.SortFunc(all, func(a, b place) int {
		return cmp.Or(strings.Compare(a.region, b.region), strings.Compare(a.stack, b.stack))
	})
	return all, nil
}

// look has the stack compared with what stands, and adds what differs. One that
// CloudFormation does not look at, since it is broken or moves, is a note: it must
// not keep the others from being looked at.
func (d *Delivery) look(ctx context.Context, at place, drift *Drift) error {
	client := d.stacks(at.region)
	started, err := client.DetectStackDrift(ctx, &cloudformation.DetectStackDriftInput{StackName: &at.stack})
	if refused, ok := errors.AsType[smithy.APIError](err); ok && refused.ErrorCode() == "ValidationError" {
		drift.Notes = append(drift.Notes, fmt.Sprintf("Stack %s is %s and was not looked at: %s", at.stack, at.status, refused.ErrorMessage()))
		return nil
	}
	if err != nil {
		return err
	}
	drift.Stacks++
	told, err := d.detected(ctx, client, started.StackDriftDetectionId)
	if err != nil {
		return err
	}
	if told.DetectionStatus == types.StackDriftDetectionStatusDetectionFailed {
		drift.Notes = append(drift.Notes, fmt.Sprintf("Stack %s could not be looked at as a whole: %s", at.stack, aws.ToString(told.DetectionStatusReason)))
	}
	pages := cloudformation.NewDescribeStackResourceDriftsPaginator(client, &cloudformation.DescribeStackResourceDriftsInput{StackName: &at.stack})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return err
		}
		for _, r := range page.StackResourceDrifts {
			drift.add(strings.TrimPrefix(at.stack, d.Env.Prefix()+"-"), r)
		}
	}
	return nil
}

// detected waits for the end of a detection.
func (d *Delivery) detected(ctx context.Context, client *cloudformation.Client, id *string) (*cloudformation.DescribeStackDriftDetectionStatusOutput, error) {
	for {
		told, err := client.DescribeStackDriftDetectionStatus(ctx, &cloudformation.DescribeStackDriftDetectionStatusInput{StackDriftDetectionId: id})
		if err != nil || told.DetectionStatus != types.StackDriftDetectionStatusDetectionInProgress {
			return told, err
		}
		if err := d.pause(ctx); err != nil {
			return nil, err
		}
	}
}

// add sorts the resource's differences into what counts and what the estate
// makes itself.
func (d *Drift) add(stack string, r types.StackResourceDrift) {
	switch r.StackResourceDriftStatus {
	case types.StackResourceDriftStatusInSync:
		return
	case types.StackResourceDriftStatusNotChecked:
		d.Unchecked++
		return
	}
	at := Drifted{
		Stack: stack, LogicalID: aws.ToString(r.LogicalResourceId), PhysicalID: aws.ToString(r.PhysicalResourceId),
		Type: aws.ToString(r.ResourceType), Status: string(r.StackResourceDriftStatus),
	}
	var all []Difference
	for _, p := range r.PropertyDifferences {
		all = append(all, Difference{
			Path: aws.ToString(p.PropertyPath), Kind: string(p.DifferenceType),
			Expected: aws.ToString(p.ExpectedValue), Actual: aws.ToString(p.ActualValue),
		})
	}
	known := at
	at.Differences, known.Differences = explain(at.Type, all)
	if len(known.Differences) > 0 {
		d.Known = append(d.Known, known)
	}
	if len(at.Differences) > 0 || len(all) == 0 {
		d.Resources = append(d.Resources, at)
	}
}

// otherwise are the stacks whose template is not the last release's any more:
// somebody deployed them by another way.
func (d *Delivery) otherwise(ctx context.Context, last *Release) ([]string, error) {
	files, _, err := NewShelf(d.Env, d.AWS).templates(ctx, last)
	if err != nil {
		return nil, err
	}
	if d.Templates, err = last.assembly(files); err != nil {
		return nil, err
	}
	p := &planning{Delivery: d, last: last}
	if p.stands, err = d.standingAll(ctx); err != nil {
		return nil, err
	}
	return p.moved(files)
}
