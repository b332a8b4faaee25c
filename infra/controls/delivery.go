package controls

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"padron/infra/cfn"
)

const (
	tokenIssuer  = "token.actions.githubusercontent.com"
	typeRole     = "AWS::IAM::Role"
	typePolicy   = "AWS::IAM::ManagedPolicy"
	typeProvider = "AWS::IAM::OIDCProvider"
	tasksService = "ecs-tasks.amazonaws.com"
)

func deliveryControls() []Control {
	return slices.Concat(trustControls(), pipelineControls(), recordControls())
}

func trustControls() []Control {
	return []Control{
		{
			ID: "delivery.exact-subject", What: "only a job of this repository in the environment that guards it takes a role of the pipeline",
			PCI: []string{"7.2.5", "8.6.1"}, NIST: []string{"AC-3", "IA-9"},
			Check: func(e *Estate) []string {
				d := e.Env.Delivery
				return trusts(e, "sub", map[string]string{
					"plan": d.Subject(d.PlanEnvironment()), "deploy": d.Subject(d.GitHubEnvironment), "release": d.Subject(d.GitHubEnvironment),
				})
			},
			Remove: func(e *Estate) int {
				return trustAnything(e, "sub", "repo:"+e.Env.Delivery.Repository+":*")
			},
		},
		{
			ID: "delivery.exact-audience", What: "a token that was issued for something else than AWS opens nothing",
			PCI: []string{"8.6.1"}, NIST: []string{"AC-3", "IA-9"},
			Check: func(e *Estate) []string {
				return trusts(e, "aud", map[string]string{"plan": "sts.amazonaws.com", "deploy": "sts.amazonaws.com", "release": "sts.amazonaws.com"})
			},
			Remove: func(e *Estate) int { return trustAnything(e, "aud", "*") },
		},
		{
			ID: "delivery.no-keys", What: "there is no user and no access key: nothing lasting can be stolen",
			PCI: []string{"8.6.1", "8.6.3"}, NIST: []string{"AC-2", "IA-5"}, CIS: []string{"1.13", "1.14", "1.15"},
			Check: func(e *Estate) []string {
				var found []string
				for _, r := range e.Resources("AWS::IAM::User", "AWS::IAM::AccessKey") {
					found = append(found, r.String()+" is a "+r.Type)
				}
				return found
			},
			Remove: func(e *Estate) int {
				r := e.Find(typeProvider, "GitHub")
				r.Type = "AWS::IAM::User"
				return 1
			},
		},
	}
}

// trusts checks that each role is taken by the provider's tokens alone, with
// exactly the wanted claim.
func trusts(e *Estate, claim string, want map[string]string) []string {
	var missing []string
	for role, value := range want {
		missing = append(missing, one(typeRole, role, func(r *cfn.Resource) string {
			statements := objects(r.Get("AssumeRolePolicyDocument", "Statement"))
			if len(statements) != 1 {
				return fmt.Sprintf("%d statements of trust, want one", len(statements))
			}
			return is(value, "AssumeRolePolicyDocument", "Statement", "0", "Condition", "StringEquals", tokenIssuer+":"+claim)(r)
		})(e)...)
	}
	slices.Sort(missing)
	return missing
}

// trustAnything lets the deploy role be taken with any claim that is like the
// pattern.
func trustAnything(e *Estate, claim, pattern string) int {
	document, _ := e.Find(typeRole, "deploy").Properties["AssumeRolePolicyDocument"].(map[string]any)
	for _, s := range objects(document["Statement"]) {
		condition, _ := s["Condition"].(map[string]any)
		equals, _ := condition["StringEquals"].(map[string]any)
		delete(equals, tokenIssuer+":"+claim)
		condition["StringLike"] = map[string]any{tokenIssuer + ":" + claim: pattern}
	}
	return 1
}

