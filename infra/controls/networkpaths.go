package controls

import (
	"fmt"
	"net/netip"
	"slices"

	"padron/infra/cfn"
	"padron/infra/config"
)

func interfaceEndpoints(env *config.Environment) bool { return env.Features.InterfaceEndpoints }
func dnsFirewall(env *config.Environment) bool        { return env.Features.DNSFirewall }

// pathControls are the network's: addresses, lists, groups, endpoints and names.
func pathControls() []Control {
	return slices.Concat(planOfAddresses(), listControls(), flowControls(), groupControls(), groupEgressControls(), endpointControls(), dnsControls())
}

func planOfAddresses() []Control {
	return []Control{
		{
			ID: "network.address-plan", What: "the VPC and its subnets have the ranges and zones of the configuration, and no others",
			PCI: []string{"1.2.3", "1.2.4"}, NIST: []string{"CM-2", "SC-7"},
			Check: addressPlan, Remove: set("AWS::EC2::Subnet", "AvailabilityZone", "us-east-1f"),
		},
		{
			ID: "network.table-each", What: "each subnet has a route table of its own",
			PCI: []string{"1.2.1"}, NIST: []string{"SC-7"},
			Check: tableEach,
			Remove: func(e *Estate) int {
				found := e.Resources("AWS::EC2::SubnetRouteTableAssociation")
				for _, r := range found {
					r.Properties["RouteTableId"] = found[0].Properties["RouteTableId"]
				}
				return len(found)
			},
		},
		{
			ID: "network.no-ipv6", What: "nothing has an IPv6 address, which the reachability prover does not follow",
			PCI: []string{"1.2.5", "2.2.4"}, NIST: []string{"CM-7", "SC-7"}, CIS: []string{"5.3"},
			Check: func(e *Estate) []string {
				return any6(e.Resources("AWS::EC2::VPCCidrBlock", "AWS::EC2::EgressOnlyInternetGateway", "AWS::EC2::SubnetCidrBlock"), e)
			},
			Remove: letInSix,
		},
	}
}

func listControls() []Control {
	return []Control{
		{
			ID: "network.lists-around", What: "a network access list of ours stands around every subnet, as a second fence",
			PCI: []string{"1.2.1", "1.3.1", "1.3.2"}, NIST: []string{"AC-4", "SC-7"}, CIS: []string{"5.1"},
			Check: listsAround, Remove: drop("AWS::EC2::SubnetNetworkAclAssociation"),
		},
		{
			ID: "network.lists-literal", What: "network access lists name TCP and its ports, never every protocol",
			PCI: []string{"1.2.5"}, NIST: []string{"CM-7", "SC-7(5)"}, CIS: []string{"5.1"},
			Check: every("AWS::EC2::NetworkAclEntry", func(r *cfn.Resource) string {
				if r.Text("RuleAction") == "allow" && (r.Text("Protocol") != "6" || r.Text("PortRange", "To") == "") {
					return "lets more than TCP on named ports"
				}
				return ""
			}),
			Remove: set("AWS::EC2::NetworkAclEntry", "Protocol", float64(-1)),
		},
		{
			ID: "network.lists-no-administration", What: "no network access list lets SSH or RDP in from anywhere",
			PCI: []string{"1.3.1", "2.2.7"}, NIST: []string{"AC-17", "SC-7"}, CIS: []string{"5.1"},
			Check: every("AWS::EC2::NetworkAclEntry", func(r *cfn.Resource) string {
				if !r.Bool("Egress") && r.Text("CidrBlock") == anyIPv4 && r.Text("RuleAction") == "allow" && r.Stack.Name == "network" && administers(r, "PortRange") {
					return "lets SSH or RDP in from anywhere"
				}
				return ""
			}),
			Remove: set("AWS::EC2::NetworkAclEntry", "PortRange", map[string]any{"From": float64(22), "To": float64(22)}),
		},
	}
}

