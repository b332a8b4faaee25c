package estate

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslogs"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsroute53"
	"github.com/aws/jsii-runtime-go"

	"padron/infra/config"
)

// Names is the zone, twice: Public holds nothing but what proves the
// certificate, Private answers inside the VPC.
type Names struct {
	Stack           awscdk.Stack
	Public, Private awsroute53.IHostedZone
}

// NewNames adds the stack names.
func NewNames(app awscdk.App, env *config.Environment, keys *Keys, net *Network) *Names {
	stack := newStack(app, env, "names", "the zone, public for the certificate's proof and private for the service")
	return &Names{
		Stack:  stack,
		Public: publicZone(stack, env, keys),
		Private: awsroute53.NewPrivateHostedZone(stack, jsii.String("Private"), &awsroute53.PrivateHostedZoneProps{
			ZoneName: jsii.String(env.Domains.Zone), Vpc: net.Vpc, Comment: jsii.String("Answers inside the VPC"),
		}),
	}
}

// publicZone is the one that exists, or a new one, in which nobody but Amazon
// may be asked for certificates (CAA, RFC 8659).
func publicZone(stack awscdk.Stack, env *config.Environment, keys *Keys) awsroute53.IHostedZone {
	if id := env.Domains.PublicZoneID; id != "" {
		return awsroute53.HostedZone_FromHostedZoneAttributes(stack, jsii.String("Public"), &awsroute53.HostedZoneAttributes{
			HostedZoneId: jsii.String(id), ZoneName: jsii.String(env.Domains.Zone),
		})
	}
	props := &awsroute53.PublicHostedZoneProps{
		ZoneName: jsii.String(env.Domains.Zone), CaaAmazon: jsii.Bool(true), Comment: jsii.String("Proves the certificate"),
	}
	if env.Region != "us-east-1" { // Route 53 logs public queries there alone
		return awsroute53.NewPublicHostedZone(stack, jsii.String("Public"), props)
	}
	group := serviceLogGroup(stack, "Queries", env, keys, "/aws/route53/"+env.Domains.Zone, env.Retention.Logs)
	props.QueryLogsLogGroupArn = group.LogGroupArn()
	zone := awsroute53.NewPublicHostedZone(stack, jsii.String("Public"), props)
	zone.Node().AddDependency(queriesPolicy(stack, env, group))
	return zone
}

// queriesPolicy lets Route 53 write to the group, for this account's zones.
func queriesPolicy(stack awscdk.Stack, env *config.Environment, group awslogs.LogGroup) awslogs.ResourcePolicy {
	return awslogs.NewResourcePolicy(stack, jsii.String("QueriesPolicy"), &awslogs.ResourcePolicyProps{
		ResourcePolicyName: jsii.String(env.Prefix() + "-queries"),
		PolicyStatements: &[]awsiam.PolicyStatement{awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
			Sid:        jsii.String("Queries"),
			Principals: &[]awsiam.IPrincipal{awsiam.NewServicePrincipal(jsii.String("route53.amazonaws.com"), inAccount(env))},
			Actions:    texts("logs:CreateLogStream", "logs:PutLogEvents"),
			Resources:  &[]*string{group.LogGroupArn()},
		})},
	})
}