func pipelineControls() []Control {
	return []Control{
		{
			ID: "delivery.plan-changes-nothing", What: "the role that proposes changes cannot make them",
			PCI: []string{"6.5.1", "6.5.4"}, NIST: []string{"AC-5", "CM-3", "CM-5"},
			Check: func(e *Estate) []string {
				return may(e, "plan", func(action string) bool {
					return reads(action) || slices.Contains([]string{"cloudformation:CreateChangeSet", "cloudformation:DeleteChangeSet",
						"cloudformation:DetectStackDrift", "cloudformation:DetectStackResourceDrift", "cloudformation:ValidateTemplate",
						"ecr:BatchGetImage", "iam:PassRole", "s3:PutObject"}, action)
				})
			},
			Remove: func(e *Estate) int { return alsoMay(e, "PlanPolicy", "cloudformation:ExecuteChangeSet") },
		},
		{
			ID: "delivery.deploys-what-was-reviewed", What: "the role that deploys executes change sets and cannot write one",
			PCI: []string{"6.5.1"}, NIST: []string{"AC-5", "CM-3", "CM-5"},
			Check: func(e *Estate) []string {
				return may(e, "deploy", func(action string) bool {
					return reads(action) || slices.Contains(deploying, action) || strings.HasPrefix(action, "cloudformation:") &&
						!slices.Contains([]string{"cloudformation:CreateChangeSet", "cloudformation:UpdateStack", "cloudformation:CreateStack"}, action)
				})
			},
			Remove: func(e *Estate) int { return alsoMay(e, "DeployPolicy", "cloudformation:UpdateStack") },
		},
		{
			ID: "delivery.role-for-cloudformation", What: "the role that changes resources is handed to CloudFormation alone",
			PCI: []string{"7.2.5"}, NIST: []string{"AC-6"},
			Check: every(typePolicy, func(r *cfn.Resource) string {
				s := statement(r, "PolicyDocument", "Pass")
				if r.Stack.Name != "delivery" || s == nil {
					return ""
				}
				condition, _ := s["Condition"].(map[string]any)
				equals, _ := condition["StringEquals"].(map[string]any)
				if equals["iam:PassedToService"] != "cloudformation.amazonaws.com" {
					return "iam:PassRole hands the role to anything"
				}
				return ""
			}),
			Remove: func(e *Estate) int {
				delete(statement(e.Find(typePolicy, "DeployPolicy"), "PolicyDocument", "Pass"), "Condition")
				return 1
			},
		},
		{
			ID: "delivery.migrates-only", What: "of tasks, the role that deploys runs the database's migration alone, in its cluster with its own roles",
			PCI: []string{"6.5.1", "7.2.5"}, NIST: []string{"AC-6", "CM-5"},
			Check: migratesOnly,
			Remove: func(e *Estate) int {
				delete(statement(e.Find(typePolicy, "DeployPolicy"), "PolicyDocument", "Migrate"), "Condition")
				return 1
			},
		},
		{
			ID: "delivery.release-pushes-only", What: "the role that releases pushes to the environment's repositories and does nothing else",
			PCI: []string{"6.5.1", "7.2.5"}, NIST: []string{"AC-6", "CM-5"},
			Check:  pushesOnly,
			Remove: func(e *Estate) int { return alsoMay(e, "ReleasePolicy", "ecs:UpdateService") },
		},
	}
}

// deploying is what the role that deploys does besides reading and executing
// change sets: run the migration, keep the release, and have the bastion check
// it. Which tasks, objects and commands these are is of controls of their own.
var deploying = []string{"ec2:StartInstances", "ecs:RunTask", "iam:PassRole", "s3:PutObject", "ssm:SendCommand"}

