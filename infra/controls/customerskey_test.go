package controls_test

import (
	"slices"
	"testing"

	"padron/infra/cfn"
	"padron/infra/controls"
)

// TestCustomersKeySabotage opens the customers' key in ways that leave its
// policy looking much the same, and wants a control to notice each.
func TestCustomersKeySabotage(t *testing.T) {
	type statement = map[string]any
	purposes := func(list ...any) statement {
		return statement{"StringEquals": statement{"kms:EncryptionContext:purpose": list}}
	}
	role := func(name string) string { return "arn:aws:iam::444455556666:role/padron-prod-" + name }
	for name, tt := range map[string]struct {
		sid    string
		change func(statement)
	}{
		"the synchronizer opens what it sealed": {"SynchronizerShares", func(s statement) {
			s["Condition"] = purposes("fingerprint", "index", "quarantine", "seal")
		}},
		"the bastion opens as customers-mngr": {"ManagerOpens", func(s statement) {
			s["Principal"] = statement{"AWS": role("bastion")}
		}},
		"a purpose that may be missing": {"ManagerOpens", func(s statement) {
			s["Condition"] = statement{"StringEqualsIfExists": statement{"kms:EncryptionContext:purpose": []any{"seal", "page", "index"}}}
		}},
		"an action by pattern":     {"Administer", func(s statement) { s["Action"] = []any{"kms:Describe*", "kms:De*"} }},
		"a grant by administrator": {"Administer", func(s statement) { s["Action"] = []any{"kms:DescribeKey", "kms:CreateGrant"} }},
		"all but a list":           {"Administer", func(s statement) { delete(s, "Action"); s["NotAction"] = "kms:DeleteKey" }},
		"the denial spares the bastion": {"NobodyElse", func(s statement) {
			s["Condition"] = statement{"ArnNotEquals": statement{"aws:PrincipalArn": []any{role("customers-mngr"), role("bastion")}}}
		}},
		"the denial asks for more": {"NobodyElse", func(s statement) {
			s["Condition"].(statement)["StringEquals"] = statement{"aws:RequestedRegion": "eu-west-1"}
		}},
		"the denial is of another key": {"NobodyElse", func(s statement) { s["Resource"] = "arn:aws:kms:us-east-1:444455556666:key/other" }},
		"the denial forgets grants":    {"NobodyElse", func(s statement) { s["Action"] = []any{"kms:Decrypt", "kms:Encrypt"} }},
	} {
		for _, typ := range []string{"AWS::KMS::Key", "AWS::KMS::ReplicaKey"} {
			t.Run(name+" "+typ, func(t *testing.T) {
				e := prod(t)
				tt.change(keyStatement(t, e.Find(typ, "customers"), tt.sid))
				if !slices.ContainsFunc(controls.All(), func(c controls.Control) bool {
					return (c.ID == "keys.customers-uses" || c.ID == "keys.customers-denial") && len(c.Check(e)) > 0
				}) {
					t.Error("no control notices")
				}
			})
		}
	}
}

func prod(t *testing.T) *controls.Estate {
	t.Helper()
	for _, e := range estates(t) {
		if e.Env.Name == "prod" {
			return e
		}
	}
	t.Fatal("there is no environment prod")
	return nil
}

// keyStatement is a statement of a key's policy, as the template has it.
func keyStatement(t *testing.T, key *cfn.Resource, sid string) map[string]any {
	t.Helper()
	document, _ := key.Properties["KeyPolicy"].(map[string]any)
	statements, _ := document["Statement"].([]any)
	for _, s := range statements {
		if s, ok := s.(map[string]any); ok && s["Sid"] == sid {
			return s
		}
	}
	t.Fatalf("%s has no statement %s", key, sid)
	return nil
}
