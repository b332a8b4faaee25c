package reach

import (
	"maps"
	"net/netip"
	"slices"

	"padron/infra/cfn"
)

// Names of the parties that every environment has.
const (
	// Internet is every address that is not private.
	Internet = "Internet"
	// Private is every private address that is neither in the VPC nor a
	// consumer's.
	Private = "other private"
	// Stranger is somebody in the VPC without a security group of ours and with
	// every way out: the worst that could be put there.
	Stranger = "stranger in the VPC"
)

// private is RFC 1918 and the shared space of RFC 6598.
var private = prefixes("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10")

// unroutable is what no packet on the Internet comes from: RFC 6890.
var unroutable = prefixes("0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/3")

func prefixes(texts ...string) []netip.Prefix {
	list := make([]netip.Prefix, len(texts))
	for i, t := range texts {
		list[i] = netip.MustParsePrefix(t)
	}
	return list
}

// outside adds everybody who is not in the templates.
func (b *builder) outside() {
	add := func(p *Party) {
		p.client = anyClient
		b.network.Parties = append(b.network.Parties, p)
	}
	b.attachments()
	add(&Party{
		Name: Internet, Comes: WayInternet,
		Ranges: prefixes("0.0.0.0/0"), Without: slices.Concat(private, unroutable, b.network.VPC),
	})
	others := slices.Clone(b.network.VPC)
	for _, c := range b.env.Consumers {
		prefix, err := netip.ParsePrefix(c.CIDR)
		if err != nil {
			b.fault("consumer %s: %w", c.Name, err)
			continue
		}
		add(&Party{Name: "consumer " + c.Name, Comes: WayTransit, Ranges: []netip.Prefix{prefix.Masked()}, Without: b.network.VPC})
		others = append(others, prefix.Masked())
	}
	add(&Party{Name: Private, Comes: WayTransit, Ranges: private, Without: others})
	for _, id := range slices.Sorted(maps.Keys(b.lists)) {
		sample, err := netip.ParseAddr(managedLists[id].sample)
		if err == nil {
			add(&Party{Name: "S3", Comes: WayEndpoint, List: id, Ranges: []netip.Prefix{netip.PrefixFrom(sample, 32)}})
		}
	}
	add(&Party{Name: Stranger, Unguarded: true, Source: true, Subnets: b.network.Subnets})
}

// attachments reads where the transit gateway comes in.
func (b *builder) attachments() {
	for _, r := range b.assembly.Resources("AWS::EC2::TransitGatewayAttachment", "AWS::EC2::TransitGatewayVpcAttachment") {
		for _, s := range cfn.Targets(r.Get("SubnetIds")) {
			if b.subnet[s] == nil {
				b.fault("%s: stands in a subnet that is not of the templates", r)
				continue
			}
			b.network.Attachments = append(b.network.Attachments, b.subnet[s])
		}
	}
}

// addressCuts are the first addresses of all ranges that anything is about, and
// the addresses behind their last ones.
func (b *builder) addressCuts() []netip.Addr {
	var list []netip.Prefix
	for _, p := range b.network.Parties {
		list = slices.Concat(list, p.Ranges, p.Without)
	}
	for _, s := range b.network.Subnets {
		list = append(list, s.CIDR)
		for _, r := range s.Routes {
			list = append(list, r.To)
		}
		if s.ACL != nil {
			for _, e := range slices.Concat(s.ACL.In, s.ACL.Out) {
				list = append(list, e.CIDR)
			}
		}
	}
	for _, g := range b.group {
		for _, r := range slices.Concat(g.In, g.Out) {
			list = append(list, r.CIDR)
		}
	}
	return cuts(slices.Concat(list, b.network.VPC))
}

// cuts returns, sorted, where the ranges begin and where they have ended. An
// address and the last cut before it are in the same of them.
func cuts(list []netip.Prefix) []netip.Addr {
	var addrs []netip.Addr
	for _, p := range list {
		if !p.IsValid() || !p.Addr().Is4() {
			continue
		}
		addrs = append(addrs, p.Addr())
		if next := last(p).Next(); next.IsValid() {
			addrs = append(addrs, next)
		}
	}
	slices.SortFunc(addrs, netip.Addr.Compare)
	return slices.Compact(addrs)
}

// last is the last address of an IPv4 range.
func last(p netip.Prefix) netip.Addr {
	a := p.Addr().As4()
	for bit := p.Bits(); bit < 32; bit++ {
		a[bit/8] |= 1 << (7 - bit%8)
	}
	return netip.AddrFrom4(a)
}

// listPorts are the ranges of every access list.
func (b *builder) listPorts() []Ports {
	var list []Ports
	for _, s := range b.network.Subnets {
		if s.ACL != nil {
			for _, e := range slices.Concat(s.ACL.In, s.ACL.Out) {
				list = append(list, e.Ports)
			}
		}
	}
	return list
}

// groupPorts are the ranges of every security group.
func (b *builder) groupPorts() []Ports {
	var list []Ports
	for _, g := range b.group {
		for _, r := range slices.Concat(g.In, g.Out) {
			list = append(list, r.Ports)
		}
	}
	return list
}

// portCuts are where a range begins, or has ended, and where those of clients
// do.
func portCuts(list []Ports) []int {
	var ports []int
	for _, p := range append(list, everyPort, linuxClient, anyClient) {
		ports = append(ports, p.From)
		if p.To < lastPort {
			ports = append(ports, p.To+1)
		}
	}
	slices.Sort(ports)
	return slices.Compact(ports)
}
