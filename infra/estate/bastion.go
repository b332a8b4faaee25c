package estate

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsec2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslogs"
	"github.com/aws/aws-cdk-go/awscdk/v2/awss3"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsscheduler"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsssm"
	"github.com/aws/jsii-runtime-go"

	"padron/infra/config"
)

// Bastion is the instance from which people check the service from inside.
// Nothing can connect to it: Session Manager is the only way in, and every
// session is written down.
type Bastion struct {
	Stack    awscdk.Stack
	Instance awsec2.CfnInstance
	// Sessions keeps what was typed and answered, below sessions/. The program
	// padron is put there by whoever makes the bastion ready, and fetched by hand.
	Sessions awss3.Bucket
	Log      awslogs.LogGroup
	// People is the policy to attach to whoever may open a session here.
	People awsiam.ManagedPolicy
}

// What is in the bucket: the bastion writes below the first and reads the
// second, the program padron.
const sessionsFolder, toolKey = "sessions", "tools/padron"

// NewBastion adds the stack bastion.
func NewBastion(app awscdk.App, env *config.Environment, who *Identity, keys *Keys, net *Network, data *Data, pipeline *Delivery) *Bastion {
	stack := newStack(app, env, "bastion", "the instance that checks the service from inside")
	b := &Bastion{
		Stack:    stack,
		Sessions: logBucket(stack, "Sessions", env, keys, net, "bastion", env.Retention.Logs),
		Log:      logGroup(stack, "SessionLog", env, keys, "sessions", env.Retention.Logs),
	}
	b.Instance = bastionInstance(stack, env, who, net)
	document := sessionDocument(stack, env, b)
	bastionPolicy(stack, env, who, b)
	commands := newChecks(stack, env, data, b)
	commands.verify(env, pipeline.Deploy, b)
	b.People = sessionPolicy(stack, env, b, document, commands)
	stopEvenings(stack, env, who, keys, b.Instance)
	b.outputs(document, commands)
	return b
}

// outputs tells what it takes to open a session and to bring the program there.
func (b *Bastion) outputs(document awsssm.CfnDocument, commands checks) {
	output(b.Stack, "Instance", b.Instance.Ref())
	output(b.Stack, "Document", document.Ref())
	output(b.Stack, "Draft", commands.draft.Ref())
	output(b.Stack, "Check", commands.check.Ref())
	output(b.Stack, "Bucket", b.Sessions.BucketName())
}

// bastionInstance is the smallest instance there is. It fetches nothing when it
// starts, and has no key to log in with. The root volume holds nothing but the
// system, so AWS's own key encrypts it.
func bastionInstance(stack awscdk.Stack, env *config.Environment, who *Identity, net *Network) awsec2.CfnInstance {
	image := awsec2.MachineImage_LatestAmazonLinux2023(&awsec2.AmazonLinux2023ImageSsmParameterProps{
		CpuType: awsec2.AmazonLinuxCpuType_ARM_64,
	})
	profile := awsiam.NewCfnInstanceProfile(stack, jsii.String("Profile"), &awsiam.CfnInstanceProfileProps{
		InstanceProfileName: jsii.String(env.Prefix() + "-bastion"),
		Roles:               &[]any{who.Bastion.RoleName()},
	})
	metadata := metadataTemplate(stack, env)
	instance := awsec2.NewCfnInstance(stack, jsii.String("Instance"), &awsec2.CfnInstanceProps{
		ImageId:               image.GetImage(stack).ImageId,
		InstanceType:          jsii.String(env.Bastion.InstanceType),
		SubnetId:              (*net.Vpc.PrivateSubnets())[0].SubnetId(),
		SecurityGroupIds:      &[]any{net.Groups.Bastion.SecurityGroupId()},
		IamInstanceProfile:    profile.Ref(),
		DisableApiTermination: jsii.Bool(true),
		EbsOptimized:          jsii.Bool(true),
		Monitoring:            jsii.Bool(true),
		LaunchTemplate: &awsec2.CfnInstance_LaunchTemplateSpecificationProperty{
			LaunchTemplateName: metadata.LaunchTemplateName(), Version: metadata.AttrLatestVersionNumber(),
		},
		BlockDeviceMappings: &[]any{&awsec2.CfnInstance_BlockDeviceMappingProperty{
			DeviceName: jsii.String("/dev/xvda"),
			Ebs: &awsec2.CfnInstance_EbsProperty{
				VolumeType: jsii.String("gp3"), VolumeSize: jsii.Number(8), Encrypted: jsii.Bool(true), DeleteOnTermination: jsii.Bool(true),
			},
		}},
		UserData: awscdk.Fn_Base64(jsii.String("#!/bin/bash\nsystemctl disable --now sshd.service\n")),
	})
	awscdk.Tags_Of(instance).Add(jsii.String("Name"), jsii.String(env.Prefix()+"-bastion"), nil)
	return instance
}

