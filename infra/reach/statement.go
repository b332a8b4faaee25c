package reach

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"padron/infra/config"
)

// Statement is something that must be true of every environment.
type Statement struct {
	// ID is short, lower case and dashes; What is the statement.
	ID, What string
	// Check returns a line for each way in which it is not true.
	Check func(*Network, Matrix, *config.Environment) []string
}

// The security groups that the statements are about.
const (
	balancer     = "BalancerGroup"
	manager      = "ManagerGroup"
	synchronizer = "SynchronizerGroup"
	migration    = "MigrationGroup"
	database     = "DatabaseGroup"
	bastion      = "BastionGroup"
	endpoints    = "EndpointsGroup"
)

// Statements are all of them.
func Statements() []Statement {
	return []Statement{
		{"database-sources", "the database is reached by the tasks' groups on its port, and by nobody else", databaseSources},
		{"nothing-from-internet", "nothing private is reached from the Internet gateway, nor would a group let it", nothingFromInternet},
		{"balancer-sources", "the load balancer lets in the VPC and the declared consumers on 443, and nobody else", balancerSources},
		{"routes-by-zone", "each private default route leads to the NAT gateway of its own zone", routesByZone},
		{"bastion-closed", "the bastion has no rule that lets anything in", bastionClosed},
		{"public-holds-nat", "public subnets hold NAT gateways and nothing else", publicHoldsNAT},
		{"bastion-no-database", "the bastion reaches the load balancer and has no way to the database", bastionWays},
		{"nobody-private", "no private address outside the VPC but a consumer's reaches anything", nobodyPrivate},
		{"consumers-not-called", "nothing of ours opens a connection to a consumer or to another private network", consumersNotCalled},
		{"works", "what must connect does, from every zone and every client port", works},
	}
}

// sources returns who is not No at the party, as from and ports.
func sources(m Matrix, to string) map[string][]Cell {
	found := map[string][]Cell{}
	for from, row := range m {
		if cells := row[to]; len(cells) > 0 {
			found[from] = cells
		}
	}
	return found
}

// guarded returns what is wrong with where a kind of thing stands: each of the
// type must be in the party of the one group.
func guarded(n *Network, typ, group string) []string {
	var wrong []string
	if n.Party(group) == nil {
		wrong = append(wrong, "there is no "+group)
	}
	for _, p := range n.Parties {
		if p.Name != group && p.Has(typ) {
			wrong = append(wrong, fmt.Sprintf("%s has %s around it, want %s alone", p.Things[0], p.Name, group))
		}
	}
	return wrong
}

func databaseSources(n *Network, m Matrix, _ *config.Environment) []string {
	wrong := guarded(n, typeCluster, database)
	want := []string{manager, migration, synchronizer}
	found := sources(m, database)
	for _, from := range keys(found, nil) {
		for _, c := range found[from] {
			if !slices.Contains(want, from) || c.Ports != (Ports{3306, 3306}) {
				wrong = append(wrong, fmt.Sprintf("%s -> %s %s: %s, want no", from, database, c.Ports, c.State))
			}
		}
	}
	for _, from := range want {
		if s := m.At(from, database, 3306); s != Yes {
			wrong = append(wrong, fmt.Sprintf("%s -> %s tcp/3306: %s, want yes", from, database, s))
		}
	}
	return wrong
}

func nothingFromInternet(n *Network, m Matrix, _ *config.Environment) []string {
	var wrong []string
	for _, to := range keys(m[Internet], nil) {
		for _, c := range m[Internet][to] {
			wrong = append(wrong, fmt.Sprintf("%s -> %s %s: %s, want no", Internet, to, c.Ports, c.State))
		}
	}
	for _, p := range n.Parties {
		if p.Public {
			wrong = append(wrong, p.Name+": has a public address")
		}
		for _, s := range p.Subnets {
			if s.Public() && !p.Source {
				wrong = append(wrong, fmt.Sprintf("%s: stands in %s, which the Internet gateway leads to", p.Name, s.Name))
			}
		}
	}
	return wrong
}

// behindLink reports whether the balancer is one that PrivateLink leads to, and
// so has no other source.
func behindLink(n *Network, p *Party) bool {
	return slices.ContainsFunc(n.Parties, func(x *Party) bool { return x.link != nil && x.link.to == p })
}

func balancerSources(n *Network, m Matrix, env *config.Environment) []string {
	var wrong []string
	for _, p := range n.Parties {
		if p.Has(typeBalancer) && p.Name != balancer && !behindLink(n, p) {
			wrong = append(wrong, fmt.Sprintf("%s: has %s around it, want %s", p.Things[0], p.Name, balancer))
		}
		for from, cells := range sources(m, p.Name) {
			if behindLink(n, p) && n.Party(from).link == nil {
				wrong = append(wrong, fmt.Sprintf("%s -> %s %s: %s, want PrivateLink alone", from, p.Name, cells[0].Ports, cells[0].State))
			}
		}
	}
	want := append([]string{env.Network.CIDR}, consumerRanges(env)...)
	got := map[string]bool{}
	for _, g := range n.groupsOf(balancer) {
		for _, r := range g.In {
			got[r.peer()] = true
			if r.Protocol != tcp || r.Ports != (Ports{443, 443}) || !slices.Contains(want, r.peer()) {
				wrong = append(wrong, fmt.Sprintf("%s lets in %s, which is not declared", balancer, r))
			}
		}
	}
	for _, w := range want {
		if !got[w] {
			wrong = append(wrong, fmt.Sprintf("%s does not let in %s, which is declared", balancer, w))
		}
	}
	for _, from := range []string{Internet, Private} {
		for _, c := range m[from][balancer] {
			wrong = append(wrong, fmt.Sprintf("%s -> %s %s: %s, want no", from, balancer, c.Ports, c.State))
		}
	}
	return wrong
}

