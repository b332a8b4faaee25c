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
	var rules []any
	for i, id := range config.DNSBlockLists[env.Region] {
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
