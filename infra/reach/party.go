package reach

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"

	"padron/infra/cfn"
)

// Party is somebody who connects or is connected to: things in the VPC that no
// rule tells apart, or a set of addresses outside.
type Party struct {
	// Name is that of the security group, or what it is: ManagerGroup, Internet.
	Name string
	// Things are the resources, as stack/path (type). A group that nothing
	// holds has none: its party is what a person could put into it.
	Things []string
	// Groups stand around things inside. Unguarded is a thing without any, which
	// lets everything in and out.
	Groups    []*Group
	Unguarded bool
	Subnets   []*Subnet
	// Public is with an address that the Internet reaches.
	Public bool
	// Source reports a party that only connects, such as a stranger in the VPC.
	Source bool

	// Ranges without the Without are the addresses of a party outside; List is
	// their prefix list. Comes is the way by which its packets come.
	Ranges, Without []netip.Prefix
	List            string
	Comes           Way

	// client are the ports that its connections begin at.
	client Ports
	// link is where a party gets that comes by PrivateLink, nil for others.
	link *link
}

// Outside reports whether the party is not in the VPC.
func (p *Party) Outside() bool { return len(p.Ranges) > 0 }

// Has reports whether a resource of the type is among the party's things.
func (p *Party) Has(typ string) bool {
	return slices.ContainsFunc(p.Things, func(s string) bool { return strings.HasSuffix(s, " ("+typ+")") })
}

// holds reports whether the address is one of a party outside.
func (p *Party) holds(a netip.Addr) bool {
	in := func(list []netip.Prefix) bool {
		return slices.ContainsFunc(list, func(x netip.Prefix) bool { return x.Contains(a) })
	}
	return in(p.Ranges) && !in(p.Without)
}

// Types of what stands in a VPC and how it is read.
const (
	typeBalancer = "AWS::ElasticLoadBalancingV2::LoadBalancer"
	typeCluster  = "AWS::RDS::DBCluster"
	typeInstance = "AWS::EC2::Instance"
	typeEndpoint = "AWS::EC2::VPCEndpoint"
	typeService  = "AWS::ECS::Service"
	typeSchedule = "AWS::Scheduler::Schedule"
	typeMachine  = "AWS::StepFunctions::StateMachine"
)

// standing are the types that put something into subnets, with the ports that
// its connections begin at.
var standing = map[string]Ports{
	typeBalancer: anyClient, typeEndpoint: linuxClient, typeInstance: linuxClient, typeCluster: linuxClient,
	typeService: linuxClient, "AWS::ECS::TaskSet": linuxClient, typeSchedule: linuxClient,
	"AWS::Events::Rule": linuxClient, typeMachine: linuxClient,
}

// mentioning are the types that name subnets or groups and put nothing there, or
// that are read elsewhere.
var mentioning = []string{
	"AWS::EC2::Subnet", "AWS::EC2::SubnetRouteTableAssociation", "AWS::EC2::SubnetNetworkAclAssociation",
	"AWS::EC2::SecurityGroup", "AWS::EC2::SecurityGroupIngress", "AWS::EC2::SecurityGroupEgress",
	"AWS::EC2::NatGateway", "AWS::EC2::TransitGatewayAttachment", "AWS::EC2::TransitGatewayVpcAttachment",
	"AWS::EC2::FlowLog", "AWS::RDS::DBSubnetGroup", "AWS::RDS::DBInstance", "AWS::SSM::Parameter",
	// For an hour a week a copy of the database stands where the database does.
	"AWS::Backup::RestoreTestingSelection",
}