// metadataTemplate gives credentials to nobody but who asks from the instance
// itself, in the way that a forged request cannot.
func metadataTemplate(stack awscdk.Stack, env *config.Environment) awsec2.CfnLaunchTemplate {
	return awsec2.NewCfnLaunchTemplate(stack, jsii.String("Metadata"), &awsec2.CfnLaunchTemplateProps{
		LaunchTemplateName: jsii.String(env.Prefix() + "-bastion"),
		LaunchTemplateData: &awsec2.CfnLaunchTemplate_LaunchTemplateDataProperty{
			MetadataOptions: &awsec2.CfnLaunchTemplate_MetadataOptionsProperty{
				HttpEndpoint: jsii.String("enabled"), HttpTokens: jsii.String("required"), HttpPutResponseHopLimit: jsii.Number(1),
			},
		},
	})
}

// sessionDocument is how a session runs: written down as it goes, and ended
// after 15 idle minutes (PCI DSS 8.2.8).
func sessionDocument(stack awscdk.Stack, env *config.Environment, b *Bastion) awsssm.CfnDocument {
	return awsssm.NewCfnDocument(stack, jsii.String("Session"), &awsssm.CfnDocumentProps{
		Name:         jsii.String(env.Prefix() + "-session"),
		DocumentType: jsii.String("Session"),
		UpdateMethod: jsii.String("NewVersion"),
		Content: map[string]any{
			"schemaVersion": "1.0",
			"description":   "A session at the bastion, written down",
			"sessionType":   "Standard_Stream",
			"inputs": map[string]any{
				"s3BucketName":                b.Sessions.BucketName(),
				"s3KeyPrefix":                 sessionsFolder,
				"s3EncryptionEnabled":         true,
				"cloudWatchLogGroupName":      b.Log.LogGroupName(),
				"cloudWatchEncryptionEnabled": true,
				"cloudWatchStreamingEnabled":  true,
				"idleSessionTimeout":          "15",
				"maxSessionDuration":          "60",
				"runAsEnabled":                false,
			},
		},
	})
}

// bastionPolicy is what the instance needs for sessions and their record, and
// to read the tools. It may not run commands for others, unlike with AWS's
// ready-made policy.
func bastionPolicy(stack awscdk.Stack, env *config.Environment, who *Identity, b *Bastion) {
	bucket, group := *b.Sessions.BucketArn(), *b.Log.LogGroupArn()
	grant(stack, "BastionPolicy", who.Bastion,
		allow("Register", []string{"ssm:UpdateInstanceInformation"}, []string{instanceARN(env, b.Instance)}),
		// The channels have no resources.
		allow("Channels", []string{
			"ssmmessages:CreateControlChannel", "ssmmessages:CreateDataChannel",
			"ssmmessages:OpenControlChannel", "ssmmessages:OpenDataChannel",
			"logs:DescribeLogGroups", // a list
		}, []string{"*"}),
		allow("KeepSessions", []string{"s3:PutObject"}, []string{bucket + "/" + sessionsFolder + "/*"}),
		allow("SeeEncryption", []string{"s3:GetEncryptionConfiguration"}, []string{bucket}),
		allow("ReadTool", []string{"s3:GetObject"}, []string{bucket + "/" + toolKey}),
		allow("StreamSessions", []string{"logs:CreateLogStream", "logs:PutLogEvents", "logs:DescribeLogStreams"}, []string{group}),
	)
}

