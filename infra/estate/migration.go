package estate

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsec2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsecs"
	"github.com/aws/jsii-runtime-go"

	"padron/infra/config"
)

// Migration is the cluster that every task runs on, and the task that brings
// the database's schema and users up to date before the services start.
type Migration struct {
	Stack   awscdk.Stack
	Cluster awsecs.Cluster
	Task    awsecs.FargateTaskDefinition
}

// NewMigration adds the stack migration. Its outputs are what it takes to run
// the task.
func NewMigration(app awscdk.App, env *config.Environment, who *Identity, keys *Keys, net *Network, data *Data, registry *Registry) *Migration {
	stack := newStack(app, env, "migration", "the cluster, and the task that migrates the database")
	m := &Migration{Stack: stack, Cluster: taskCluster(stack, env, keys, net)}
	group := logGroup(stack, "Log", env, keys, "migration", env.Retention.Logs)
	writeLogs(stack, "WriteLogs", who.MigrationExecution, group)
	m.Task = taskDefinition(stack, "Task", taskSize{"migration", 256, 512}, env, who.Migration, who.MigrationExecution)
	variables := map[string]*string{
		"PADRON_DB":        data.URL(""),
		"PADRON_DB_SECRET": data.Cluster.Secret().SecretArn(),
	}
	step := func(name string, last bool, command ...string) awsecs.ContainerDefinition {
		c := taskContainer(env, registry.Padron, env.Images.Padron, group, variables)
		c.ContainerName, c.Command, c.Essential = jsii.String(name), texts(command...), jsii.Bool(last)
		c.EntryPoint = texts("/padron")
		c.LinuxParameters = withoutCapabilities(stack, name+"Kernel")
		return m.Task.AddContainer(jsii.String(name), c)
	}
	schema := step("schema", false, "migrate", "up")
	step("users", true, "migrate", "users", "--iam").AddContainerDependencies(&awsecs.ContainerDependency{
		Container: schema, Condition: awsecs.ContainerDependencyCondition_SUCCESS,
	})
	m.outputs(net)
	return m
}

// outputs tells what to run and where. The network's part are outputs of its
// own: what a stack imports it had better not export again.
func (m *Migration) outputs(net *Network) {
	output(m.Stack, "Cluster", m.Cluster.ClusterName())
	output(m.Stack, "TaskDefinition", m.Task.TaskDefinitionArn())
	private := net.Vpc.SelectSubnets(&awsec2.SubnetSelection{SubnetType: awsec2.SubnetType_PRIVATE_WITH_EGRESS})
	output(net.Stack, "PrivateSubnets", awscdk.Fn_Join(jsii.String(","), private.SubnetIds))
	output(net.Stack, "MigrationGroup", net.Groups.Migration.SecurityGroupId())
}
