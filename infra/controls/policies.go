package controls

import (
	"fmt"
	"slices"
	"strings"

	"padron/infra/cfn"
)

// policyControls are what no policy of the estate may say, whoever has it.
func policyControls() []Control {
	return slices.Concat(statementControls(), roleControls())
}

func statementControls() []Control {
	return []Control{
		{
			ID: "identity.no-wildcard-action", What: "no policy allows every action of a service",
			PCI: []string{"7.2.2", "7.2.5"}, NIST: []string{"AC-6"}, CIS: []string{"1.16"},
			Check: everyAllow(func(s map[string]any) string {
				if slices.ContainsFunc(several(s["Action"]), func(a string) bool { return a == "*" || strings.HasSuffix(a, ":*") }) {
					return "allows every action"
				}
				return ""
			}),
			Remove: changePolicy("Action", "kms:*"),
		},
		{
			ID: "identity.no-wildcard-resource", What: "a policy names what it is about, unless the action knows no resource",
			PCI: []string{"7.2.2", "7.2.5"}, NIST: []string{"AC-6"}, CIS: []string{"1.16"},
			Check: everyAllow(func(s map[string]any) string {
				if slices.Contains(several(s["Resource"]), "*") {
					if i := slices.IndexFunc(several(s["Action"]), hasResources); i >= 0 {
						return "allows " + several(s["Action"])[i] + " on everything"
					}
				}
				return ""
			}),
			Remove: changePolicy("Resource", "*"),
		},
		{
			ID: "identity.no-inverse", What: "no policy allows everything but a list",
			PCI: []string{"7.2.3"}, NIST: []string{"AC-6"},
			Check: everyAllow(func(s map[string]any) string {
				if s["NotAction"] != nil || s["NotResource"] != nil || s["NotPrincipal"] != nil {
					return "allows everything but a list"
				}
				return ""
			}),
			Remove: changePolicy("NotAction", "iam:*"),
		},
	}
}

func roleControls() []Control {
	return []Control{
		{
			ID: "identity.no-people", What: "no user and no access key is made here: people come by the organisation's sign-in",
			PCI: []string{"8.2.1", "8.2.2", "8.6.1"}, NIST: []string{"AC-2", "IA-2"}, CIS: []string{"1.15"},
			Check: func(e *Estate) []string {
				var wrong []string
				for _, r := range e.Resources("AWS::IAM::User", "AWS::IAM::AccessKey", "AWS::IAM::Group") {
					wrong = append(wrong, r.String()+": is a lasting identity of a person")
				}
				return wrong
			},
			Remove: func(e *Estate) int {
				addResource(e.Stack("identity"), "Somebody", "AWS::IAM::User", map[string]any{})
				return 1
			},
		},
		{
			ID: "identity.own-policies", What: "roles have policies of ours, and none of AWS's that says more than is needed",
			PCI: []string{"7.2.2"}, NIST: []string{"AC-6"}, CIS: []string{"1.16"},
			Check: every("AWS::IAM::Role", foreignPolicies),
			Remove: func(e *Estate) int {
				r := e.Find("AWS::IAM::Role", "customers-mngr")
				r.Properties["ManagedPolicyArns"] = []any{"arn:aws:iam::aws:policy/PowerUserAccess"}
				return 1
			},
		},
		{
			ID: "identity.named-trust", What: "a role is taken by a named service or the pipeline, never by anybody or another account unasked",
			PCI: []string{"7.2.5", "8.6.1"}, NIST: []string{"AC-3", "IA-2"},
			Check: every("AWS::IAM::Role", openTrust),
			Remove: func(e *Estate) int {
				for _, s := range roleTrust(e.Find("AWS::IAM::Role", "customers-mngr")) {
					s["Principal"] = map[string]any{"AWS": "*"}
				}
				return 1
			},
		},
		{
			ID: "identity.named-hand-over", What: "whoever hands a role to a service may hand over named roles only",
			PCI: []string{"7.2.2"}, NIST: []string{"AC-6(1)"}, CIS: []string{"1.16"},
			Check: everyAllow(func(s map[string]any) string {
				if slices.Contains(several(s["Action"]), "iam:PassRole") && slices.ContainsFunc(several(s["Resource"]), func(r string) bool { return strings.Contains(r, "*") }) {
					return "hands over any role"
				}
				return ""
			}),
			Remove: func(e *Estate) int {
				n := 0
				for _, s := range allows(e) {
					if slices.Contains(several(s["Action"]), "iam:PassRole") {
						s["Resource"] = "arn:aws:iam::111122223333:role/*"
						n++
					}
				}
				return n
			},
		},
	}
}

