package estate

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsecs"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsscheduler"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssecretsmanager"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssqs"
	"github.com/aws/jsii-runtime-go"

	"padron/infra/config"
)

// synchronizerName is the program, its container and its repository.
const synchronizerName = "synchronizer"

// A start that fails is tried again for so long; the next run is due by then.
const (
	startTries      = 3
	startAgeSeconds = 900
)

func synchronizerTask(s *Services, env *config.Environment, who *Identity, keys *Keys, data *Data, registry *Registry) awsecs.FargateTaskDefinition {
	return newProgram(s.Stack, env, program{
		name: synchronizerName, cpu: env.Synchronizer.CPU, memory: env.Synchronizer.Memory,
		role: who.Synchronizer, execution: who.SynchronizerExecution,
		repository: registry.Synchronizer, digest: env.Images.Synchronizer,
		command: []string{"run"}, log: s.SynchronizerLog,
		variables: map[string]*string{
			"PADRON_DB":              data.URL(synchronizerUser),
			"PADRON_DB_IAM":          jsii.String("true"),
			"PADRON_KEYS":            jsii.String("aws-kms:" + *keys.Customers.KeyArn()),
			"PADRON_PROVIDER_URL":    jsii.String(env.Synchronizer.ProviderURL),
			"PADRON_PROVIDER_PAGING": jsii.String(env.Synchronizer.Paging),
		},
	}, func(c *awsecs.ContainerDefinitionOptions) {
		// Known by its ARN alone, the construct leaves the key's policy as it is.
		key := awssecretsmanager.Secret_FromSecretCompleteArn(s.Stack, jsii.String("ProviderKey"), data.ProviderKey.SecretArn())
		c.Secrets = &map[string]awsecs.Secret{"PADRON_PROVIDER_API_KEY": awsecs.Secret_FromSecretsManager(key, nil)}
	})
}

// run is what starts tasks of the synchronizer.
type run struct {
	env     *config.Environment
	who     *Identity
	net     *Network
	cluster awsecs.Cluster
	task    awsecs.FargateTaskDefinition
}

// start is what the schedule does and what it must be allowed for that.
type start struct {
	target awsscheduler.CfnSchedule_TargetProperty
	may    []awsiam.PolicyStatement
}

// startTask starts one task that does the whole run. The scheduler may start
// twice: the second task finds the lease held and ends.
func (r run) startTask() start {
	return start{
		target: awsscheduler.CfnSchedule_TargetProperty{
			Arn: r.cluster.ClusterArn(),
			EcsParameters: &awsscheduler.CfnSchedule_EcsParametersProperty{
				TaskDefinitionArn:    r.task.TaskDefinitionArn(),
				TaskCount:            jsii.Number(1),
				LaunchType:           jsii.String("FARGATE"),
				PlatformVersion:      jsii.String("LATEST"),
				EnableExecuteCommand: jsii.Bool(false),
				NetworkConfiguration: &awsscheduler.CfnSchedule_NetworkConfigurationProperty{
					AwsvpcConfiguration: &awsscheduler.CfnSchedule_AwsVpcConfigurationProperty{
						AssignPublicIp: jsii.String("DISABLED"),
						Subnets:        privateSubnets(r.net),
						SecurityGroups: &[]*string{r.net.Groups.Synchronizer.SecurityGroupId()},
					},
				},
			},
		},
		may: r.mayRun(),
	}
}

// mayRun is to start this one definition in this one cluster, with the two
// roles that it has.
func (r run) mayRun() []awsiam.PolicyStatement {
	task := allow("Run", []string{"ecs:RunTask"}, []string{*r.task.TaskDefinitionArn()})
	task.AddCondition(jsii.String("ArnEquals"), map[string]any{"ecs:cluster": r.cluster.ClusterArn()})
	roles := allow("HandOver", []string{"iam:PassRole"}, []string{*r.who.Synchronizer.RoleArn(), *r.who.SynchronizerExecution.RoleArn()})
	roles.AddCondition(jsii.String("StringEquals"), map[string]any{"iam:PassedToService": "ecs-tasks.amazonaws.com"}) //nolint:gosec // a condition's name
	return []awsiam.PolicyStatement{task, roles}
}

// undelivered keeps what could not be started, for two weeks.
func undelivered(stack awscdk.Stack, env *config.Environment, keys *Keys) awssqs.Queue {
	return awssqs.NewQueue(stack, jsii.String("Undelivered"), &awssqs.QueueProps{
		QueueName:           jsii.String(env.Prefix() + "-undelivered"),
		Encryption:          awssqs.QueueEncryption_KMS,
		EncryptionMasterKey: keys.Messages,
		EnforceSSL:          jsii.Bool(true),
		RetentionPeriod:     awscdk.Duration_Days(jsii.Number(14)),
	})
}

// schedule starts runs, each at its minute and no other.
func schedule(s *Services, env *config.Environment, who *Identity, keys *Keys, do start) {
	target := do.target
	target.RoleArn = who.Scheduler.RoleArn()
	target.RetryPolicy = &awsscheduler.CfnSchedule_RetryPolicyProperty{
		MaximumRetryAttempts: jsii.Number(startTries), MaximumEventAgeInSeconds: jsii.Number(startAgeSeconds),
	}
	target.DeadLetterConfig = &awsscheduler.CfnSchedule_DeadLetterConfigProperty{Arn: s.Undelivered.QueueArn()}
	group := awsscheduler.NewCfnScheduleGroup(s.Stack, jsii.String("Schedules"), &awsscheduler.CfnScheduleGroupProps{
		Name: jsii.String(env.Prefix()),
	})
	made := awsscheduler.NewCfnSchedule(s.Stack, jsii.String("Schedule"), &awsscheduler.CfnScheduleProps{
		Name:                       jsii.String(env.Prefix() + "-" + synchronizerName),
		GroupName:                  group.Ref(),
		Description:                jsii.String("Starts a run of the synchronizer"),
		ScheduleExpression:         jsii.String(env.Synchronizer.Schedule),
		ScheduleExpressionTimezone: jsii.String("UTC"),
		FlexibleTimeWindow:         &awsscheduler.CfnSchedule_FlexibleTimeWindowProperty{Mode: jsii.String("OFF")},
		State:                      jsii.String("ENABLED"),
		KmsKeyArn:                  keys.Messages.KeyArn(),
		Target:                     &target,
	})
	made.Node().AddDependency(grant(s.Stack, "Starts", who.Scheduler, append(do.may,
		allow("KeepUndelivered", []string{"sqs:SendMessage"}, []string{*s.Undelivered.QueueArn()}))...))
}
