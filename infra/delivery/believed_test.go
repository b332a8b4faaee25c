package delivery

import (
	"archive/zip"
	"bytes"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"padron/infra/cfn"
	"padron/infra/synthtest"
)

// forgeries seals records that say of the commit what is not so: whoever may
// push a branch can.
func (s *story) forgeries(c commit, record *Record) {
	for words, forge := range map[string]func(*Record){
		"names other images than the description": func(r *Record) {
			r.Images = maps.Clone(r.Images)
			r.Images["padron"] = "sha256:" + strings.Repeat("0", 64)
		},
		"names other images":        func(r *Record) { r.Version = "v0" },
		" assets, and the commit ":  func(r *Record) { r.Assets = nil },
		"the record has the stacks": func(r *Record) { r.Stacks = r.Stacks[1:] },
		"and the commit [": func(r *Record) {
			i := planOf(r, "services")
			r.Stacks[i].StackName = r.Stacks[planOf(r, "data")].StackName
		},
		"is no ARN of this account": func(r *Record) {
			_, name, _ := strings.Cut(changeSetOf(r, "services"), "changeSet/")
			r.Stacks[planOf(r, "services")].ChangeSet, _, _ = strings.Cut(name, "/")
		},
		"says that it is changed, and has no change set":                 func(r *Record) { r.Stacks[planOf(r, "services")].ChangeSet = "" },
		"says that it is new, and what it holds of it is not that":       func(r *Record) { r.Stacks[planOf(r, "services")].State = New },
		"says that it is unchanged, and what it holds of it is not that": func(r *Record) { r.Stacks[planOf(r, "services")].State = Unchanged },
		"stack network: the record changes nothing of it, and the commit does": func(r *Record) {
			network := &r.Stacks[planOf(r, "network")]
			network.State, network.ChangeSet, network.Changes = Unchanged, "", nil
		},
	} {
		forged := *record
		forged.Stacks, forged.Assets = slices.Clone(record.Stacks), slices.Clone(record.Assets)
		forge(&forged)
		forged.Seal()
		s.refuses(s.of(c), &forged, nil, "nothing was changed", words)
	}
}

// poisoned changes an asset and has the record agree: the commit does not.
func (s *story) poisoned(c commit, record *Record) {
	client := objects(s.account.Config(c.env.Region))
	forged := *record
	forged.Assets = slices.Clone(record.Assets)
	at := forged.Assets[0]
	was, err := read(s.Context(), client, at.Bucket, at.Key)
	if err != nil {
		s.Fatal(err)
	}
	put := func(text []byte) {
		if _, err := client.PutObject(s.Context(), &s3.PutObjectInput{Bucket: &at.Bucket, Key: &at.Key, Body: bytes.NewReader(text)}); err != nil {
			s.Fatal(err)
		}
	}
	put([]byte("poison"))
	defer put(was)
	forged.Assets[0].SHA256 = sha([]byte("poison"))
	forged.Seal()
	s.refuses(s.of(c), &forged, nil, at.at()+" is not what was reviewed")
}

// overridden makes change sets of the reviewed template that do more than it
// says.
func (s *story) overridden(c commit) {
	reviewed := s.plan(c).Record
	d := s.of(c)
	if err := d.load(); err != nil {
		s.Fatal(err)
	}
	stack := c.templates.Stack("services")
	p := planning{Delivery: d, record: reviewed, nonce: "evil"}
	client := cloudformation.NewFromConfig(s.account.Config(c.env.Region))
	in := p.request(stack, types.ChangeSetTypeUpdate)
	in.Tags = append(in.Tags, types.Tag{Key: aws.String("team"), Value: aws.String("admins")})
	made, err := client.CreateChangeSet(s.Context(), in)
	if err != nil {
		s.Fatal(err)
	}
	forged := *reviewed
	forged.Stacks = slices.Clone(reviewed.Stacks)
	forged.Stacks[planOf(&forged, "services")].ChangeSet = *made.Id
	forged.Seal()
	s.refuses(s.of(c), &forged, nil, "stack services: its change set has other tags than the commit")
}

func planOf(r *Record, name string) int {
	return slices.IndexFunc(r.Stacks, func(s StackPlan) bool { return s.Name == name })
}

// TestAsPlanned: a change set of the reviewed template with another parameter,
// the bastion's image say, is another change.
func TestAsPlanned(t *testing.T) {
	stack := synthtest.Load(t, "dev").Stack("bastion")
	parameters, _ := stack.Template["Parameters"].(map[string]any)
	if len(parameters) == 0 {
		t.Fatal("the stack bastion has no parameter to try this with")
	}
	asked := map[string]string{}
	for name, p := range parameters {
		asked[name] = p.(map[string]any)["Default"].(string)
	}
	d := &Delivery{}
	if err := d.asPlanned(&changeSet{asked: asked, tags: stack.Tags}, stack); err != nil {
		t.Errorf("a plan's own change set: %v", err)
	}
	for name := range asked {
		other := maps.Clone(asked)
		other[name] = "/evil/image"
		if err := d.asPlanned(&changeSet{asked: other, tags: stack.Tags}, stack); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("with another value of %s: %v", name, err)
		}
	}
	for _, told := range []*cloudformation.DescribeChangeSetOutput{
		{NotificationARNs: []string{"arn:aws:sns:us-east-1:999900001111:evil"}},
		{ImportExistingResources: aws.Bool(true)},
		{OnStackFailure: types.OnStackFailureDoNothing},
		{ParentChangeSetId: aws.String("arn")},
		{RollbackConfiguration: &types.RollbackConfiguration{RollbackTriggers: []types.RollbackTrigger{{}}}},
	} {
		if err := d.asPlanned(&changeSet{tags: stack.Tags, beyond: beyond(told)}, stack); err == nil {
			t.Errorf("%+v is taken for a plan's", told)
		}
	}
	plain := &cloudformation.DescribeChangeSetOutput{OnStackFailure: types.OnStackFailureRollback, RollbackConfiguration: &types.RollbackConfiguration{}}
	if what := beyond(plain); what != "" {
		t.Errorf("a plan's own change set %s", what)
	}
}

// TestLeftOut: a number and its text are the same, another value is not.
func TestLeftOut(t *testing.T) {
	template := func(port any) map[string]any {
		return map[string]any{"Resources": map[string]any{"R": map[string]any{"Type": "T", "Properties": map[string]any{"Port": port}}}}
	}
	for _, tt := range []struct {
		there, wanted any
		state         State
		refused       bool
	}{{443, "443", Unchanged, false}, {443, 80, Unchanged, true}, {443, 80, Changed, false}} {
		err := leftOut(StackPlan{State: tt.state}, &deployed{template: template(tt.there)}, &cfn.Stack{Template: template(tt.wanted)})
		if (err != nil) != tt.refused {
			t.Errorf("%v to %v, recorded as %s: %v", tt.there, tt.wanted, tt.state, err)
		}
	}
}

// TestArchiveWithOneNameTwice: who unpacks it may take the other one.
func TestArchiveWithOneNameTwice(t *testing.T) {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, text := range []string{"evil", "reviewed"} {
		f, err := w.Create("index.mjs")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if files, err := unpacked(b.Bytes()); err == nil {
		t.Errorf("unpacked as %q", files)
	}
}
