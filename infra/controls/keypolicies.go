package controls

import (
	"fmt"
	"slices"
	"strings"

	"padron/infra/cfn"
)

const keyType = "AWS::KMS::Key"

// keyUse are the actions on data: all that encryption keeps from people.
var keyUse = []string{
	"kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:GenerateDataKey", "kms:CreateGrant", "kms:*",
}

// keyPolicyControls are who may use which key.
func keyPolicyControls() []Control {
	return slices.Concat(keyLives(), keyUsers(), keyServices(), customersKey(), customersUse())
}

func keyLives() []Control {
	return []Control{
		{
			ID: "keys.deletion-waits", What: "a key that is deleted by mistake can be had back for 30 days",
			PCI: []string{"3.7.5"}, NIST: []string{"CP-9", "SC-12(1)"},
			Check: every(keyType, is("30", "PendingWindowInDays")), Remove: set(keyType, "PendingWindowInDays", float64(7)),
		},
		{
			ID: "keys.retained", What: "a key outlives its stack, since what it encrypts may too",
			PCI: []string{"3.7.5"}, NIST: []string{"CP-9", "SC-12(1)"},
			Check: every(keyType, func(r *cfn.Resource) string {
				if r.Body["DeletionPolicy"] != "Retain" || r.Body["UpdateReplacePolicy"] != "Retain" {
					return "is deleted with its stack"
				}
				return ""
			}),
			Remove: func(e *Estate) int {
				found := e.Resources(keyType)
				for _, r := range found {
					r.Body["DeletionPolicy"] = "Delete"
				}
				return len(found)
			},
		},
		{
			ID: "keys.one-a-kind", What: "each kind of data has a key of its own, so that reading one kind opens no other",
			PCI: []string{"3.6.1", "3.7.1"}, NIST: []string{"AC-6", "SC-12"},
			Check: oneKeyAKind, Remove: without(keyType, "registry"),
		},
		{
			ID: "keys.one-region", What: "only what a restored backup needs is in a second region: the keys of backups and customers",
			PCI: []string{"3.6.1.4"}, NIST: []string{"SC-12"},
			Check: every(keyType, func(r *cfn.Resource) string {
				return is(fmt.Sprint(r.Path() == "backup" || r.Path() == "customers"), "MultiRegion")(r)
			}),
			Remove: put(keyType, "secrets", true, "MultiRegion"),
		},
	}
}

func oneKeyAKind(e *Estate) []string {
	want := []string{"backup", "customers", "database", "logs", "messages", "registry", "secrets"}
	var got, wrong []string
	for _, r := range e.Resources(keyType) {
		got = append(got, r.Path())
	}
	for _, w := range want {
		if !slices.Contains(got, w) {
			wrong = append(wrong, "keys/"+w+": there is no such key")
		}
	}
	return wrong
}

// everyStatement checks each statement of each key's policy.
func everyStatement(wrong func(key *cfn.Resource, statement map[string]any) string) func(*Estate) []string {
	return func(e *Estate) []string {
		var missing []string
		for _, r := range e.Resources(keyType) {
			document, _ := r.Get("KeyPolicy").(map[string]any)
			for _, s := range objects(document["Statement"]) {
				if w := wrong(r, s); w != "" {
					missing = append(missing, fmt.Sprintf("%s: %v %s", r, s["Sid"], w))
				}
			}
		}
		return missing
	}
}

