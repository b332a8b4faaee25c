package estate

import (
	"fmt"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsscheduler"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsstepfunctions"
	"github.com/aws/jsii-runtime-go"

	"padron/infra/config"
)

// partitionSeconds is how long one task of a divided run may take.
const partitionSeconds = 6 * 3600

// keptOut finds the exit code 3 of `synchronizer plan` in what ECS tells of a task
// that ended: the only word of a program that reaches the state machine.
const keptOut = `{% $contains($states.input.Cause, /"ExitCode":\s*3[,}]/) %}`

// partitionsLabel names the distributed map in the names of its executions.
const partitionsLabel = "partitions"

// partitions is the state machine of a divided run: plan, every partition as a
// task of its own, and finish, which alone may delete.
func partitions(stack awscdk.Stack, keys *Keys, r run) awsstepfunctions.CfnStateMachine {
	log := logGroup(stack, "PartitionsLog", r.env, keys, "partitions", r.env.Retention.Logs)
	machine := awsstepfunctions.NewCfnStateMachine(stack, jsii.String("Partitions"), &awsstepfunctions.CfnStateMachineProps{
		StateMachineName: jsii.String(machineName(r.env)),
		StateMachineType: jsii.String("STANDARD"),
		RoleArn:          r.who.Partitions.RoleArn(),
		DefinitionString: stack.ToJsonString(r.definition(), nil),
		LoggingConfiguration: &awsstepfunctions.CfnStateMachine_LoggingConfigurationProperty{
			Level: jsii.String("ALL"), IncludeExecutionData: jsii.Bool(false),
			Destinations: &[]any{&awsstepfunctions.CfnStateMachine_LogDestinationProperty{
				CloudWatchLogsLogGroup: &awsstepfunctions.CfnStateMachine_CloudWatchLogsLogGroupProperty{LogGroupArn: log.LogGroupArn()},
			}},
		},
		TracingConfiguration: &awsstepfunctions.CfnStateMachine_TracingConfigurationProperty{Enabled: jsii.Bool(true)},
		EncryptionConfiguration: &awsstepfunctions.CfnStateMachine_EncryptionConfigurationProperty{
			Type: jsii.String("CUSTOMER_MANAGED_KMS_KEY"), KmsKeyId: keys.Messages.KeyArn(), KmsDataKeyReusePeriodSeconds: jsii.Number(300),
		},
	})
	machine.Node().AddDependency(grant(stack, "PartitionsRun", r.who.Partitions, append(r.mayRun(), r.mayWatch()...)...))
	return machine
}

func machineName(env *config.Environment) string { return env.Prefix() + "-" + synchronizerName }