// sessionPolicy lets a person start the instance, open a session there with the
// document that writes it down and no other, have the check run without a
// session, and stop it again.
func sessionPolicy(stack awscdk.Stack, env *config.Environment, b *Bastion, document awsssm.CfnDocument, commands checks) awsiam.ManagedPolicy {
	instance := instanceARN(env, b.Instance)
	session := allow("OpenSession", []string{"ssm:StartSession"}, []string{instance, documentARN(env, document)})
	session.AddCondition(jsii.String("BoolIfExists"), map[string]any{"ssm:SessionDocumentAccessCheck": "true"})
	own := "arn:aws:ssm:" + env.Region + ":" + env.Account + ":session/${aws:userid}-*"
	statements := append([]awsiam.PolicyStatement{
		session,
		allow("OwnSessions", []string{"ssm:ResumeSession", "ssm:TerminateSession"}, []string{own}),
		allow("StartAndStop", []string{"ec2:StartInstances", "ec2:StopInstances"}, []string{instance}),
	}, commands.statements(env, b)...)
	return awsiam.NewManagedPolicy(stack, jsii.String("People"), &awsiam.ManagedPolicyProps{
		ManagedPolicyName: jsii.String(env.Prefix() + "-bastion-session"),
		Description:       jsii.String("Open a session at the bastion"),
		Statements:        &statements,
	})
}

// stopEvenings stops the instance every evening, should whoever started it have
// forgotten: what does not run costs little and cannot be attacked. A stop
// that is missed is made up for the next evening, so nothing is kept of it.
func stopEvenings(stack awscdk.Stack, env *config.Environment, who *Identity, keys *Keys, instance awsec2.CfnInstance) {
	may := grant(stack, "EveningPolicy", who.Evening, allow("Stop", []string{"ec2:StopInstances"}, []string{instanceARN(env, instance)}))
	schedule := awsscheduler.NewCfnSchedule(stack, jsii.String("Evening"), &awsscheduler.CfnScheduleProps{
		Name:                       jsii.String(env.Prefix() + "-bastion-evening"),
		Description:                jsii.String("Stops the bastion"),
		ScheduleExpression:         jsii.String("cron(0 23 * * ? *)"),
		ScheduleExpressionTimezone: jsii.String("UTC"),
		FlexibleTimeWindow:         &awsscheduler.CfnSchedule_FlexibleTimeWindowProperty{Mode: jsii.String("OFF")},
		State:                      jsii.String("ENABLED"),
		KmsKeyArn:                  keys.Messages.KeyArn(),
		Target: &awsscheduler.CfnSchedule_TargetProperty{
			Arn:         jsii.String("arn:aws:scheduler:::aws-sdk:ec2:stopInstances"),
			RoleArn:     who.Evening.RoleArn(),
			Input:       stack.ToJsonString(map[string]any{"InstanceIds": []*string{instance.Ref()}}, nil),
			RetryPolicy: &awsscheduler.CfnSchedule_RetryPolicyProperty{MaximumRetryAttempts: jsii.Number(3), MaximumEventAgeInSeconds: jsii.Number(3600)},
		},
	})
	schedule.Node().AddDependency(may)
}

func instanceARN(env *config.Environment, instance awsec2.CfnInstance) string {
	return "arn:aws:ec2:" + env.Region + ":" + env.Account + ":instance/" + *instance.Ref()
}
