package review

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"padron/infra/cfn"
)

// rights says what every policy document of the templates grants, wherever it
// stands: roles and their trust, managed policies, keys, buckets, queues,
// secrets, repositories, endpoints.
func rights(a *cfn.Assembly) sentences {
	all := sentences{}
	for _, r := range a.Resources() {
		for _, name := range union(r.Properties, nil) {
			documents(all, r, name, r.Get(name))
		}
		attachments(all, r)
	}
	return all
}

// documents finds the policy documents below v and says what each grants.
func documents(all sentences, r *cfn.Resource, name string, v any) {
	switch v := v.(type) {
	case string:
		var document map[string]any
		if strings.Contains(v, `"Statement"`) && json.Unmarshal([]byte(v), &document) == nil {
			documents(all, r, name, document)
		}
	case []any:
		for _, x := range v {
			documents(all, r, name, x)
		}
	case map[string]any:
		if list, ok := v["Statement"]; ok {
			grants(all, r, name, list)
			return
		}
		for _, key := range union(v, nil) {
			documents(all, r, name, v[key])
		}
	}
}

// grants says what each statement does, one line for each action: a reviewer
// then sees the one that is new among twenty.
func grants(all sentences, r *cfn.Resource, name string, list any) {
	for _, x := range several(list) {
		s, ok := x.(map[string]any)
		if !ok {
			continue
		}
		verb := "allows"
		if s["Effect"] == "Deny" {
			verb = "denies"
		}
		rest := who(s) + on(s) + when(s)
		for _, action := range several(s["Action"]) {
			all.add(r, "%s %v%s%s", verb, action, rest, of(name))
		}
		if except, ok := s["NotAction"]; ok {
			all.add(r, "%s everything but %s%s%s", verb, texts(except), rest, of(name))
		}
	}
}

// of says which document of the resource it is, where that is not plain.
func of(name string) string {
	switch name {
	case "PolicyDocument", "KeyPolicy", "ResourcePolicy":
		return ""
	case "AssumeRolePolicyDocument":
		return " (who takes the role)"
	}
	return " (" + name + ")"
}

func who(s map[string]any) string {
	for key, word := range map[string]string{"Principal": " to ", "NotPrincipal": " to everybody but "} {
		switch p := s[key].(type) {
		case nil:
		case string:
			return word + p
		case map[string]any:
			var all []string
			for _, kind := range union(p, nil) {
				all = append(all, texts(p[kind]))
			}
			return word + strings.Join(all, ", ")
		}
	}
	return ""
}

func on(s map[string]any) string {
	if except, ok := s["NotResource"]; ok {
		return " on everything but " + texts(except)
	}
	if r, ok := s["Resource"]; ok {
		return " on " + texts(r)
	}
	return ""
}

func when(s map[string]any) string {
	conditions, _ := s["Condition"].(map[string]any)
	var all []string
	for _, operator := range union(conditions, nil) {
		keys, _ := conditions[operator].(map[string]any)
		for _, key := range union(keys, nil) {
			all = append(all, fmt.Sprintf("%s %s %s", key, operator, texts(keys[key])))
		}
	}
	if len(all) == 0 {
		return ""
	}
	return " if " + strings.Join(all, " and ")
}

// attachments says which policies a role has, and which roles a policy.
func attachments(all sentences, r *cfn.Resource) {
	for _, name := range []string{"ManagedPolicyArns", "Roles", "Users", "Groups", "PermissionsBoundary"} {
		if !strings.HasPrefix(r.Type, "AWS::IAM::") {
			return
		}
		for _, x := range several(r.Get(name)) {
			all.add(r, "%s: %s", map[string]string{
				"ManagedPolicyArns": "has the policy", "Roles": "is attached to the role", "Users": "is attached to the user",
				"Groups": "is attached to the group", "PermissionsBoundary": "is bounded by",
			}[name], texts(x))
		}
	}
}

// several is a list, or the list of one thing.
func several(v any) []any {
	if l, ok := v.([]any); ok {
		return l
	}
	if v == nil {
		return nil
	}
	return []any{v}
}

// texts is a value or a list of values in words, sorted.
func texts(v any) string {
	var all []string
	for _, x := range several(v) {
		all = append(all, fmt.Sprint(x))
	}
	slices.Sort(all)
	return strings.Join(all, ", ")
}
