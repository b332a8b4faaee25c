package emulate_test

import (
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	kmstypes "github.com/aws/aws-sdk-go-v2/service/kms/types"
)

// keyNames are the keys of the environment, by alias.
var keyNames = []string{"backup", "customers", "database", "logs", "messages", "registry", "secrets"}

// key returns the id of the key that the alias PREFIX-name leads to.
func (d *deployed) key(t testing.TB, region, name string) string {
	t.Helper()
	for _, a := range must(d.in(region).kms.ListAliases(t.Context(), &kms.ListAliasesInput{}))(t).Aliases {
		if str(a.AliasName) == "alias/"+d.env.Prefix()+"-"+name {
			return str(a.TargetKeyId)
		}
	}
	t.Errorf("no key has the alias %s-%s in %s", d.env.Prefix(), name, region)
	return ""
}

// keyOf is the id in a key's ARN, or the id itself.
func keyOf(arn string) string { return arn[strings.LastIndex(arn, "/")+1:] }

// policy is as much of a policy document as the audit reads.
type policy struct {
	Statement []statement
}

type statement struct {
	Sid, Effect string
	Action      words
	Principal   json.RawMessage
	Condition   map[string]map[string]words
}

// words are a value or a list of values, as texts.
type words []string

func (w *words) UnmarshalJSON(text []byte) error {
	var value any
	if err := json.Unmarshal(text, &value); err != nil {
		return err
	}
	list, ok := value.([]any)
	if !ok {
		list = []any{value}
	}
	for _, v := range list {
		*w = append(*w, fmt.Sprint(v))
	}
	return nil
}

func parsePolicy(t testing.TB, text string) policy {
	t.Helper()
	var p policy
	if err := json.Unmarshal([]byte(text), &p); err != nil {
		t.Fatalf("policy %s: %v", text, err)
	}
	return p
}

// replicated are the keys that the other region needs to read what is copied
// there.
var replicated = []string{"backup", "customers"}

// auditKeys: each is on, turned over every year, and stands in one region, but
// for those that are replicated.
func (d *deployed) auditKeys(t testing.TB) {
	client := d.in(d.env.Region).kms
	for _, name := range keyNames {
		id := d.key(t, d.env.Region, name)
		meta := must(client.DescribeKey(t.Context(), &kms.DescribeKeyInput{KeyId: &id}))(t).KeyMetadata
		same(t, "the state of the key "+name, meta.KeyState, kmstypes.KeyStateEnabled)
		same(t, "more regions of the key "+name, *meta.MultiRegion, slices.Contains(replicated, name))
		rotation := must(client.GetKeyRotationStatus(t.Context(), &kms.GetKeyRotationStatusInput{KeyId: &id}))(t)
		same(t, "rotation of the key "+name, rotation.KeyRotationEnabled, true)
	}
	for _, name := range replicated {
		same(t, "the replica of the key "+name, d.key(t, d.env.CopyRegion, name), d.key(t, d.env.Region, name))
	}
}

// auditCustomersKey: of all the account, the synchronizer and customers-mngr
// alone use it; the first makes the field groups' keys and never unwraps them.
func (d *deployed) auditCustomersKey(t testing.TB) {
	client, id := d.in(d.env.Region).kms, d.key(t, d.env.Region, "customers")
	p := parsePolicy(t, str(must(client.GetKeyPolicy(t.Context(), &kms.GetKeyPolicyInput{KeyId: &id, PolicyName: aws.String("default")}))(t).Policy))
	denied := false
	for _, s := range p.Statement {
		if s.Effect == "Deny" {
			users := s.Condition["ArnNotEquals"]["aws:PrincipalArn"]
			denied = slices.Contains(s.Action, "kms:Decrypt") && len(users) == 2
			continue
		}
		purposes := s.Condition["StringEquals"]["kms:EncryptionContext:purpose"]
		if strings.Contains(string(s.Principal), d.env.Prefix()+`-synchronizer"`) && slices.Contains(s.Action, "kms:Decrypt") &&
			(len(purposes) == 0 || slices.Contains(purposes, "seal")) {
			t.Errorf("the synchronizer may unwrap the field groups' keys: %+v", s)
		}
	}
	if !denied {
		t.Error("nothing denies the customers' key to all but its two users")
	}
}

// auditRoles: each is taken by the one service that it is for, for this account
// alone; GitHub's jobs by the exact subject and audience. None is an
// administrator.
func (d *deployed) auditRoles(t testing.TB) {
	client := d.in(d.env.Region).iam
	want := map[string]string{
		"synchronizer": "ecs-tasks", "customers-mngr": "ecs-tasks", "migration": "ecs-tasks",
		"synchronizer-execution": "ecs-tasks", "customers-mngr-execution": "ecs-tasks", "migration-execution": "ecs-tasks",
		"scheduler": "scheduler", "balancing": "ecs", "bastion": "ec2",
	}
	for _, role := range must(client.ListRoles(t.Context(), &iam.ListRolesInput{}))(t).Roles {
		name := strings.TrimPrefix(str(role.RoleName), d.env.Prefix()+"-")
		trust, err := url.QueryUnescape(str(role.AssumeRolePolicyDocument))
		if err != nil {
			t.Fatal(err)
		}
		d.trusted(t, name, want[name], parsePolicy(t, trust))
		delete(want, name)
		d.noAdministrator(t, client, role)
	}
	for name := range want {
		t.Errorf("there is no role %s", name)
	}
}

func (d *deployed) trusted(t testing.TB, name, service string, trust policy) {
	t.Helper()
	for _, s := range trust.Statement {
		principal := string(s.Principal)
		if principal == `"*"` || strings.Contains(principal, `"AWS":"*"`) {
			t.Errorf("anybody may take the role %s", name)
		}
		if service != "" && !strings.Contains(principal, service+".amazonaws.com") {
			t.Errorf("the role %s is for %s, want %s", name, principal, service)
		}
		// EC2 gives its roles to instances of the account alone, and ECS names no
		// account when it shifts traffic.
		if service != "" && service != "ec2" && service != "ecs" {
			same(t, "the account of the role "+name, strings.Join(s.Condition["StringEquals"]["aws:SourceAccount"], " "), d.env.Account)
		}
		if strings.Contains(principal, "Federated") {
			const tokens = "token.actions.githubusercontent.com"
			is := s.Condition["StringEquals"]
			if len(is[tokens+":sub"]) != 1 || strings.Contains(is[tokens+":sub"][0], "*") || !slices.Equal(is[tokens+":aud"], words{"sts.amazonaws.com"}) {
				t.Errorf("the role %s is for GitHub's jobs on %v", name, s.Condition)
			}
		}
	}
}

func (d *deployed) noAdministrator(t testing.TB, client *iam.Client, role iamtypes.Role) {
	t.Helper()
	for _, p := range must(client.ListAttachedRolePolicies(t.Context(), &iam.ListAttachedRolePoliciesInput{RoleName: role.RoleName}))(t).AttachedPolicies {
		if str(p.PolicyName) == "AdministratorAccess" || str(p.PolicyName) == "PowerUserAccess" {
			t.Errorf("the role %s has %s", str(role.RoleName), str(p.PolicyName))
		}
	}
}