// migratesOnly checks that the role that deploys runs tasks of the migration's
// family in the environment's cluster and no other, and hands the roles of that
// task to ECS's tasks and nothing else. Nobody else in the pipeline runs any.
func migratesOnly(e *Estate) []string {
	name := e.Env.Prefix() + "-migration"
	ecs, role := fmt.Sprintf("arn:aws:ecs:%s:%s:", e.Env.Region, e.Env.Account), fmt.Sprintf("arn:aws:iam::%s:role/", e.Env.Account)
	wrong := one(typePolicy, "DeployPolicy", func(r *cfn.Resource) string {
		for sid, want := range map[string][]any{
			"Migrate":  {[]string{ecs + "task-definition/" + name + ":*"}, map[string]any{"ArnEquals": map[string]any{"ecs:cluster": ecs + "cluster/" + e.Env.Prefix()}}},
			"HandOver": {[]string{role + name, role + name + "-execution"}, map[string]any{"StringEquals": map[string]any{"iam:PassedToService": tasksService}}},
		} {
			s := statement(r, "PolicyDocument", sid)
			if s == nil || !reflect.DeepEqual([]any{several(s["Resource"]), s["Condition"]}, want) {
				return sid + " is not for the migration's task alone"
			}
		}
		return ""
	})(e)
	for _, p := range permissions(e, "ecs:RunTask") {
		if p.role.Stack.Name == "delivery" && (p.role.Path() != "deploy" || !slices.Equal(p.resources, []string{ecs + "task-definition/" + name + ":*"})) {
			wrong = append(wrong, "ecs:RunTask: "+p.String())
		}
	}
	return wrong
}

// pushesOnly checks that the role that releases pushes to repositories of the
// environment, each by its name, and otherwise reads.
func pushesOnly(e *Estate) []string {
	missing := may(e, "release", func(action string) bool { return strings.HasPrefix(action, "ecr:") || reads(action) })
	return append(missing, one(typePolicy, "ReleasePolicy", func(r *cfn.Resource) string {
		own := fmt.Sprintf("arn:aws:ecr:%s:%s:repository/%s-", e.Env.Region, e.Env.Account, e.Env.Prefix())
		s := statement(r, "PolicyDocument", "Push")
		if s == nil || slices.ContainsFunc(several(s["Resource"]), func(x string) bool { return !strings.HasPrefix(x, own) || strings.Contains(x, "*") }) {
			return "Push is not for the environment's repositories alone"
		}
		return ""
	})(e)...)
}

// reads reports whether the action looks and changes nothing.
func reads(action string) bool {
	_, verb, _ := strings.Cut(action, ":")
	return slices.ContainsFunc([]string{"Describe", "Get", "List"}, func(p string) bool { return strings.HasPrefix(verb, p) })
}

// may checks every action of every policy of the role, of which there must be
// some.
func may(e *Estate, role string, allowed func(string) bool) []string {
	var wrong []string
	actions := 0
	for _, p := range e.Resources(typePolicy) {
		if r := cfn.Target(first(p.List("Roles"))); r == nil || r.Stack.Name != "delivery" || r.Path() != role {
			continue
		}
		for _, s := range objects(p.Get("PolicyDocument", "Statement")) {
			for _, action := range listed(s["Action"]) {
				if actions++; !allowed(action) {
					wrong = append(wrong, fmt.Sprintf("%s: allows %s", p, action))
				}
			}
		}
	}
	if actions == 0 {
		wrong = append(wrong, "delivery/"+role+" has no policy")
	}
	return wrong
}

// listed is an element of a policy that is a text or a list of them.
func listed(v any) []string {
	if s, ok := v.(string); ok {
		return []string{s}
	}
	l, _ := v.([]any)
	var found []string
	for _, x := range l {
		found = append(found, fmt.Sprint(x))
	}
	return found
}

// alsoMay adds an action to a policy of the pipeline.
func alsoMay(e *Estate, policy, action string) int {
	document, _ := e.Find(typePolicy, policy).Properties["PolicyDocument"].(map[string]any)
	statements, _ := document["Statement"].([]any)
	document["Statement"] = append(statements, map[string]any{"Effect": "Allow", "Action": action, "Resource": "*"})
	return 1
}
