package estate

import (
	"fmt"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsecs"
	"github.com/aws/jsii-runtime-go"

	"padron/infra/config"
)

// managerName is the program, its container and its repository.
const managerName = "customers-mngr"

// managerTask serves HTTPS with a certificate of its own, which the load
// balancer takes unseen: nothing but the load balancer reaches it.
func managerTask(s *Services, env *config.Environment, who *Identity, keys *Keys, data *Data, registry *Registry) awsecs.FargateTaskDefinition {
	return newProgram(s.Stack, env, program{
		name: managerName, cpu: env.Manager.CPU, memory: env.Manager.Memory,
		role: who.Manager, execution: who.ManagerExecution,
		repository: registry.Manager, digest: env.Images.Manager,
		command: []string{"serve"}, log: s.ManagerLog,
		variables: map[string]*string{
			"PADRON_DB":       data.URL(managerUser),
			"PADRON_DB_IAM":   jsii.String("true"),
			"PADRON_KEYS":     jsii.String("aws-kms:" + *keys.Customers.KeyArn()),
			"PADRON_LISTEN":   jsii.String(fmt.Sprintf("0.0.0.0:%d", portTask)),
			"PADRON_TLS_CERT": jsii.String("auto"),
		},
	}, listening)
}

// listening is what a container has that answers and does not end by itself.
func listening(c *awsecs.ContainerDefinitionOptions) {
	seconds := func(n float64) awscdk.Duration { return awscdk.Duration_Seconds(jsii.Number(n)) }
	c.PortMappings = &[]*awsecs.PortMapping{{ContainerPort: jsii.Number(portTask), Protocol: awsecs.Protocol_TCP}}
	c.HealthCheck = &awsecs.HealthCheck{
		Command:  texts("CMD", "/"+managerName, "healthcheck"),
		Interval: seconds(10), Timeout: seconds(5), Retries: jsii.Number(3),
		StartPeriod: seconds(60), // a database that paused takes up to 30 s to come back
	}
}

// managerService keeps the tasks running, over all zones. How many is the
// scaling's to say: a number here would undo it with each deployment.
func managerService(s *Services, env *config.Environment, who *Identity, net *Network, edge *Edge, task awsecs.FargateTaskDefinition) awsecs.CfnService {
	service := awsecs.NewCfnService(s.Stack, jsii.String("Manager"), &awsecs.CfnServiceProps{
		ServiceName:                   jsii.String(env.Prefix() + "-" + managerName),
		Cluster:                       s.Cluster.ClusterArn(),
		TaskDefinition:                task.TaskDefinitionArn(),
		LaunchType:                    jsii.String("FARGATE"),
		PlatformVersion:               jsii.String("LATEST"),
		EnableExecuteCommand:          jsii.Bool(false),
		EnableEcsManagedTags:          jsii.Bool(true),
		PropagateTags:                 jsii.String("SERVICE"),
		AvailabilityZoneRebalancing:   jsii.String("ENABLED"),
		HealthCheckGracePeriodSeconds: jsii.Number(60),
		NetworkConfiguration: &awsecs.CfnService_NetworkConfigurationProperty{
			AwsvpcConfiguration: &awsecs.CfnService_AwsVpcConfigurationProperty{
				AssignPublicIp: jsii.String("DISABLED"),
				Subnets:        privateSubnets(net),
				SecurityGroups: &[]*string{net.Groups.Manager.SecurityGroupId()},
			},
		},
		DeploymentConfiguration: deployment(s.Stack, env, edge),
		LoadBalancers: &[]any{&awsecs.CfnService_LoadBalancerProperty{
			ContainerName: jsii.String(managerName), ContainerPort: jsii.Number(portTask),
			TargetGroupArn:        edge.Blue.TargetGroupArn(),
			AdvancedConfiguration: alternate(env, who, edge),
		}},
	})
	// The CDK would name the task definition, which the service refers to.
	service.AddDeletionOverride(jsii.String("DependsOn"))
	if blueGreen(env) {
		balancing := cfnResource(balancingPolicy(s.Stack, who, edge))
		service.AddOverride(jsii.String("DependsOn"), []any{balancing.LogicalId()})
	}
	return service
}

func privateSubnets(net *Network) *[]*string {
	var ids []*string
	for _, subnet := range *net.Vpc.PrivateSubnets() {
		ids = append(ids, subnet.SubnetId())
	}
	return &ids
}
