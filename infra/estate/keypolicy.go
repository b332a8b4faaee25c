package estate

import (
	"fmt"
	"slices"

	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/jsii-runtime-go"

	"padron/infra/config"
)

// everyKey is a key policy's resource: the key that it stands on.
var everyKey = texts("*")

// cryptography is encrypting and decrypting.
var cryptography = []string{"kms:Encrypt", "kms:Decrypt", "kms:ReEncryptFrom", "kms:ReEncryptTo",
	"kms:GenerateDataKey", "kms:GenerateDataKeyWithoutPlaintext"}

// keyUse is cryptography and what a service asks about the key before.
var keyUse = append(slices.Clone(cryptography), "kms:DescribeKey")

// administer lets the account manage a key and not use it: there is no action
// on data among these. IAM decides who in the account; the root user keeps a
// key from being locked for good.
func administer(env *config.Environment) awsiam.PolicyStatement {
	return awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
		Sid:        jsii.String("Administer"),
		Principals: &[]awsiam.IPrincipal{awsiam.NewAccountPrincipal(jsii.String(env.Account))},
		Actions: texts("kms:CancelKeyDeletion", "kms:CreateAlias", "kms:DeleteAlias", "kms:DescribeKey", "kms:DisableKey",
			"kms:EnableKey", "kms:EnableKeyRotation", "kms:GetKeyPolicy", "kms:GetKeyRotationStatus",
			"kms:ListGrants", "kms:ListKeyPolicies", "kms:ListResourceTags", "kms:PutKeyPolicy", "kms:ReplicateKey",
			"kms:RevokeGrant", "kms:ScheduleKeyDeletion", "kms:TagResource", "kms:UntagResource", "kms:UpdateAlias",
			"kms:UpdateKeyDescription"),
		Resources: everyKey,
	})
}

// through lets the account's principals use a key only by way of the services,
// which ask on behalf of whoever may use the thing that the key encrypts.
func through(env *config.Environment, services ...string) awsiam.PolicyStatement {
	return throughIn(env, env.Region, services...)
}

// throughIn is through for a key in the region.
func throughIn(env *config.Environment, region string, services ...string) awsiam.PolicyStatement {
	hosts := make([]string, len(services))
	for i, s := range services {
		hosts[i] = fmt.Sprintf("%s.%s.amazonaws.com", s, region)
	}
	return awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
		Sid:        jsii.String("UseThroughServices"),
		Principals: &[]awsiam.IPrincipal{awsiam.NewAnyPrincipal()},
		Actions:    texts(append(slices.Clone(keyUse), "kms:CreateGrant")...),
		Resources:  everyKey,
		Conditions: &map[string]any{"StringEquals": map[string]any{"kms:CallerAccount": env.Account, "kms:ViaService": hosts}},
	})
}

// byService lets a service use a key for this account's things.
func byService(sid, service string, conditions map[string]any) awsiam.PolicyStatement {
	return awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
		Sid:        jsii.String(sid),
		Principals: &[]awsiam.IPrincipal{awsiam.NewServicePrincipal(jsii.String(service), nil)},
		Actions:    texts(keyUse...),
		Resources:  everyKey,
		Conditions: &conditions,
	})
}

func logsUse(env *config.Environment) []awsiam.PolicyStatement {
	own := map[string]any{"StringEquals": map[string]any{"aws:SourceAccount": env.Account}}
	return []awsiam.PolicyStatement{
		logGroupsUse(env),
		byService("Deliveries", "delivery.logs.amazonaws.com", own),
		byService("Trail", "cloudtrail.amazonaws.com", own),
		byService("Config", "config.amazonaws.com", own),
		through(env, "s3"),
	}
}

// logGroupsUse lets CloudWatch Logs use a key for this account's log groups,
// which it names in the encryption context.
func logGroupsUse(env *config.Environment) awsiam.PolicyStatement {
	return inContext("LogGroups", "logs."+env.Region+".amazonaws.com", "aws:logs:arn",
		fmt.Sprintf("arn:aws:logs:%s:%s:log-group:*", env.Region, env.Account))
}

