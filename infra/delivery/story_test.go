package delivery

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	ssmtypes "github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"padron/infra/cdkout"
	"padron/infra/cfn"
	"padron/infra/config"
	"padron/infra/emulate"
	"padron/infra/synthtest"
)

// story is an emulated account in which deliveries follow each other.
type story struct {
	*testing.T
	account  *emulate.Account
	progress bytes.Buffer
	now      time.Time
}

func begin(t *testing.T) *story {
	t.Helper()
	root, err := cdkout.Root()
	if err != nil {
		t.Fatal(err)
	}
	account, err := emulate.Start(t.Context(), root, synthtest.Config(t, "dev").Account)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := account.Stop(); err != nil {
			t.Error(err)
		}
	})
	return &story{T: t, account: account, now: time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)}
}

// of is the delivery of a commit with these templates.
func (s *story) of(commit string, env *config.Environment, templates *cfn.Assembly) *Delivery {
	return &Delivery{
		Env: env, Description: []byte("name: " + commit), Templates: templates,
		Source: Source{Version: "v1", Commit: strings.Repeat(commit, 40)[:40], Tree: commit},
		AWS:    s.account.Config(env.Region), Progress: &s.progress,
		Now:  func() time.Time { s.now = s.now.Add(time.Second); return s.now },
		Poll: time.Millisecond, Patience: time.Minute,
	}
}

// bootstrap prepares the account as cdk bootstrap does.
func (s *story) bootstrap(env *config.Environment) {
	s.Helper()
	if _, err := objects(s.account.Config(env.Region)).CreateBucket(s.Context(), &s3.CreateBucketInput{Bucket: aws.String(Bucket(env))}); err != nil {
		s.Fatal(err)
	}
	for _, region := range []string{env.Region, env.CopyRegion} {
		in := &s3.CreateBucketInput{Bucket: aws.String("cdk-hnb659fds-assets-" + env.Account + "-" + region)}
		if region != "us-east-1" {
			in.CreateBucketConfiguration = &s3types.CreateBucketConfiguration{LocationConstraint: s3types.BucketLocationConstraint(region)}
		}
		c := s.account.Config(region)
		if _, err := objects(c).CreateBucket(s.Context(), in); err != nil {
			s.Fatal(err)
		}
		_, err := ssm.NewFromConfig(c).PutParameter(s.Context(), &ssm.PutParameterInput{
			Name: aws.String("/cdk-bootstrap/hnb659fds/version"), Value: aws.String("30"), Type: ssmtypes.ParameterTypeString,
		})
		if err != nil {
			s.Fatal(err)
		}
	}
}

// firstDay deploys all stacks but those named, as padron-infra deploy does.
func (s *story) firstDay(d *Delivery, without ...string) {
	s.Helper()
	s.bootstrap(d.Env)
	if _, err := d.upload(s.Context()); err != nil {
		s.Fatal(err)
	}
	for _, stack := range d.Templates.Stacks {
		if slices.Contains(without, stack.Name) {
			continue
		}
		if err := s.account.Create(s.Context(), stack); err != nil {
			s.Fatal(err)
		}
	}
}

// plan plans, and fails the test where that fails.
func (s *story) plan(d *Delivery) *Record {
	s.Helper()
	plan, err := d.Plan(s.Context())
	if err != nil {
		s.Fatalf("%v\n%s", err, s.progress.String())
	}
	return plan.Record
}

// TestDelivery plays deliveries one after the other in one account.
func TestDelivery(t *testing.T) {
	s := begin(t)
	env := synthtest.Config(t, "dev")
	first := s.of("a", env, synthtest.Load(t, "dev"))
	s.firstDay(first, "services", "observability")
	s.waves(first)
}

// waves brings the stacks that are not there yet: the second needs what the
// first exports, so it is planned when that is there.
func (s *story) waves(d *Delivery) {
	record := s.plan(d)
	if got, want := states(record, "services", "observability", "network"), "new waiting unchanged"; got != want {
		s.Errorf("the first plan: %s, want %s", got, want)
	}
	_, err := d.Apply(s.Context(), record, nil)
	if waiting, ok := errors.AsType[StillWaiting](err); !ok || !slices.Equal(waiting, []string{"observability"}) {
		s.Fatalf("with a stack that waits: %v", err)
	}
	record = s.plan(d)
	if got, want := states(record, "services", "observability", "network"), "unchanged new unchanged"; got != want {
		s.Errorf("the second plan: %s, want %s", got, want)
	}
	release, err := d.Apply(s.Context(), record, nil)
	if err != nil {
		s.Fatal(err)
	}
	if release.Revision != 1 || release.Record != record.SHA256 || len(release.Stacks) != len(d.Templates.Stacks) {
		s.Errorf("the first release: %+v", release)
	}
}

func states(r *Record, names ...string) string {
	var all []string
	for _, name := range names {
		for _, s := range r.Stacks {
			if s.Name == name {
				all = append(all, string(s.State))
			}
		}
	}
	return strings.Join(all, " ")
}
