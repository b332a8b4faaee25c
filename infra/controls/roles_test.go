package controls

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"padron/infra/config"
	"padron/infra/synthtest"
)

// start is what starting any task takes.
var start = []string{
	"ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetAuthorizationToken", "ecr:GetDownloadUrlForLayer",
	"logs:CreateLogStream", "logs:PutLogEvents",
}

// rolesMay is every action of every role of the estate's tasks and services:
// the whole of it, so that one more fails.
func rolesMay(env *config.Environment) map[string][]string {
	may := map[string][]string{
		"synchronizer":             {"kms:Decrypt", "kms:GenerateDataKey", "rds-db:connect"},
		"customers-mngr":           {"kms:Decrypt", "kms:GenerateDataKey", "rds-db:connect"},
		"migration":                {"secretsmanager:GetSecretValue"},
		"synchronizer-execution":   append(slices.Clone(start), "secretsmanager:GetSecretValue"),
		"customers-mngr-execution": start,
		"migration-execution":      start,
		"scheduler":                {"ecs:RunTask", "iam:PassRole", "sqs:SendMessage"},
		"partitions":               nil,
		"balancing":                nil,
		"bastion":                  bastionActions,
		"bastion-evening":          {"ec2:StopInstances"},
	}
	if divided(env) {
		may["scheduler"] = []string{"sqs:SendMessage", "states:StartExecution"}
		may["partitions"] = []string{
			"ecs:DescribeTasks", "ecs:RunTask", "ecs:StopTask", "events:DescribeRule", "events:PutRule", "events:PutTargets", "iam:PassRole",
			"logs:CreateLogDelivery", "logs:DeleteLogDelivery", "logs:DescribeLogGroups", "logs:DescribeResourcePolicies",
			"logs:GetLogDelivery", "logs:ListLogDeliveries", "logs:PutResourcePolicy", "logs:UpdateLogDelivery",
			"states:DescribeExecution", "states:StartExecution", "states:StopExecution",
			"xray:GetSamplingRules", "xray:GetSamplingTargets", "xray:PutTelemetryRecords", "xray:PutTraceSegments",
		}
	}
	if blueGreen(env) {
		may["balancing"] = []string{
			"elasticloadbalancing:DeregisterTargets", "elasticloadbalancing:DescribeListeners", "elasticloadbalancing:DescribeRules",
			"elasticloadbalancing:DescribeTargetGroups", "elasticloadbalancing:DescribeTargetHealth",
			"elasticloadbalancing:ModifyRule", "elasticloadbalancing:RegisterTargets",
		}
	}
	return may
}

func TestRoles(t *testing.T) {
	for _, name := range synthtest.Environments(t) {
		e := &Estate{Assembly: synthtest.Load(t, name), Env: synthtest.Config(t, name)}
		want := rolesMay(e.Env)
		for _, role := range e.Resources("AWS::IAM::Role") {
			if role.Stack.Name != "identity" {
				continue
			}
			w, known := want[role.Path()]
			if !known {
				t.Errorf("%s: the role %s is new: say here what it may do", name, role.Path())
			}
			delete(want, role.Path())
			if diff := cmp.Diff(w, actionsOf(e, role)); diff != "" {
				t.Errorf("%s: %s (-want +got):\n%s", name, role.Path(), diff)
			}
		}
		for role := range want {
			t.Errorf("%s: there is no role %s", name, role)
		}
	}
}

// TestWhoMay asks the templates what nobody but the named roles may do.
func TestWhoMay(t *testing.T) {
	for _, ask := range []struct {
		action, on string
		roles      []string
	}{
		{"rds-db:connect", "/padron_synchronizer", []string{"synchronizer"}},
		{"rds-db:connect", "/padron_customers_mngr", []string{"customers-mngr"}},
		{"rds-db:connect", "/padron_admin", nil},
		{"secretsmanager:GetSecretValue", "${data.ProviderKey", []string{"synchronizer-execution"}},
		{"secretsmanager:GetSecretValue", "${data.Cluster", []string{"migration"}},
		{"ecr:BatchGetImage", "${registry.customersmngr", []string{"customers-mngr-execution"}},
		{"ecr:BatchGetImage", "${registry.synchronizer", []string{"synchronizer-execution"}},
		{"logs:PutLogEvents", "${services.ManagerLog", []string{"customers-mngr-execution"}},
		{"logs:PutLogEvents", "${services.SynchronizerLog", []string{"synchronizer-execution"}},
	} {
		for _, name := range synthtest.Environments(t) {
			e := &Estate{Assembly: synthtest.Load(t, name), Env: synthtest.Config(t, name)}
			var got []string
			for _, p := range permissions(e, ask.action) {
				on := func(r string) bool { return r == "*" || strings.Contains(r, ask.on) }
				if p.role.Stack.Name == "identity" && slices.ContainsFunc(p.resources, on) {
					got = append(got, p.role.Path())
				}
			}
			if diff := cmp.Diff(ask.roles, got); diff != "" {
				t.Errorf("%s: %s on %s (-want +got):\n%s", name, ask.action, ask.on, diff)
			}
		}
	}
}