func keyUsers() []Control {
	return []Control{
		{
			ID: "keys.administrators-use-nothing", What: "who manages keys cannot use them",
			PCI: []string{"3.7.6", "7.2.2"}, NIST: []string{"AC-5", "AC-6"},
			Check: everyStatement(func(key *cfn.Resource, s map[string]any) string {
				if s["Sid"] == "Administer" && slices.ContainsFunc(several(s["Action"]), usesData) {
					return "lets administrators use " + key.Path()
				}
				return ""
			}),
			Remove: changeStatement("database", "Administer", "Action", []any{"kms:DescribeKey", "kms:Decrypt"}),
		},
		{
			ID: "keys.no-wildcard-action", What: "no statement of a key's policy allows every action",
			PCI: []string{"7.2.2"}, NIST: []string{"AC-6"}, CIS: []string{"1.16"},
			Check: everyStatement(func(_ *cfn.Resource, s map[string]any) string {
				if s["Effect"] == "Allow" && slices.ContainsFunc(several(s["Action"]), func(a string) bool { return a == "kms:*" || a == "*" }) {
					return "allows every action"
				}
				return ""
			}),
			Remove: changeStatement("secrets", "Administer", "Action", "kms:*"),
		},
		{
			ID: "keys.through-services", What: "people use a key only by way of the service that holds the data, in this account",
			PCI: []string{"3.6.1.3", "7.2.2"}, NIST: []string{"AC-3", "AC-6", "SC-12"},
			Check: everyStatement(func(_ *cfn.Resource, s map[string]any) string {
				if s["Effect"] == "Allow" && anybody(s["Principal"]) && (conditionOf(s, "kms:CallerAccount") == "" || conditionOf(s, "kms:ViaService") == "") {
					return "lets anybody use it, without kms:CallerAccount and kms:ViaService"
				}
				return ""
			}),
			Remove: changeStatement("secrets", "UseThroughServices", "Condition", nil),
		},
	}
}

func keyServices() []Control {
	return []Control{
		{
			ID: "keys.right-service", What: "the keys of the database, secrets, images and backups are used by those services and no other",
			PCI: []string{"3.6.1.3", "3.7.1"}, NIST: []string{"AC-6", "SC-12"},
			Check: rightService,
			Remove: changeStatement("database", "UseThroughServices", "Condition", map[string]any{"StringEquals": map[string]any{
				"kms:CallerAccount": "111122223333", "kms:ViaService": []any{"s3.us-east-1.amazonaws.com"},
			}}),
		},
		{
			ID: "keys.services-for-this-account", What: "services use a key for this account's things alone",
			PCI: []string{"7.2.5"}, NIST: []string{"AC-3", "AC-4"},
			Check: everyStatement(func(key *cfn.Resource, s map[string]any) string {
				principal, _ := s["Principal"].(map[string]any)
				if principal["Service"] == nil || conditionOf(s, "aws:SourceAccount") == key.Stack.Account {
					return ""
				}
				for _, context := range []string{"logs:arn", "sns:topicArn"} {
					if strings.Contains(conditionOf(s, "kms:EncryptionContext:aws:"+context), ":"+key.Stack.Account+":") {
						return ""
					}
				}
				return "lets a service use it for any account"
			}),
			Remove: changeStatement("messages", "Alarms", "Condition", nil),
		},
		{
			ID: "keys.log-groups-by-context", What: "CloudWatch Logs uses the key of logs for this account's log groups, which the encryption context names",
			PCI: []string{"10.3.1"}, NIST: []string{"AU-9", "SC-12"},
			Check: func(e *Estate) []string {
				s := keyStatement(e, "logs", "LogGroups")
				if !strings.HasSuffix(conditionOf(s, "kms:EncryptionContext:aws:logs:arn"), ":log-group:*") {
					return []string{"keys/logs: LogGroups is not bound to log groups"}
				}
				return nil
			},
			Remove: changeStatement("logs", "LogGroups", "Condition", map[string]any{}),
		},
	}
}

// usesData reports whether the action is one on data.
func usesData(action string) bool { return slices.Contains(keyUse, action) }

func anybody(principal any) bool {
	m, ok := principal.(map[string]any)
	return principal == "*" || ok && slices.Contains(several(m["AWS"]), "*")
}

// conditionOf returns the value of a condition key in a statement, as text, ""
// where it is not asked.
func conditionOf(statement map[string]any, key string) string {
	conditions, _ := statement["Condition"].(map[string]any)
	for _, v := range conditions {
		if m, ok := v.(map[string]any); ok && m[key] != nil {
			return strings.Join(several(m[key]), " ")
		}
	}
	return ""
}

