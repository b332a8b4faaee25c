package controls

import (
	"fmt"

	"padron/infra/cfn"
)

func networkControls() []Control {
	return []Control{
		{
			ID: "network.no-public-addresses", What: "no subnet gives its instances public addresses",
			PCI: []string{"1.4.4"}, NIST: []string{"AC-4", "SC-7"},
			Check:  every("AWS::EC2::Subnet", is("false", "MapPublicIpOnLaunch")),
			Remove: set("AWS::EC2::Subnet", "MapPublicIpOnLaunch", true),
		},
		{
			ID: "network.flow-logs", What: "every connection in the VPC is logged, accepted or not",
			PCI: []string{"10.2.1", "10.5.1"}, NIST: []string{"AU-2", "AU-12"}, CIS: []string{"3.7"},
			Check:  every("AWS::EC2::FlowLog", is("ALL", "TrafficType")),
			Remove: set("AWS::EC2::FlowLog", "TrafficType", "REJECT"),
		},
		{
			ID: "network.logs-encrypted", What: "every log group is encrypted with the key of logs",
			PCI: []string{"10.3.1"}, NIST: []string{"AU-9", "SC-28"},
			Check:  every("AWS::Logs::LogGroup", keyIs("logs", "KmsKeyId")),
			Remove: set("AWS::Logs::LogGroup", "KmsKeyId", nil),
		},
		{
			ID: "network.logs-kept", What: "logs are kept for 12 months or more",
			PCI: []string{"10.5.1"}, NIST: []string{"AU-11"},
			Check: every("AWS::Logs::LogGroup", func(r *cfn.Resource) string {
				if days, _ := r.Get("RetentionInDays").(float64); days < 365 {
					return fmt.Sprintf("RetentionInDays is %g, want 365 or more", days)
				}
				return ""
			}),
			Remove: set("AWS::Logs::LogGroup", "RetentionInDays", float64(30)),
		},
		{
			ID: "network.default-group-closed", What: "the default security group has no rule",
			PCI: []string{"1.3.1"}, NIST: []string{"AC-4", "SC-7"}, CIS: []string{"5.4"},
			Check:  every("Custom::VpcRestrictDefaultSG", func(*cfn.Resource) string { return "" }),
			Remove: drop("Custom::VpcRestrictDefaultSG"),
		},
	}
}

// keyIs returns a wrong for every: the property must refer to the key of the
// name in the stack keys.
func keyIs(name string, path ...string) func(*cfn.Resource) string {
	return func(r *cfn.Resource) string {
		key := r.Target(path...)
		if key == nil || key.Stack.Name != "keys" || key.Path() != name {
			return fmt.Sprintf("%s is not the key %s", path[len(path)-1], name)
		}
		return ""
	}
}
