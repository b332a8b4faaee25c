package estate

import (
	"fmt"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsconfig"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsevents"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsguardduty"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssecurityhub"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssns"
	"github.com/aws/jsii-runtime-go"

	"padron/infra/config"
)

// tell sends events that match the pattern to the topic of findings.
func tell(stack awscdk.Stack, env *config.Environment, findings awssns.Topic, name, what string, pattern map[string]any) {
	awsevents.NewCfnRule(stack, jsii.String("Tell-"+name), &awsevents.CfnRuleProps{
		Name: jsii.String(env.Prefix() + "-" + name), Description: jsii.String(what), EventPattern: pattern,
		Targets: &[]any{&awsevents.CfnRule_TargetProperty{Id: jsii.String("findings"), Arn: findings.TopicArn()}},
	})
}

// detector looks for attacks in calls, connections, names asked for, logins to
// the database, reads of buckets, and in the running containers.
func detector(stack awscdk.Stack, env *config.Environment, findings awssns.Topic) {
	feature := func(name string, more ...any) *awsguardduty.CfnDetector_CFNFeatureConfigurationProperty {
		f := &awsguardduty.CfnDetector_CFNFeatureConfigurationProperty{Name: jsii.String(name), Status: jsii.String("ENABLED")}
		if len(more) > 0 {
			f.AdditionalConfiguration = &more
		}
		return f
	}
	agent := &awsguardduty.CfnDetector_CFNFeatureAdditionalConfigurationProperty{
		Name: jsii.String("ECS_FARGATE_AGENT_MANAGEMENT"), Status: jsii.String("ENABLED"),
	}
	awsguardduty.NewCfnDetector(stack, jsii.String("Detector"), &awsguardduty.CfnDetectorProps{
		Enable: jsii.Bool(true), FindingPublishingFrequency: jsii.String("FIFTEEN_MINUTES"),
		Features: &[]any{feature("S3_DATA_EVENTS"), feature("RDS_LOGIN_EVENTS"), feature("EBS_MALWARE_PROTECTION"),
			feature("RUNTIME_MONITORING", agent)},
	})
	tell(stack, env, findings, "threats", "GuardDuty found something of medium severity or more", map[string]any{
		"source":      []string{"aws.guardduty"},
		"detail-type": []string{"GuardDuty Finding"},
		"detail":      map[string]any{"severity": []any{map[string]any{"numeric": []any{">=", 4}}}},
	})
}

// recorder keeps the settings of every resource as they change, and a copy each
// day in a bucket. Security Hub's standards are checked on what it records.
func recorder(stack awscdk.Stack, env *config.Environment, keys *Keys, net *Network) awsconfig.CfnConfigurationRecorder {
	bucket := logBucket(stack, "ConfigBucket", env, keys, net, "config", env.Retention.Trail)
	own := map[string]any{"StringEquals": map[string]any{"aws:SourceAccount": env.Account}}
	const service = "config.amazonaws.com"
	bucket.AddToResourcePolicy(serviceMay("ConfigLooks", service, []string{"s3:GetBucketAcl", "s3:ListBucket"}, []string{*bucket.BucketArn()}, own))
	bucket.AddToResourcePolicy(serviceMay("ConfigWrites", service, []string{"s3:PutObject"},
		[]string{*bucket.ArnForObjects(jsii.String("AWSLogs/" + env.Account + "/Config/*"))}, own))
	// The role that AWS itself keeps for Config: it can do what Config needs and
	// nobody else takes it.
	role := awsiam.NewCfnServiceLinkedRole(stack, jsii.String("ConfigRole"), &awsiam.CfnServiceLinkedRoleProps{AwsServiceName: jsii.String(service)})
	r := awsconfig.NewCfnConfigurationRecorder(stack, jsii.String("Recorder"), &awsconfig.CfnConfigurationRecorderProps{
		Name:    jsii.String(env.Prefix()),
		RoleArn: jsii.String(fmt.Sprintf("arn:aws:iam::%s:role/aws-service-role/%s/AWSServiceRoleForConfig", env.Account, service)),
		RecordingGroup: &awsconfig.CfnConfigurationRecorder_RecordingGroupProperty{
			AllSupported: jsii.Bool(true), IncludeGlobalResourceTypes: jsii.Bool(true),
		},
	})
	r.AddResourceDependency(role, nil)
	channel := awsconfig.NewCfnDeliveryChannel(stack, jsii.String("Channel"), &awsconfig.CfnDeliveryChannelProps{
		Name: jsii.String(env.Prefix()), S3BucketName: bucket.BucketName(), S3KmsKeyArn: keys.Logs.KeyArn(),
		ConfigSnapshotDeliveryProperties: &awsconfig.CfnDeliveryChannel_ConfigSnapshotDeliveryPropertiesProperty{
			DeliveryFrequency: jsii.String("TwentyFour_Hours"),
		},
	})
	channel.Node().AddDependency(bucket.Policy())
	return r
}

// standards are what Security Hub measures the account by.
var standards = []string{
	"aws-foundational-security-best-practices/v/1.0.0",
	"cis-aws-foundations-benchmark/v/3.0.0",
	"nist-800-53/v/5.0.0",
	"pci-dss/v/4.0.1",
}

// hub measures the account by the standards, one after the other: Security Hub
// refuses to begin with two at once.
func hub(stack awscdk.Stack, env *config.Environment, findings awssns.Topic, recorder awsconfig.CfnConfigurationRecorder) {
	h := awssecurityhub.NewCfnHub(stack, jsii.String("Hub"), &awssecurityhub.CfnHubProps{
		AutoEnableControls: jsii.Bool(true), EnableDefaultStandards: jsii.Bool(false),
		ControlFindingGenerator: jsii.String("SECURITY_CONTROL"),
	})
	h.AddResourceDependency(recorder, nil)
	var before awscdk.CfnResource = h
	for i, s := range standards {
		standard := awssecurityhub.NewCfnStandard(stack, jsii.String(fmt.Sprintf("Standard%d", i+1)), &awssecurityhub.CfnStandardProps{
			StandardsArn: jsii.String(fmt.Sprintf("arn:aws:securityhub:%s::standards/%s", env.Region, s)),
		})
		standard.AddResourceDependency(before, nil)
		before = standard
	}
	tell(stack, env, findings, "posture", "Security Hub found a setting that matters to be wrong", map[string]any{
		"source":      []string{"aws.securityhub"},
		"detail-type": []string{"Security Hub Findings - Imported"},
		"detail": map[string]any{"findings": map[string]any{
			"Severity":    map[string]any{"Label": []string{"HIGH", "CRITICAL"}},
			"Workflow":    map[string]any{"Status": []string{"NEW"}},
			"RecordState": []string{"ACTIVE"},
		}},
	})
}