func rightService(e *Estate) []string {
	services := map[string]string{"database": "rds", "secrets": "secretsmanager ssm", "registry": "ecr", "backup": "backup rds"}
	var wrong []string
	for key, want := range services {
		s := keyStatement(e, key, "UseThroughServices")
		got := strings.ReplaceAll(conditionOf(s, "kms:ViaService"), "."+e.Env.Region+".amazonaws.com", "")
		if got != want {
			wrong = append(wrong, fmt.Sprintf("keys/%s: is used through %q, want %q", key, got, want))
		}
	}
	return wrong
}

// changeStatement returns a Remove that sets a field of a statement; nil
// deletes it.
func changeStatement(key, sid, field string, value any) func(*Estate) int {
	return func(e *Estate) int {
		s := keyStatement(e, key, sid)
		if s == nil {
			return 0
		}
		if s[field] = value; value == nil {
			delete(s, field)
		}
		return 1
	}
}

func customersKey() []Control {
	return []Control{
		{
			ID: "keys.customers-denied", What: "nobody but the two services uses the customers' key, whatever another policy says",
			PCI: []string{"3.6.1.3", "3.7.6", "7.2.1"}, NIST: []string{"AC-3", "AC-6"},
			Check: customersDenied, Remove: changeStatement("customers", "NobodyElse", "Effect", "Allow"),
		},
		{
			ID: "keys.customers-no-service", What: "no AWS service uses the customers' key",
			PCI: []string{"3.6.1.3"}, NIST: []string{"AC-6"},
			Check: everyStatement(func(key *cfn.Resource, s map[string]any) string {
				if principal, _ := s["Principal"].(map[string]any); key.Path() == "customers" && principal["Service"] != nil {
					return "lets a service use it"
				}
				return ""
			}),
			Remove: changeStatement("customers", "SynchronizerSeals", "Principal", map[string]any{"Service": "rds.amazonaws.com"}),
		},
		{
			ID: "keys.purposes", What: "each use of the customers' key names the purposes that it is for",
			PCI: []string{"3.6.1", "3.7.1"}, NIST: []string{"AC-6", "SC-12"},
			Check: everyStatement(func(key *cfn.Resource, s map[string]any) string {
				if key.Path() == "customers" && s["Effect"] == "Allow" && slices.ContainsFunc(several(s["Action"]), usesData) &&
					conditionOf(s, "kms:EncryptionContext:purpose") == "" {
					return "is for any purpose"
				}
				return ""
			}),
			Remove: changeStatement("customers", "SynchronizerSeals", "Condition", nil),
		},
		{
			ID: "keys.manager-seals-nothing", What: "customers-mngr cannot make data keys to seal customers with",
			PCI: []string{"3.7.1", "7.2.1"}, NIST: []string{"AC-5", "AC-6"},
			Check: func(e *Estate) []string {
				s := keyStatement(e, "customers", "ManagerPages")
				purposes := strings.Fields(conditionOf(s, "kms:EncryptionContext:purpose"))
				if len(purposes) == 0 || slices.Contains(purposes, "seal") {
					return []string{"keys/customers: ManagerPages lets kms:GenerateDataKey have the purpose seal"}
				}
				return nil
			},
			Remove: changeStatement("customers", "ManagerPages", "Condition", map[string]any{
				"StringEquals": map[string]any{"kms:EncryptionContext:purpose": []any{"seal"}},
			}),
		},
	}
}

func customersDenied(e *Estate) []string {
	key := e.Find(keyType, "customers")
	if key == nil {
		return []string{"there is no key customers"}
	}
	document, _ := key.Get("KeyPolicy").(map[string]any)
	for _, s := range objects(document["Statement"]) {
		if s["Sid"] != "NobodyElse" || s["Effect"] != "Deny" || !anybody(s["Principal"]) {
			continue
		}
		var wrong []string
		for _, action := range []string{"kms:Encrypt", "kms:Decrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*", "kms:CreateGrant"} {
			if !slices.Contains(several(s["Action"]), action) {
				wrong = append(wrong, "keys/customers: NobodyElse does not deny "+action)
			}
		}
		if got := len(strings.Fields(conditionOf(s, "aws:PrincipalArn"))); got != 2 {
			wrong = append(wrong, fmt.Sprintf("keys/customers: %d roles are excepted, want two", got))
		}
		return wrong
	}
	return []string{"keys/customers: nothing denies its use to anybody else"}
}
