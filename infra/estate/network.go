package estate

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsec2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslogs"
	"github.com/aws/aws-cdk-go/awscdk/v2/awss3"
	"github.com/aws/jsii-runtime-go"

	"padron/infra/config"
)

// Network is the VPC: for each zone a public subnet, which holds a NAT gateway
// and nothing else, and a private one, which holds everything. Each has a route
// table of its own.
type Network struct {
	Stack  awscdk.Stack
	Vpc    awsec2.Vpc
	Groups *Groups
	// AccessLogs takes the access logs of load balancers and buckets.
	AccessLogs awss3.Bucket
}

// NewNetwork adds the stack network.
func NewNetwork(app awscdk.App, env *config.Environment, keys *Keys) *Network {
	stack := newStack(app, env, "network", "VPC, subnets, routes, endpoints, security groups")
	vpc := awsec2.NewVpc(stack, jsii.String("Vpc"), &awsec2.VpcProps{
		IpAddresses:                  awsec2.IpAddresses_Cidr(jsii.String(env.Network.CIDR)),
		AvailabilityZones:            jsii.Strings(env.Zones...),
		NatGateways:                  jsii.Number(env.Network.NATs),
		RestrictDefaultSecurityGroup: jsii.Bool(true),
		SubnetConfiguration: &[]*awsec2.SubnetConfiguration{
			{Name: jsii.String("public"), SubnetType: awsec2.SubnetType_PUBLIC, MapPublicIpOnLaunch: jsii.Bool(false)},
			{Name: jsii.String("private"), SubnetType: awsec2.SubnetType_PRIVATE_WITH_EGRESS},
		},
	})
	placeSubnets(vpc, env)
	closeDefaultGroup(stack)
	flowLogs(stack, vpc, env, keys)
	accessLists(stack, vpc, env)
	n := &Network{Stack: stack, Vpc: vpc, AccessLogs: accessLogBucket(stack, env)}
	n.Groups = newGroups(stack, vpc, env)
	endpoints(stack, vpc, env, n.Groups)
	if env.Features.DNSFirewall {
		dnsFirewall(stack, vpc, env, keys)
	}
	return n
}

// placeSubnets gives each subnet the range that the configuration names.
func placeSubnets(vpc awsec2.Vpc, env *config.Environment) {
	for i, s := range *vpc.PublicSubnets() {
		subnet(s).SetCidrBlock(jsii.String(env.Network.Public[i]))
	}
	for i, s := range *vpc.PrivateSubnets() {
		subnet(s).SetCidrBlock(jsii.String(env.Network.Private[i]))
	}
}

func subnet(s awsec2.ISubnet) awsec2.CfnSubnet {
	return s.Node().FindChild(jsii.String("Subnet")).(awsec2.CfnSubnet) //nolint:forcetypeassert // it is what the construct makes
}

// closeDefaultGroup leaves out a dependency that the CDK writes down twice in
// the function that closes the VPC's default security group.
func closeDefaultGroup(stack awscdk.Stack) {
	provider := stack.Node().FindChild(jsii.String("Custom::VpcRestrictDefaultSGCustomResourceProvider"))
	handler := provider.Node().FindChild(jsii.String("Handler")).(awscdk.CfnResource) //nolint:forcetypeassert // it is what the construct makes
	handler.AddDeletionOverride(jsii.String("DependsOn"))
}

// flowLogs records every connection, accepted or not.
func flowLogs(stack awscdk.Stack, vpc awsec2.Vpc, env *config.Environment, keys *Keys) {
	group := logGroup(stack, "FlowLogs", env, keys, "vpc", env.Retention.FlowLogs)
	role := awsiam.NewRole(stack, jsii.String("FlowLogsRole"), &awsiam.RoleProps{
		AssumedBy:   awsiam.NewServicePrincipal(jsii.String("vpc-flow-logs.amazonaws.com"), inAccount(env)),
		Description: jsii.String("Writes the VPC's flow logs"),
	})
	grant(stack, "FlowLogsWrite", role, allow("WriteFlowLogs",
		[]string{"logs:CreateLogStream", "logs:PutLogEvents", "logs:DescribeLogStreams"}, []string{*group.LogGroupArn()}))
	vpc.AddFlowLog(jsii.String("FlowLog"), &awsec2.FlowLogOptions{
		Destination:            awsec2.FlowLogDestination_ToCloudWatchLogs(group, role.WithoutPolicyUpdates(nil)),
		TrafficType:            awsec2.FlowLogTrafficType_ALL,
		MaxAggregationInterval: awsec2.FlowLogMaxAggregationInterval_ONE_MINUTE,
	})
}

