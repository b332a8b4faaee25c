package review

import (
	"cmp"
	"fmt"
	"strings"

	"padron/infra/cfn"
)

// ways says what every rule of a security group, line of an access list and
// route lets through.
func ways(a *cfn.Assembly) sentences {
	all := sentences{}
	for _, r := range a.Resources() {
		switch r.Type {
		case "AWS::EC2::SecurityGroup":
			for side, word := range map[string]string{"SecurityGroupIngress": "in from", "SecurityGroupEgress": "out to"} {
				for _, rule := range r.List(side) {
					properties, _ := rule.(map[string]any)
					all.add(r, "lets %s", passes(word, properties))
				}
			}
		case "AWS::EC2::SecurityGroupIngress":
			alone(all, r, "in from")
		case "AWS::EC2::SecurityGroupEgress":
			alone(all, r, "out to")
		case "AWS::EC2::NetworkAclEntry":
			line(all, r)
		case "AWS::EC2::Route":
			all.add(r, "sends %s to %s", first(r, "DestinationCidrBlock", "DestinationIpv6CidrBlock", "DestinationPrefixListId"),
				first(r, "GatewayId", "NatGatewayId", "TransitGatewayId", "VpcPeeringConnectionId", "VpcEndpointId", "NetworkInterfaceId", "InstanceId"))
		}
	}
	return all
}

// alone is a rule with a resource of its own: it is its group's.
func alone(all sentences, r *cfn.Resource, word string) {
	at := r
	if group := r.Target("GroupId"); group != nil {
		at = group
	}
	properties, _ := r.Stack.Resolve(r.Properties).(map[string]any)
	all.add(at, "lets %s", passes(word, properties))
}

// passes is a security group's rule in words.
func passes(word string, rule map[string]any) string {
	var peer any
	for _, name := range []string{
		"CidrIp", "CidrIpv6", "SourceSecurityGroupId", "DestinationSecurityGroupId", "SourceSecurityGroupName", "SourcePrefixListId", "DestinationPrefixListId",
	} {
		if rule[name] != nil {
			peer = rule[name]
		}
	}
	who := fmt.Sprint(peer)
	if group := cfn.Target(peer); group != nil {
		who = group.String()
	}
	text := fmt.Sprintf("%s %s on %s", word, who, ports(rule["IpProtocol"], rule["FromPort"], rule["ToPort"]))
	if what := rule["Description"]; what != nil {
		text += fmt.Sprintf(" (%v)", what)
	}
	return text
}

func ports(protocol, from, to any) string {
	name := map[string]string{"-1": "every port", "6": "tcp", "17": "udp", "1": "icmp"}[fmt.Sprint(protocol)]
	name = cmp.Or(name, fmt.Sprint(protocol))
	switch {
	case from == nil || name == "every port":
		return name
	case fmt.Sprint(from) == fmt.Sprint(to):
		return fmt.Sprintf("%s %v", name, from)
	}
	return fmt.Sprintf("%s %v to %v", name, from, to)
}

// line is one line of an access list.
func line(all sentences, r *cfn.Resource) {
	verb, word := "stops", "in from"
	if r.Text("RuleAction") == "allow" {
		verb = "lets"
	}
	if r.Bool("Egress") {
		word = "out to"
	}
	all.add(r, "line %s %s %s %s on %s", r.Text("RuleNumber"), verb, word, cmp.Or(r.Text("CidrBlock"), r.Text("Ipv6CidrBlock")),
		ports(r.Get("Protocol"), r.Get("PortRange", "From"), r.Get("PortRange", "To")))
}

func first(r *cfn.Resource, names ...string) string {
	for _, name := range names {
		if v := r.Text(name); v != "" {
			return v
		}
	}
	return strings.Join(names, " or ")
}
