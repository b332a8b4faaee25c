package controls

import "padron/infra/cfn"

func identityControls() []Control {
	return []Control{
		{
			ID: "identity.service-roles-for-this-account", What: "services take tasks' roles for this account only",
			NIST: []string{"AC-3", "AC-6"}, PCI: []string{"7.2.1"},
			Check: every("AWS::IAM::Role", func(r *cfn.Resource) string {
				if r.Stack.Name != "identity" || r.Path() == "bastion" {
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
	}
}