// logGroup makes /padron/ENVIRONMENT/name, encrypted with the key of logs.
func logGroup(stack awscdk.Stack, id string, env *config.Environment, keys *Keys, name string, days int) awslogs.LogGroup {
	return serviceLogGroup(stack, id, env, keys, "/padron/"+env.Name+"/"+name, days)
}

// serviceLogGroup makes the log group that a service writes to under a name of
// its own choice, before the service makes one that is kept for ever and
// encrypted with nobody's key.
func serviceLogGroup(stack awscdk.Stack, id string, env *config.Environment, keys *Keys, name string, days int) awslogs.LogGroup {
	group := awslogs.NewLogGroup(stack, jsii.String(id), &awslogs.LogGroupProps{
		LogGroupName:  jsii.String(name),
		EncryptionKey: keys.Logs,
		RemovalPolicy: removal(env),
	})
	cfn := group.Node().DefaultChild().(awslogs.CfnLogGroup) //nolint:forcetypeassert // it is what the construct makes
	cfn.SetRetentionInDays(jsii.Number(days))
	return group
}

// removal is what becomes of data whose stack is deleted.
func removal(env *config.Environment) awscdk.RemovalPolicy {
	if env.Protected {
		return awscdk.RemovalPolicy_RETAIN
	}
	return awscdk.RemovalPolicy_DESTROY
}

// endpoints keep the traffic to AWS's own services inside: the gateway to S3
// costs nothing and carries the images' layers. The others cost by the hour and
// are a choice for safety, since they pay for themselves only above some
// hundred GB a month.
func endpoints(stack awscdk.Stack, vpc awsec2.Vpc, env *config.Environment, groups *Groups) {
	vpc.AddGatewayEndpoint(jsii.String("S3"), &awsec2.GatewayVpcEndpointOptions{
		Service: awsec2.GatewayVpcEndpointAwsService_S3(),
	})
	if !env.Features.InterfaceEndpoints {
		return
	}
	services := []struct {
		id      string
		service awsec2.InterfaceVpcEndpointAwsService
	}{
		{"EcrApi", awsec2.InterfaceVpcEndpointAwsService_ECR()},
		{"EcrDkr", awsec2.InterfaceVpcEndpointAwsService_ECR_DOCKER()},
		{"Logs", awsec2.InterfaceVpcEndpointAwsService_CLOUDWATCH_LOGS()},
		{"SecretsManager", awsec2.InterfaceVpcEndpointAwsService_SECRETS_MANAGER()},
		{"Kms", awsec2.InterfaceVpcEndpointAwsService_KMS()},
		{"Ssm", awsec2.InterfaceVpcEndpointAwsService_SSM()},
		{"SsmMessages", awsec2.InterfaceVpcEndpointAwsService_SSM_MESSAGES()},
		{"Ec2Messages", awsec2.InterfaceVpcEndpointAwsService_EC2_MESSAGES()},
	}
	for _, s := range services {
		awsec2.NewInterfaceVpcEndpoint(stack, jsii.String(s.id), &awsec2.InterfaceVpcEndpointProps{
			Vpc: vpc, Service: s.service, PrivateDnsEnabled: jsii.Bool(true), Open: jsii.Bool(false),
			SecurityGroups: &[]awsec2.ISecurityGroup{groups.Endpoints},
			Subnets:        &awsec2.SubnetSelection{SubnetType: awsec2.SubnetType_PRIVATE_WITH_EGRESS},
		})
	}
}
