package estate

import (
	"fmt"
	"slices"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsec2"
	"github.com/aws/jsii-runtime-go"

	"padron/infra/config"
)

// Transit is how consumers outside the VPC come in: other VPCs and the data
// centre by a transit gateway, single accounts by PrivateLink.
type Transit struct {
	Stack awscdk.Stack
}

// NewTransit adds the stack transit. It is there only where one of its features
// is on.
func NewTransit(app awscdk.App, env *config.Environment, keys *Keys, net *Network, edge *Edge) *Transit {
	stack := newStack(app, env, "transit", "ways in for consumers")
	if env.Features.TransitGateway {
		gateway := transitGateway(stack, env)
		attach(stack, env, net, gateway)
		if slices.ContainsFunc(env.Consumers, func(c config.Consumer) bool { return c.Via == "vpn" }) {
			vpn(stack, env, keys, gateway)
		}
	}
	if env.Features.PrivateLink {
		link(stack, env, net, edge)
	}
	return &Transit{Stack: stack}
}

// transitGateway returns the id of the gateway that is joined, or of one made
// here. It attaches nobody unasked; who is accepted gets the gateway's own
// route table, in which routes appear by themselves: CloudFormation does not
// tell the id of a VPN's attachment, so a table of ours could not hold it. Who
// may call what is decided behind it, by the groups and lists of each VPC.
func transitGateway(stack awscdk.Stack, env *config.Environment) *string {
	if env.Transit.GatewayID != "" {
		return jsii.String(env.Transit.GatewayID)
	}
	return awsec2.NewCfnTransitGateway(stack, jsii.String("Gateway"), &awsec2.CfnTransitGatewayProps{
		Description:                  jsii.String(env.Prefix() + ": consumers of the API"),
		AutoAcceptSharedAttachments:  jsii.String("disable"),
		DefaultRouteTableAssociation: jsii.String("enable"),
		DefaultRouteTablePropagation: jsii.String("enable"),
		DnsSupport:                   jsii.String("enable"),
		Tags:                         &[]*awscdk.CfnTag{{Key: jsii.String("Name"), Value: jsii.String(env.Prefix())}},
	}).Ref()
}

// attach joins the private subnets to the gateway, and sends what goes to a
// consumer there and not to the Internet.
func attach(stack awscdk.Stack, env *config.Environment, net *Network, gateway *string) {
	var subnets []*string
	for _, s := range *net.Vpc.PrivateSubnets() {
		subnets = append(subnets, s.SubnetId())
	}
	attachment := awsec2.NewCfnTransitGatewayVpcAttachment(stack, jsii.String("Attachment"), &awsec2.CfnTransitGatewayVpcAttachmentProps{
		TransitGatewayId: gateway, VpcId: net.Vpc.VpcId(), SubnetIds: &subnets,
		Tags: &[]*awscdk.CfnTag{{Key: jsii.String("Name"), Value: jsii.String(env.Prefix())}},
	})
	for i, s := range *net.Vpc.PrivateSubnets() {
		for _, c := range env.Consumers {
			route := awsec2.NewCfnRoute(stack, jsii.String(fmt.Sprintf("Route-%s-%d", c.Name, i+1)), &awsec2.CfnRouteProps{
				RouteTableId: s.RouteTable().RouteTableId(), DestinationCidrBlock: jsii.String(c.CIDR), TransitGatewayId: gateway,
			})
			route.AddResourceDependency(attachment, nil)
		}
	}
}

// vpn connects the data centre: two tunnels, IKEv2 with AES-GCM and no weaker
// choice, routes by BGP, what happens to a tunnel logged.
func vpn(stack awscdk.Stack, env *config.Environment, keys *Keys, gateway *string) {
	customer := awsec2.NewCfnCustomerGateway(stack, jsii.String("DataCentre"), &awsec2.CfnCustomerGatewayProps{
		Type: jsii.String("ipsec.1"), IpAddress: jsii.String(env.Transit.CustomerGatewayIP), BgpAsn: jsii.Number(env.Transit.CustomerGatewayASN),
		Tags: &[]*awscdk.CfnTag{{Key: jsii.String("Name"), Value: jsii.String(env.Prefix() + "-data-centre")}},
	})
	group := logGroup(stack, "VpnLogs", env, keys, "vpn", env.Retention.Logs)
	// The service wants the ARN without the :* that stands for its streams.
	groupARN := jsii.String(fmt.Sprintf("arn:aws:logs:%s:%s:log-group:%s", env.Region, env.Account, *group.LogGroupName()))
	awsec2.NewCfnVPNConnection(stack, jsii.String("Vpn"), &awsec2.CfnVPNConnectionProps{
		Type: jsii.String("ipsec.1"), CustomerGatewayId: customer.Ref(), TransitGatewayId: gateway, StaticRoutesOnly: jsii.Bool(false),
		VpnTunnelOptionsSpecifications: &[]any{tunnel(groupARN, "169.254.61.0/30"), tunnel(groupARN, "169.254.61.4/30")},
		Tags:                           &[]*awscdk.CfnTag{{Key: jsii.String("Name"), Value: jsii.String(env.Prefix() + "-data-centre")}},
	})
}

// tunnel is one tunnel's terms; inside are the addresses of its two ends, which
// the data centre's router is set up with. AWS makes the shared secret and shows it to
// whoever may describe the connection; it stands in no template.
func tunnel(group *string, inside string) any {
	const cipher, hash, curve = "AES256-GCM-16", "SHA2-384", 20
	return &awsec2.CfnVPNConnection_VpnTunnelOptionsSpecificationProperty{
		TunnelInsideCidr:           jsii.String(inside),
		IkeVersions:                &[]any{&awsec2.CfnVPNConnection_IKEVersionsRequestListValueProperty{Value: jsii.String("ikev2")}},
		Phase1EncryptionAlgorithms: &[]any{&awsec2.CfnVPNConnection_Phase1EncryptionAlgorithmsRequestListValueProperty{Value: jsii.String(cipher)}},
		Phase2EncryptionAlgorithms: &[]any{&awsec2.CfnVPNConnection_Phase2EncryptionAlgorithmsRequestListValueProperty{Value: jsii.String(cipher)}},
		Phase1IntegrityAlgorithms:  &[]any{&awsec2.CfnVPNConnection_Phase1IntegrityAlgorithmsRequestListValueProperty{Value: jsii.String(hash)}},
		Phase2IntegrityAlgorithms:  &[]any{&awsec2.CfnVPNConnection_Phase2IntegrityAlgorithmsRequestListValueProperty{Value: jsii.String(hash)}},
		Phase1DhGroupNumbers:       &[]any{&awsec2.CfnVPNConnection_Phase1DHGroupNumbersRequestListValueProperty{Value: jsii.Number(curve)}},
		Phase2DhGroupNumbers:       &[]any{&awsec2.CfnVPNConnection_Phase2DHGroupNumbersRequestListValueProperty{Value: jsii.Number(curve)}},
		LogOptions: &awsec2.CfnVPNConnection_VpnTunnelLogOptionsSpecificationProperty{
			CloudwatchLogOptions: &awsec2.CfnVPNConnection_CloudwatchLogOptionsSpecificationProperty{
				LogEnabled: jsii.Bool(true), LogGroupArn: group, LogOutputFormat: jsii.String("json"),
				BgpLogEnabled: jsii.Bool(true), BgpLogGroupArn: group, BgpLogOutputFormat: jsii.String("json"),
			},
		},
	}
}
