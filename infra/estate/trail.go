package estate

import (
	"fmt"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudtrail"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslogs"
	"github.com/aws/aws-cdk-go/awscdk/v2/awss3"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssns"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssqs"
	"github.com/aws/jsii-runtime-go"

	"padron/infra/config"
)

// trail records every call of every region, signed so that a change shows, in a
// bucket from which nobody takes it before its time (PCI DSS 10.3, 10.5.1).
func trail(stack awscdk.Stack, env *config.Environment, keys *Keys, net *Network, findings awssns.Topic) {
	arn := fmt.Sprintf("arn:aws:cloudtrail:%s:%s:trail/%s", env.Region, env.Account, env.Prefix())
	bucket := trailBucket(stack, env, keys, net, arn)
	group := logGroup(stack, "TrailLogs", env, keys, "trail", env.Retention.Logs)
	writer := trailWriter(stack, env, group)
	t := awscloudtrail.NewCfnTrail(stack, jsii.String("Trail"), &awscloudtrail.CfnTrailProps{
		TrailName: jsii.String(env.Prefix()), IsLogging: jsii.Bool(true),
		IsMultiRegionTrail: jsii.Bool(true), IncludeGlobalServiceEvents: jsii.Bool(true),
		EnableLogFileValidation: jsii.Bool(true),
		S3BucketName:            bucket.BucketName(), KmsKeyId: keys.Logs.KeyArn(),
		CloudWatchLogsLogGroupArn: group.LogGroupArn(), CloudWatchLogsRoleArn: writer.RoleArn(),
		AdvancedEventSelectors: trailEvents(env),
	})
	// CloudTrail tries both before it takes the trail.
	t.Node().AddDependency(bucket.Policy(), stack.Node().FindChild(jsii.String("TrailWriterPolicy")))
	watchTrail(stack, env, group, findings)
}

// trailEvents are the calls that manage things, all of them, and those that
// read or write an object in a bucket of ours. The buckets of logs are left
// out: the trail would record its own writing, for ever.
func trailEvents(env *config.Environment) any {
	field := func(name string, values ...string) *awscloudtrail.CfnTrail_AdvancedFieldSelectorProperty {
		return &awscloudtrail.CfnTrail_AdvancedFieldSelectorProperty{Field: jsii.String(name), EqualTo: texts(values...)}
	}
	var logs []string
	for _, name := range []string{"trail", "access-logs"} {
		logs = append(logs, "arn:aws:s3:::"+*bucketName(env, name)+"/")
	}
	return &[]any{
		&awscloudtrail.CfnTrail_AdvancedEventSelectorProperty{
			Name: jsii.String("management"), FieldSelectors: &[]any{field("eventCategory", "Management")},
		},
		&awscloudtrail.CfnTrail_AdvancedEventSelectorProperty{
			Name: jsii.String("objects"), FieldSelectors: &[]any{
				field("eventCategory", "Data"), field("resources.type", "AWS::S3::Object"),
				&awscloudtrail.CfnTrail_AdvancedFieldSelectorProperty{
					Field:         jsii.String("resources.ARN"),
					StartsWith:    texts("arn:aws:s3:::" + env.Prefix() + "-"),
					NotStartsWith: texts(logs...),
				},
			},
		},
	}
}

