package estate

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awskms"
	"github.com/aws/jsii-runtime-go"

	"padron/infra/config"
)

// Copies is where backups go in case the region is lost: a vault in another,
// with the same key there.
type Copies struct {
	Stack awscdk.Stack
}

// NewCopies adds the stack copies, in CopyRegion.
func NewCopies(app awscdk.App, env *config.Environment, keys *Keys) *Copies {
	stack := newStackIn(app, env, "copies", "copies of the backups in another region", env.CopyRegion)
	// The primary's ARN is an output of the stack keys that CloudFormation
	// itself fetches from the other region.
	primary := awscdk.Stack_ConsumeReference(keys.Backup.KeyArn(), awscdk.ReferenceStrength_WEAK)
	replica := awskms.NewCfnReplicaKey(stack, jsii.String("Replica"), &awskms.CfnReplicaKeyProps{
		PrimaryKeyArn: primary, Description: jsii.String("Copies of the backups"),
		PendingWindowInDays: jsii.Number(30),
		KeyPolicy: awsiam.NewPolicyDocument(&awsiam.PolicyDocumentProps{Statements: &[]awsiam.PolicyStatement{
			administer(env), throughIn(env, env.CopyRegion, "backup", "rds"),
		}}),
	})
	replica.ApplyRemovalPolicy(awscdk.RemovalPolicy_RETAIN, nil)
	awskms.NewCfnAlias(stack, jsii.String("Alias"), &awskms.CfnAliasProps{
		AliasName: jsii.String("alias/" + env.Prefix() + "-backup"), TargetKeyId: replica.AttrKeyId(),
	})
	vault(stack, env, replica.AttrArn(), nil)
	return &Copies{Stack: stack}
}
