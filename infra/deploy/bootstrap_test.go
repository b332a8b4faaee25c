package deploy

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
)

// firstDay prepares an empty account with the real cdk, twice. Deployments then
// have the one policy, and the pipeline its roles.
func firstDay(t *testing.T, d *Deployment) {
	t.Helper()
	progress, out := d.Progress.(*bytes.Buffer), d.Out.(*bytes.Buffer)
	for _, time := range []string{"first", "second"} {
		if err := d.Bootstrap(t.Context()); err != nil {
			t.Fatalf("the %s time: %v\n%s", time, err, progress.String())
		}
	}
	if n := strings.Count(progress.String(), "cdk bootstrap "); n != len(d.regions()) {
		t.Errorf("the CDK was bootstrapped %d times, in %d regions", n, len(d.regions()))
	}
	if want := "account 111122223333 takes deployments of padron-dev from example/padron, in the GitHub environments development-plan and development"; !strings.Contains(out.String(), want) {
		t.Errorf("said %q, want %q", out.String(), want)
	}
	client := iam.NewFromConfig(d.AWS)
	for _, region := range d.regions() {
		role := fmt.Sprintf("cdk-hnb659fds-cfn-exec-role-%s-%s", d.Env.Account, region)
		has, err := client.ListAttachedRolePolicies(t.Context(), &iam.ListAttachedRolePoliciesInput{RoleName: aws.String(role)})
		if err != nil {
			t.Fatal(err)
		}
		if p := has.AttachedPolicies; len(p) != 1 || aws.ToString(p[0].PolicyArn) != executionARN(d.Env) {
			t.Errorf("in %s deployments have the policies %v, want %s alone", region, p, executionARN(d.Env))
		}
	}
	for _, role := range []string{"plan", "deploy", "release"} {
		if _, err := client.GetRole(t.Context(), &iam.GetRoleInput{RoleName: aws.String(d.Env.Prefix() + "-" + role)}); err != nil {
			t.Errorf("the pipeline's role: %v", err)
		}
	}
}
