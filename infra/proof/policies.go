package proof

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"padron/infra/cfn"
)

// Policy is one IAM policy document of a template, with literal ARNs in the
// place of references.
type Policy struct {
	Resource *cfn.Resource
	// Where is the property that holds it, such as Policies.0.PolicyDocument.
	Where string
	// Document is the policy as JSON says it.
	Document map[string]any
}

// Policies returns every policy document in the templates: identities', trust,
// keys', buckets', queues' and all others, since whatever has statements is
// one, also inside a text. The error is about a reference whose ARN has no
// known form.
func Policies(a *cfn.Assembly) ([]Policy, error) {
	var found []Policy
	for _, r := range a.Resources() {
		var err error
		walk(r.Get(), "", func(where string, document map[string]any) {
			literal, fault := literals(r, document)
			if fault != nil && err == nil {
				err = fmt.Errorf("%s: %s: %w", r, where, fault)
			}
			found = append(found, Policy{r, where, itself(r, where, literal)})
		})
		if err != nil {
			return nil, err
		}
	}
	return found, nil
}

// walk calls visit with every policy document below v.
func walk(v any, where string, visit func(string, map[string]any)) {
	switch v := v.(type) {
	case map[string]any:
		if isPolicy(v) {
			visit(where, v)
			return
		}
		for _, k := range slices.Sorted(maps.Keys(v)) {
			walk(v[k], join(where, k), visit)
		}
	case []any:
		for i, x := range v {
			walk(x, join(where, fmt.Sprint(i)), visit)
		}
	case string:
		var document map[string]any
		if strings.Contains(v, `"Statement"`) && json.Unmarshal([]byte(v), &document) == nil {
			walk(document, where, visit)
		}
	}
}

// isPolicy reports whether it is IAM's: other languages, as the firewall's, have
// statements, too, but none with an effect.
func isPolicy(document map[string]any) bool {
	statement := document["Statement"]
	if list, ok := statement.([]any); ok && len(list) > 0 {
		statement = list[0]
	}
	s, _ := statement.(map[string]any)
	return s["Effect"] != nil
}

func join(where, name string) string { return strings.TrimPrefix(where+"."+name, ".") }

// itself writes out what a policy that stands on one thing means by * or by
// naming no resource: the thing itself, and for a key its aliases, too, whose
// changes AWS asks the key's policy about.
func itself(r *cfn.Resource, where string, document map[string]any) map[string]any {
	on := map[string]string{
		"AWS::KMS::Key KeyPolicy":                                 "Arn",
		"AWS::KMS::ReplicaKey KeyPolicy":                          "Arn",
		"AWS::IAM::Role AssumeRolePolicyDocument":                 "Arn",
		"AWS::ECR::Repository RepositoryPolicyText":               "Arn",
		"AWS::Backup::BackupVault AccessPolicy":                   "BackupVaultArn",
		"AWS::Backup::LogicallyAirGappedBackupVault AccessPolicy": "BackupVaultArn",
	}
	attribute, ok := on[r.Type+" "+where]
	if !ok {
		return document
	}
	arn, err := literal(cfn.Reference{Resource: r, Attribute: attribute})
	if err != nil {
		return document
	}
	statements, _ := document["Statement"].([]any)
	for _, s := range statements {
		statement, ok := s.(map[string]any)
		if ok && (statement["Resource"] == nil || statement["Resource"] == "*") {
			statement["Resource"] = []any{arn}
			if strings.HasPrefix(r.Type, "AWS::KMS::") {
				statement["Resource"] = []any{arn, fmt.Sprintf("arn:aws:kms:%s:%s:alias/%s", r.Stack.Region, r.Stack.Account, r.Path())}
			}
		}
	}
	return document
}

// literals replaces the references in the document.
func literals(r *cfn.Resource, document map[string]any) (map[string]any, error) {
	var fault error
	var replace func(v any) any
	replace = func(v any) any {
		switch v := v.(type) {
		case map[string]any:
			m := make(map[string]any, len(v))
			for k, x := range v {
				m[fmt.Sprint(replace(k))] = replace(x)
			}
			return m
		case []any:
			l := make([]any, len(v))
			for i, x := range v {
				l[i] = replace(x)
			}
			return l
		case cfn.Reference:
			return replace(v.String())
		case string:
			text, err := literalText(r.Stack.Assembly(), v)
			if err != nil && fault == nil {
				fault = err
			}
			return text
		case bool, float64: // IAM reads them as texts, parliament only so
			return fmt.Sprint(v)
		}
		return v
	}
	m, _ := replace(document).(map[string]any)
	return m, fault
}
