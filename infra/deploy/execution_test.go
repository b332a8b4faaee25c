package deploy

import (
	"encoding/json"
	"path"
	"slices"
	"strings"
	"testing"

	"padron/infra/synthtest"
)

// document is the policy as IAM reads it, of one environment.
func document(t *testing.T, name string) map[string]any {
	t.Helper()
	made, err := execution(synthtest.Config(t, name), synthtest.Load(t, name))
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(made)
	if err != nil {
		t.Fatal(err)
	}
	if len(text) > 6144 { // IAM's limit of a managed policy, white space aside
		t.Errorf("the policy has %d characters; IAM takes 6144", len(text))
	}
	var read map[string]any
	if err := json.Unmarshal(text, &read); err != nil {
		t.Fatal(err)
	}
	return read
}

// request is one call that CloudFormation makes for a template.
type request struct{ action, resource, region, policy string }

// permitted evaluates the policy as IAM does: a statement applies where action,
// resource and conditions match, and a Deny wins.
func permitted(document map[string]any, r request) bool {
	allowed := false
	for _, s := range document["Statement"].([]any) {
		s := s.(map[string]any)
		if !matches(s["Action"], r.action) || !matches(s["Resource"], r.resource) || !conditionsHold(s["Condition"], r) {
			continue
		}
		if s["Effect"] == "Deny" {
			return false
		}
		allowed = true
	}
	return allowed
}

func conditionsHold(conditions any, r request) bool {
	all, _ := conditions.(map[string]any)
	for _, keys := range all {
		for key, values := range keys.(map[string]any) {
			given := map[string]string{"aws:RequestedRegion": r.region, "iam:PolicyARN": r.policy}[key]
			if given == "" || !matches(values, given) {
				return false
			}
		}
	}
	return true
}

func matches(patterns any, value string) bool {
	list, ok := patterns.([]any)
	if !ok {
		list = []any{patterns}
	}
	return slices.ContainsFunc(list, func(p any) bool {
		bare := strings.NewReplacer("/", "|") // IAM's star passes a slash
		ok, err := path.Match(bare.Replace(p.(string)), bare.Replace(value))
		return err == nil && ok
	})
}

func TestWhatDeploymentsMayDo(t *testing.T) {
	policy := document(t, "prod")
	account := synthtest.Config(t, "prod").Account
	iam := func(what string) string { return "arn:aws:iam::" + account + ":" + what }
	const key = "arn:aws:kms:us-east-1:444455556666:key/x"
	for _, tt := range []struct {
		name string
		request
		want bool
	}{
		{"a database", request{"rds:CreateDBCluster", "arn:aws:rds:us-east-1:444455556666:cluster:x", "us-east-1", ""}, true},
		{"a copy in the other region", request{"backup:CreateBackupVault", "*", "us-west-2", ""}, true},
		{"anything in a third region", request{"ec2:RunInstances", "*", "eu-west-1", ""}, false},
		{"a service that the estate does not use", request{"sagemaker:CreateNotebookInstance", "*", "us-east-1", ""}, false},
		{"a key", request{"kms:CreateKey", key, "us-east-1", ""}, true},
		{"a secret's value", request{"secretsmanager:GetSecretValue", "*", "us-east-1", ""}, false},
		{"a command in a task", request{"ecs:ExecuteCommand", "*", "us-east-1", ""}, false},
		{"a task", request{"ecs:RunTask", "*", "us-east-1", ""}, false},
		{"a role of padron's", request{"iam:CreateRole", iam("role/padron-prod-synchronizer"), "", ""}, true},
		{"a role of another name", request{"iam:CreateRole", iam("role/administrator"), "", ""}, false},
		{"the role that it is", request{"iam:PutRolePolicy", iam("role/cdk-hnb659fds-cfn-exec-role-444455556666-us-east-1"), "", ""}, false},
		{"its own policy", request{"iam:CreatePolicyVersion", iam("policy/padron-execution"), "", ""}, false},
		{"handing on a role of padron's", request{"iam:PassRole", iam("role/padron-prod-scheduler"), "", ""}, true},
		{"handing on an administrator", request{"iam:PassRole", iam("role/administrator"), "", ""}, false},
		{"a policy of AWS that a template names", request{"iam:AttachRolePolicy", iam("role/padron-prod-posture"), "", "arn:aws:iam::aws:policy/SecurityAudit"}, true},
		{"the administrator's policy", request{"iam:AttachRolePolicy", iam("role/padron-prod-posture"), "", "arn:aws:iam::aws:policy/AdministratorAccess"}, false},
		{"a user", request{"iam:CreateUser", iam("user/padron-x"), "", ""}, false},
		{"a key for a user", request{"iam:CreateAccessKey", iam("user/somebody"), "", ""}, false},
		{"a provider of tokens", request{"iam:CreateOpenIDConnectProvider", iam("oidc-provider/token.actions.githubusercontent.com"), "", ""}, true},
		{"another provider of tokens", request{"iam:CreateOpenIDConnectProvider", iam("oidc-provider/example.com"), "", ""}, false},
		{"the organization", request{"organizations:LeaveOrganization", "*", "us-east-1", ""}, false},
	} {
		if got := permitted(policy, tt.request); got != tt.want {
			t.Errorf("%s: %+v is permitted: %v, want %v", tt.name, tt.request, got, tt.want)
		}
	}
}

// TestDeploymentsMayMakeWhatTemplatesHave asks for every named role and every
// service of every environment.
func TestDeploymentsMayMakeWhatTemplatesHave(t *testing.T) {
	used := map[string]bool{}
	for _, name := range synthtest.Environments(t) {
		policy, env := document(t, name), synthtest.Config(t, name)
		for _, r := range synthtest.Load(t, name).Resources() {
			parts := strings.Split(r.Type, "::")
			used[parts[1]] = true
			if prefix, ok := prefixes[parts[1]]; ok && !permitted(policy, request{prefix + ":Create", "*", r.Stack.Region, ""}) {
				t.Errorf("%s: a deployment may not make it in %s", r, r.Stack.Region)
			}
			role, _ := r.Properties["RoleName"].(string)
			if role == "" {
				role = r.Stack.StackName + "-" + r.LogicalID // as CloudFormation names it
			}
			if r.Type == "AWS::IAM::Role" && !permitted(policy, request{"iam:CreateRole", "arn:aws:iam::" + env.Account + ":role/" + role, "", ""}) {
				t.Errorf("%s: a deployment may not make the role %s", r, role)
			}
		}
	}
	for service := range prefixes {
		if !used[service] {
			t.Errorf("prefixes has %s, which is in no template", service)
		}
	}
}