// trailBucket holds the trail. Objects cannot be deleted or overwritten before
// their time: in a protected environment by nobody at all, elsewhere by those
// who may bypass governance.
func trailBucket(stack awscdk.Stack, env *config.Environment, keys *Keys, net *Network, trail string) awss3.Bucket {
	days := awscdk.Duration_Days(jsii.Number(env.Retention.Trail))
	lock := awss3.ObjectLockRetention_Governance(days)
	if env.Protected {
		lock = awss3.ObjectLockRetention_Compliance(days)
	}
	bucket := privateBucket(stack, "TrailBucket", env, env.Retention.Trail, awss3.BucketProps{
		BucketName: bucketName(env, "trail"),
		Encryption: awss3.BucketEncryption_KMS, EncryptionKey: keys.Logs, BucketKeyEnabled: jsii.Bool(true),
		ServerAccessLogsBucket: net.AccessLogs, ServerAccessLogsPrefix: jsii.String("trail/"),
		ObjectLockEnabled: jsii.Bool(true), ObjectLockDefaultRetention: lock,
	})
	source := map[string]any{"StringEquals": map[string]any{"aws:SourceArn": trail}}
	deliver := map[string]any{"StringEquals": map[string]any{"aws:SourceArn": trail, "s3:x-amz-acl": "bucket-owner-full-control"}}
	bucket.AddToResourcePolicy(serviceMay("TrailLooks", "cloudtrail.amazonaws.com",
		[]string{"s3:GetBucketAcl"}, []string{*bucket.BucketArn()}, source))
	bucket.AddToResourcePolicy(serviceMay("TrailWrites", "cloudtrail.amazonaws.com",
		[]string{"s3:PutObject"}, []string{*bucket.ArnForObjects(jsii.String("AWSLogs/" + env.Account + "/*"))}, deliver))
	handOver(stack, env, keys, bucket)
	return bucket
}

// handOver puts a message in a queue for each new log file: a SIEM reads the
// queue, then the file. What it fails on five times is set aside for 14 days.
func handOver(stack awscdk.Stack, env *config.Environment, keys *Keys, bucket awss3.Bucket) {
	queue := func(id, name string, dead *awssqs.DeadLetterQueue) awssqs.Queue {
		return awssqs.NewQueue(stack, jsii.String(id), &awssqs.QueueProps{
			QueueName:  jsii.String(env.Prefix() + "-" + name),
			Encryption: awssqs.QueueEncryption_KMS, EncryptionMasterKey: keys.Messages,
			EnforceSSL: jsii.Bool(true), DeadLetterQueue: dead,
			RetentionPeriod:   awscdk.Duration_Days(jsii.Number(14)),
			VisibilityTimeout: awscdk.Duration_Minutes(jsii.Number(5)),
			RemovalPolicy:     awscdk.RemovalPolicy_DESTROY,
		})
	}
	dead := queue("SiemDead", "siem-dead", nil)
	siem := queue("Siem", "siem", &awssqs.DeadLetterQueue{Queue: dead, MaxReceiveCount: jsii.Number(5)})
	// The bucket's ARN is spelled out: the bucket needs the queue, so the queue
	// cannot refer to the bucket.
	siem.AddToResourcePolicy(serviceMay("NewFiles", "s3.amazonaws.com", []string{"sqs:SendMessage"}, []string{*siem.QueueArn()},
		map[string]any{
			"ArnEquals":    map[string]any{"aws:SourceArn": "arn:aws:s3:::" + *bucketName(env, "trail")},
			"StringEquals": map[string]any{"aws:SourceAccount": env.Account},
		}))
	cfn := bucket.Node().DefaultChild().(awss3.CfnBucket) //nolint:forcetypeassert // it is what the construct makes
	cfn.SetNotificationConfiguration(&awss3.CfnBucket_NotificationConfigurationProperty{
		QueueConfigurations: &[]any{&awss3.CfnBucket_QueueConfigurationProperty{
			Event: jsii.String("s3:ObjectCreated:*"), Queue: siem.QueueArn(),
		}},
	})
	cfn.Node().AddDependency(siem.Node().FindChild(jsii.String("Policy")))
}

// trailWriter lets the trail write to its log group.
func trailWriter(stack awscdk.Stack, env *config.Environment, group awslogs.LogGroup) awsiam.Role {
	role := awsiam.NewRole(stack, jsii.String("TrailWriter"), &awsiam.RoleProps{
		RoleName:    jsii.String(env.Prefix() + "-trail"),
		AssumedBy:   awsiam.NewServicePrincipal(jsii.String("cloudtrail.amazonaws.com"), inAccount(env)),
		Description: jsii.String("Writes the trail to its log group"),
	})
	streams := fmt.Sprintf("arn:aws:logs:%s:%s:log-group:%s:log-stream:%s_CloudTrail_%s*",
		env.Region, env.Account, *group.LogGroupName(), env.Account, env.Region)
	grant(stack, "TrailWriterPolicy", role, allow("Write", []string{"logs:CreateLogStream", "logs:PutLogEvents"}, []string{streams}))
	return role
}
