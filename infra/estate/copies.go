package estate

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awskms"
	"github.com/aws/jsii-runtime-go"

	"padron/infra/config"
)

// Copies is where backups go in case the region is lost: a vault in another,
// with the same keys there.
type Copies struct {
	Stack awscdk.Stack
}

// NewCopies adds the stack copies, in CopyRegion: the vault, and the second
// places of the two keys that a restored register is opened with.
func NewCopies(app awscdk.App, env *config.Environment, keys *Keys, who *Identity) *Copies {
	stack := newStackIn(app, env, "copies", "copies of the backups in another region", env.CopyRegion)
	backup := replica(stack, env, "backup", keys.Backup, throughIn(env, env.CopyRegion, "backup", "rds"))
	replica(stack, env, "customers", keys.Customers, customersUse(who)...)
	vault(stack, env, backup.AttrArn(), nil)
	return &Copies{Stack: stack}
}

// replica is a multi-region key's second place: the same key and alias, with a
// policy of its own. The primary's ARN is an output of the stack keys that
// CloudFormation fetches from the other region itself.
func replica(stack awscdk.Stack, env *config.Environment, name string, primary awskms.Key, statements ...awsiam.PolicyStatement) awskms.CfnReplicaKey {
	statements = append([]awsiam.PolicyStatement{administer(env)}, statements...)
	r := awskms.NewCfnReplicaKey(stack, jsii.String(name), &awskms.CfnReplicaKeyProps{
		PrimaryKeyArn:       awscdk.Stack_ConsumeReference(primary.KeyArn(), awscdk.ReferenceStrength_WEAK),
		Description:         jsii.String("The key " + name + " in its second region"),
		PendingWindowInDays: jsii.Number(30),
		KeyPolicy:           awsiam.NewPolicyDocument(&awsiam.PolicyDocumentProps{Statements: &statements}),
	})
	r.ApplyRemovalPolicy(awscdk.RemovalPolicy_RETAIN, nil)
	awskms.NewCfnAlias(stack, jsii.String(name+"-alias"), &awskms.CfnAliasProps{
		AliasName: jsii.String("alias/" + env.Prefix() + "-" + name), TargetKeyId: r.AttrKeyId(),
	})
	return r
}