// definition is in the Amazon States Language, with JSONata.
func (r run) definition() map[string]any {
	n := r.env.Synchronizer.Partitions
	items := make([]string, n)
	for i := range items {
		items[i] = fmt.Sprintf("%d/%d", i+1, n)
	}
	plan := r.state("plan", "--partitions", fmt.Sprint(n))
	plan["Next"] = "Partitions"
	plan["Catch"] = []any{map[string]any{
		"ErrorEquals": []string{"States.TaskFailed"}, "Output": "{% $states.errorOutput %}", "Next": "KeptOut",
	}}
	finish := r.state("finish")
	finish["End"] = true
	partition := r.state("run", "--partition", "{% $states.input %}")
	partition["End"] = true
	return map[string]any{
		"Comment":       "A run of the synchronizer, divided",
		"QueryLanguage": "JSONata",
		"StartAt":       "Plan",
		"States": map[string]any{
			"Plan": plan,
			// Another run had the register, as where the schedule is shorter than a run
			// takes: nothing failed, and the next execution comes at its time.
			"KeptOut": map[string]any{
				"Type":    "Choice",
				"Choices": []any{map[string]any{"Condition": keptOut, "Next": "Skipped"}},
				"Default": "Failed",
			},
			"Skipped": map[string]any{"Type": "Succeed"},
			"Failed": map[string]any{
				"Type": "Fail", "Error": "{% $states.input.Error %}", "Cause": "{% $states.input.Cause %}",
			},
			"Partitions": map[string]any{
				"Type": "Map", "Label": partitionsLabel, "Items": items, "MaxConcurrency": n,
				"ItemProcessor": map[string]any{
					"ProcessorConfig": map[string]any{"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
					"StartAt":         "Partition",
					"States":          map[string]any{"Partition": partition},
				},
				"Output": map[string]any{},
				"Next":   "Finish",
			},
			"Finish": finish,
		},
	}
}

// state is a task of the synchronizer with the command, waited for until it
// ends. One that fails is tried again alone.
func (r run) state(command ...string) map[string]any {
	return map[string]any{
		"Type":           "Task",
		"Resource":       "arn:aws:states:::ecs:runTask.sync",
		"TimeoutSeconds": partitionSeconds,
		"Arguments": map[string]any{
			"LaunchType":      "FARGATE",
			"PlatformVersion": "LATEST",
			"Cluster":         r.cluster.ClusterArn(),
			"TaskDefinition":  r.task.TaskDefinitionArn(),
			"NetworkConfiguration": map[string]any{"AwsvpcConfiguration": map[string]any{
				"AssignPublicIp": "DISABLED",
				"Subnets":        privateSubnets(r.net),
				"SecurityGroups": []*string{r.net.Groups.Synchronizer.SecurityGroupId()},
			}},
			"Overrides": map[string]any{"ContainerOverrides": []any{
				map[string]any{"Name": synchronizerName, "Command": command},
			}},
		},
		"Output": map[string]any{},
		"Retry": []any{map[string]any{
			"ErrorEquals": []string{"States.TaskFailed"}, "IntervalSeconds": 60, "BackoffRate": 2, "MaxAttempts": 2, "JitterStrategy": "FULL",
		}},
	}
}

// mayWatch is what waiting for tasks and being observed takes beside starting.
func (r run) mayWatch() []awsiam.PolicyStatement {
	place := r.env.Region + ":" + r.env.Account
	machine := machineARN(r.env)
	executions := "arn:aws:states:" + place + ":execution:" + machineName(r.env)
	tasks := allow("WatchTasks", []string{"ecs:DescribeTasks", "ecs:StopTask"},
		[]string{"arn:aws:ecs:" + place + ":task/" + *r.cluster.ClusterName() + "/*"})
	tasks.AddCondition(jsii.String("ArnEquals"), map[string]any{"ecs:cluster": r.cluster.ClusterArn()})
	return []awsiam.PolicyStatement{
		tasks,
		// Step Functions makes and names this rule by itself.
		allow("HearOfTasks", []string{"events:DescribeRule", "events:PutRule", "events:PutTargets"},
			[]string{"arn:aws:events:" + place + ":rule/StepFunctionsGetEventsForECSTaskRule"}),
		allow("StartMap", []string{"states:StartExecution"}, []string{machine}),
		allow("WatchMap", []string{"states:DescribeExecution", "states:StopExecution"},
			[]string{executions + ":*", executions + "/" + partitionsLabel + ":*"}),
		// Deliveries of logs and traces have no resource.
		allow("DeliverLogs", []string{
			"logs:CreateLogDelivery", "logs:DeleteLogDelivery", "logs:DescribeLogGroups", "logs:DescribeResourcePolicies",
			"logs:GetLogDelivery", "logs:ListLogDeliveries", "logs:PutResourcePolicy", "logs:UpdateLogDelivery",
		}, []string{"*"}),
		allow("Trace", []string{
			"xray:GetSamplingRules", "xray:GetSamplingTargets", "xray:PutTelemetryRecords", "xray:PutTraceSegments",
		}, []string{"*"}),
	}
}

func machineARN(env *config.Environment) string {
	return "arn:aws:states:" + env.Region + ":" + env.Account + ":stateMachine:" + machineName(env)
}

// startPartitions starts a divided run.
func (r run) startPartitions(machine awsstepfunctions.CfnStateMachine) start {
	return start{
		target: awsscheduler.CfnSchedule_TargetProperty{Arn: machine.Ref(), Input: jsii.String("{}")},
		may:    []awsiam.PolicyStatement{allow("Start", []string{"states:StartExecution"}, []string{*machine.Ref()})},
	}
}
