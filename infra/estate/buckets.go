package estate

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awss3"
	"github.com/aws/jsii-runtime-go"

	"padron/infra/config"
)

// bucketName is PREFIX-name-ACCOUNT: the names of buckets are the world's.
func bucketName(env *config.Environment, name string) *string {
	return jsii.String(env.Prefix() + "-" + name + "-" + env.Account)
}

// accessLogBucket takes the logs that load balancers and other buckets write.
// Neither can write to a bucket whose default is a key of ours, so this one
// encrypts with S3's; and it is the end of the chain, so nobody logs who reads
// it but the trail.
func accessLogBucket(stack awscdk.Stack, env *config.Environment) awss3.Bucket {
	return privateBucket(stack, "AccessLogs", env, env.Retention.Logs, awss3.BucketProps{
		BucketName: bucketName(env, "access-logs"),
		Encryption: awss3.BucketEncryption_S3_MANAGED,
	})
}

// logBucket takes other logs, kept for days: encrypted with the key of logs,
// its own accesses logged in turn.
func logBucket(stack awscdk.Stack, id string, env *config.Environment, keys *Keys, net *Network, name string, days int) awss3.Bucket {
	return privateBucket(stack, id, env, days, awss3.BucketProps{
		BucketName:             bucketName(env, name),
		Encryption:             awss3.BucketEncryption_KMS,
		EncryptionKey:          keys.Logs,
		BucketKeyEnabled:       jsii.Bool(true),
		ServerAccessLogsBucket: net.AccessLogs,
		ServerAccessLogsPrefix: jsii.String(name + "/"),
	})
}

// privateBucket is what all buckets have: no public access, no access lists, no
// request without TLS, versions, and an end to what is kept. An overwritten
// version stays 30 days.
func privateBucket(stack awscdk.Stack, id string, env *config.Environment, days int, props awss3.BucketProps) awss3.Bucket {
	props.BlockPublicAccess = awss3.BlockPublicAccess_BLOCK_ALL()
	props.ObjectOwnership = awss3.ObjectOwnership_BUCKET_OWNER_ENFORCED
	props.EnforceSSL = jsii.Bool(true)
	props.MinimumTLSVersion = jsii.Number(1.2)
	props.Versioned = jsii.Bool(true)
	props.RemovalPolicy = removal(env)
	props.LifecycleRules = &[]*awss3.LifecycleRule{{
		Id:                                  jsii.String("retention"),
		Expiration:                          awscdk.Duration_Days(jsii.Number(days)),
		NoncurrentVersionExpiration:         awscdk.Duration_Days(jsii.Number(30)),
		AbortIncompleteMultipartUploadAfter: awscdk.Duration_Days(jsii.Number(7)),
	}}
	return awss3.NewBucket(stack, jsii.String(id), &props)
}
