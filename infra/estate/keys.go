package estate

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awskms"
	"github.com/aws/jsii-runtime-go"

	"padron/infra/config"
)

// Keys are the customer-managed keys, one for each kind of thing, so that to
// read one kind gives nobody another.
type Keys struct {
	Stack awscdk.Stack
	// Customers is the key-encryption key of the customers' data keys. It is a
	// multi-region key: a backup restored in the other region is worth nothing
	// without it.
	Customers awskms.Key
	// Database, Secrets, Logs, Registry and Messages encrypt what their names
	// say: Logs is log groups and the buckets of logs, Messages is queues,
	// topics and the scheduler. Backup is a multi-region
	// key too.
	Database, Secrets, Logs, Registry, Messages, Backup awskms.Key
}

// NewKeys adds the stack keys.
func NewKeys(app awscdk.App, env *config.Environment, who *Identity) *Keys {
	stack := newStack(app, env, "keys", "encryption keys and who may use them")
	key := func(id, what string, multi bool, statements ...awsiam.PolicyStatement) awskms.Key {
		statements = append([]awsiam.PolicyStatement{administer(env)}, statements...)
		return awskms.NewKey(stack, jsii.String(id), &awskms.KeyProps{
			Alias:             jsii.String("alias/" + env.Prefix() + "-" + id),
			Description:       jsii.String(what),
			EnableKeyRotation: jsii.Bool(true),
			MultiRegion:       jsii.Bool(multi),
			PendingWindow:     awscdk.Duration_Days(jsii.Number(30)),
			RemovalPolicy:     awscdk.RemovalPolicy_RETAIN,
			Policy:            awsiam.NewPolicyDocument(&awsiam.PolicyDocumentProps{Statements: &statements}),
		})
	}
	return &Keys{
		Stack:     stack,
		Customers: key("customers", "Wraps the data keys that seal customers", true, customersUse(who)...),
		Database:  key("database", "Database storage", false, through(env, "rds")),
		Secrets:   key("secrets", "Secrets", false, through(env, "secretsmanager", "ssm")),
		Logs:      key("logs", "Log groups and buckets of logs", false, logsUse(env)...),
		Registry:  key("registry", "Container images", false, through(env, "ecr")),
		Messages:  key("messages", "Queues, topics and schedules", false, messagesUse(env)...),
		Backup:    key("backup", "Backups and their copies", true, through(env, "backup", "rds")),
	}
}