// inContext lets a service use a key where the encryption context names a thing
// like this one.
func inContext(sid, service, key, like string) awsiam.PolicyStatement {
	return awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
		Sid:        jsii.String(sid),
		Principals: &[]awsiam.IPrincipal{awsiam.NewServicePrincipal(jsii.String(service), nil)},
		Actions:    texts(cryptography...),
		Resources:  everyKey,
		Conditions: &map[string]any{"StringLike": map[string]any{"kms:EncryptionContext:" + key: like}},
	})
}

func messagesUse(env *config.Environment) []awsiam.PolicyStatement {
	own := map[string]any{"StringEquals": map[string]any{"aws:SourceAccount": env.Account}}
	return []awsiam.PolicyStatement{
		byService("Alarms", "cloudwatch.amazonaws.com", own),
		eventsUse(env),
		byService("Schedules", "scheduler.amazonaws.com", own),
		byService("Budgets", "budgets.amazonaws.com", own),
		byService("Backups", "backup.amazonaws.com", own),
		byService("Notifications", "sns.amazonaws.com", own),
		byService("Buckets", "s3.amazonaws.com", own),
		byService("Executions", "delivery.logs.amazonaws.com", own),
		through(env, "sqs", "sns", "scheduler", "states"),
	}
}

// eventsUse lets EventBridge use a key for this account's topics, which SNS
// names in the encryption context. EventBridge does not say for which account
// it asks: with aws:SourceAccount here every finding would be lost, silently.
func eventsUse(env *config.Environment) awsiam.PolicyStatement {
	return inContext("Events", "events.amazonaws.com", "aws:sns:topicArn",
		fmt.Sprintf("arn:aws:sns:%s:%s:%s-*", env.Region, env.Account, env.Prefix()))
}

// The purposes of data keys that each service may make and unwrap: purpose is
// part of a wrapped key's encryption context.
var (
	synchronizerSeals = []string{"seal", "fingerprint", "index", "quarantine"}
	synchronizerOpens = []string{"fingerprint", "index", "quarantine"}
	managerOpens      = []string{"seal", "page", "index"}
	managerSeals      = []string{"page", "index"}
)

// customersUse is the policy that makes a stolen synchronizer worthless: it
// makes data keys for the field groups and cannot unwrap one of them again. The
// purposes are those of padron's data keys, which are their wrapped keys'
// encryption context.
func customersUse(who *Identity) []awsiam.PolicyStatement {
	only := func(sid string, role awsiam.Role, purposes []string, actions ...string) awsiam.PolicyStatement {
		return awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
			Sid:        jsii.String(sid),
			Principals: &[]awsiam.IPrincipal{awsiam.NewArnPrincipal(role.RoleArn())},
			Actions:    texts(actions...),
			Resources:  everyKey,
			Conditions: &map[string]any{"StringEquals": map[string]any{"kms:EncryptionContext:purpose": purposes}},
		})
	}
	return []awsiam.PolicyStatement{
		only("SynchronizerSeals", who.Synchronizer, synchronizerSeals, "kms:GenerateDataKey"),
		only("SynchronizerShares", who.Synchronizer, synchronizerOpens, "kms:Decrypt"),
		only("ManagerOpens", who.Manager, managerOpens, "kms:Decrypt"),
		only("ManagerPages", who.Manager, managerSeals, "kms:GenerateDataKey"),
		awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
			Sid:        jsii.String("NobodyElse"),
			Effect:     awsiam.Effect_DENY,
			Principals: &[]awsiam.IPrincipal{awsiam.NewAnyPrincipal()},
			Actions: texts("kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:CreateGrant",
				"kms:Sign", "kms:DeriveSharedSecret", "kms:GenerateMac"),
			Resources: everyKey,
			Conditions: &map[string]any{"ArnNotEquals": map[string]any{
				"aws:PrincipalArn": []*string{who.Synchronizer.RoleArn(), who.Manager.RoleArn()},
			}},
		}),
	}
}
