package estate_test

import (
	"fmt"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"padron/infra/cfn"
	"padron/infra/synthtest"
)

const issuer = "token.actions.githubusercontent.com"

// token is what GitHub says of a job.
type token struct{ sub, aud string }

// TestWhoTakesThePipelinesRoles tries every role with the tokens that GitHub
// gives to jobs of all kinds. Only the right one gets in.
func TestWhoTakesThePipelinesRoles(t *testing.T) {
	for _, name := range synthtest.Environments(t) {
		env, estate := synthtest.Config(t, name), synthtest.Load(t, name)
		guarded, plan := env.Delivery.GitHubEnvironment, env.Delivery.PlanEnvironment()
		repo := "repo:" + env.Delivery.Repository
		owner, short, _ := strings.Cut(env.Delivery.Repository, "/")
		const aws = "sts.amazonaws.com"
		tests := []struct {
			name  string
			token token
			roles []string
		}{
			{"deployment, approved", token{repo + ":environment:" + guarded, aws}, []string{"deploy", "release"}},
			{"plan", token{repo + ":environment:" + plan, aws}, []string{"plan"}},
			{"pull request", token{repo + ":pull_request", aws}, nil},
			{"main, without an environment", token{repo + ":ref:refs/heads/main", aws}, nil},
			{"branch with a clever name", token{repo + ":ref:refs/heads/environment:" + guarded, aws}, nil},
			{"tag", token{repo + ":ref:refs/tags/v1.0.0", aws}, nil},
			{"other environment", token{repo + ":environment:staging", aws}, nil},
			{"environment that begins alike", token{repo + ":environment:" + guarded + "-2", aws}, nil},
			{"environment in capitals", token{repo + ":environment:" + strings.ToUpper(guarded), aws}, nil},
			{"fork", token{"repo:somebody/" + short + ":environment:" + guarded, aws}, nil},
			{"fork that plans", token{"repo:somebody/" + short + ":environment:" + plan, aws}, nil},
			{"renamed repository that plans", token{"repo:" + owner + "/renamed:environment:" + plan, aws}, nil},
			{"owner who took the name over, in capitals", token{"repo:" + strings.ToUpper(owner) + "/" + short + ":environment:" + guarded, aws}, nil},
			{"other repository of the owner", token{"repo:" + owner + "/other:environment:" + guarded, aws}, nil},
			{"repository whose name begins alike", token{repo + "-evil:environment:" + guarded, aws}, nil},
			{"renamed repository", token{"repo:" + owner + "/renamed:environment:" + guarded, aws}, nil},
			{"numbered subject where none is expected", token{"repo:" + owner + "@1/" + short + "@2:environment:" + guarded, aws}, nil},
			{"token for another service", token{repo + ":environment:" + guarded, "https://github.com/" + owner}, nil},
			{"environment with more behind", token{repo + ":environment:" + guarded + ":ref:refs/heads/main", aws}, nil},
			{"called by another repository's workflow", token{repo + ":environment:" + guarded + ":job_workflow_ref:" + owner + "/other/x.yaml@refs/heads/main", aws}, nil},
			{"no subject", token{"", aws}, nil},
		}
		for _, tt := range tests {
			t.Run(name+"/"+tt.name, func(t *testing.T) {
				if got := opened(t, estate, tt.token); !slices.Equal(got, tt.roles) {
					t.Errorf("%+v takes the roles %q, want %q", tt.token, got, tt.roles)
				}
			})
		}
	}
}

// TestRolesLastAsLongAsTheirJobs: a change of the database takes longer than the
// hour that a role lasts by itself.
func TestRolesLastAsLongAsTheirJobs(t *testing.T) {
	for _, name := range synthtest.Environments(t) {
		for role, want := range map[string]float64{"plan": 3600, "deploy": 3 * 3600, "release": 2 * 3600} {
			if got := synthtest.Load(t, name).Find("AWS::IAM::Role", role).Get("MaxSessionDuration"); got != want {
				t.Errorf("%s: a job keeps the role %s for %v seconds, want %v", name, role, got, want)
			}
		}
	}
}

