package picture

import (
	"cmp"
	"slices"

	"padron/infra/cfn"
)

// connectOut draws the way of the synchronizer to the provider: by its own
// zone's route to a NAT gateway, and from there to the Internet gateway.
func (p *plan) connectOut() {
	gate, provider := p.Find("internet-gateway"), p.Find("provider")
	for i, z := range p.zones {
		if z.private != nil && z.private.target != nil {
			p.connectNAT(z)
		}
		nat := p.Find("nat-" + z.name)
		if nat == nil || gate == nil || z.public.exit == nil {
			continue
		}
		y := nat.midY()
		path := []Point{{nat.X, y}, {gate.right(), y}}
		if i > 0 {
			y = nat.bottom() + 13
			path = []Point{{nat.midX() + 40, nat.bottom()}, {nat.midX() + 40, y}, {gate.right(), y}}
		}
		p.arrow("out", nat, gate, "", []*cfn.Resource{z.public.exit}, path...)
		p.connectAddress(z, nat)
	}
	if gate != nil && provider != nil {
		p.arrow("out", gate, provider, "443", provider.From, Point{gate.X, gate.midY()}, Point{provider.right(), gate.midY()})
	}
}

func (p *plan) connectAddress(z *zone, nat *Box) {
	ip := p.Find("eip-" + z.name)
	if ip == nil {
		return
	}
	from, to := Point{ip.X, ip.midY()}, Point{nat.right(), nat.midY()}
	if ip.X < nat.X {
		from, to = Point{ip.right(), ip.midY()}, Point{nat.X, nat.midY()}
	}
	p.arrow("serves", ip, nat, "", nat.From, from, to)
}

func (p *plan) connectNAT(z *zone) {
	syncer := p.Find("synchronizer-" + z.name)
	var nat *Box
	for _, other := range p.zones {
		if b := p.Find("nat-" + other.name); b != nil && slices.Contains(b.From, z.private.target) {
			nat = b
		}
	}
	if syncer == nil || nat == nil {
		return
	}
	rule := p.leaves(p.groups(syncer.From...))
	if rule == nil {
		return
	}
	path := []Point{{syncer.midX(), syncer.Y}, {nat.midX(), nat.bottom()}}
	if syncer.midX() != nat.midX() {
		y := nat.bottom() + 18
		path = []Point{{syncer.midX(), syncer.Y}, {syncer.midX(), y}, {nat.midX(), y}, {nat.midX(), nat.bottom()}}
	}
	p.arrow("out", syncer, nat, "", []*cfn.Resource{rule, z.private.exit}, path...)
}

// connectCallers draws the ways of the consumers to the load balancer.
func (p *plan) connectCallers() {
	transit, vpn, link := p.Find("transit"), p.Find("vpn"), p.Find("private-link")
	for _, c := range p.consumers() {
		from := p.Find("consumer-" + c.name())
		to := transit
		if c.via == "vpn" {
			to = cmp.Or(vpn, transit)
		}
		p.up("call", from, to, "", c.from)
	}
	if vpn != nil && transit != nil {
		p.arrow("call", vpn, transit, "", vpn.From, Point{vpn.right(), vpn.midY()}, Point{transit.X, transit.midY()})
	}
	if transit != nil && p.balancer != nil {
		if rules := p.outsiders(p.groups(p.balancer.From...)); len(rules) > 0 {
			p.arrow("call", transit, p.balancer, "443", append([]*cfn.Resource{rules[0].from}, transit.From...),
				Point{transit.midX(), transit.Y}, Point{transit.midX(), p.balancer.bottom()})
		}
	}
	if accounts := p.Find("consumer-accounts"); accounts != nil {
		p.up("call", accounts, link, "", accounts.From...)
	}
	p.connectLink(link)
}

// up draws an arrow from a box to one that is above it.
func (p *plan) up(kind string, from, to *Box, label string, why ...*cfn.Resource) {
	if from == nil || to == nil {
		return
	}
	x := min(max(from.midX(), to.X+16), to.right()-16)
	y := from.Y - 12
	path := []Point{{from.midX(), from.Y}, {from.midX(), y}, {x, y}, {x, to.bottom()}}
	if x == from.midX() {
		path = []Point{{x, from.Y}, {x, to.bottom()}}
	}
	p.arrow(kind, from, to, label, why, path...)
}

// connectLink draws PrivateLink's way: the endpoint service, the network load
// balancer in each zone, and from there the application's.
func (p *plan) connectLink(link *Box) {
	for i, z := range p.zones {
		nlb := p.Find("nlb-" + z.name)
		if nlb == nil {
			continue
		}
		if link != nil {
			x := nlb.midX()
			y := p.vpcBox.bottom() + 10
			start := min(max(x, link.X+30), link.right()-30)
			p.arrow("call", link, nlb, "", link.From, Point{start, link.Y}, Point{start, y}, Point{x, y}, Point{x, nlb.bottom()})
		}
		if p.balancer == nil {
			continue
		}
		in := 1.0 - 2*float64(i)
		why, _ := p.allowed(nlb, p.balancer)
		x := zoneX(1) - gutterW/2 - in*16
		p.arrow("call", nlb, p.balancer, "", why, Point{side(nlb, in), nlb.midY()}, Point{x, nlb.midY()}, Point{x, p.balancer.bottom()})
	}
}
