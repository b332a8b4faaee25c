package estate

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	elb "github.com/aws/aws-cdk-go/awscdk/v2/awselasticloadbalancingv2"
	waf "github.com/aws/aws-cdk-go/awscdk/v2/awswafv2"
	"github.com/aws/jsii-runtime-go"

	"padron/infra/config"
)

// managedRules are AWS's own rule groups, in the order in which they look.
var managedRules = []string{
	"AWSManagedRulesAmazonIpReputationList",
	"AWSManagedRulesCommonRuleSet",
	"AWSManagedRulesKnownBadInputsRuleSet",
	"AWSManagedRulesSQLiRuleSet",
}

// requestsPerAddress is how many requests an address has in five minutes. The
// service itself limits each token; this stops a flood before it gets there.
const requestsPerAddress = 10000

// firewall puts a web application firewall before the load balancer. Its log
// has neither the caller's credentials nor the body: a search for a person
// stands there.
func firewall(stack awscdk.Stack, env *config.Environment, keys *Keys, before elb.ApplicationLoadBalancer) {
	rules := []any{limitRate()}
	for i, name := range managedRules {
		rules = append(rules, managed(name, i+1))
	}
	acl := waf.NewCfnWebACL(stack, jsii.String("Firewall"), &waf.CfnWebACLProps{
		Name: jsii.String(env.Prefix()), Scope: jsii.String("REGIONAL"),
		Description:      jsii.String("Known attacks and floods stop here"),
		DefaultAction:    &waf.CfnWebACL_DefaultActionProperty{Allow: &waf.CfnWebACL_AllowActionProperty{}},
		Rules:            rules,
		VisibilityConfig: measured(env.Prefix()),
	})
	waf.NewCfnWebACLAssociation(stack, jsii.String("FirewallOfBalancer"), &waf.CfnWebACLAssociationProps{
		WebAclArn: acl.AttrArn(), ResourceArn: before.LoadBalancerArn(),
	})
	group := serviceLogGroup(stack, "FirewallLog", env, keys, "aws-waf-logs-"+env.Prefix(), env.Retention.Logs)
	name := stack.FormatArn(&awscdk.ArnComponents{
		Service: jsii.String("logs"), Resource: jsii.String("log-group"),
		ResourceName: group.LogGroupName(), ArnFormat: awscdk.ArnFormat_COLON_RESOURCE_NAME,
	})
	waf.NewCfnLoggingConfiguration(stack, jsii.String("FirewallLogging"), &waf.CfnLoggingConfigurationProps{
		ResourceArn: acl.AttrArn(), LogDestinationConfigs: &[]any{name}, // the group's own ARN ends in :*, which WAF refuses
		RedactedFields: []any{
			redactHeader("authorization"), redactHeader("cookie"),
			&waf.CfnLoggingConfiguration_FieldToMatchProperty{QueryString: map[string]any{}},
		},
	})
}

func redactHeader(name string) *waf.CfnLoggingConfiguration_FieldToMatchProperty {
	return &waf.CfnLoggingConfiguration_FieldToMatchProperty{SingleHeader: map[string]any{"Name": name}}
}

func limitRate() *waf.CfnWebACL_RuleProperty {
	return &waf.CfnWebACL_RuleProperty{
		Name: jsii.String("rate"), Priority: jsii.Number(0), VisibilityConfig: measured("rate"),
		Action: &waf.CfnWebACL_RuleActionProperty{Block: &waf.CfnWebACL_BlockActionProperty{}},
		Statement: &waf.CfnWebACL_StatementProperty{RateBasedStatement: &waf.CfnWebACL_RateBasedStatementProperty{
			AggregateKeyType: jsii.String("IP"), Limit: jsii.Number(requestsPerAddress), EvaluationWindowSec: jsii.Number(300),
		}},
	}
}

// managed lets one of AWS's rule groups decide.
func managed(name string, priority int) *waf.CfnWebACL_RuleProperty {
	return &waf.CfnWebACL_RuleProperty{
		Name: jsii.String(name), Priority: jsii.Number(priority), VisibilityConfig: measured(name),
		OverrideAction: &waf.CfnWebACL_OverrideActionProperty{None: map[string]any{}},
		Statement: &waf.CfnWebACL_StatementProperty{ManagedRuleGroupStatement: &waf.CfnWebACL_ManagedRuleGroupStatementProperty{
			VendorName: jsii.String("AWS"), Name: jsii.String(name),
		}},
	}
}

// measured counts what a rule matched and keeps no sample of the requests.
func measured(name string) *waf.CfnWebACL_VisibilityConfigProperty {
	return &waf.CfnWebACL_VisibilityConfigProperty{
		MetricName: jsii.String(name), CloudWatchMetricsEnabled: jsii.Bool(true), SampledRequestsEnabled: jsii.Bool(false),
	}
}
