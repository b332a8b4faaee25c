package estate

import (
	"fmt"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsec2"
	"github.com/aws/jsii-runtime-go"

	"padron/infra/config"
)

const (
	anywhere = "0.0.0.0/0"
	// Ports that clients connect from: Linux's own begin later than those of
	// load balancers and NAT gateways.
	clientPorts, linuxClientPorts, lastPort = 1024, 32768, 65535
)

// line is one line of a network access list: TCP from or to cidr.
type line struct {
	number   int
	cidr     string
	from, to int
	deny     bool
}

// privateRanges are RFC 1918 and RFC 6598: where consumers are, which call and
// are not called.
var privateRanges = []string{"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10"}

// accessLists is the second fence, should a security group be opened by
// mistake. Neither list lets anything but HTTPS leave the VPC, and nobody
// outside opens a connection to the tasks or the database. The synchronizer may
// call any address, for the provider's is not known: its list keeps it from the
// networks of the consumers.
func accessLists(stack awscdk.Stack, vpc awsec2.Vpc, env *config.Environment) {
	inside := env.Network.CIDR
	https := func(number int, cidr string) line {
		return line{number: number, cidr: cidr, from: portHTTPS, to: portHTTPS}
	}
	answers := func(number int, cidr string) line {
		return line{number: number, cidr: cidr, from: clientPorts, to: lastPort}
	}
	private := []line{
		https(100, inside), answers(110, inside), // calls and their answers inside
		{number: 120, cidr: anywhere, from: linuxClientPorts, to: lastPort}, // answers from outside
	}
	public := []line{https(100, inside), answers(110, anywhere)} // to the NAT gateway, by both
	leave := []line{https(100, anywhere), answers(110, inside)}
	privateLeave := append([]line{https(50, inside)}, leave...)
	for i, r := range privateRanges {
		privateLeave = append(privateLeave, line{number: 60 + i, cidr: r, from: portHTTPS, to: portHTTPS, deny: true})
	}
	for i, c := range env.Consumers {
		number := config.ConsumerLine(i)
		private = append(private, https(number, c.CIDR))
		privateLeave = append(privateLeave, answers(number, c.CIDR))
	}
	accessList(stack, vpc, "Private", awsec2.SubnetType_PRIVATE_WITH_EGRESS, private, privateLeave)
	accessList(stack, vpc, "Public", awsec2.SubnetType_PUBLIC, public, leave)
}

// accessList makes one list of lines in and out, for all subnets of a kind. A
// line is called by its number, which it cannot share for a moment: where
// consumers come or go, the lines after them are changed, and none is made beside
// another.
func accessList(stack awscdk.Stack, vpc awsec2.Vpc, id string, kind awsec2.SubnetType, in, out []line) {
	list := awsec2.NewNetworkAcl(stack, jsii.String(id+"List"), &awsec2.NetworkAclProps{
		Vpc: vpc, SubnetSelection: &awsec2.SubnetSelection{SubnetType: kind},
	})
	add := func(way string, direction awsec2.TrafficDirection, lines []line) {
		for _, l := range lines {
			action := awsec2.Action_ALLOW
			if l.deny {
				action = awsec2.Action_DENY
			}
			list.AddEntry(jsii.String(fmt.Sprintf("%s%d", way, l.number)), &awsec2.CommonNetworkAclEntryOptions{
				RuleNumber: jsii.Number(l.number),
				Direction:  direction,
				Cidr:       awsec2.AclCidr_Ipv4(jsii.String(l.cidr)),
				Traffic:    awsec2.AclTraffic_TcpPortRange(jsii.Number(l.from), jsii.Number(l.to)),
				RuleAction: action,
			})
		}
	}
	add("In", awsec2.TrafficDirection_INGRESS, in)
	add("Out", awsec2.TrafficDirection_EGRESS, out)
}
