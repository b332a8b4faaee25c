package controls

import (
	"slices"

	"padron/infra/cfn"
)

func keysControls() []Control {
	return []Control{
		{
			ID: "keys.rotated", What: "every key is rotated by itself once a year",
			PCI: []string{"3.7.4"}, NIST: []string{"SC-12"}, CIS: []string{"3.6"},
			Check:  every("AWS::KMS::Key", is("true", "EnableKeyRotation")),
			Remove: set("AWS::KMS::Key", "EnableKeyRotation", false),
		},
		{
			ID: "keys.synchronizer-cannot-open", What: "the synchronizer cannot unwrap the data keys of field groups",
			PCI: []string{"3.5.1", "3.7.6", "7.2.1"}, NIST: []string{"AC-6", "SC-12"},
			Check: func(e *Estate) []string {
				statement := keyStatement(e, "customers", "SynchronizerShares")
				if statement == nil {
					return []string{"keys/customers: has no statement SynchronizerShares"}
				}
				condition, _ := statement["Condition"].(map[string]any)
				equals, _ := condition["StringEquals"].(map[string]any)
				purposes, _ := equals["kms:EncryptionContext:purpose"].([]any)
				if len(purposes) == 0 || slices.Contains(purposes, any("seal")) {
					return []string{"keys/customers: SynchronizerShares lets kms:Decrypt have the purpose seal"}
				}
				return nil
			},
			Remove: func(e *Estate) int {
				delete(keyStatement(e, "customers", "SynchronizerShares"), "Condition")
				return 1
			},
		},
	}
}

// keyStatement returns the statement of the key's policy with the Sid, as in
// the template, nil where there is none.
func keyStatement(e *Estate, key, sid string) map[string]any {
	r := e.Find("AWS::KMS::Key", key)
	if r == nil {
		return nil
	}
	return statement(r, "KeyPolicy", sid)
}

// statement returns the statement with the Sid of the policy document in the
// resource's property.
func statement(r *cfn.Resource, property, sid string) map[string]any {
	document, _ := r.Properties[property].(map[string]any)
	statements, _ := document["Statement"].([]any)
	for _, s := range statements {
		if m, ok := s.(map[string]any); ok && m["Sid"] == sid {
			return m
		}
	}
	return nil
}
