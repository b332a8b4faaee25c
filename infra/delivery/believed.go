package delivery

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"padron/infra/cfn"
)

// honest returns an error for each thing that the record says of what it is made
// of and that is not so. Whoever may push a branch can make and seal a record: it
// is believed nothing that the commit, or the release that a rollback goes back
// to, says itself.
func (d *Delivery) honest(r *Record) error {
	var wrong []error
	images, version := d.Env.Images.ByProgram(), d.Env.Images.Version
	if d.kept != nil {
		images, version = d.kept.Images, d.kept.Version
	}
	if !maps.Equal(r.Images, images) || r.Version != version {
		wrong = append(wrong, errors.New("the record names other images than the description: plan again"))
	}
	for _, s := range r.Stacks {
		if err := s.toldRight(); err != nil {
			wrong = append(wrong, fmt.Errorf("stack %s: %w: plan again", s.Name, err))
		}
		// A name could be given to another change set after it was looked at.
		if arn := fmt.Sprintf("arn:aws:cloudformation:%s:%s:changeSet/", s.Region, r.Account); s.ChangeSet != "" && !strings.HasPrefix(s.ChangeSet, arn) {
			wrong = append(wrong, fmt.Errorf("stack %s: its change set %q is no ARN of this account: plan again", s.Name, s.ChangeSet))
		}
	}
	return errors.Join(wrong...)
}

// toldRight returns an error where the record's word for what becomes of the
// stack is not what would: by that word the review shows a stack, and leaves out
// the changes of one that stays as it is or is new.
func (s StackPlan) toldRight() error {
	switch made := s.ChangeSet != ""; {
	case !made && s.State != Unchanged && s.State != Waiting:
		return fmt.Errorf("the record says that it is %s, and has no change set of it", s.State)
	case made && s.State != New && s.State != Changed, made && (s.State == New) != (s.Before == nil), !made && len(s.Changes) > 0:
		return fmt.Errorf("the record says that it is %s, and what it holds of it is not that", s.State)
	}
	return nil
}

// waitRightly returns an error for each stack that the record lets wait for
// something else than what it lacks: a plan would have made its change set.
func (d *Delivery) waitRightly(ctx context.Context, r *Record) error {
	now := &given{d: d}
	var wrong []error
	for i, s := range r.Stacks {
		if s.State != Waiting {
			continue
		}
		lacks, err := now.waits(ctx, d.Templates.Stack(s.Name), r.Stacks[:i])
		if err != nil {
			return err
		}
		if len(lacks) == 0 || !slices.Equal(lacks, s.WaitsFor) {
			wrong = append(wrong, fmt.Errorf("stack %s: the record says that it waits for %q, and it lacks %q: plan again", s.Name, s.WaitsFor, lacks))
		}
	}
	return errors.Join(wrong...)
}

// stacksAre returns an error unless the record has exactly the commit's stacks,
// in their order and each under its name.
func (d *Delivery) stacksAre(r *Record) error {
	type place struct{ name, stack, region string }
	var want, got []place
	for _, s := range d.Templates.Stacks {
		want = append(want, place{s.Name, s.StackName, s.Region})
	}
	for _, s := range r.Stacks {
		got = append(got, place{s.Name, s.StackName, s.Region})
	}
	if !slices.Equal(want, got) {
		return fmt.Errorf("the record has the stacks %v, and the commit %v: plan again", got, want)
	}
	return nil
}

// intact returns an error unless every asset in the account is what the commit
// holds, or for a rollback the release, and what was reviewed: resources are
// made of them when the change sets are executed, and whoever may propose a
// change may write them.
func (d *Delivery) intact(ctx context.Context, r *Record) error {
	if d.kept != nil {
		if !slices.Equal(r.Assets, d.kept.Assets) {
			return fmt.Errorf("the record has other assets than release %d: plan again", d.kept.Revision)
		}
		return d.unspoilt(ctx, r.Assets)
	}
	sources, err := d.sources()
	if err != nil {
		return err
	}
	reviewed := map[string]string{}
	for _, a := range r.Assets {
		reviewed[a.at()] = a.SHA256
	}
	var wrong []error
	if len(r.Assets) != len(sources) {
		wrong = append(wrong, fmt.Errorf("the record has %d assets, and the commit %d: plan again", len(r.Assets), len(sources)))
	}
	for _, s := range sources {
		wrong = append(wrong, d.madeOf(ctx, s, reviewed[s.at()]))
	}
	return errors.Join(wrong...)
}

// madeOf returns an error unless the asset in the account is of the commit's
// file, and has the hash that was reviewed.
func (d *Delivery) madeOf(ctx context.Context, s source, reviewed string) error {
	there, err := read(ctx, objects(d.in(s.Region)), s.Bucket, s.Key)
	if err != nil {
		return fmt.Errorf("asset %s: %w", s.at(), err)
	}
	same, err := holds(there, d.path(s.file), s.file.Source.Packaging)
	if err != nil {
		return fmt.Errorf("asset %s: %w", s.at(), err)
	}
	if !same || sha(there) != reviewed {
		return s.changed()
	}
	return nil
}

// unspoilt returns an error unless every asset still has its hash.
func (d *Delivery) unspoilt(ctx context.Context, assets []Asset) error {
	for _, a := range assets {
		there, err := read(ctx, objects(d.in(a.Region)), a.Bucket, a.Key)
		if err != nil {
			return fmt.Errorf("asset %s: %w", a.at(), err)
		}
		if sha(there) != a.SHA256 {
			return a.changed()
		}
	}
	return nil
}

func (a Asset) changed() error {
	return fmt.Errorf("asset %s is not what was reviewed: somebody changed it; delete that object, plan again and have that reviewed", a.at())
}

// asPlanned returns an error where the change set asks for more than a plan does:
// parameters other than the template's defaults, other tags, or what stands in
// no template.
func (d *Delivery) asPlanned(told *changeSet, s *cfn.Stack) error {
	parameters, _ := s.Template["Parameters"].(map[string]any)
	for _, name := range sortedKeys(told.asked) {
		declared, _ := parameters[name].(map[string]any)
		if fallback, ok := declared["Default"]; !ok || fmt.Sprint(fallback) != told.asked[name] {
			return fmt.Errorf("its change set sets the parameter %s, which no plan does", name)
		}
	}
	if !maps.Equal(told.tags, s.Tags) {
		return errors.New("its change set has other tags than the commit")
	}
	if told.beyond != "" {
		return fmt.Errorf("its change set %s, which no plan asks for", told.beyond)
	}
	return nil
}

// leftOut returns an error where the record changes nothing of a stack that the
// commit changes.
func leftOut(s StackPlan, at *deployed, want *cfn.Stack) error {
	if s.State == Unchanged && (at == nil || says(at.template) != says(want.Template)) {
		return errors.New("the record changes nothing of it, and the commit does")
	}
	return nil
}

// says is what a template makes: its resources' types and properties. A number
// and the text of it are the same to CloudFormation.
func says(template map[string]any) string {
	made := map[string]any{}
	resources, _ := template["Resources"].(map[string]any)
	for id, r := range resources {
		if body, ok := r.(map[string]any); ok {
			made[id] = []any{body["Type"], body["Properties"]}
		}
	}
	return fmt.Sprint(made)
}
