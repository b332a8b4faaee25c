package controls

import (
	"slices"
	"strings"

	"padron/infra/cfn"
)

func identityControls() []Control {
	return []Control{
		{
			ID: "identity.service-roles-for-this-account", What: "services take tasks' roles for this account only",
			NIST: []string{"AC-3", "AC-6"}, PCI: []string{"7.2.1"},
			Check: every("AWS::IAM::Role", func(r *cfn.Resource) string {
				// The instance's and the deployment's service names no account.
				if r.Stack.Name != "identity" || r.Path() == "bastion" || r.Path() == "balancing" {
					return ""
				}
				if got := r.Text("AssumeRolePolicyDocument", "Statement", "0", "Condition", "StringEquals", "aws:SourceAccount"); got != r.Stack.Account {
					return "any account's tasks may take it"
				}
				return ""
			}),
			Remove: func(e *Estate) int {
				r := e.Find("AWS::IAM::Role", "synchronizer")
				s, _ := r.Properties["AssumeRolePolicyDocument"].(map[string]any)
				l, _ := s["Statement"].([]any)
				delete(l[0].(map[string]any), "Condition") //nolint:forcetypeassert // a statement is an object
				return 1
			},
		},
		{
			ID: "identity.servants-build-nothing", What: "no task, schedule or instance can change what the account consists of",
			PCI: []string{"7.2.2", "7.2.5"}, NIST: []string{"AC-5", "AC-6", "CM-5"},
			Check: changing,
			Remove: func(e *Estate) int {
				s := policyStatements(e.Find("AWS::IAM::ManagedPolicy", "ManagerKeys"))
				s[0]["Action"] = []any{"kms:Decrypt", "iam:AttachRolePolicy"}
				return 1
			},
		},
	}
}

// servants are the roles that programs and services have: none of them builds.
var servants = []string{
	"synchronizer", "customers-mngr", "migration", "synchronizer-execution", "customers-mngr-execution", "migration-execution",
	"scheduler", "bastion",
}

// builds are the beginnings of actions that change what an account consists
// of; data are those that bear such a name and change data alone.
var (
	builds = []string{
		"Add", "Associate", "Attach", "Authorize", "Create", "Delete", "Deregister", "Detach", "Disable", "Disassociate", "Enable",
		"Import", "Modify", "Put", "Register", "Remove", "Replace", "Restore", "Revoke", "Set", "Tag", "Untag", "Update", "*",
	}
	data = []string{
		"logs:CreateLogStream", "logs:PutLogEvents", "s3:PutObject", "ssm:UpdateInstanceInformation",
		"ssmmessages:CreateControlChannel", "ssmmessages:CreateDataChannel",
	}
)

// changing returns what the servants may do that changes the account.
func changing(e *Estate) []string {
	var wrong []string
	for _, name := range servants {
		role := e.Find("AWS::IAM::Role", name)
		if role == nil {
			wrong = append(wrong, "there is no role "+name)
			continue
		}
		for _, action := range actionsOf(e, role) {
			_, verb, _ := strings.Cut(action, ":")
			building := slices.ContainsFunc(builds, func(b string) bool { return strings.HasPrefix(verb, b) })
			if building && !slices.Contains(data, action) {
				wrong = append(wrong, name+" may "+action)
			}
		}
	}
	return wrong
}