func consumerRanges(env *config.Environment) []string {
	var list []string
	for _, c := range env.Consumers {
		if p, err := netip.ParsePrefix(c.CIDR); err == nil {
			list = append(list, p.Masked().String())
		}
	}
	return list
}

// groupsOf are the groups of the party.
func (n *Network) groupsOf(name string) []*Group {
	if p := n.Party(name); p != nil {
		return p.Groups
	}
	return nil
}

var everywhere = netip.MustParsePrefix("0.0.0.0/0")

func routesByZone(n *Network, _ Matrix, env *config.Environment) []string {
	var wrong []string
	zones := map[string]*NAT{}
	for _, g := range n.NATs {
		zones[g.Subnet.Zone] = g
		if !g.Public || !g.Subnet.Public() {
			wrong = append(wrong, g.Name+": has no Elastic IP or no way to the Internet gateway")
		}
	}
	if len(n.NATs) != env.Network.NATs || len(zones) != env.Network.NATs {
		wrong = append(wrong, fmt.Sprintf("%d NAT gateways in %d zones, want %d, each in its own", len(n.NATs), len(zones), env.Network.NATs))
	}
	for _, s := range n.Subnets {
		if s.Public() {
			continue
		}
		r, ok := Route{}, false
		for _, x := range s.Routes {
			if x.To == everywhere && x.List == "" {
				r, ok = x, true
			}
		}
		own := zones[s.Zone]
		switch {
		case !ok || r.NAT == nil:
			wrong = append(wrong, s.Name+": has no default route to a NAT gateway")
		case own != nil && r.NAT != own:
			wrong = append(wrong, fmt.Sprintf("%s: its default route is %s, want that of %s", s.Name, r, s.Zone))
		}
	}
	return wrong
}

func bastionClosed(n *Network, _ Matrix, _ *config.Environment) []string {
	wrong := guarded(n, typeInstance, bastion)
	for _, g := range n.groupsOf(bastion) {
		for _, r := range g.In {
			wrong = append(wrong, fmt.Sprintf("%s lets in %s, want nothing", bastion, r))
		}
	}
	return wrong
}

func publicHoldsNAT(n *Network, _ Matrix, _ *config.Environment) []string {
	var wrong []string
	for _, s := range n.Subnets {
		if !s.Public() {
			continue
		}
		for _, p := range n.Parties {
			if !p.Source && slices.Contains(p.Subnets, s) {
				wrong = append(wrong, fmt.Sprintf("%s holds %s", s.Name, strings.Join(append(p.Things, p.Name)[:1], "")))
			}
		}
		if s.GivesAddresses {
			wrong = append(wrong, s.Name+" gives public addresses away")
		}
	}
	return wrong
}

func bastionWays(_ *Network, m Matrix, _ *config.Environment) []string {
	var wrong []string
	if s := m.At(bastion, balancer, 443); s != Yes {
		wrong = append(wrong, fmt.Sprintf("%s -> %s tcp/443: %s, want yes", bastion, balancer, s))
	}
	for _, c := range m[bastion][database] {
		wrong = append(wrong, fmt.Sprintf("%s -> %s %s: %s, want no", bastion, database, c.Ports, c.State))
	}
	return wrong
}

func nobodyPrivate(_ *Network, m Matrix, _ *config.Environment) []string {
	var wrong []string
	for _, from := range keys(m, nil) {
		if from != Private && !strings.HasPrefix(from, "consumer ") {
			continue
		}
		for _, to := range keys(m[from], nil) {
			for _, c := range m[from][to] {
				if from == Private || to != balancer {
					wrong = append(wrong, fmt.Sprintf("%s -> %s %s: %s, want no", from, to, c.Ports, c.State))
				}
			}
		}
	}
	return wrong
}

func consumersNotCalled(n *Network, m Matrix, _ *config.Environment) []string {
	var wrong []string
	for _, from := range n.Parties {
		if from.Source {
			continue
		}
		for _, to := range n.Parties {
			for _, c := range m[from.Name][to.Name] {
				if to.Comes == WayTransit && c.State > Admitted {
					wrong = append(wrong, fmt.Sprintf("%s -> %s %s: %s, want no", from.Name, to.Name, c.Ports, c.State))
				}
			}
		}
	}
	return wrong
}

// works is the other half of safety: a fence that stops the service is taken
// down by the next person in a hurry.
func works(n *Network, m Matrix, env *config.Environment) []string {
	type need struct {
		from, to string
		port     int
	}
	needs := []need{{balancer, manager, 8443}, {synchronizer, Internet, 443}}
	for _, task := range []string{manager, synchronizer, migration, bastion} {
		if env.Features.InterfaceEndpoints {
			needs = append(needs, need{task, endpoints, 443}, need{task, "S3", 443})
		} else {
			needs = append(needs, need{task, Internet, 443})
		}
	}
	for _, p := range n.Parties {
		if p.link != nil {
			needs = append(needs, need{p.Name, p.link.to.Name, 443}, need{p.link.to.Name, balancer, 443})
		}
	}
	if len(n.Attachments) > 0 {
		for _, c := range env.Consumers {
			needs = append(needs, need{"consumer " + c.Name, balancer, 443})
		}
	}
	var wrong []string
	for _, x := range needs {
		if s := m.At(x.from, x.to, x.port); s != Yes {
			wrong = append(wrong, fmt.Sprintf("%s -> %s tcp/%d: %s, want yes", x.from, x.to, x.port, s))
		}
	}
	return wrong
}
