package estate

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsec2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsroute53resolver"
	"github.com/aws/jsii-runtime-go"

	"padron/infra/config"
)

// dnsFirewall answers no question for names that AWS knows as malware's or
// botnets', and keeps a record of every question: DNS is the way out that
// security groups do not see.
func dnsFirewall(stack awscdk.Stack, vpc awsec2.Vpc, env *config.Environment, keys *Keys) {
	lists, ok := dnsBlockLists[env.Region]
	if !ok {
		awscdk.Annotations_Of(stack).AddError(jsii.String("the managed DNS lists of " + env.Region +
			" are not known: add them to dnsBlockLists (aws route53resolver list-firewall-domain-lists), or switch features.dns_firewall off"))
	}
	var rules []any
	for i, id := range lists {
		rules = append(rules, &awsroute53resolver.CfnFirewallRuleGroup_FirewallRuleProperty{
			Action: jsii.String("BLOCK"), BlockResponse: jsii.String("NXDOMAIN"),
			FirewallDomainListId: jsii.String(id), Priority: jsii.Number(100 + i),
		})
	}
	group := awsroute53resolver.NewCfnFirewallRuleGroup(stack, jsii.String("DnsFirewall"), &awsroute53resolver.CfnFirewallRuleGroupProps{
		Name: jsii.String(env.Prefix() + "-dns"), FirewallRules: &rules,
	})
	awsroute53resolver.NewCfnFirewallRuleGroupAssociation(stack, jsii.String("DnsFirewallVpc"), &awsroute53resolver.CfnFirewallRuleGroupAssociationProps{
		FirewallRuleGroupId: group.AttrId(), VpcId: vpc.VpcId(), Priority: jsii.Number(200),
		Name: jsii.String(env.Prefix() + "-dns"), MutationProtection: jsii.String("ENABLED"),
	})
	queries := logGroup(stack, "DnsQueries", env, keys, "dns", env.Retention.Logs)
	config := awsroute53resolver.NewCfnResolverQueryLoggingConfig(stack, jsii.String("DnsQueryLog"), &awsroute53resolver.CfnResolverQueryLoggingConfigProps{
		Name: jsii.String(env.Prefix() + "-dns"), DestinationArn: queries.LogGroupArn(),
	})
	awsroute53resolver.NewCfnResolverQueryLoggingConfigAssociation(stack, jsii.String("DnsQueryLogVpc"), &awsroute53resolver.CfnResolverQueryLoggingConfigAssociationProps{
		ResolverQueryLogConfigId: config.AttrId(), ResourceId: vpc.VpcId(),
	})
}

// dnsBlockLists are AWS's managed lists of malware and botnet domains, by
// region.
var dnsBlockLists = map[string][]string{
	"us-east-1": {"rslvr-fdl-2c46f2ecbfec4dcc", "rslvr-fdl-aa970e9eb1cc4777"},
}
