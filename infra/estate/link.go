package estate

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsec2"
	elb "github.com/aws/aws-cdk-go/awscdk/v2/awselasticloadbalancingv2"
	elbtargets "github.com/aws/aws-cdk-go/awscdk/v2/awselasticloadbalancingv2targets"
	"github.com/aws/jsii-runtime-go"

	"padron/infra/config"
)

// link is the lighter way in, for single accounts: an endpoint service, whose
// network load balancer stands before the API's. It passes bytes on and opens
// none: TLS ends where it always does. A consumer asks, and is let in one by
// one.
func link(stack awscdk.Stack, env *config.Environment, net *Network, edge *Edge) {
	balancer := elb.NewNetworkLoadBalancer(stack, jsii.String("Link"), &elb.NetworkLoadBalancerProps{
		LoadBalancerName: jsii.String(env.Prefix() + "-link"),
		Vpc:              net.Vpc, VpcSubnets: &awsec2.SubnetSelection{SubnetType: awsec2.SubnetType_PRIVATE_WITH_EGRESS},
		InternetFacing: jsii.Bool(false), CrossZoneEnabled: jsii.Bool(true), DeletionProtection: jsii.Bool(env.Protected),
		SecurityGroups: &[]awsec2.ISecurityGroup{net.Groups.Link},
		// The group has no way in: what comes by PrivateLink is not asked, and
		// nothing else comes.
		EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic: jsii.Bool(false),
	})
	balancer.LogAccessLogs(net.AccessLogs, jsii.String("link"))
	behind := elb.NewNetworkTargetGroup(stack, jsii.String("LinkTargets"), &elb.NetworkTargetGroupProps{
		Vpc: net.Vpc, Port: jsii.Number(portHTTPS), Protocol: elb.Protocol_TCP, TargetType: elb.TargetType_ALB,
		Targets: &[]elb.INetworkLoadBalancerTarget{elbtargets.NewAlbListenerTarget(edge.Listener)},
		HealthCheck: &elb.HealthCheck{
			Protocol: elb.Protocol_HTTPS, Path: jsii.String("/healthz"), Interval: awscdk.Duration_Seconds(jsii.Number(10)),
		},
	})
	balancer.AddListener(jsii.String("Https"), &elb.BaseNetworkListenerProps{
		Port: jsii.Number(portHTTPS), Protocol: elb.Protocol_TCP,
		DefaultAction: elb.NetworkListenerAction_Forward(&[]elb.INetworkTargetGroup{behind}, nil),
	})
	service := awsec2.NewCfnVPCEndpointService(stack, jsii.String("LinkService"), &awsec2.CfnVPCEndpointServiceProps{
		NetworkLoadBalancerArns: &[]any{balancer.LoadBalancerArn()}, AcceptanceRequired: jsii.Bool(true),
		Tags: &[]*awscdk.CfnTag{{Key: jsii.String("Name"), Value: jsii.String(env.Prefix())}},
	})
	var principals []string
	for _, account := range env.Transit.EndpointConsumers {
		principals = append(principals, "arn:aws:iam::"+account+":root")
	}
	awsec2.NewCfnVPCEndpointServicePermissions(stack, jsii.String("LinkPermissions"), &awsec2.CfnVPCEndpointServicePermissionsProps{
		ServiceId: service.Ref(), AllowedPrincipals: texts(principals...),
	})
}
