package controls

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strings"

	"padron/infra/cfn"
)

const replicaType = "AWS::KMS::ReplicaKey"

// dataActions are the actions that make a key's data readable, or hand the
// right to do so on.
var dataActions = []string{
	"kms:Encrypt", "kms:Decrypt", "kms:ReEncryptFrom", "kms:ReEncryptTo", "kms:GenerateDataKey", "kms:GenerateDataKeyWithoutPlaintext",
	"kms:GenerateDataKeyPair", "kms:GenerateDataKeyPairWithoutPlaintext", "kms:CreateGrant",
}

// customersUses are all uses of the customers' key: a role, an action, and the
// purposes of the data keys. The synchronizer opens nothing that it sealed.
var customersUses = []string{
	"customers-mngr kms:Decrypt for index page seal",
	"customers-mngr kms:GenerateDataKey for index page",
	"synchronizer kms:Decrypt for fingerprint index quarantine",
	"synchronizer kms:GenerateDataKey for fingerprint index quarantine seal",
}

// customersUse is the key and its replica, which opens the same data: a policy
// that is right in one region and wide in the other is wide.
func customersUse() []Control {
	return []Control{
		{
			ID: "keys.customers-uses", What: "exactly these open the customers' key: customers-mngr, and the synchronizer for its own lists",
			PCI: []string{"3.6.1.3", "3.7.1", "7.2.1"}, NIST: []string{"AC-3", "AC-5", "AC-6"},
			Check:  customersKeys(wrongUses),
			Remove: changeStatement("customers", "ManagerOpens", "Principal", map[string]any{"AWS": "arn:aws:iam::111122223333:role/admin"}),
		},
		{
			ID: "keys.customers-denial", What: "the denial to everybody else holds in every case, in both regions",
			PCI: []string{"3.6.1.3", "3.7.6"}, NIST: []string{"AC-3", "AC-6"},
			Check: customersKeys(wrongDenial),
			Remove: func(e *Estate) int {
				r := e.Find(replicaType, "customers")
				if r == nil {
					return 0
				}
				delete(statement(r, "KeyPolicy", "NobodyElse"), "Condition")
				statement(r, "KeyPolicy", "NobodyElse")["Effect"] = "Allow"
				return 1
			},
		},
	}
}

// customersKeys checks the policies of the customers' key and of its replica.
func customersKeys(wrong func(e *Estate, statements []map[string]any) []string) func(*Estate) []string {
	return func(e *Estate) []string {
		var missing []string
		for _, typ := range []string{keyType, replicaType} {
			key := e.Find(typ, "customers")
			if key == nil {
				missing = append(missing, "there is no "+typ+" customers")
				continue
			}
			document, _ := key.Get("KeyPolicy").(map[string]any)
			for _, w := range wrong(e, objects(document["Statement"])) {
				missing = append(missing, fmt.Sprintf("%s: %s", key, w))
			}
		}
		return missing
	}
}

// wrongUses compares what the statements allow on data with customersUses.
func wrongUses(e *Estate, statements []map[string]any) []string {
	var got, wrong []string
	for _, s := range statements {
		if s["Effect"] != "Allow" || !allowsData(s) {
			continue
		}
		purposes := strings.Fields(onlyCondition(s, "StringEquals", "kms:EncryptionContext:purpose"))
		slices.Sort(purposes)
		principal, _ := s["Principal"].(map[string]any)
		for _, action := range several(s["Action"]) {
			got = append(got, fmt.Sprintf("%s %s for %s", strings.Join(roles(e, principal["AWS"]), " "), action, strings.Join(purposes, " ")))
		}
	}
	for _, use := range got {
		if !slices.Contains(customersUses, use) {
			wrong = append(wrong, "lets "+use)
		}
	}
	for _, use := range customersUses {
		if !slices.Contains(got, use) {
			wrong = append(wrong, "does not let "+use)
		}
	}
	return wrong
}

// wrongDenial wants a denial of every use, to all but the two services, on no
// further condition.
func wrongDenial(e *Estate, statements []map[string]any) []string {
	for _, s := range statements {
		if s["Effect"] != "Deny" || !anybody(s["Principal"]) || s["Resource"] != "*" {
			continue
		}
		var excepted []string
		if conditions, _ := s["Condition"].(map[string]any); len(conditions) == 1 {
			if m, _ := conditions["ArnNotEquals"].(map[string]any); len(m) == 1 {
				excepted = roles(e, m["aws:PrincipalArn"])
			}
		}
		if slices.Sort(excepted); !slices.Equal(excepted, []string{"customers-mngr", "synchronizer"}) {
			return []string{fmt.Sprintf("%v excepts %q, or asks more: want ArnNotEquals with the two services alone", s["Sid"], excepted)}
		}
		var wrong []string
		for _, action := range dataActions {
			if !slices.ContainsFunc(several(s["Action"]), covers(action)) {
				wrong = append(wrong, fmt.Sprintf("%v does not deny %s", s["Sid"], action))
			}
		}
		return wrong
	}
	return []string{"denies its use to nobody"}
}

// allowsData reports whether one of the statement's actions is one on data;
// everything but a list may be, too.
func allowsData(s map[string]any) bool {
	return s["NotAction"] != nil || slices.ContainsFunc(several(s["Action"]), func(pattern string) bool {
		return slices.ContainsFunc(dataActions, func(action string) bool { return covers(action)(pattern) })
	})
}

// covers returns whether a policy's pattern takes the action in.
func covers(action string) func(pattern string) bool {
	return func(pattern string) bool {
		ok, _ := path.Match(strings.ToLower(pattern), strings.ToLower(action))
		return ok
	}
}

// onlyCondition is the value of the statement's one condition, "" where it asks
// something else, or more.
func onlyCondition(s map[string]any, operator, key string) string {
	conditions, _ := s["Condition"].(map[string]any)
	m, _ := conditions[operator].(map[string]any)
	if len(conditions) != 1 || len(m) != 1 || m[key] == nil {
		return ""
	}
	return strings.Join(several(m[key]), " ")
}

// roles names the principals: a role of the estate by its path, whether it is
// referred to or written out; anybody else as it is written.
func roles(e *Estate, principals any) []string {
	l, ok := principals.([]any)
	if !ok {
		l = []any{principals}
	}
	var names []string
	for _, p := range l {
		name := fmt.Sprint(p)
		if role := cfn.Target(p); role != nil {
			name = role.Path()
		}
		own := fmt.Sprintf("arn:aws:iam::%s:role/%s-", e.Env.Account, e.Env.Prefix())
		names = append(names, cmp.Or(strings.TrimPrefix(name, own), "nobody"))
	}
	return names
}
