package emulate_test

import (
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

// vpc returns the id of the environment's VPC: the one with its range.
func (d *deployed) vpc(t testing.TB) string {
	t.Helper()
	found := must(d.in(d.env.Region).ec2.DescribeVpcs(t.Context(), &ec2.DescribeVpcsInput{
		Filters: named("cidr-block", d.env.Network.CIDR),
	}))(t).Vpcs
	if len(found) != 1 {
		t.Fatalf("%d VPCs have the range %s, want 1", len(found), d.env.Network.CIDR)
	}
	return str(found[0].VpcId)
}

// subnets returns the VPC's subnets by range.
func (d *deployed) subnets(t testing.TB) map[string]types.Subnet {
	t.Helper()
	found := map[string]types.Subnet{}
	for _, s := range must(d.in(d.env.Region).ec2.DescribeSubnets(t.Context(), &ec2.DescribeSubnetsInput{
		Filters: named("vpc-id", d.vpc(t)),
	}))(t).Subnets {
		found[str(s.CidrBlock)] = s
	}
	return found
}

// privateSubnets are the ids of the private subnets, sorted.
func (d *deployed) privateSubnets(t testing.TB) []string {
	t.Helper()
	var ids []string
	for _, cidr := range d.env.Network.Private {
		ids = append(ids, str(d.subnets(t)[cidr].SubnetId))
	}
	slices.Sort(ids)
	return ids
}

// auditSubnets: four, each in its zone with its range; nothing in one gets a
// public address by itself; each under an access list of ours.
func (d *deployed) auditSubnets(t testing.TB) {
	subnets := d.subnets(t)
	same(t, "the number of subnets", len(subnets), 2*len(d.env.Zones))
	for i, zone := range d.env.Zones {
		for _, cidr := range []string{d.env.Network.Public[i], d.env.Network.Private[i]} {
			s, ok := subnets[cidr]
			if !ok {
				t.Errorf("no subnet has the range %s", cidr)
				continue
			}
			same(t, "the zone of "+cidr, str(s.AvailabilityZone), zone)
			same(t, "a public address by itself in "+cidr, *s.MapPublicIpOnLaunch, false)
		}
	}
	for _, list := range must(d.in(d.env.Region).ec2.DescribeNetworkAcls(t.Context(), &ec2.DescribeNetworkAclsInput{
		Filters: named("vpc-id", d.vpc(t)),
	}))(t).NetworkAcls {
		if *list.IsDefault && len(list.Associations) > 0 {
			t.Errorf("%d subnets are under the VPC's default access list", len(list.Associations))
		}
	}
}

// auditRoutes: a table for each subnet; the public ones lead to the Internet
// gateway, the private ones to the NAT gateway of their own zone.
func (d *deployed) auditRoutes(t testing.TB) {
	client, subnets, seen := d.in(d.env.Region).ec2, d.subnets(t), map[string]bool{}
	for i := range d.env.Zones {
		public, private := subnets[d.env.Network.Public[i]], subnets[d.env.Network.Private[i]]
		for _, s := range []types.Subnet{public, private} {
			tables := must(client.DescribeRouteTables(t.Context(), &ec2.DescribeRouteTablesInput{
				Filters: named("association.subnet-id", str(s.SubnetId)),
			}))(t).RouteTables
			if len(tables) != 1 || seen[str(tables[0].RouteTableId)] {
				t.Errorf("%s has no route table of its own", str(s.CidrBlock))
				continue
			}
			seen[str(tables[0].RouteTableId)] = true
			out := defaultRoute(tables[0])
			if s.SubnetId == public.SubnetId {
				d.leadsToInternet(t, out)
			} else {
				d.leadsToNAT(t, out, str(subnets[d.env.Network.Public[min(i, d.env.Network.NATs-1)]].SubnetId))
			}
		}
	}
}

func defaultRoute(table types.RouteTable) types.Route {
	for _, r := range table.Routes {
		if str(r.DestinationCidrBlock) == "0.0.0.0/0" {
			return r
		}
	}
	return types.Route{}
}

func (d *deployed) leadsToInternet(t testing.TB, out types.Route) {
	t.Helper()
	gateways := must(d.in(d.env.Region).ec2.DescribeInternetGateways(t.Context(), &ec2.DescribeInternetGatewaysInput{
		Filters: named("attachment.vpc-id", d.vpc(t)),
	}))(t).InternetGateways
	if len(gateways) != 1 {
		t.Fatalf("the VPC has %d Internet gateways, want 1", len(gateways))
	}
	same(t, "a public subnet's way out", str(out.GatewayId), str(gateways[0].InternetGatewayId))
}

func (d *deployed) leadsToNAT(t testing.TB, out types.Route, subnet string) {
	t.Helper()
	if out.NatGatewayId == nil {
		t.Error("a private subnet's way out is no NAT gateway")
		return
	}
	nat := must(d.in(d.env.Region).ec2.DescribeNatGateways(t.Context(), &ec2.DescribeNatGatewaysInput{
		NatGatewayIds: []string{*out.NatGatewayId},
	}))(t).NatGateways[0]
	same(t, "the subnet of a private subnet's NAT gateway", str(nat.SubnetId), subnet)
}

// auditNATs: as many as configured, each with an Elastic IP of the account.
func (d *deployed) auditNATs(t testing.TB) {
	client := d.in(d.env.Region).ec2
	nats := must(client.DescribeNatGateways(t.Context(), &ec2.DescribeNatGatewaysInput{Filter: named("vpc-id", d.vpc(t))}))(t).NatGateways
	same(t, "the number of NAT gateways", len(nats), d.env.Network.NATs)
	for _, nat := range nats {
		same(t, "the state of a NAT gateway", nat.State, types.NatGatewayStateAvailable)
		addresses := must(client.DescribeAddresses(t.Context(), &ec2.DescribeAddressesInput{
			AllocationIds: []string{str(nat.NatGatewayAddresses[0].AllocationId)},
		}))(t).Addresses
		if len(addresses) != 1 || addresses[0].PublicIp == nil {
			t.Errorf("%s has no Elastic IP", str(nat.NatGatewayId))
		}
	}
}

// auditConnections: all traffic is logged, S3 is reached by a gateway, other
// services by endpoints with private names where the environment has them.
func (d *deployed) auditConnections(t testing.TB) {
	client, vpc := d.in(d.env.Region).ec2, d.vpc(t)
	logs := must(client.DescribeFlowLogs(t.Context(), &ec2.DescribeFlowLogsInput{Filter: named("resource-id", vpc)}))(t).FlowLogs
	if len(logs) != 1 || logs[0].TrafficType != types.TrafficTypeAll || str(logs[0].LogGroupName) != "/padron/"+d.env.Name+"/vpc" {
		t.Errorf("the VPC's flow logs are %+v", logs)
	}
	kinds := map[types.VpcEndpointType]int{}
	for _, e := range must(client.DescribeVpcEndpoints(t.Context(), &ec2.DescribeVpcEndpointsInput{Filters: named("vpc-id", vpc)}))(t).VpcEndpoints {
		kinds[e.VpcEndpointType]++
		if e.VpcEndpointType == types.VpcEndpointTypeInterface {
			same(t, "private names of "+str(e.ServiceName), *e.PrivateDnsEnabled, true)
		}
	}
	same(t, "the number of gateway endpoints", kinds[types.VpcEndpointTypeGateway], 1)
	same(t, "interface endpoints", kinds[types.VpcEndpointTypeInterface] > 0, d.env.Features.InterfaceEndpoints)
}

// auditBastion: in a private subnet, without a public address, and its metadata
// for no request without a token.
func (d *deployed) auditBastion(t testing.TB) {
	var found []types.Instance
	for _, r := range must(d.in(d.env.Region).ec2.DescribeInstances(t.Context(), &ec2.DescribeInstancesInput{}))(t).Reservations {
		found = append(found, r.Instances...)
	}
	if len(found) != 1 {
		t.Fatalf("there are %d instances, want the bastion alone", len(found))
	}
	bastion := found[0]
	same(t, "the bastion's type", string(bastion.InstanceType), d.env.Bastion.InstanceType)
	same(t, "the bastion's public address", str(bastion.PublicIpAddress), "")
	if !slices.Contains(d.privateSubnets(t), str(bastion.SubnetId)) {
		t.Errorf("the bastion is in %s, which is no private subnet", str(bastion.SubnetId))
	}
	if bastion.MetadataOptions == nil || bastion.MetadataOptions.HttpTokens != types.HttpTokensStateRequired {
		t.Errorf("the bastion's metadata options are %+v, want tokens required", bastion.MetadataOptions)
	}
}
