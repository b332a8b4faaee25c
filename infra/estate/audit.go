package estate

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsaccessanalyzer"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssns"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssnssubscriptions"
	"github.com/aws/jsii-runtime-go"

	"padron/infra/config"
)

// Audit is what watches the account: who did what, what looks like an attack,
// what is not as it should be, and whom to tell.
type Audit struct {
	Stack awscdk.Stack
	// Findings is the topic that every finding goes to, and what becomes of
	// backups.
	Findings awssns.Topic
}

// NewAudit adds the stack audit.
func NewAudit(app awscdk.App, env *config.Environment, keys *Keys, net *Network) *Audit {
	stack := newStack(app, env, "audit", "trail, threat detection, posture")
	a := &Audit{Stack: stack, Findings: findingsTopic(stack, env, keys)}
	if env.Features.LocalTrail {
		trail(stack, env, keys, net, a.Findings)
	}
	if env.Features.GuardDuty {
		detector(stack, env, a.Findings)
	}
	if env.Features.SecurityHub {
		hub(stack, env, a.Findings, recorder(stack, env, keys, net))
	}
	analyzer(stack, env, a.Findings)
	if env.Features.PostureAccount != "" {
		posture(stack, env)
	}
	return a
}

// findingsTopic is encrypted, and takes messages from services alone: Backup and
// CloudWatch for this account; EventBridge without a condition, since it gives
// SNS none of the keys to ask for, and what it brings would be refused.
func findingsTopic(stack awscdk.Stack, env *config.Environment, keys *Keys) awssns.Topic {
	topic := awssns.NewTopic(stack, jsii.String("Findings"), &awssns.TopicProps{
		TopicName: jsii.String(env.Prefix() + "-findings"), MasterKey: keys.Messages, EnforceSSL: jsii.Bool(true),
	})
	own := map[string]any{"StringEquals": map[string]any{"aws:SourceAccount": env.Account}}
	may := func(service string, conditions map[string]any) {
		topic.AddToResourcePolicy(serviceMay("From"+service, service+".amazonaws.com", []string{"sns:Publish"}, []string{*topic.TopicArn()}, conditions))
	}
	may("events", map[string]any{})
	may("backup", own)
	may("cloudwatch", own)
	topic.AddSubscription(awssnssubscriptions.NewEmailSubscription(jsii.String(env.Alarms.Email), nil))
	return topic
}

// serviceMay is a statement of a resource's policy for an AWS service.
func serviceMay(sid, service string, actions, resources []string, conditions map[string]any) awsiam.PolicyStatement {
	return awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
		Sid:        jsii.String(sid),
		Principals: &[]awsiam.IPrincipal{awsiam.NewServicePrincipal(jsii.String(service), nil)},
		Actions:    texts(actions...), Resources: texts(resources...), Conditions: &conditions,
	})
}

// analyzer finds what an outsider may use: roles, keys, buckets, queues.
func analyzer(stack awscdk.Stack, env *config.Environment, findings awssns.Topic) {
	awsaccessanalyzer.NewCfnAnalyzer(stack, jsii.String("Analyzer"), &awsaccessanalyzer.CfnAnalyzerProps{
		AnalyzerName: jsii.String(env.Prefix()), Type: jsii.String("ACCOUNT"),
	})
	tell(stack, env, findings, "access", "Something of the account can be used from outside it", map[string]any{
		"source":      []string{"aws.access-analyzer"},
		"detail-type": []string{"Access Analyzer Finding"},
		"detail":      map[string]any{"status": []string{"ACTIVE"}},
	})
}

// posture is the role that a posture service outside, such as CloudGuard, reads
// the account's settings with. The external id keeps another customer of that
// service from being read in our name.
func posture(stack awscdk.Stack, env *config.Environment) {
	awsiam.NewRole(stack, jsii.String("posture"), &awsiam.RoleProps{
		RoleName:    jsii.String(env.Prefix() + "-posture"),
		Description: jsii.String("A posture service reads the account's settings, and no data"),
		AssumedBy: awsiam.NewAccountPrincipal(jsii.String(env.Features.PostureAccount)).
			WithConditions(&map[string]any{"StringEquals": map[string]any{"sts:ExternalId": env.Features.PostureExternal}}),
		// AWS keeps this list of settings to read as services come; it holds no
		// action that reads data.
		ManagedPolicies:    &[]awsiam.IManagedPolicy{awsiam.ManagedPolicy_FromAwsManagedPolicyName(jsii.String("SecurityAudit"))},
		MaxSessionDuration: awscdk.Duration_Hours(jsii.Number(1)),
	})
}
