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
}

// accessLists is the second fence, should a security group be opened by
// mistake. Neither list lets anything but HTTPS leave the VPC, and nobody
// outside opens a connection to the tasks or the database.
func accessLists(stack awscdk.Stack, vpc awsec2.Vpc, env *config.Environment) {
	inside := env.Network.CIDR
	private := []line{
		{100, inside, portHTTPS, portHTTPS}, {110, inside, clientPorts, lastPort}, // calls and their answers inside
		{120, anywhere, linuxClientPorts, lastPort}, // answers from outside
	}
	public := []line{
		{100, inside, portHTTPS, portHTTPS},    // to the NAT gateway
		{110, anywhere, clientPorts, lastPort}, // answers to the NAT gateway
	}
	leave := []line{{100, anywhere, portHTTPS, portHTTPS}, {110, inside, clientPorts, lastPort}}
	privateLeave := leave
	for i, c := range env.Consumers {
		private = append(private, line{200 + i, c.CIDR, portHTTPS, portHTTPS})
		privateLeave = append(privateLeave, line{200 + i, c.CIDR, clientPorts, lastPort})
	}
	accessList(stack, vpc, "Private", awsec2.SubnetType_PRIVATE_WITH_EGRESS, private, privateLeave)
	accessList(stack, vpc, "Public", awsec2.SubnetType_PUBLIC, public, leave)
}

// accessList makes one list of lines in and out, for all subnets of a kind.
func accessList(stack awscdk.Stack, vpc awsec2.Vpc, id string, kind awsec2.SubnetType, in, out []line) {
	list := awsec2.NewNetworkAcl(stack, jsii.String(id+"List"), &awsec2.NetworkAclProps{
		Vpc: vpc, SubnetSelection: &awsec2.SubnetSelection{SubnetType: kind},
	})
	add := func(way string, direction awsec2.TrafficDirection, lines []line) {
		for _, l := range lines {
			list.AddEntry(jsii.String(fmt.Sprintf("%s%d", way, l.number)), &awsec2.CommonNetworkAclEntryOptions{
				RuleNumber: jsii.Number(l.number),
				Direction:  direction,
				Cidr:       awsec2.AclCidr_Ipv4(jsii.String(l.cidr)),
				Traffic:    awsec2.AclTraffic_TcpPortRange(jsii.Number(l.from), jsii.Number(l.to)),
				RuleAction: awsec2.Action_ALLOW,
			})
		}
	}
	add("In", awsec2.TrafficDirection_INGRESS, in)
	add("Out", awsec2.TrafficDirection_EGRESS, out)
}
