package emulate_test

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/acm"
	"github.com/aws/aws-sdk-go-v2/service/backup"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/rds"
	"github.com/aws/aws-sdk-go-v2/service/route53"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/scheduler"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
)

// inventory is what stands in the account, as "kind: id" and what AWS's API
// says of it.
type inventory map[string]string

func (i inventory) add(t *testing.T, kind string, id *string, thing any) {
	t.Helper()
	text, err := json.Marshal(thing)
	if err != nil {
		t.Fatal(err)
	}
	i[kind+": "+str(id)] = string(text)
}

// active is the state of clusters and services that are not deleted.
const active = "ACTIVE"

// kinds counts names of the inventory by kind.
func kinds(names []string) map[string]int {
	count := map[string]int{}
	for _, n := range names {
		kind, _, _ := strings.Cut(n, ": ")
		count[kind]++
	}
	return count
}

// since compares with an earlier inventory.
func (i inventory) since(before inventory) (added, removed, changed []string) {
	for _, name := range slices.Sorted(maps.Keys(i)) {
		old, was := before[name]
		switch {
		case !was:
			added = append(added, name)
		case old != i[name]:
			changed = append(changed, name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(before)) {
		if _, is := i[name]; !is {
			removed = append(removed, name)
		}
	}
	return added, removed, changed
}

// inventory lists the account, but for what AWS or the CDK's own stack put
// there.
func (d *deployed) inventory(t *testing.T) inventory {
	t.Helper()
	i, here := inventory{}, d.in(d.env.Region)
	i.network(t, here)
	i.gateways(t, here)
	i.edge(t, here)
	i.services(t, here)
	i.data(t, here)
	i.access(t, here)
	for _, region := range []string{d.env.Region, d.env.CopyRegion} {
		i.keys(t, d.in(region), region)
	}
	for _, b := range d.buckets(t) {
		policy, err := here.s3.GetBucketPolicy(t.Context(), &s3.GetBucketPolicyInput{Bucket: &b})
		if err != nil {
			policy = nil
		}
		i.add(t, "bucket", &b, policy)
	}
	return i
}

func (i inventory) network(t *testing.T, c *clients) {
	t.Helper()
	ctx := t.Context()
	for _, v := range must(c.ec2.DescribeVpcs(ctx, &ec2.DescribeVpcsInput{}))(t).Vpcs {
		i.add(t, "vpc", v.VpcId, v)
	}
	for _, v := range must(c.ec2.DescribeSubnets(ctx, &ec2.DescribeSubnetsInput{}))(t).Subnets {
		i.add(t, "subnet", v.SubnetId, v)
	}
	for _, v := range must(c.ec2.DescribeRouteTables(ctx, &ec2.DescribeRouteTablesInput{}))(t).RouteTables {
		i.add(t, "route table", v.RouteTableId, v)
	}
	for _, v := range must(c.ec2.DescribeNetworkAcls(ctx, &ec2.DescribeNetworkAclsInput{}))(t).NetworkAcls {
		if !*v.IsDefault { // it comes with its VPC, and moto leaves it there
			i.add(t, "access list", v.NetworkAclId, v)
		}
	}
	for _, v := range must(c.ec2.DescribeSecurityGroups(ctx, &ec2.DescribeSecurityGroupsInput{}))(t).SecurityGroups {
		i.add(t, "security group", v.GroupId, v)
	}
	for _, v := range must(c.ec2.DescribeVpcEndpoints(ctx, &ec2.DescribeVpcEndpointsInput{}))(t).VpcEndpoints {
		if v.State != "deleted" {
			i.add(t, "endpoint", v.VpcEndpointId, v)
		}
	}
	for _, v := range must(c.ec2.DescribeFlowLogs(ctx, &ec2.DescribeFlowLogsInput{}))(t).FlowLogs {
		i.add(t, "flow log", v.FlowLogId, v)
	}
	for _, v := range must(c.ec2.DescribeLaunchTemplates(ctx, &ec2.DescribeLaunchTemplatesInput{}))(t).LaunchTemplates {
		i.add(t, "launch template", v.LaunchTemplateId, v)
	}
	for _, r := range must(c.ec2.DescribeInstances(ctx, &ec2.DescribeInstancesInput{}))(t).Reservations {
		for _, v := range r.Instances {
			if v.State.Name != types.InstanceStateNameTerminated {
				i.add(t, "instance", v.InstanceId, v)
			}
		}
	}
}

func (i inventory) gateways(t *testing.T, c *clients) {
	t.Helper()
	ctx := t.Context()
	for _, v := range must(c.ec2.DescribeInternetGateways(ctx, &ec2.DescribeInternetGatewaysInput{}))(t).InternetGateways {
		i.add(t, "internet gateway", v.InternetGatewayId, v)
	}
	for _, v := range must(c.ec2.DescribeNatGateways(ctx, &ec2.DescribeNatGatewaysInput{}))(t).NatGateways {
		if v.State != types.NatGatewayStateDeleted {
			i.add(t, "nat gateway", v.NatGatewayId, v)
		}
	}
	for _, v := range must(c.ec2.DescribeAddresses(ctx, &ec2.DescribeAddressesInput{}))(t).Addresses {
		i.add(t, "address", v.PublicIp, v)
	}
	for _, v := range must(c.ec2.DescribeTransitGateways(ctx, &ec2.DescribeTransitGatewaysInput{}))(t).TransitGateways {
		if v.State != types.TransitGatewayStateDeleted {
			i.add(t, "transit gateway", v.TransitGatewayId, v)
		}
	}
	for _, v := range must(c.ec2.DescribeTransitGatewayVpcAttachments(ctx, &ec2.DescribeTransitGatewayVpcAttachmentsInput{}))(t).TransitGatewayVpcAttachments {
		if v.State != types.TransitGatewayAttachmentStateDeleted {
			i.add(t, "attachment", v.TransitGatewayAttachmentId, v)
		}
	}
	for _, v := range must(c.ec2.DescribeCustomerGateways(ctx, &ec2.DescribeCustomerGatewaysInput{}))(t).CustomerGateways {
		if str(v.State) != "deleted" {
			i.add(t, "customer gateway", v.CustomerGatewayId, v)
		}
	}
	for _, v := range must(c.ec2.DescribeVpnConnections(ctx, &ec2.DescribeVpnConnectionsInput{}))(t).VpnConnections {
		if v.State != types.VpnStateDeleted {
			i.add(t, "vpn", v.VpnConnectionId, v)
		}
	}
}

func (i inventory) edge(t *testing.T, c *clients) {
	t.Helper()
	ctx := t.Context()
	for _, b := range must(c.elb.DescribeLoadBalancers(ctx, &elb.DescribeLoadBalancersInput{}))(t).LoadBalancers {
		i.add(t, "load balancer", b.LoadBalancerArn, b)
		for _, l := range must(c.elb.DescribeListeners(ctx, &elb.DescribeListenersInput{LoadBalancerArn: b.LoadBalancerArn}))(t).Listeners {
			i.add(t, "listener", l.ListenerArn, l)
			i.add(t, "rules", l.ListenerArn, must(c.elb.DescribeRules(ctx, &elb.DescribeRulesInput{ListenerArn: l.ListenerArn}))(t).Rules)
		}
	}
	for _, v := range must(c.elb.DescribeTargetGroups(ctx, &elb.DescribeTargetGroupsInput{}))(t).TargetGroups {
		i.add(t, "target group", v.TargetGroupArn, v)
	}
	for _, v := range must(c.acm.ListCertificates(ctx, &acm.ListCertificatesInput{}))(t).CertificateSummaryList {
		i.add(t, "certificate", v.CertificateArn, v.DomainName)
	}
	for _, v := range must(c.route53.ListHostedZones(ctx, &route53.ListHostedZonesInput{}))(t).HostedZones {
		i.add(t, "zone", v.Id, must(c.route53.ListResourceRecordSets(ctx, &route53.ListResourceRecordSetsInput{HostedZoneId: v.Id}))(t).ResourceRecordSets)
	}
}

func (i inventory) services(t *testing.T, c *clients) {
	t.Helper()
	ctx := t.Context()
	for _, cluster := range must(c.ecs.DescribeClusters(ctx, &ecs.DescribeClustersInput{
		Clusters: must(c.ecs.ListClusters(ctx, &ecs.ListClustersInput{}))(t).ClusterArns,
	}))(t).Clusters {
		if str(cluster.Status) != active {
			continue
		}
		i.add(t, "task cluster", cluster.ClusterArn, cluster.Settings)
		for _, arn := range must(c.ecs.ListServices(ctx, &ecs.ListServicesInput{Cluster: cluster.ClusterArn}))(t).ServiceArns {
			s := must(c.ecs.DescribeServices(ctx, &ecs.DescribeServicesInput{Cluster: cluster.ClusterArn, Services: []string{arn}}))(t).Services[0]
			s.Events, s.Deployments, s.TaskSets = nil, nil, nil // how it came to be so
			if str(s.Status) == active {
				i.add(t, "service", &arn, s)
			}
		}
	}
	for _, arn := range must(c.ecs.ListTaskDefinitions(ctx, &ecs.ListTaskDefinitionsInput{Status: "ACTIVE"}))(t).TaskDefinitionArns {
		i.add(t, "task", &arn, nil)
	}
	for _, s := range must(c.scheduler.ListSchedules(ctx, &scheduler.ListSchedulesInput{}))(t).Schedules {
		i.add(t, "schedule", s.Arn, s)
	}
	for _, v := range must(c.ecr.DescribeRepositories(ctx, &ecr.DescribeRepositoriesInput{}))(t).Repositories {
		i.add(t, "repository", v.RepositoryName, v)
	}
	for _, v := range must(c.logs.DescribeLogGroups(ctx, &cloudwatchlogs.DescribeLogGroupsInput{}))(t).LogGroups {
		i.add(t, "log group", v.LogGroupName, v)
	}
	for _, v := range must(c.trail.DescribeTrails(ctx, &cloudtrail.DescribeTrailsInput{}))(t).TrailList {
		i.add(t, "trail", v.Name, v)
	}
}

func (i inventory) data(t *testing.T, c *clients) {
	t.Helper()
	ctx := t.Context()
	for _, v := range must(c.rds.DescribeDBClusters(ctx, &rds.DescribeDBClustersInput{}))(t).DBClusters {
		v.Status, v.LatestRestorableTime = nil, nil // these move by themselves
		i.add(t, "database", v.DBClusterIdentifier, v)
	}
	for _, v := range must(c.rds.DescribeDBInstances(ctx, &rds.DescribeDBInstancesInput{}))(t).DBInstances {
		v.DBInstanceStatus, v.LatestRestorableTime = nil, nil
		i.add(t, "database instance", v.DBInstanceIdentifier, v)
	}
	for _, v := range must(c.rds.DescribeDBClusterSnapshots(ctx, &rds.DescribeDBClusterSnapshotsInput{SnapshotType: aws.String("manual")}))(t).DBClusterSnapshots {
		i.add(t, "snapshot", v.DBClusterSnapshotIdentifier, nil)
	}
	for _, v := range must(c.rds.DescribeDBSubnetGroups(ctx, &rds.DescribeDBSubnetGroupsInput{}))(t).DBSubnetGroups {
		i.add(t, "database subnets", v.DBSubnetGroupName, v)
	}
	for _, v := range must(c.rds.DescribeDBClusterParameterGroups(ctx, &rds.DescribeDBClusterParameterGroupsInput{}))(t).DBClusterParameterGroups {
		i.add(t, "cluster parameters", v.DBClusterParameterGroupName, v)
	}
	for _, v := range must(c.rds.DescribeDBParameterGroups(ctx, &rds.DescribeDBParameterGroupsInput{}))(t).DBParameterGroups {
		i.add(t, "instance parameters", v.DBParameterGroupName, v)
	}
	for _, v := range must(c.secrets.ListSecrets(ctx, &secretsmanager.ListSecretsInput{}))(t).SecretList {
		i.add(t, "secret", v.Name, v.KmsKeyId)
	}
}

func (i inventory) access(t *testing.T, c *clients) {
	t.Helper()
	ctx := t.Context()
	for _, v := range must(c.iam.ListRoles(ctx, &iam.ListRolesInput{}))(t).Roles {
		attached := must(c.iam.ListAttachedRolePolicies(ctx, &iam.ListAttachedRolePoliciesInput{RoleName: v.RoleName}))(t).AttachedPolicies
		i.add(t, "role", v.RoleName, []any{v.AssumeRolePolicyDocument, attached})
	}
	for _, v := range must(c.iam.ListPolicies(ctx, &iam.ListPoliciesInput{Scope: iamtypes.PolicyScopeTypeLocal}))(t).Policies {
		version := must(c.iam.GetPolicyVersion(ctx, &iam.GetPolicyVersionInput{PolicyArn: v.Arn, VersionId: v.DefaultVersionId}))(t).PolicyVersion
		i.add(t, "policy", v.Arn, version.Document)
	}
	for _, v := range must(c.iam.ListInstanceProfiles(ctx, &iam.ListInstanceProfilesInput{}))(t).InstanceProfiles {
		i.add(t, "instance profile", v.InstanceProfileName, v.Roles)
	}
	for _, v := range must(c.iam.ListOpenIDConnectProviders(ctx, &iam.ListOpenIDConnectProvidersInput{}))(t).OpenIDConnectProviderList {
		i.add(t, "identity provider", v.Arn, nil)
	}
}

func (i inventory) keys(t *testing.T, c *clients, region string) {
	t.Helper()
	ctx, ofAWS := t.Context(), map[string]bool{}
	for _, v := range must(c.kms.ListAliases(ctx, &kms.ListAliasesInput{}))(t).Aliases {
		if strings.HasPrefix(str(v.AliasName), "alias/aws/") {
			ofAWS[str(v.TargetKeyId)] = true
			continue
		}
		i.add(t, "alias", aws.String(region+" "+str(v.AliasName)), v.TargetKeyId)
	}
	for _, v := range must(c.kms.ListKeys(ctx, &kms.ListKeysInput{}))(t).Keys {
		if !ofAWS[str(v.KeyId)] {
			policy := must(c.kms.GetKeyPolicy(ctx, &kms.GetKeyPolicyInput{KeyId: v.KeyId, PolicyName: aws.String("default")}))(t).Policy
			i.add(t, "key", v.KeyArn, policy)
		}
	}
	for _, v := range must(c.backup.ListBackupVaults(ctx, &backup.ListBackupVaultsInput{}))(t).BackupVaultList {
		i.add(t, "vault", aws.String(region+" "+str(v.BackupVaultName)), v)
	}
	for _, v := range must(c.backup.ListBackupPlans(ctx, &backup.ListBackupPlansInput{}))(t).BackupPlansList {
		i.add(t, "backup plan", v.BackupPlanId, v.VersionId)
	}
}