// inside finds everything that stands in a subnet.
func (b *builder) inside() {
	byKey := map[string]*Party{}
	for _, r := range b.assembly.Resources() {
		subnets, groups := b.mentions(r.Get())
		if cluster := r.Target("DBSubnetGroupName"); r.Type == typeCluster && cluster != nil {
			subnets, _ = b.mentions(cluster.Get())
		}
		client, known := standing[r.Type]
		switch {
		case len(subnets)+len(groups) == 0 || slices.Contains(mentioning, r.Type):
			continue
		case !known:
			b.fault("%s: the model does not know what a %s puts into a subnet: add it to standing or mentioning", r, r.Type)
			continue
		}
		p := &Party{Subnets: subnets, Groups: groups, Unguarded: len(groups) == 0, Public: b.public(r, subnets), client: client}
		b.join(byKey, p, r)
	}
	b.unheld()
	b.links()
	slices.SortStableFunc(b.network.Parties, func(x, y *Party) int {
		if x.Outside() || y.Outside() {
			return cmp.Compare(boolean(y.Outside()), boolean(x.Outside()))
		}
		return strings.Compare(x.Name, y.Name)
	})
}

func boolean(b bool) int {
	if b {
		return 1
	}
	return 0
}

// join adds the thing to the party that no rule tells it from, or makes one.
func (b *builder) join(byKey map[string]*Party, p *Party, r *cfn.Resource) {
	var groups, subnets []string
	for _, g := range p.Groups {
		groups = append(groups, g.Name)
	}
	for _, s := range p.Subnets {
		subnets = append(subnets, s.Name)
	}
	p.Name = strings.Join(groups, "+")
	if p.Unguarded {
		p.Name = r.String()
	}
	where := strings.Join(subnets, ",")
	if p.Public {
		where += " public"
	}
	if twin := byKey[p.Name+" "+where]; twin != nil {
		twin.Things = append(twin.Things, thing(r))
		return
	}
	key := p.Name + " " + where
	if b.network.Party(p.Name) != nil {
		p.Name += " in " + where
	}
	p.Things = []string{thing(r)}
	byKey[key] = p
	b.network.Parties = append(b.network.Parties, p)
}

func thing(r *cfn.Resource) string { return r.String() + " (" + r.Type + ")" }

// public reports whether the thing has an address that the Internet reaches.
func (b *builder) public(r *cfn.Resource, subnets []*Subnet) bool {
	gives := slices.ContainsFunc(subnets, func(s *Subnet) bool { return s.GivesAddresses })
	switch r.Type {
	case typeBalancer:
		return r.Text("Scheme") != "internal"
	case typeInstance:
		return gives || strings.Contains(r.Text("NetworkInterfaces"), "AssociatePublicIpAddress:true") || b.hasElastic(r)
	case typeCluster:
		return slices.ContainsFunc(b.assembly.Resources("AWS::RDS::DBInstance"), func(i *cfn.Resource) bool {
			return i.Target("DBClusterIdentifier") == r && i.Bool("PubliclyAccessible")
		})
	}
	text := r.Text()
	return strings.Contains(text, "AssignPublicIp:ENABLED") || strings.Contains(text, `"AssignPublicIp":"ENABLED"`)
}

func (b *builder) hasElastic(r *cfn.Resource) bool {
	for _, e := range b.assembly.Resources("AWS::EC2::EIP", "AWS::EC2::EIPAssociation") {
		if e.Target("InstanceId") == r {
			return true
		}
	}
	return false
}

// unheld makes a party of each group that no template gives to anything: tasks
// that people start, such as the migration, hold it, in any private subnet.
func (b *builder) unheld() {
	var private []*Subnet
	for _, s := range b.network.Subnets {
		if !s.Public() {
			private = append(private, s)
		}
	}
	for _, r := range b.assembly.Resources("AWS::EC2::SecurityGroup") {
		g := b.group[r]
		held := slices.ContainsFunc(b.network.Parties, func(p *Party) bool { return slices.Contains(p.Groups, g) })
		if !held {
			b.network.Parties = append(b.network.Parties,
				&Party{Name: g.Name, Groups: []*Group{g}, Subnets: private, client: linuxClient})
		}
	}
}
