package review

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"padron/infra/cfn"
	"padron/infra/synthtest"
)

// pair is an environment as it stands, and as it would be after the change.
func pair(t *testing.T, change func(*cfn.Assembly)) *Review {
	t.Helper()
	before := synthtest.Load(t, "dev")
	after := before.Clone()
	change(after)
	env := synthtest.Config(t, "dev")
	return &Review{
		Environment: "dev", Account: env.Account, Commit: strings.Repeat("c", 40), Padron: "v1", Record: "hash",
		Created: time.Date(2026, 1, 2, 3, 4, 0, 0, time.UTC), Before: before, After: after, EnvBefore: env, EnvAfter: env,
	}
}

func markdown(t *testing.T, r *Review) string {
	t.Helper()
	text, err := r.Markdown()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func says(t *testing.T, text string, all ...string) {
	t.Helper()
	for _, want := range all {
		if !strings.Contains(text, want) {
			t.Errorf("the review does not say %q", want)
		}
	}
	if t.Failed() {
		t.Log(text)
	}
}

func document(a *cfn.Assembly, typ, path, property string) map[string]any {
	m, _ := a.Find(typ, path).Properties[property].(map[string]any)
	return m
}

// TestRights adds one action to one statement, takes a condition away, and
// attaches a policy: each is one line, and nothing else is said.
func TestRights(t *testing.T) {
	r := pair(t, func(a *cfn.Assembly) {
		policy := document(a, "AWS::IAM::ManagedPolicy", "DeployPolicy", "PolicyDocument")
		for _, x := range policy["Statement"].([]any) {
			if s := x.(map[string]any); s["Sid"] == "Deploy" {
				s["Action"] = append(s["Action"].([]any), "cloudformation:UpdateStack")
			} else if s["Sid"] == "Pass" {
				delete(s, "Condition")
			}
		}
		a.Find("AWS::IAM::Role", "customers-mngr").Properties["ManagedPolicyArns"] = []any{"arn:aws:iam::aws:policy/AdministratorAccess"}
	})
	var got []string
	for _, block := range changed(rights, r.Before, r.After) {
		got = append(got, strings.Split(block, "\n")...)
	}
	stacks := "arn:aws:cloudformation:us-east-1:111122223333:stack/padron-dev-*/*, arn:aws:cloudformation:us-west-2:111122223333:stack/padron-dev-*/*"
	roles := "arn:aws:iam::111122223333:role/cdk-hnb659fds-cfn-exec-role-111122223333-us-east-1, arn:aws:iam::111122223333:role/cdk-hnb659fds-cfn-exec-role-111122223333-us-west-2"
	want := []string{
		"@@ delivery/DeployPolicy @@",
		"- allows iam:PassRole on " + roles + " if iam:PassedToService StringEquals cloudformation.amazonaws.com",
		"+ allows cloudformation:UpdateStack on " + stacks,
		"+ allows iam:PassRole on " + roles,
		"@@ identity/customers-mngr @@",
		"+ has the policy: arn:aws:iam::aws:policy/AdministratorAccess",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("rights (-want +got):\n%s", diff)
	}
}

// TestTrust sees who may take a role, and what a key's policy and a bucket's let.
func TestTrust(t *testing.T) {
	r := pair(t, func(a *cfn.Assembly) {
		trust := document(a, "AWS::IAM::Role", "deploy", "AssumeRolePolicyDocument")
		trust["Statement"].([]any)[0].(map[string]any)["Principal"] = map[string]any{"AWS": "*"}
		key := document(a, "AWS::KMS::Key", "customers", "KeyPolicy")
		key["Statement"] = append(key["Statement"].([]any), map[string]any{"Effect": "Allow", "Principal": "*", "Action": "kms:Decrypt", "Resource": "*"})
	})
	text := markdown(t, r)
	says(t, text, "to * if token.actions.githubusercontent.com:aud", "(who takes the role)", "+ allows kms:Decrypt to * on *",
		"## Safeguards", "| `identity.named-trust` |", "**MISSING**")
}

// TestWays opens a port to the world: it stands among the rules, among who
// reaches whom, and among the safeguards.
func TestWays(t *testing.T) {
	r := pair(t, func(a *cfn.Assembly) {
		group := a.Find("AWS::EC2::SecurityGroup", "BastionGroup")
		group.Properties["SecurityGroupIngress"] = []any{map[string]any{"IpProtocol": "tcp", "FromPort": 22.0, "ToPort": 22.0, "CidrIp": "10.0.0.0/24"}}
	})
	says(t, markdown(t, r), "@@ network/BastionGroup @@\n+ lets in from 10.0.0.0/24 on tcp 22", "-> BastionGroup tcp/22", "**MISSING**", "## Rights\n\nNothing changes.")
}

// TestStacks lists every kind of change. What is lost stands first and red.
func TestStacks(t *testing.T) {
	r := pair(t, func(*cfn.Assembly) {})
	r.Stacks = []Stack{
		{Name: "data", State: "changed", Changes: []Change{
			{Action: "Modify", LogicalID: "Cluster", Type: "AWS::RDS::DBCluster", PhysicalID: "padron-dev", Replacement: "True", Scope: []string{"Properties"},
				Details: []Detail{{Attribute: "Properties", Name: "DatabaseName", Recreation: "Always"}, {Attribute: "Properties", Name: "Port", Recreation: "Never"}}},
			{Action: "Modify", LogicalID: "Instance", Type: "AWS::RDS::DBInstance", Replacement: "Conditional", Scope: []string{"Properties"}},
			{Action: "Remove", LogicalID: "Old|one`", Type: "AWS::SQS::Queue"},
			{Action: "Modify", LogicalID: "Note", Type: "AWS::KMS::Key", Replacement: "False", Scope: []string{"Metadata"}},
		}},
		{Name: "transit", State: "new", Changes: []Change{{Action: "Add", Type: "AWS::EC2::Route"}, {Action: "Add", Type: "AWS::EC2::Route"}, {Action: "Add", Type: "AWS::EC2::EIP"}}},
		{Name: "later", State: "waiting", WaitsFor: []string{"the export x"}},
		{Name: "names", State: "changed"},
		{Name: "keys", State: "unchanged"},
	}
	r.Losses = []Loss{{Name: "data/Cluster", What: "data/Cluster (AWS::RDS::DBCluster) is replaced"}}
	r.RollbackTo, r.Base, r.Findings = 3, 7, []string{"a\nline"}
	text := markdown(t, r)
	says(t, text,
		"# dev: back to release 3, commit `cccccccccccc`", "Release 7 runs now.",
		"**3 of 5 stacks change** (1 of them new), with 7 resources, of which **2 are replaced**. 1 stacks wait for these",
		"```diff\n- data/Cluster (AWS::RDS::DBCluster) is replaced\n```", "- `--allow-replacement data/Cluster`",
		"- REPLACES data/Cluster (AWS::RDS::DBCluster): padron-dev\n- MAY REPLACE data/Instance",
		"- DELETES data/Old|one' (AWS::SQS::Queue)", "| **DELETES** | `Old\\|one'` |",
		"| **REPLACES** | `Cluster` | RDS::DBCluster | **`DatabaseName`**, `Port` |", "| note | 1 more |",
		"Creates 1 EC2::EIP, 2 EC2::Route.", "### later: waits\n\nIt needs `the export x`", "No resource changes", "Unchanged: keys.",
		"Nobody reaches anybody", " are as before.", "**101.", "- a line",
	)
}

// TestFirst reviews an account in which nothing stands.
func TestFirst(t *testing.T) {
	r := pair(t, func(*cfn.Assembly) {})
	r.Before = cfn.Assemble()
	says(t, markdown(t, r), "Nothing was released before.", "What stands now is not a whole network", "+ ", "(0.00 before)", "| not asked for | **holds** |")
}
