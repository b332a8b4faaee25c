package estate

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsecs"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslogs"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssqs"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsstepfunctions"
	"github.com/aws/jsii-runtime-go"

	"padron/infra/config"
)

// Services are the programs that run: customers-mngr all the time, the
// synchronizer on its schedule.
type Services struct {
	Stack awscdk.Stack
	// Cluster is the migration's, in which everything runs.
	Cluster awsecs.Cluster
	// Manager is the service customers-mngr.
	Manager awsecs.CfnService
	// ManagerLog and SynchronizerLog are what the programs write.
	ManagerLog, SynchronizerLog awslogs.LogGroup
	// Undelivered holds what the scheduler could not start.
	Undelivered awssqs.Queue
	// Partitions is the state machine of a divided run; nil where runs are not
	// divided.
	Partitions awsstepfunctions.CfnStateMachine
}

// NewServices adds the stack services.
func NewServices(app awscdk.App, env *config.Environment, who *Identity, keys *Keys, net *Network, data *Data, registry *Registry, edge *Edge, cluster awsecs.Cluster) *Services {
	stack := newStack(app, env, "services", "customers-mngr, the synchronizer and its schedule")
	s := &Services{
		Stack:           stack,
		Cluster:         cluster,
		ManagerLog:      logGroup(stack, "ManagerLog", env, keys, "customers-mngr", env.Retention.Logs),
		SynchronizerLog: logGroup(stack, "SynchronizerLog", env, keys, "synchronizer", env.Retention.Logs),
		Undelivered:     undelivered(stack, env, keys),
	}
	keyPolicies(stack, who, keys)
	s.Manager = managerService(s, env, who, net, edge, managerTask(s, env, who, keys, data, registry))
	scaleManager(s, env, edge)
	r := run{env: env, who: who, net: net, cluster: s.Cluster, task: synchronizerTask(s, env, who, keys, data, registry)}
	start := r.startTask()
	if env.Synchronizer.Partitions > 1 {
		s.Partitions = partitions(stack, keys, r)
		start = r.startPartitions(s.Partitions)
	}
	schedule(s, env, who, keys, start)
	return s
}

// keyPolicies lets each service use the customers' key for its own purposes.
// The key's policy says the same and has the last word.
func keyPolicies(stack awscdk.Stack, who *Identity, keys *Keys) {
	use := func(sid, action string, purposes []string) awsiam.PolicyStatement {
		s := allow(sid, []string{action}, []string{*keys.Customers.KeyArn()})
		s.AddCondition(jsii.String("StringEquals"), map[string]any{"kms:EncryptionContext:purpose": purposes})
		return s
	}
	grant(stack, "SynchronizerKeys", who.Synchronizer,
		use("Seal", "kms:GenerateDataKey", synchronizerSeals), use("Share", "kms:Decrypt", synchronizerOpens))
	grant(stack, "ManagerKeys", who.Manager,
		use("Open", "kms:Decrypt", managerOpens), use("Page", "kms:GenerateDataKey", managerSeals))
}
