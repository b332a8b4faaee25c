package controls

import (
	"slices"
	"strings"

	"padron/infra/cfn"
)

func endpointControls() []Control {
	return []Control{
		{
			ID: "network.s3-endpoint", What: "traffic to S3 stays inside AWS's network, from every subnet",
			PCI: []string{"1.4.5"}, NIST: []string{"SC-7"},
			Check: s3Everywhere, Remove: set("AWS::EC2::VPCEndpoint", "RouteTableIds", []any{}),
		},
		{
			ID: "network.endpoints-all", What: "AWS services are reached by endpoints in the VPC: images, logs, secrets, keys and sessions",
			PCI: []string{"1.3.2", "1.4.5"}, NIST: []string{"AC-4", "SC-7"}, Where: interfaceEndpoints,
			Check: allEndpoints,
			Remove: func(e *Estate) int {
				e.Find("AWS::EC2::VPCEndpoint", "SecretsManager").Remove()
				return 1
			},
		},
		{
			ID: "network.endpoints-guarded", What: "only the clients' groups reach the endpoints",
			PCI: []string{"1.3.1"}, NIST: []string{"AC-4", "SC-7"}, Where: interfaceEndpoints,
			Check: interfaces(func(r *cfn.Resource) string {
				groups := cfn.Targets(r.Get("SecurityGroupIds"))
				if len(groups) != 1 || groups[0].Path() != "EndpointsGroup" {
					return "has not EndpointsGroup alone around it"
				}
				return ""
			}),
			Remove: changeInterfaces("SecurityGroupIds", []any{}),
		},
		{
			ID: "network.endpoints-by-name", What: "the services' own names lead to the endpoints, so that no client goes around them",
			PCI: []string{"1.3.2"}, NIST: []string{"SC-7"}, Where: interfaceEndpoints,
			Check:  interfaces(is("true", "PrivateDnsEnabled")),
			Remove: changeInterfaces("PrivateDnsEnabled", false),
		},
	}
}

// interfaces checks the interface endpoints.
func interfaces(wrong func(*cfn.Resource) string) func(*Estate) []string {
	return every("AWS::EC2::VPCEndpoint", func(r *cfn.Resource) string {
		if r.Text("VpcEndpointType") != "Interface" {
			return ""
		}
		return wrong(r)
	})
}

func changeInterfaces(property string, value any) func(*Estate) int {
	return func(e *Estate) int {
		n := 0
		for _, r := range e.Resources("AWS::EC2::VPCEndpoint") {
			if r.Text("VpcEndpointType") == "Interface" {
				r.Properties[property] = value
				n++
			}
		}
		return n
	}
}

func s3Everywhere(e *Estate) []string {
	led := map[*cfn.Resource]bool{}
	for _, r := range e.Resources("AWS::EC2::VPCEndpoint") {
		if r.Text("VpcEndpointType") == "Gateway" && strings.HasSuffix(r.Text("ServiceName"), ".s3") {
			for _, table := range cfn.Targets(r.Get("RouteTableIds")) {
				led[table] = true
			}
		}
	}
	var wrong []string
	for _, r := range e.Resources("AWS::EC2::RouteTable") {
		if !led[r] {
			wrong = append(wrong, r.String()+": has no way to the endpoint of S3")
		}
	}
	return wrong
}

func allEndpoints(e *Estate) []string {
	want := []string{"ecr.api", "ecr.dkr", "logs", "secretsmanager", "kms", "ssm", "ssmmessages", "ec2messages"}
	for _, r := range e.Resources("AWS::EC2::VPCEndpoint") {
		name := strings.TrimPrefix(r.Text("ServiceName"), "com.amazonaws."+r.Stack.Region+".")
		want = slices.DeleteFunc(want, func(w string) bool { return w == name })
	}
	for i := range want {
		want[i] = "there is no endpoint of " + want[i]
	}
	return want
}

func dnsControls() []Control {
	const group, association = "AWS::Route53Resolver::FirewallRuleGroup", "AWS::Route53Resolver::FirewallRuleGroupAssociation"
	return []Control{
		{
			ID: "network.dns-firewall", What: "names of malware and botnets are not answered",
			PCI: []string{"5.2.1", "11.5.1"}, NIST: []string{"SC-7", "SI-3"}, Where: dnsFirewall,
			Check: every(group, func(r *cfn.Resource) string {
				for _, v := range r.List("FirewallRules") {
					if m, ok := v.(map[string]any); !ok || m["Action"] != "BLOCK" {
						return "has a rule that does not block"
					}
				}
				if len(r.List("FirewallRules")) < 2 {
					return "blocks fewer than two of AWS's lists"
				}
				return ""
			}),
			Remove: set(group, "FirewallRules", []any{}),
		},
		{
			ID: "network.dns-firewall-stays", What: "the DNS firewall cannot be taken off the VPC by a slip",
			PCI: []string{"1.2.2"}, NIST: []string{"CM-5", "SC-7"}, Where: dnsFirewall,
			Check: every(association, is("ENABLED", "MutationProtection")), Remove: set(association, "MutationProtection", "DISABLED"),
		},
		{
			ID: "network.dns-logged", What: "every question for a name is logged",
			PCI: []string{"10.2.1"}, NIST: []string{"AU-2", "AU-12"}, Where: dnsFirewall,
			Check: every("AWS::Route53Resolver::ResolverQueryLoggingConfigAssociation", func(r *cfn.Resource) string {
				if r.Target("ResolverQueryLogConfigId") == nil || r.Target("ResourceId") == nil {
					return "logs nothing of the VPC"
				}
				return ""
			}),
			Remove: drop("AWS::Route53Resolver::ResolverQueryLoggingConfigAssociation"),
		},
	}
}
