package reach

import (
	"net/netip"
	"strings"

	"padron/infra/cfn"
)

// Subnet is one subnet of the VPC, with its routes and its access list.
type Subnet struct {
	// Name is the construct's path without the last part, such as
	// Vpc/privateSubnet1.
	Name string
	Zone string
	CIDR netip.Prefix
	// Routes are without those inside the VPC, which every table has.
	Routes []Route
	// ACL is nil where the VPC's own list stands, which lets everything pass.
	ACL *ACL
	// GivesAddresses is MapPublicIpOnLaunch.
	GivesAddresses bool
}

// Way is where a route leads.
type Way string

// The ways that are modelled. A route elsewhere is a fault.
const (
	WayLocal    Way = "inside the VPC"
	WayInternet Way = "the Internet gateway"
	WayNAT      Way = "a NAT gateway"
	WayTransit  Way = "the transit gateway"
	WayEndpoint Way = "a gateway endpoint"
)

// Route is one line of a subnet's table: To is a range, or List a prefix list.
type Route struct {
	To   netip.Prefix
	List string
	Way  Way
	// NAT is the gateway's, nil on other ways.
	NAT *NAT
}

// String is as people write routes: 0.0.0.0/0 to a NAT gateway.
func (r Route) String() string {
	to := r.List
	if to == "" {
		to = r.To.String()
	}
	if r.NAT != nil {
		return to + " by the NAT gateway in " + r.NAT.Subnet.Name
	}
	return to + " by " + string(r.Way)
}

// NAT is a NAT gateway: connections leave by it, and none comes in.
type NAT struct {
	Name   string
	Subnet *Subnet
	// Public is with an Elastic IP.
	Public bool
}

// Public reports whether the subnet has a way to the Internet gateway, and so
// the Internet one to it.
func (s *Subnet) Public() bool {
	for _, r := range s.Routes {
		if r.Way == WayInternet {
			return true
		}
	}
	return false
}

// route returns the subnet's route to the address, which may be of a prefix
// list: the longest prefix decides, and a list is longer than a default. ok is
// false where there is none.
func (n *Network) route(s *Subnet, addr netip.Addr, list string) (best Route, ok bool) {
	for _, p := range n.VPC {
		if p.Contains(addr) {
			best, ok = Route{To: p, Way: WayLocal}, true
		}
	}
	for _, r := range s.Routes {
		if r.List != "" && r.List == list {
			return r, true
		}
		if r.List == "" && r.To.Contains(addr) && (!ok || r.To.Bits() > best.To.Bits()) {
			best, ok = r, true
		}
	}
	return best, ok
}

// routes reads the tables and gives each subnet its own.
func (b *builder) routes() {
	tables := map[*cfn.Resource][]Route{}
	for _, r := range b.assembly.Resources("AWS::EC2::Route") {
		if route, ok := b.routeOf(r); ok {
			tables[r.Target("RouteTableId")] = append(tables[r.Target("RouteTableId")], route)
		}
	}
	for _, r := range b.assembly.Resources("AWS::EC2::VPCEndpoint") {
		if r.Text("VpcEndpointType") != "Gateway" {
			continue
		}
		id := listOf(r.Text("ServiceName"))
		if id == "" {
			b.fault("%s: the prefix list of %s is not known: add it to managedLists", r, r.Text("ServiceName"))
		}
		b.lists[id] = true
		for _, table := range cfn.Targets(r.Get("RouteTableIds")) {
			tables[table] = append(tables[table], Route{List: id, Way: WayEndpoint})
		}
	}
	for _, r := range b.assembly.Resources("AWS::EC2::SubnetRouteTableAssociation") {
		if s := b.subnet[r.Target("SubnetId")]; s != nil {
			s.Routes = tables[r.Target("RouteTableId")]
		}
	}
}

func (b *builder) routeOf(r *cfn.Resource) (Route, bool) {
	to, err := netip.ParsePrefix(r.Text("DestinationCidrBlock"))
	list := r.Text("DestinationPrefixListId")
	if _, known := managedLists[list]; err != nil && !known {
		b.fault("%s: where it leads is not known before deployment", r)
		return Route{}, false
	}
	route := Route{To: to.Masked(), List: list}
	switch {
	case r.Target("GatewayId") != nil && r.Target("GatewayId").Type == "AWS::EC2::InternetGateway":
		route.Way = WayInternet
	case b.nat[r.Target("NatGatewayId")] != nil:
		route.Way, route.NAT = WayNAT, b.nat[r.Target("NatGatewayId")]
	case r.Text("TransitGatewayId") != "":
		route.Way = WayTransit
	default:
		b.fault("%s: the model has no such gateway", r)
		return Route{}, false
	}
	return route, true
}

// managedLists are AWS's prefix lists: each with its service and one address
// that is on it, which stands for all of them.
var managedLists = map[string]struct{ service, sample string }{
	"pl-63a5400a": {"com.amazonaws.us-east-1.s3", "52.216.0.1"},
	"pl-68a54001": {"com.amazonaws.us-west-2.s3", "52.218.128.1"},
}

func listOf(service string) string {
	for id, l := range managedLists {
		if strings.EqualFold(l.service, service) {
			return id
		}
	}
	return ""
}
