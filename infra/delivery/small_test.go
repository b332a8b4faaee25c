package delivery

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"padron/infra/cfn"
	"padron/infra/config"
	"padron/infra/emulate"
)

// small is an emulated account to which two stacks of a group of logs each are
// delivered: enough for what can go wrong between two requests.
type small struct {
	*testing.T
	account   *emulate.Account
	env       *config.Environment
	templates *cfn.Assembly
}

func beginSmall(t *testing.T) *small {
	t.Helper()
	account, env, _ := empty(t)
	s := &small{T: t, account: account, env: env}
	dir, stacks := t.TempDir(), []*cfn.Stack{s.stack("one"), s.stack("two")}
	for _, stack := range stacks {
		text, err := json.Marshal(stack.Template)
		if err != nil {
			t.Fatal(err)
		}
		write(t, dir, stack.Name+templateSuffix, string(text))
		write(t, dir, stack.Name+".assets.json", "{}")
	}
	s.templates = cfn.Assemble(stacks...)
	s.templates.Dir = dir
	if err := account.Bootstrap(t.Context(), s.templates); err != nil {
		t.Fatal(err)
	}
	bucket := Bucket(env)
	if _, err := objects(account.Config(env.Region)).CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: &bucket}); err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *small) stack(name string) *cfn.Stack {
	return &cfn.Stack{Name: name, StackName: s.env.Prefix() + "-" + name, Account: s.env.Account, Region: s.env.Region, Template: map[string]any{
		"Resources": map[string]any{"Log": map[string]any{
			"Type": "AWS::Logs::LogGroup", "Properties": map[string]any{"LogGroupName": "/padron/dev/" + name},
		}},
	}}
}

// of is a delivery that speaks to the account by way of the edge.
func (s *small) of(edge edgeFunc) *Delivery {
	settings := s.account.Config(s.env.Region)
	settings.HTTPClient = edge
	return &Delivery{
		Env: s.env, Description: []byte("the description"), Templates: s.templates, Source: Source{Version: "v1", Commit: strings.Repeat("1", 40), Tree: "tree"},
		AWS: settings, Progress: s.Output(), Now: time.Now, Poll: time.Millisecond, Patience: time.Minute,
	}
}

// planned is the sealed record of a plan.
func (s *small) planned() *Record {
	s.Helper()
	d := s.of(through)
	shelf := NewShelf(d.Env, d.AWS)
	last, err := shelf.Last(s.Context())
	if err != nil {
		s.Fatal(err)
	}
	p, err := d.plan(s.Context(), shelf, last, d.begin())
	if err != nil {
		s.Fatal(err)
	}
	p.record.Seal()
	return p.record
}

// changeSets are those that wait in the account.
func (s *small) changeSets() (all []string) {
	s.Helper()
	client := cloudformation.NewFromConfig(s.account.Config(s.env.Region))
	for _, stack := range s.templates.Stacks {
		told, err := client.ListChangeSets(s.Context(), &cloudformation.ListChangeSetsInput{StackName: &stack.StackName})
		if noSuchStack(err) {
			continue
		}
		if err != nil {
			s.Fatal(err)
		}
		for _, c := range told.Summaries {
			if aws.ToString(c.StackName) == stack.StackName { // moto lists those of every stack
				all = append(all, stack.Name+" "+aws.ToString(c.ChangeSetName))
			}
		}
	}
	return all
}

// edgeFunc is what stands between a delivery and the account.
type edgeFunc func(*http.Request) (*http.Response, error)

// Do sends the request.
func (f edgeFunc) Do(r *http.Request) (*http.Response, error) { return f(r) }

// through lets every request through.
func through(r *http.Request) (*http.Response, error) { return http.DefaultClient.Do(r) }

// asks is which action of CloudFormation the request is of.
func asks(r *http.Request) string {
	if r.Body == nil {
		return ""
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return ""
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	_, rest, _ := strings.Cut(string(body), "Action=")
	action, _, _ := strings.Cut(rest, "&")
	return action
}

// refused is an answer of CloudFormation.
func refused(code string) *http.Response {
	text := fmt.Sprintf("<ErrorResponse><Error><Code>%s</Code><Message>not now</Message></Error></ErrorResponse>", code)
	return &http.Response{StatusCode: http.StatusBadRequest, Header: http.Header{"Content-Type": {"text/xml"}}, Body: io.NopCloser(strings.NewReader(text))}
}
