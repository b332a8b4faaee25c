package estate

import (
	"fmt"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsecr"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsecs"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslogs"
	"github.com/aws/jsii-runtime-go"

	"padron/infra/config"
)

// taskCluster is where every task runs. The group of Container Insights is made
// here, since the service would make one without a key and without an end.
func taskCluster(stack awscdk.Stack, env *config.Environment, keys *Keys, net *Network) awsecs.Cluster {
	insights := serviceLogGroup(stack, "Insights", env, keys, "/aws/ecs/containerinsights/"+env.Prefix()+"/performance", env.Retention.Logs)
	cluster := awsecs.NewCluster(stack, jsii.String("Cluster"), &awsecs.ClusterProps{
		ClusterName: jsii.String(env.Prefix()), Vpc: net.Vpc, ContainerInsightsV2: awsecs.ContainerInsights_ENHANCED,
		ExecuteCommandConfiguration: &awsecs.ExecuteCommandConfiguration{Logging: awsecs.ExecuteCommandLogging_NONE}, // nobody executes
	})
	cluster.Node().AddDependency(insights)
	return cluster
}

// taskSize is a task's family without the prefix, its CPU units and MiB.
type taskSize struct {
	family      string
	cpu, memory int
}

// taskDefinition makes a Fargate task on ARM64. The roles are given as they are:
// what they may do stands with the things that they do it to.
func taskDefinition(stack awscdk.Stack, id string, size taskSize, env *config.Environment, task, execution awsiam.Role) awsecs.FargateTaskDefinition {
	return awsecs.NewFargateTaskDefinition(stack, jsii.String(id), &awsecs.FargateTaskDefinitionProps{
		Family:         jsii.String(env.Prefix() + "-" + size.family),
		Cpu:            jsii.Number(size.cpu),
		MemoryLimitMiB: jsii.Number(size.memory),
		TaskRole:       unchanged(task),
		ExecutionRole:  unchanged(execution),
		RuntimePlatform: &awsecs.RuntimePlatform{
			CpuArchitecture: awsecs.CpuArchitecture_ARM64(), OperatingSystemFamily: awsecs.OperatingSystemFamily_LINUX(),
		},
	})
}

// unchanged is the role without the statements that constructs would add to it.
func unchanged(role awsiam.Role) awsiam.IRole {
	return role.WithoutPolicyUpdates(&awsiam.WithoutPolicyUpdatesOptions{AddGrantsToResources: jsii.Bool(false)})
}

// taskContainer is what all containers have: the image by its digest, a user
// that is nobody, a root file system that cannot be written, no capability of
// the kernel's, and logs.
func taskContainer(env *config.Environment, from awsecr.Repository, digest string, logs awslogs.LogGroup, variables map[string]*string) *awsecs.ContainerDefinitionOptions {
	all := map[string]*string{"AWS_REGION": jsii.String(env.Region), "PADRON_LOG_FORMAT": jsii.String("json")}
	for name, value := range variables {
		all[name] = value
	}
	return &awsecs.ContainerDefinitionOptions{
		Image:                  awsecs.ContainerImage_FromRegistry(taskImage(env, from, digest), nil),
		User:                   jsii.String("65532:65532"),
		ReadonlyRootFilesystem: jsii.Bool(true),
		Privileged:             jsii.Bool(false),
		Environment:            &all,
		// A program that waited for its log to be taken would stand still with it.
		Logging: awsecs.LogDriver_AwsLogs(&awsecs.AwsLogDriverProps{
			LogGroup: logs, StreamPrefix: jsii.String(env.Name),
			Mode: awsecs.AwsLogDriverMode_NON_BLOCKING, MaxBufferSize: awscdk.Size_Mebibytes(jsii.Number(4)),
		}),
	}
}

// taskImage is the image by its digest: a tag could be moved.
func taskImage(env *config.Environment, from awsecr.Repository, digest string) *string {
	return jsii.String(fmt.Sprintf("%s.dkr.ecr.%s.amazonaws.com/%s@%s", env.Account, env.Region, *from.RepositoryName(), digest))
}

// withoutCapabilities takes every capability of the kernel's from a container.
func withoutCapabilities(stack awscdk.Stack, id string) awsecs.LinuxParameters {
	p := awsecs.NewLinuxParameters(stack, jsii.String(id), &awsecs.LinuxParametersProps{})
	p.DropCapabilities(awsecs.Capability_ALL)
	return p
}

// writeLogs lets a role write to the group.
func writeLogs(stack awscdk.Stack, id string, role awsiam.IRole, group awslogs.LogGroup) {
	grant(stack, id, role, allow("WriteLogs", []string{"logs:CreateLogStream", "logs:PutLogEvents"}, []string{*group.LogGroupArn()}))
}
