package main

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"padron/infra/cdkout"
	"padron/infra/cfn"
	"padron/infra/cli"
	"padron/infra/config"
	"padron/infra/delivery"
	"padron/infra/emulate"
)

// account is an emulated account with one stack of dev, which the commands that
// the test runs talk to.
func account(t *testing.T) *emulate.Account {
	t.Helper()
	root, err := cdkout.Root()
	if err != nil {
		t.Fatal(err)
	}
	env, err := config.Load(filepath.Join(root, "config"), "dev")
	if err != nil {
		t.Fatal(err)
	}
	account, err := emulate.Start(t.Context(), root, env.Account)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := account.Stop(); err != nil {
			t.Error(err)
		}
	})
	bucket := delivery.Bucket(env)
	client := s3.NewFromConfig(account.Config(env.Region), func(o *s3.Options) { o.UsePathStyle = true })
	if _, err := client.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: &bucket}); err != nil {
		t.Fatal(err)
	}
	template := map[string]any{"Resources": map[string]any{"Log": map[string]any{
		"Type": "AWS::Logs::LogGroup", "Properties": map[string]any{"LogGroupName": "/padron/dev/x", "RetentionInDays": 365},
	}}}
	if err := account.Create(t.Context(), &cfn.Stack{Name: "x", StackName: "padron-dev-x", Region: env.Region, Template: template}); err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]string{
		"AWS_ENDPOINT_URL": account.URL, "AWS_ACCESS_KEY_ID": "emulated", "AWS_SECRET_ACCESS_KEY": "emulated", "AWS_REGION": env.Region,
		"AWS_EC2_METADATA_DISABLED": "true", "AWS_CONFIG_FILE": os.DevNull, "AWS_SHARED_CREDENTIALS_FILE": os.DevNull, "GITHUB_OUTPUT": "",
	} {
		t.Setenv(name, value)
	}
	return account
}

// TestDrift runs the command as a person and as the nightly workflow do.
func TestDrift(t *testing.T) {
	account := account(t)
	drift := driftCommand{target: target{Environment: "dev"}}
	if err := drift.Run(t.Context()); err != nil {
		t.Fatalf("nothing was changed by hand: %v", err)
	}
	name, days := "/padron/dev/x", int32(7)
	_, err := cloudwatchlogs.NewFromConfig(account.Config("us-east-1")).PutRetentionPolicy(t.Context(),
		&cloudwatchlogs.PutRetentionPolicyInput{LogGroupName: &name, RetentionInDays: &days})
	if err != nil {
		t.Fatal(err)
	}
	if err := drift.Run(t.Context()); !errors.Is(err, errDrifted) || cli.Code(err) != 1 {
		t.Errorf("logs kept shorter by hand: %v", err)
	}
	output := filepath.Join(t.TempDir(), "output")
	t.Setenv("GITHUB_OUTPUT", output)
	drift.Out, drift.JSON = t.TempDir(), true
	if err := drift.Run(t.Context()); err != nil {
		t.Errorf("in a workflow, where later steps report: %v", err)
	}
	if told, err := os.ReadFile(output); err != nil || string(told) != "drifted=true\n" {
		t.Errorf("the workflow's output is %q, %v", told, err)
	}
	var found delivery.Drift
	text, err := os.ReadFile(filepath.Join(drift.Out, "drift.json"))
	if err != nil || json.Unmarshal(text, &found) != nil || len(found.Resources) != 1 || found.Resources[0].Differences[0].Actual != `"7"` {
		t.Errorf("drift.json: %s, %v", text, err)
	}
	if page, err := os.ReadFile(filepath.Join(drift.Out, "drift.md")); err != nil || !strings.Contains(string(page), "Nothing was released yet.") {
		t.Errorf("drift.md: %s, %v", page, err)
	}
}

// TestDriftWithABrokenStack: one stack that cannot be looked at is said to be one,
// and keeps nobody from looking at the others.
func TestDriftWithABrokenStack(t *testing.T) {
	account := account(t)
	client, name := cloudformation.NewFromConfig(account.Config("us-east-1")), aws.String("padron-dev-a")
	template := `{"Resources": {"Log": {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": "/padron/dev/x"}}}}`
	made, err := client.CreateChangeSet(t.Context(), &cloudformation.CreateChangeSetInput{
		StackName: name, ChangeSetName: aws.String("one"), ChangeSetType: types.ChangeSetTypeCreate, TemplateBody: &template,
	})
	if err == nil {
		_, err = client.ExecuteChangeSet(t.Context(), &cloudformation.ExecuteChangeSetInput{ChangeSetName: made.Id})
	}
	if err != nil {
		t.Fatal(err)
	}
	drift := driftCommand{target: target{Environment: "dev"}, Out: t.TempDir()}
	if err := drift.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile(filepath.Join(drift.Out, "drift.md"))
	for _, want := range []string{"- Stack padron-dev-a is ROLLBACK_COMPLETE and was not looked at: ", "Nothing was released yet. 1 stacks were looked at"} {
		if err != nil || !strings.Contains(string(page), want) {
			t.Errorf("drift.md does not say %q: %s, %v", want, page, err)
		}
	}
}

// TestApplyNeedsARecord refuses what is no record, and one that was changed,
// before it looks at anything else.
func TestApplyNeedsARecord(t *testing.T) {
	dir := t.TempDir()
	for text, want := range map[string]string{
		"no record":                 "record.json is no record",
		`{"format":1,"sha256":"x"}`: "its own hash does not hold",
		`{"format":9}`:              "it is of format 9 and this program reads 1",
	} {
		if err := os.WriteFile(filepath.Join(dir, "record.json"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		err := (applyCommand{target: target{Environment: "dev"}, Record: dir}).Run(t.Context())
		if err == nil || !strings.Contains(err.Error(), want) || cli.Code(err) != 1 {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}

// TestUnknownEnvironment says what is wrong with the configuration.
func TestUnknownEnvironment(t *testing.T) {
	err := (driftCommand{target: target{Environment: "nowhere"}}).Run(t.Context())
	if err == nil || !strings.Contains(err.Error(), `no environment "nowhere"`) {
		t.Errorf("an environment that nobody describes: %v", err)
	}
	if code := cli.Code(config.Faults{{Where: "name", Why: "is wrong"}}); code != 2 {
		t.Errorf("wrong configuration exits with %d, want 2", code)
	}
}