func flowControls() []Control {
	return []Control{
		{
			ID: "network.flow-logs-soon", What: "flow logs come every minute, not every ten",
			PCI: []string{"10.4.1.1"}, NIST: []string{"AU-12", "SI-4"}, CIS: []string{"3.7"},
			Check:  every("AWS::EC2::FlowLog", is("60", "MaxAggregationInterval")),
			Remove: set("AWS::EC2::FlowLog", "MaxAggregationInterval", float64(600)),
		},
		{
			ID: "network.flow-logs-whole", What: "flow logs are of the whole VPC",
			PCI: []string{"10.2.1"}, NIST: []string{"AU-12", "SI-4"}, CIS: []string{"3.7"},
			Check: every("AWS::EC2::FlowLog", func(r *cfn.Resource) string {
				if t := r.Target("ResourceId"); t == nil || t.Type != "AWS::EC2::VPC" {
					return "is not of the VPC"
				}
				return ""
			}),
			Remove: func(e *Estate) int {
				subnets := e.Resources("AWS::EC2::Subnet")
				return set("AWS::EC2::FlowLog", "ResourceId", refTo(subnets[0]))(e)
			},
		},
		{
			ID: "network.nat-fixed-address", What: "everything leaves for the Internet by the Elastic IP of a NAT gateway",
			PCI: []string{"1.4.5"}, NIST: []string{"SC-7"},
			Check: every("AWS::EC2::NatGateway", func(r *cfn.Resource) string {
				if t := r.Target("AllocationId"); t == nil || t.Type != "AWS::EC2::EIP" {
					return "has no Elastic IP"
				}
				return ""
			}),
			Remove: set("AWS::EC2::NatGateway", "AllocationId", nil),
		},
		{
			ID: "network.no-peering", What: "no other VPC is peered: consumers come by the transit gateway or an endpoint",
			PCI: []string{"1.2.1", "1.4.1"}, NIST: []string{"AC-4", "CA-9"}, CIS: []string{"5.5"},
			Check: func(e *Estate) []string {
				var wrong []string
				for _, r := range e.Resources("AWS::EC2::VPCPeeringConnection", "AWS::EC2::VPNGateway") {
					wrong = append(wrong, r.String()+": is a way into the VPC that nobody declared")
				}
				return wrong
			},
			Remove: func(e *Estate) int {
				vpc := e.Resources("AWS::EC2::VPC")[0]
				addResource(vpc.Stack, "Peering", "AWS::EC2::VPCPeeringConnection", map[string]any{"VpcId": refTo(vpc), "PeerVpcId": "vpc-0"})
				return 1
			},
		},
	}
}

const anyIPv4 = "0.0.0.0/0"

// administers reports whether the ports hold SSH's or RDP's.
func administers(r *cfn.Resource, path ...string) bool {
	from, _ := r.Get(append(slices.Clone(path), "From")...).(float64)
	to, _ := r.Get(append(slices.Clone(path), "To")...).(float64)
	return from <= 22 && 22 <= to || from <= 3389 && 3389 <= to && from > 1024
}

func addressPlan(e *Estate) []string {
	want := map[string]string{e.Env.Network.CIDR: ""}
	for i, zone := range e.Env.Zones {
		want[e.Env.Network.Public[i]], want[e.Env.Network.Private[i]] = zone, zone
	}
	var wrong []string
	for _, r := range e.Resources("AWS::EC2::VPC", "AWS::EC2::Subnet") {
		zone, ok := want[r.Text("CidrBlock")]
		if !ok || zone != r.Text("AvailabilityZone") {
			wrong = append(wrong, fmt.Sprintf("%s: %s in %q is not in the configuration", r, r.Text("CidrBlock"), r.Text("AvailabilityZone")))
		}
		delete(want, r.Text("CidrBlock"))
	}
	for cidr := range want {
		wrong = append(wrong, cidr+" is in the configuration and not in the network")
	}
	return wrong
}

func tableEach(e *Estate) []string {
	var wrong []string
	used := map[*cfn.Resource]bool{}
	for _, r := range e.Resources("AWS::EC2::SubnetRouteTableAssociation") {
		if table := r.Target("RouteTableId"); table == nil || used[table] {
			wrong = append(wrong, r.String()+": its table is another subnet's too")
		} else {
			used[table] = true
		}
	}
	if subnets := len(e.Resources("AWS::EC2::Subnet")); len(used) != subnets {
		wrong = append(wrong, fmt.Sprintf("%d route tables for %d subnets", len(used), subnets))
	}
	return wrong
}

func listsAround(e *Estate) []string {
	around := map[*cfn.Resource]bool{}
	for _, r := range e.Resources("AWS::EC2::SubnetNetworkAclAssociation") {
		around[r.Target("SubnetId")] = r.Target("NetworkAclId") != nil
	}
	var wrong []string
	for _, r := range e.Resources("AWS::EC2::Subnet") {
		if !around[r] {
			wrong = append(wrong, r.String()+": only the VPC's own list stands around it, which lets everything pass")
		}
	}
	return wrong
}

// any6 returns the resources and rules that have to do with IPv6.
func any6(resources []*cfn.Resource, e *Estate) []string {
	var wrong []string
	for _, r := range resources {
		if r.Type != "AWS::EC2::VPCCidrBlock" || r.Bool("AmazonProvidedIpv6CidrBlock") {
			wrong = append(wrong, r.String()+": brings IPv6")
		}
	}
	for _, rule := range rules(e) {
		if p, err := netip.ParsePrefix(rule.text("CidrIpv6")); err == nil && p.Addr().Is6() {
			wrong = append(wrong, rule.at.String()+": has a rule for IPv6")
		}
	}
	return wrong
}

func letInSix(e *Estate) int {
	r := e.Find("AWS::EC2::SecurityGroup", "BalancerGroup")
	rule := tcpRule(443)
	rule["CidrIpv6"] = "::/0"
	list, _ := r.Properties["SecurityGroupIngress"].([]any)
	r.Properties["SecurityGroupIngress"] = append(list, rule)
	return 1
}