// foreignPolicies returns which policies of AWS's a role has, but those that one
// service asks for by name: RDS to measure, the CDK's helper that closes the
// default security group to write its log, an auditor of another account.
func foreignPolicies(r *cfn.Resource) string {
	for _, v := range r.List("ManagedPolicyArns") {
		name, _ := v.(string)
		if strings.HasPrefix(name, "arn:aws:iam::aws:") && !strings.HasSuffix(name, "/service-role/AWSLambdaBasicExecutionRole") &&
			!strings.HasSuffix(name, "/service-role/AmazonRDSEnhancedMonitoringRole") && !strings.HasSuffix(name, "/SecurityAudit") {
			return "has " + name
		}
	}
	return ""
}

func roleTrust(r *cfn.Resource) []map[string]any {
	document, _ := r.Properties["AssumeRolePolicyDocument"].(map[string]any)
	return objects(document["Statement"])
}

func openTrust(r *cfn.Resource) string {
	document, _ := r.Get("AssumeRolePolicyDocument").(map[string]any)
	for _, s := range objects(document["Statement"]) {
		principal, ok := s["Principal"].(map[string]any)
		outside := principal["AWS"] != nil && conditionOf(s, "sts:ExternalId") == ""
		if s["Effect"] == "Allow" && (!ok || anybody(s["Principal"]) || outside) {
			return "is taken by anybody, or by another account without an external id"
		}
	}
	return ""
}

// readVerbs are the beginnings of actions that look and mostly know no resource.
var readVerbs = []string{"Describe", "List", "Get", "Validate"}

// withoutResource are the other actions that know no resource: the service
// authorization reference has none for them.
var withoutResource = []string{
	"ssmmessages:CreateControlChannel", "ssmmessages:CreateDataChannel", "ssmmessages:OpenControlChannel", "ssmmessages:OpenDataChannel",
	"xray:PutTelemetryRecords", "xray:PutTraceSegments",
	"logs:CreateLogDelivery", "logs:UpdateLogDelivery", "logs:DeleteLogDelivery", "logs:PutResourcePolicy",
}

func hasResources(action string) bool {
	_, verb, _ := strings.Cut(action, ":")
	reads := slices.ContainsFunc(readVerbs, func(v string) bool { return strings.HasPrefix(verb, v) })
	return !reads && !slices.Contains(withoutResource, action)
}

// allows are the statements that allow something, of every policy of IAM, as
// they are in the templates.
func allows(e *Estate) []map[string]any {
	var found []map[string]any
	add := func(document any) {
		d, _ := document.(map[string]any)
		for _, s := range objects(d["Statement"]) {
			if s["Effect"] == "Allow" {
				found = append(found, s)
			}
		}
	}
	for _, r := range e.Resources("AWS::IAM::ManagedPolicy", "AWS::IAM::Policy") {
		add(r.Properties["PolicyDocument"])
	}
	for _, r := range e.Resources("AWS::IAM::Role") {
		for _, p := range objects(r.Properties["Policies"]) {
			add(p["PolicyDocument"])
		}
	}
	return found
}

func everyAllow(wrong func(map[string]any) string) func(*Estate) []string {
	return func(e *Estate) []string {
		var missing []string
		for _, s := range allows(e) {
			if w := wrong(s); w != "" {
				missing = append(missing, fmt.Sprintf("the statement %v of %v %s", s["Sid"], s["Action"], w))
			}
		}
		return missing
	}
}

// changePolicy returns a Remove that spoils the first statement of
// customers-mngr's keys.
func changePolicy(field string, value any) func(*Estate) int {
	return func(e *Estate) int {
		r := e.Find("AWS::IAM::ManagedPolicy", "ManagerKeys")
		if r == nil {
			return 0
		}
		for _, s := range policyStatements(r) {
			s[field] = value
		}
		return 1
	}
}
