package estate

import (
	"fmt"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslogs"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssns"
	"github.com/aws/jsii-runtime-go"

	"padron/infra/config"
)

// watch is one thing that somebody should be told of when it is done by hand.
type watch struct {
	// cis is the recommendation of the CIS AWS Foundations Benchmark 3.0, "" for
	// what it knows nothing of.
	cis, name string
	// pattern is a filter on the trail's events, in the language of CloudWatch
	// Logs.
	pattern string
}

// reason begins an alarm's description.
func (w watch) reason() string {
	if w.cis == "" {
		return "Customers may be opened by a change of keys or roles: "
	}
	return "CIS AWS Foundations 3.0, " + w.cis + ": "
}

// called matches any of the calls; where names a service, only its own.
func called(service string, names ...string) string {
	parts := make([]string, len(names))
	for i, n := range names {
		parts[i] = "($.eventName = " + n + ")"
	}
	any := strings.Join(parts, " || ")
	if service == "" {
		return "{ " + any + " }"
	}
	return fmt.Sprintf("{ ($.eventSource = %s.amazonaws.com) && (%s) }", service, any)
}

// watches are the benchmark's section 4, but for 4.16, which is Security Hub
// itself, and what it leaves out: an administrator who wants to read customers
// has to change a key's policy, or who may take a service's role.
var watches = []watch{
	{"4.1", "unauthorized-calls", `{ ($.errorCode = "*UnauthorizedOperation") || ($.errorCode = "AccessDenied*") }`},
	{"4.2", "console-without-mfa", `{ ($.eventName = ConsoleLogin) && ($.additionalEventData.MFAUsed != "Yes") && ($.userIdentity.type = "IAMUser") && ($.responseElements.ConsoleLogin = "Success") }`},
	{"4.3", "root-user", `{ ($.userIdentity.type = "Root") && ($.userIdentity.invokedBy NOT EXISTS) && ($.eventType != "AwsServiceEvent") }`},
	{"4.4", "iam-policies", called("iam", "DeleteGroupPolicy", "DeleteRolePolicy", "DeleteUserPolicy", "PutGroupPolicy", "PutRolePolicy",
		"PutUserPolicy", "CreatePolicy", "DeletePolicy", "CreatePolicyVersion", "DeletePolicyVersion", "AttachRolePolicy", "DetachRolePolicy",
		"AttachUserPolicy", "DetachUserPolicy", "AttachGroupPolicy", "DetachGroupPolicy")},
	{"4.5", "trail-changes", called("", "CreateTrail", "UpdateTrail", "DeleteTrail", "StartLogging", "StopLogging")},
	{"4.6", "console-failures", `{ ($.eventName = ConsoleLogin) && ($.errorMessage = "Failed authentication") }`},
	{"4.7", "keys-disabled", called("kms", "DisableKey", "ScheduleKeyDeletion")},
	{"4.8", "bucket-policies", called("s3", "PutBucketAcl", "PutBucketPolicy", "PutBucketCors", "PutBucketLifecycle", "PutBucketReplication",
		"DeleteBucketPolicy", "DeleteBucketCors", "DeleteBucketLifecycle", "DeleteBucketReplication")},
	{"4.9", "config-changes", called("config", "StopConfigurationRecorder", "DeleteDeliveryChannel", "PutDeliveryChannel", "PutConfigurationRecorder")},
	{"4.10", "security-groups", called("", "AuthorizeSecurityGroupIngress", "AuthorizeSecurityGroupEgress", "RevokeSecurityGroupIngress",
		"RevokeSecurityGroupEgress", "CreateSecurityGroup", "DeleteSecurityGroup")},
	{"4.11", "access-lists", called("", "CreateNetworkAcl", "CreateNetworkAclEntry", "DeleteNetworkAcl", "DeleteNetworkAclEntry",
		"ReplaceNetworkAclEntry", "ReplaceNetworkAclAssociation")},
	{"4.12", "gateways", called("", "CreateCustomerGateway", "DeleteCustomerGateway", "AttachInternetGateway", "CreateInternetGateway",
		"DeleteInternetGateway", "DetachInternetGateway")},
	{"4.13", "route-tables", called("ec2", "CreateRoute", "CreateRouteTable", "ReplaceRoute", "ReplaceRouteTableAssociation", "DeleteRouteTable",
		"DeleteRoute", "DisassociateRouteTable")},
	{"4.14", "vpc-changes", called("", "CreateVpc", "DeleteVpc", "ModifyVpcAttribute", "AcceptVpcPeeringConnection", "CreateVpcPeeringConnection",
		"DeleteVpcPeeringConnection", "RejectVpcPeeringConnection", "AttachClassicLinkVpc", "DetachClassicLinkVpc", "DisableVpcClassicLink",
		"EnableVpcClassicLink")},
	{"4.15", "organization", called("organizations", "AcceptHandshake", "AttachPolicy", "CreateAccount", "CreateOrganizationalUnit", "CreatePolicy",
		"DeclineHandshake", "DeleteOrganization", "DeleteOrganizationalUnit", "DeletePolicy", "DetachPolicy", "DisablePolicyType",
		"EnablePolicyType", "InviteAccountToOrganization", "LeaveOrganization", "MoveAccount", "RemoveAccountFromOrganization",
		"UpdatePolicy", "UpdateOrganizationalUnit")},
	{"", "key-policies", called("kms", "PutKeyPolicy", "ReplicateKey", "UpdatePrimaryRegion")},
	{"", "role-trust", called("iam", "UpdateAssumeRolePolicy")},
}

// watchTrail counts each thing to watch and tells of the first within five
// minutes.
func watchTrail(stack awscdk.Stack, env *config.Environment, group awslogs.LogGroup, findings awssns.Topic) {
	space := env.Prefix() + "/trail"
	for _, w := range watches {
		awslogs.NewCfnMetricFilter(stack, jsii.String("Count-"+w.name), &awslogs.CfnMetricFilterProps{
			LogGroupName: group.LogGroupName(), FilterName: jsii.String(w.name), FilterPattern: jsii.String(w.pattern),
			MetricTransformations: &[]any{&awslogs.CfnMetricFilter_MetricTransformationProperty{
				MetricName: jsii.String(w.name), MetricNamespace: jsii.String(space), MetricValue: jsii.String("1"), DefaultValue: jsii.Number(0),
			}},
		})
		awscloudwatch.NewCfnAlarm(stack, jsii.String("Watch-"+w.name), &awscloudwatch.CfnAlarmProps{
			AlarmName:        jsii.String(env.Prefix() + "-trail-" + w.name),
			AlarmDescription: jsii.String(w.reason() + "look in the log group of the trail who it was"),
			MetricName:       jsii.String(w.name), Namespace: jsii.String(space),
			Statistic: jsii.String("Sum"), Period: jsii.Number(300), EvaluationPeriods: jsii.Number(1), Threshold: jsii.Number(1),
			ComparisonOperator: jsii.String("GreaterThanOrEqualToThreshold"), TreatMissingData: jsii.String("notBreaching"),
			AlarmActions: &[]any{findings.TopicArn()},
		})
	}
}
