package delivery

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"padron/infra/deploy"
)

// Apply executes exactly what the record says was reviewed, in its order, and
// returns the release that runs then; [StillWaiting] where stacks wait for another
// plan. Overrides name the stateful resources, STACK/LogicalID, that may be lost.
//
// Everything is checked before anything is touched, and all that is wrong is
// said at once.
func (d *Delivery) Apply(ctx context.Context, record *Record, overrides []string) (*Release, error) {
	shelf := NewShelf(d.Env, d.AWS)
	last, err := d.sound(ctx, shelf, record)
	if err := errors.Join(record.allowed(overrides), err); err != nil {
		return nil, fmt.Errorf("nothing was changed:\n%w", err)
	}
	migrated, err := d.executeAll(ctx, record, last)
	if err != nil {
		return nil, err
	}
	if err := d.intact(ctx, record); err != nil {
		return nil, fmt.Errorf("while stacks were deployed: %w", err)
	}
	if waiting := record.waiting(); len(waiting) > 0 {
		return nil, waiting
	}
	release := d.released(record, last, overrides, migrated)
	if err := shelf.add(ctx, release, d.files, d.Description); err != nil {
		return nil, fmt.Errorf("every stack is deployed, and release %d has no record: %w; plan again, which finds nothing to change, and apply that to have it kept", release.Revision, err)
	}
	return release, nil
}

// sound returns the release that runs, and an error for all that keeps the record
// from being applied: it, the commit or the account is not what was reviewed.
func (d *Delivery) sound(ctx context.Context, shelf *Shelf, record *Record) (last *Release, err error) {
	if err := d.begun(ctx, shelf, record); err != nil {
		return nil, err
	}
	if last, err = shelf.Last(ctx); err != nil {
		return nil, err
	}
	if err := d.stacksAre(record); err != nil { // what follows looks for each
		return nil, err
	}
	return last, errors.Join(d.same(record), ordered(record), d.honest(record), onBase(record, last), d.intact(ctx, record), d.unmoved(ctx, record))
}

// executeAll executes every change set of the record in order, and migrates the
// database after the stack that holds the migration.
func (d *Delivery) executeAll(ctx context.Context, record *Record, last *Release) (*deploy.Migrated, error) {
	var migrated *deploy.Migrated
	for _, s := range record.Stacks {
		if s.ChangeSet != "" {
			// An hour may have passed since they were looked at.
			if err := errors.Join(d.stackUnmoved(ctx, s), d.intact(ctx, record)); err != nil {
				return nil, fmt.Errorf("before stack %s, which was not touched, nor those after it: %w", s.Name, err)
			}
			if err := d.execute(ctx, s); err != nil {
				return nil, err
			}
		}
		if s.Name == migrationStack && s.State != Waiting {
			var err error
			if migrated, err = d.migrate(ctx, s, last); err != nil {
				return nil, err
			}
		}
	}
	return migrated, nil
}

// begun checks the record and the account, and fetches what a rollback goes back
// to.
func (d *Delivery) begun(ctx context.Context, shelf *Shelf, record *Record) error {
	if err := record.Check(); err != nil {
		return fmt.Errorf("the record: %w", err)
	}
	if record.RollbackTo > 0 {
		to, err := shelf.Get(ctx, record.RollbackTo)
		if err != nil {
			return err
		}
		if err := d.turnTo(ctx, shelf, to); err != nil {
			return err
		}
	}
	if err := d.fits(record); err != nil {
		return err
	}
	return d.ready(ctx)
}

// StillWaiting are the stacks that wait for another plan: what was reviewed is
// applied, and is not yet a release.
type StillWaiting []string

// Error says what to do.
func (w StillWaiting) Error() string {
	return fmt.Sprintf("this is no release yet: what was reviewed is applied, and %s could not be planned before; plan the same commit again and have that reviewed", strings.Join(w, ", "))
}

// waiting are the stacks that have no change set yet.
func (r *Record) waiting() StillWaiting {
	var names StillWaiting
	for _, s := range r.Stacks {
		if s.State == Waiting {
			names = append(names, s.Name)
		}
	}
	return names
}

// fits returns an error unless the record is of this environment and commit. A
// merge that leaves every file as it was reviewed is the same commit.
func (d *Delivery) fits(r *Record) error {
	if r.Environment != d.Env.Name || r.Account != d.Env.Account || r.Region != d.Env.Region {
		return fmt.Errorf("the record is of environment %s (%s, %s), and this is %s (%s, %s)",
			r.Environment, r.Account, r.Region, d.Env.Name, d.Env.Account, d.Env.Region)
	}
	if r.Tree != d.Source.Tree {
		return fmt.Errorf("commit %.12s was reviewed and the checkout is %.12s, which has other files: plan it and have that reviewed", r.Commit, d.Source.Commit)
	}
	return nil
}

// same returns an error for each template, and for a description, that is not
// the reviewed one.
func (d *Delivery) same(r *Record) error {
	if err := d.load(); err != nil {
		return err
	}
	var wrong []error
	if sha(d.Description) != r.ConfigSHA256 {
		wrong = append(wrong, fmt.Errorf("the description of %s is not the reviewed one", d.Env.Name))
	}
	for _, s := range r.Stacks {
		if sha(d.files[s.Name]) != s.TemplateSHA256 {
			wrong = append(wrong, fmt.Errorf("the template of stack %s is not the reviewed one: its SHA-256 is %.12s and the record's %.12s", s.Name, sha(d.files[s.Name]), s.TemplateSHA256))
		}
	}
	return errors.Join(wrong...)
}

