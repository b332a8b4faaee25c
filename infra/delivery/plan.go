package delivery

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"padron/infra/cfn"
)

// templateSuffix ends the name of a template's file.
const templateSuffix = ".template.json"

// maxBody is the most bytes of a template that travel inside a request; a
// larger one is read from the bucket (AWS, CreateChangeSet, TemplateBody).
const maxBody = 51_200

// planning is a plan that is being made.
type planning struct {
	*Delivery
	record *Record
	shelf  *Shelf
	// last is the release that runs, nil for none.
	last   *Release
	stands map[string]*deployed
	given  *given
	nonce  string
	// findings are lines for the review.
	findings []string
}

// plan uploads what the stacks are made of and makes a change set for each that
// can have one. Where it fails it deletes those that it made.
func (d *Delivery) plan(ctx context.Context, shelf *Shelf, last *Release, record *Record) (p *planning, err error) {
	if err := d.ready(ctx); err != nil {
		return nil, err
	}
	if last != nil {
		record.Base = last.Revision
	}
	p = &planning{Delivery: d, record: record, shelf: shelf, last: last, given: &given{d: d}}
	if p.nonce, err = nonce(); err != nil {
		return nil, err
	}
	if err := d.load(); err != nil {
		return nil, err
	}
	if record.Assets == nil {
		if record.Assets, err = d.upload(ctx); err != nil {
			return nil, err
		}
	}
	if p.stands, err = d.standingAll(ctx); err != nil {
		return nil, err
	}
	for _, s := range d.Templates.Stacks {
		if err := p.propose(ctx, s); err != nil {
			return nil, errors.Join(fmt.Errorf("stack %s: %w", s.Name, err), p.withdraw(ctx))
		}
	}
	return p, nil
}

// Plan is a record and what a person needs to review it.
type Plan struct {
	Record *Record
	// Review is the review document, Markdown.
	Review string
}

// Plan makes change sets of what the commit would change. Findings are what the
// proofs say, for the review.
func (d *Delivery) Plan(ctx context.Context, findings ...string) (*Plan, error) {
	shelf := NewShelf(d.Env, d.AWS)
	last, err := shelf.Last(ctx)
	if err != nil && !errors.Is(err, errNoShelf) {
		return nil, err
	}
	p, err := d.plan(ctx, shelf, last, d.begin())
	if err != nil {
		return nil, err
	}
	p.findings = findings
	return p.done(ctx)
}

// begin is a record with everything but the stacks.
func (d *Delivery) begin() *Record {
	return &Record{
		Format: Format, Padron: d.Source.Version, Commit: d.Source.Commit, Tree: d.Source.Tree,
		Environment: d.Env.Name, Account: d.Env.Account, Region: d.Env.Region, Created: d.Now().UTC(),
		Images: d.Env.Images.ByProgram(), Version: d.Env.Images.Version, ConfigSHA256: sha(d.Description),
	}
}

func nonce() (string, error) {
	var b [4]byte
	_, err := rand.Read(b[:])
	return hex.EncodeToString(b[:]), err
}

// load reads each stack's template as it was written, unless it is there already.
func (d *Delivery) load() error {
	if d.files != nil {
		return nil
	}
	d.files = map[string][]byte{}
	for _, s := range d.Templates.Stacks {
		text, err := os.ReadFile(filepath.Join(d.Templates.Dir, s.Name+templateSuffix))
		if err != nil {
			return err
		}
		d.files[s.Name] = text
	}
	return nil
}

// propose adds the stack to the record, with a change set where it can have one.
func (p *planning) propose(ctx context.Context, s *cfn.Stack) error {
	plan := StackPlan{
		Name: s.Name, StackName: s.StackName, Region: s.Region, State: New,
		TemplateSHA256: sha(p.files[s.Name]), Tags: s.Tags,
	}
	kind := types.ChangeSetTypeCreate
	if at := p.stands[s.Name]; at != nil {
		if !at.settled() {
			return fmt.Errorf("it is %s: wait until it is settled, or settle it, and plan again", at.Status)
		}
		plan.State, plan.Before, kind = Changed, &at.Standing, types.ChangeSetTypeUpdate
	}
	missing, err := p.given.waits(ctx, s, p.record.Stacks)
	if err != nil {
		return err
	}
	if len(missing) > 0 {
		plan.State, plan.WaitsFor = Waiting, missing
	} else {
		err = p.ask(ctx, s, kind, &plan)
	}
	p.record.Stacks = append(p.record.Stacks, plan) // a failed one, too: it may have a change set to withdraw
	if err == nil {
		p.say("%s: %s", s.StackName, plan)
	}
	return err
}