// TestWideTrustShows proves that the simulation sees a wildcard: a role that
// trusts every branch is taken by one.
func TestWideTrustShows(t *testing.T) {
	estate := synthtest.Load(t, "dev")
	role := estate.Find("AWS::IAM::Role", "deploy")
	for _, v := range role.List("AssumeRolePolicyDocument", "Statement") {
		condition := v.(map[string]any)["Condition"].(map[string]any)
		delete(condition["StringEquals"].(map[string]any), issuer+":sub")
		condition["StringLike"] = map[string]any{issuer + ":sub": "repo:example/padron:*"}
		document := role.Properties["AssumeRolePolicyDocument"].(map[string]any)
		document["Statement"] = []any{v}
	}
	got := opened(t, estate, token{"repo:example/padron:ref:refs/heads/evil", "sts.amazonaws.com"})
	if !slices.Contains(got, "deploy") {
		t.Error("the simulation does not see that a branch takes the role")
	}
}

// opened returns the roles of the whole estate that the token opens, sorted.
func opened(t *testing.T, estate *cfn.Assembly, who token) []string {
	t.Helper()
	var roles []string
	for _, role := range estate.Resources("AWS::IAM::Role") {
		for _, s := range role.List("AssumeRolePolicyDocument", "Statement") {
			statement, _ := s.(map[string]any)
			if statement["Action"] == "sts:AssumeRoleWithWebIdentity" && statement["Effect"] == "Allow" && holds(t, statement["Condition"], who) {
				roles = append(roles, role.Path())
			}
		}
	}
	slices.Sort(roles)
	return roles
}

// holds evaluates a trust's conditions as STS does: all must hold, and a claim
// that is not there holds for nothing.
func holds(t *testing.T, conditions any, who token) bool {
	t.Helper()
	claims := map[string]string{issuer + ":sub": who.sub, issuer + ":aud": who.aud}
	all, _ := conditions.(map[string]any)
	for operator, keys := range all {
		m, _ := keys.(map[string]any)
		for key, want := range m {
			switch operator {
			case "StringEquals":
				if claims[key] == "" || claims[key] != want {
					return false
				}
			case "StringLike":
				// path.Match stops at a slash; IAM's star does not.
				bare := strings.NewReplacer("/", "|")
				if ok, err := path.Match(bare.Replace(fmt.Sprint(want)), bare.Replace(claims[key])); err != nil || !ok {
					return false
				}
			default:
				t.Fatalf("the simulation does not know the operator %s", operator)
			}
		}
	}
	return true
}

// TestDeployMigrates lists all that the role that deploys may do with tasks: run
// the migration's, and see what became of it and what else runs.
func TestDeployMigrates(t *testing.T) {
	for _, name := range synthtest.Environments(t) {
		env, estate := synthtest.Config(t, name), synthtest.Load(t, name)
		in := func(service string) string { return "arn:aws:" + service + ":" + env.Region + ":" + env.Account + ":" }
		role := "arn:aws:iam::" + env.Account + ":role/" + env.Prefix() + "-migration"
		want := map[string]any{
			"ecs:RunTask": []any{in("ecs") + "task-definition/" + env.Prefix() + "-migration:*", map[string]any{
				"ArnEquals": map[string]any{"ecs:cluster": in("ecs") + "cluster/" + env.Prefix()},
			}},
			"iam:PassRole": []any{[]any{role, role + "-execution"}, map[string]any{
				"StringEquals": map[string]any{"iam:PassedToService": "ecs-tasks.amazonaws.com"},
			}},
			"ecs:DescribeTasks":          []any{in("ecs") + "task/" + env.Prefix() + "/*", nil},
			"ecs:DescribeServices":       []any{in("ecs") + "service/" + env.Prefix() + "/" + env.Prefix() + "-customers-mngr", nil},
			"ecs:ListTasks":              []any{in("ecs") + "container-instance/" + env.Prefix() + "/*", nil},
			"ecs:DescribeTaskDefinition": []any{"*", nil},
			"logs:GetLogEvents":          []any{in("logs") + "log-group:/padron/" + env.Name + "/migration:log-stream:*", nil},
		}
		got := map[string]any{}
		for _, v := range estate.Find("AWS::IAM::ManagedPolicy", "DeployPolicy").List("PolicyDocument", "Statement") {
			s := v.(map[string]any)
			if action, ok := s["Action"].(string); ok && s["Sid"] != "Pass" && !strings.HasPrefix(action, "s3:") && !strings.HasPrefix(action, "ssm:") {
				got[action] = []any{s["Resource"], s["Condition"]}
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		for _, r := range estate.Stack("migration").Resources {
			if family := r.Text("Family"); r.Type == "AWS::ECS::TaskDefinition" && family != env.Prefix()+"-migration" {
				t.Errorf("%s: the migration's family is %s, which the role may not run", name, family)
			}
		}
	}
}