// onBase returns an error where another release came in between.
func onBase(r *Record, last *Release) error {
	at := 0
	if last != nil {
		at = last.Revision
	}
	if at != r.Base {
		return fmt.Errorf("release %d was the last one when this was planned, and now it is %d: plan again", r.Base, at)
	}
	return nil
}

// unmoved returns an error for each stack that is not as it was when it was
// planned, and for each change set that is not the reviewed one any more.
func (d *Delivery) unmoved(ctx context.Context, r *Record) error {
	var wrong []error
	for _, s := range r.Stacks {
		if err := d.stackUnmoved(ctx, s); err != nil {
			wrong = append(wrong, fmt.Errorf("stack %s: %w; plan again", s.Name, err))
		} else if err := d.changeSetUnmoved(ctx, s); err != nil {
			wrong = append(wrong, fmt.Errorf("stack %s: %w; plan again", s.Name, err))
		}
	}
	return errors.Join(wrong...)
}

func (d *Delivery) stackUnmoved(ctx context.Context, s StackPlan) error {
	at, err := d.standing(ctx, s.Region, s.StackName)
	switch {
	case errors.Is(err, errNoStack) && s.Before == nil:
		return leftOut(s, nil, nil)
	case errors.Is(err, errNoStack):
		return errors.New("it was there when this was planned, and is gone")
	case err != nil:
		return err
	case s.Before == nil:
		return errors.New("it was not there when this was planned, and somebody made it")
	case at.ID != s.Before.ID, !at.Updated.Equal(s.Before.Updated), at.MeaningSHA256 != s.Before.MeaningSHA256:
		return fmt.Errorf("it changed since this was planned, last on %s", at.Updated.UTC().Format("2006-01-02 15:04:05 MST"))
	case !at.settled():
		return fmt.Errorf("it is %s", at.Status)
	}
	return leftOut(s, at, d.Templates.Stack(s.Name))
}

func (d *Delivery) changeSetUnmoved(ctx context.Context, s StackPlan) error {
	if s.ChangeSet == "" {
		return nil
	}
	client := d.stacks(s.Region)
	told, err := describe(ctx, client, s.StackName, s.ChangeSet)
	switch {
	case err != nil:
		return err
	case told.execution != types.ExecutionStatusAvailable || told.status != types.ChangeSetStatusCreateComplete:
		return fmt.Errorf("its change set is %s and %s: somebody executed it, or it is outdated", told.status, told.execution)
	case s.Before != nil && told.stackID != s.Before.ID, !strings.Contains(told.stackID, ":stack/"+s.StackName+"/"):
		return fmt.Errorf("the recorded change set is of another stack, %s", told.stackID)
	case !maps.Equal(told.parameters, s.Parameters):
		return errors.New("its change set has other parameters than the reviewed ones")
	case hashOf(told.changes) != s.ChangesSHA256 || hashOf(s.Changes) != s.ChangesSHA256:
		return errors.New("its change set does not describe what was reviewed")
	}
	return errors.Join(d.asPlanned(told, d.Templates.Stack(s.Name)), d.changeSetHolds(ctx, client, s))
}

// changeSetHolds returns an error unless the change set is made of the reviewed
// template.
func (d *Delivery) changeSetHolds(ctx context.Context, client *cloudformation.Client, s StackPlan) error {
	template, err := client.GetTemplate(ctx, &cloudformation.GetTemplateInput{StackName: &s.StackName, ChangeSetName: &s.ChangeSet, TemplateStage: types.TemplateStageOriginal})
	if err != nil {
		return fmt.Errorf("template of its change set: %w", err)
	}
	_, has, err := Meaning([]byte(aws.ToString(template.TemplateBody)))
	if err != nil {
		return fmt.Errorf("template of its change set: %w", err)
	}
	_, want, err := Meaning(d.files[s.Name])
	if err != nil {
		return err
	}
	if has != want {
		return errors.New("its change set is made of another template than the reviewed one")
	}
	return nil
}

// released is the record of what runs now.
func (d *Delivery) released(record *Record, last *Release, overrides []string, migrated *deploy.Migrated) *Release {
	r := &Release{
		Format: Format, Revision: 1, RollbackTo: record.RollbackTo,
		Environment: record.Environment, Account: record.Account, Region: record.Region,
		Commit: d.Source.Commit, Tree: record.Tree, Padron: d.Source.Version, Record: record.SHA256, Applied: d.Now().UTC(),
		Images: record.Images, Version: record.Version, Assets: record.Assets, ConfigSHA256: record.ConfigSHA256, Overrides: overrides,
		Migration: migrated,
	}
	if last != nil {
		r.Previous, r.Revision = last.Revision, last.Revision+1
	}
	for _, s := range d.Templates.Stacks {
		r.Stacks = append(r.Stacks, Released{
			Name: s.Name, StackName: s.StackName, Region: s.Region, Needs: s.Needs, TemplateSHA256: sha(d.files[s.Name]), Tags: s.Tags,
		})
	}
	r.Seal()
	return r
}
