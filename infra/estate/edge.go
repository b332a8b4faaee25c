package estate

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscertificatemanager"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsec2"
	elb "github.com/aws/aws-cdk-go/awscdk/v2/awselasticloadbalancingv2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsroute53"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsroute53targets"
	"github.com/aws/jsii-runtime-go"

	"padron/infra/config"
)

// Edge is the way in: the internal load balancer, its certificate and its name.
type Edge struct {
	Stack    awscdk.Stack
	Balancer elb.ApplicationLoadBalancer
	Listener elb.ApplicationListener
	// Rule is the listener's rule that a blue/green deployment shifts; nil where
	// deployments roll.
	Rule elb.ApplicationListenerRule
	// Blue is where the tasks are; Green is where a blue/green deployment puts
	// the next ones, nil where deployments roll.
	Blue, Green elb.ApplicationTargetGroup
}

// HostName is the service's name, such as customers.padron.example.com.
func HostName(env *config.Environment) string { return env.Domains.Host + "." + env.Domains.Zone }

// NewEdge adds the stack edge.
func NewEdge(app awscdk.App, env *config.Environment, keys *Keys, net *Network, names *Names) *Edge {
	stack := newStack(app, env, "edge", "the internal load balancer, its certificate, name and firewall")
	e := &Edge{Stack: stack, Balancer: balancer(stack, env, net)}
	e.Blue = targets(stack, net, "Blue")
	e.Listener = e.Balancer.AddListener(jsii.String("Https"), &elb.BaseApplicationListenerProps{
		Port:                 jsii.Number(portHTTPS),
		Protocol:             elb.ApplicationProtocol_HTTPS,
		Open:                 jsii.Bool(false), // true would let the world in
		SslPolicy:            elb.SslPolicy_TLS13_13,
		Certificates:         &[]elb.IListenerCertificate{certificate(stack, env, names)},
		MutualAuthentication: mutualTLS(stack, env),
		DefaultAction:        elb.ListenerAction_Forward(&[]elb.IApplicationTargetGroup{e.Blue}, nil),
	})
	if env.Manager.Deployment == "blue-green" {
		e.shift(stack, net)
	}
	awsroute53.NewARecord(stack, jsii.String("Alias"), &awsroute53.ARecordProps{
		Zone: names.Private, RecordName: jsii.String(env.Domains.Host),
		Target: awsroute53.RecordTarget_FromAlias(awsroute53targets.NewLoadBalancerTarget(e.Balancer, nil)),
	})
	if env.Features.WAF {
		firewall(stack, env, keys, e.Balancer)
	}
	return e
}

// balancer is reached from inside alone: no address of it is public.
func balancer(stack awscdk.Stack, env *config.Environment, net *Network) elb.ApplicationLoadBalancer {
	b := elb.NewApplicationLoadBalancer(stack, jsii.String("Balancer"), &elb.ApplicationLoadBalancerProps{
		LoadBalancerName:        jsii.String(env.Prefix()),
		Vpc:                     net.Vpc,
		VpcSubnets:              &awsec2.SubnetSelection{SubnetType: awsec2.SubnetType_PRIVATE_WITH_EGRESS},
		SecurityGroup:           net.Groups.Balancer,
		InternetFacing:          jsii.Bool(false),
		DropInvalidHeaderFields: jsii.Bool(true),
		DesyncMitigationMode:    elb.DesyncMitigationMode_STRICTEST,
		DeletionProtection:      jsii.Bool(env.Protected),
		IdleTimeout:             awscdk.Duration_Seconds(jsii.Number(60)),
	})
	b.LogAccessLogs(net.AccessLogs, jsii.String("balancer"))
	return b
}

// targets is a group of tasks, spoken to by HTTPS: nothing is in clear behind
// the load balancer either (PCI DSS 4.2.1).
func targets(stack awscdk.Stack, net *Network, id string) elb.ApplicationTargetGroup {
	return elb.NewApplicationTargetGroup(stack, jsii.String(id), &elb.ApplicationTargetGroupProps{
		Vpc:                        net.Vpc,
		Port:                       jsii.Number(portTask),
		Protocol:                   elb.ApplicationProtocol_HTTPS,
		TargetType:                 elb.TargetType_IP,
		DeregistrationDelay:        awscdk.Duration_Seconds(jsii.Number(30)),
		LoadBalancingAlgorithmType: elb.TargetGroupLoadBalancingAlgorithmType_LEAST_OUTSTANDING_REQUESTS,
		HealthCheck: &elb.HealthCheck{
			Path: jsii.String("/healthz"), Protocol: elb.Protocol_HTTPS, HealthyHttpCodes: jsii.String("200"),
			Interval: awscdk.Duration_Seconds(jsii.Number(10)), Timeout: awscdk.Duration_Seconds(jsii.Number(5)),
			HealthyThresholdCount: jsii.Number(3), UnhealthyThresholdCount: jsii.Number(3),
		},
	})
}

// shift adds the second group and the rule whose weights a deployment moves
// from one to the other.
func (e *Edge) shift(stack awscdk.Stack, net *Network) {
	e.Green = targets(stack, net, "Green")
	e.Rule = elb.NewApplicationListenerRule(stack, jsii.String("Shift"), &elb.ApplicationListenerRuleProps{
		Listener: e.Listener, Priority: jsii.Number(1),
		Conditions: &[]elb.ListenerCondition{elb.ListenerCondition_PathPatterns(texts("/*"))},
		Action: elb.ListenerAction_WeightedForward(&[]*elb.WeightedTargetGroup{
			{TargetGroup: e.Blue, Weight: jsii.Number(1)}, {TargetGroup: e.Green, Weight: jsii.Number(0)},
		}, nil),
	})
}

// certificate is proven by a record in the public zone, and renewed as long as
// it stands there.
func certificate(stack awscdk.Stack, env *config.Environment, names *Names) awscertificatemanager.Certificate {
	return awscertificatemanager.NewCertificate(stack, jsii.String("Certificate"), &awscertificatemanager.CertificateProps{
		DomainName:      jsii.String(HostName(env)),
		CertificateName: jsii.String(env.Prefix()),
		Validation:      awscertificatemanager.CertificateValidation_FromDns(names.Public),
	})
}