// String is the stack's state in words.
func (s StackPlan) String() string {
	switch s.State {
	case Unchanged:
		return "unchanged"
	case Waiting:
		return "waits for " + s.WaitsFor[0]
	}
	return fmt.Sprintf("%s, %d resources", s.State, len(s.Changes))
}

// ask makes the change set and writes down what it describes. One of nothing is
// deleted.
func (p *planning) ask(ctx context.Context, s *cfn.Stack, kind types.ChangeSetType, plan *StackPlan) error {
	client := p.stacks(s.Region)
	made, err := client.CreateChangeSet(ctx, p.request(s, kind))
	if err != nil {
		return fmt.Errorf("make its change set: %w", err)
	}
	plan.ChangeSet = aws.ToString(made.Id)
	told, err := p.made(ctx, client, s.StackName, plan.ChangeSet)
	if err != nil {
		return err
	}
	if told.status != types.ChangeSetStatusCreateComplete {
		plan.State, plan.ChangeSet = Unchanged, ""
		if _, err := client.DeleteChangeSet(ctx, &cloudformation.DeleteChangeSetInput{StackName: &s.StackName, ChangeSetName: made.Id}); err != nil {
			return fmt.Errorf("delete its change set, which is %s: %w", told.status, err)
		}
		if told.empty() {
			return nil
		}
		return fmt.Errorf("its change set is %s: %s", told.status, told.reason)
	}
	plan.Parameters, plan.Changes, plan.ChangesSHA256 = told.parameters, told.changes, hashOf(told.changes)
	return nil
}

func (p *planning) request(s *cfn.Stack, kind types.ChangeSetType) *cloudformation.CreateChangeSetInput {
	in := &cloudformation.CreateChangeSetInput{
		StackName: aws.String(s.StackName), ChangeSetType: kind,
		ChangeSetName: aws.String(fmt.Sprintf("padron-%.12s-%s", p.record.Commit, p.nonce)),
		Description:   aws.String("padron " + p.record.Padron + ", commit " + p.record.Commit),
		Capabilities:  []types.Capability{types.CapabilityCapabilityNamedIam},
		RoleARN:       aws.String(p.executionRole(s.Region)),
		Tags:          tags(s.Tags),
	}
	if text := p.files[s.Name]; len(text) <= maxBody {
		in.TemplateBody = aws.String(string(text))
	} else {
		in.TemplateURL = aws.String(fmt.Sprintf("https://cdk-hnb659fds-assets-%s-%s.s3.%s.amazonaws.com/%s.json", s.Account, s.Region, s.Region, sha(text)))
	}
	return in
}

func tags(all map[string]string) []types.Tag {
	var list []types.Tag
	for k, v := range all {
		list = append(list, types.Tag{Key: aws.String(k), Value: aws.String(v)})
	}
	slices.SortFunc(list, func(a, b types.Tag) int { return strings.Compare(*a.Key, *b.Key) })
	return list
}

// made waits until the change set is made, or failed to be.
func (p *planning) made(ctx context.Context, client *cloudformation.Client, stackName, arn string) (*changeSet, error) {
	for {
		told, err := describe(ctx, client, stackName, arn)
		switch {
		case err != nil:
			return nil, err
		case told.status != types.ChangeSetStatusCreatePending && told.status != types.ChangeSetStatusCreateInProgress:
			return told, nil
		}
		if err := p.pause(ctx); err != nil {
			return nil, err
		}
	}
}

// withdrawal is how long the change sets of a plan that was stopped may take to be
// deleted.
const withdrawal = 30 * time.Second

// withdraw deletes the change sets of a plan that comes to nothing, were it since
// somebody stopped it.
func (p *planning) withdraw(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), withdrawal)
	defer cancel()
	var failed []error
	for _, s := range p.record.Stacks {
		if s.ChangeSet == "" {
			continue
		}
		_, err := p.stacks(s.Region).DeleteChangeSet(ctx, &cloudformation.DeleteChangeSetInput{StackName: &s.StackName, ChangeSetName: &s.ChangeSet})
		failed = append(failed, err)
	}
	return errors.Join(failed...)
}

// Write puts the record and its review into dir, as record.json and review.md.
func (p *Plan) Write(dir string) error {
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return err
	}
	if err := writeJSON(filepath.Join(dir, "record.json"), p.Record); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "review.md"), []byte(p.Review), 0o644) //nolint:gosec // for everybody
}
