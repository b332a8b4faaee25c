package reach

import (
	"net/netip"
	"slices"
	"strings"

	"padron/infra/cfn"
)

// WayLink is PrivateLink: an endpoint in another account, which was accepted,
// leads to one load balancer and to nothing else.
const WayLink Way = "PrivateLink"

// link is where a party that comes by PrivateLink gets.
type link struct {
	to *Party
	// ports are those that the load balancer listens on.
	ports []int
	// guarded is that the load balancer's groups are asked, which the service
	// can switch off for what comes by PrivateLink.
	guarded bool
}

// noAddress stands for addresses that nobody here sees: the load balancer's own
// is the source of what it passes on.
var noAddress = netip.MustParsePrefix("0.0.0.0/32")

// lets reports whether the endpoint leads to the party on the port; asked is
// whether its groups are asked as well.
func (l *link) lets(to *Party, port int) (ok, asked bool) {
	return l.to == to && slices.Contains(l.ports, port), l.guarded
}

// links adds the accounts that may make endpoints, one party for each service.
func (b *builder) links() {
	const permissions = "AWS::EC2::VPCEndpointServicePermissions"
	for _, service := range b.assembly.Resources("AWS::EC2::VPCEndpointService") {
		var accounts []string
		for _, p := range b.assembly.Resources(permissions) {
			if p.Target("ServiceId") == service {
				accounts = append(accounts, accountsOf(p)...)
			}
		}
		for _, balancer := range cfn.Targets(service.Get("NetworkLoadBalancerArns")) {
			b.addLink(strings.Join(accounts, ", "), balancer)
		}
	}
}

func (b *builder) addLink(accounts string, balancer *cfn.Resource) {
	i := slices.IndexFunc(b.network.Parties, func(p *Party) bool { return slices.Contains(p.Things, thing(balancer)) })
	if i < 0 {
		b.fault("%s: an endpoint service leads to it, and it stands in no subnet of the templates", balancer)
		return
	}
	l := &link{to: b.network.Parties[i], guarded: balancer.Text("EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic") != "off"}
	for _, r := range b.assembly.Resources("AWS::ElasticLoadBalancingV2::Listener") {
		if port, ok := number(r.Get("Port")); ok && r.Target("LoadBalancerArn") == balancer {
			l.ports = append(l.ports, port)
			b.listens = append(b.listens, Ports{port, port})
		}
	}
	b.network.Parties = append(b.network.Parties, &Party{
		Name: "PrivateLink of " + accounts, Comes: WayLink, Ranges: []netip.Prefix{noAddress}, client: anyClient, link: l, Source: true,
	})
}

// accountsOf are the principals that may make an endpoint, accounts by their
// numbers.
func accountsOf(permissions *cfn.Resource) []string {
	var list []string
	for _, v := range permissions.List("AllowedPrincipals") {
		name, _ := v.(string)
		name = strings.TrimSuffix(strings.TrimPrefix(name, "arn:aws:iam::"), ":root")
		if name == "*" {
			name = "anybody"
		}
		list = append(list, name)
	}
	return list
}
