package picture

import (
	"cmp"
	"slices"

	"padron/infra/cfn"
)

// kind is a meaning of arrows.
type kind struct {
	name, colour, phrase string
	dashed               bool
}

// kinds are in the order of the legend.
var kinds = []kind{
	{"call", "#1d4ed8", "calls to the API", false},
	{"data", "#0f766e", "to the database", false},
	{"out", "#b45309", "way out to the provider", false},
	{"aws", "#64748b", "to AWS services", false},
	{"start", "#a21caf", "starts or delivers", false},
	{"copy", "#3f7d20", "copies", true},
	{"serves", "#94a3b8", "serves", true},
}

// arrow adds an arrow along the points; it adds none where a box is missing or
// nothing makes it. The label is written in the middle of the longest piece.
func (p *plan) arrow(kind string, from, to *Box, label string, why []*cfn.Resource, path ...Point) {
	if from == nil || to == nil || len(why) == 0 {
		return
	}
	a := &Arrow{Kind: kind, From: from, To: to, Path: path, Why: why, Label: label}
	longest := 0.0
	for i := 1; i < len(path); i++ {
		length := max(path[i].X-path[i-1].X, path[i-1].X-path[i].X, path[i].Y-path[i-1].Y, path[i-1].Y-path[i].Y)
		if length > longest {
			longest = length
			a.At = Point{(path[i].X + path[i-1].X) / 2, (path[i].Y + path[i-1].Y) / 2}
		}
	}
	p.Arrows = append(p.Arrows, a)
}

// connect draws every arrow.
func (p *plan) connect() {
	for i, z := range p.zones {
		p.connectZone(i, z)
	}
	p.connectOut()
	p.connectCallers()
	p.connectServices()
	slices.SortStableFunc(p.Arrows, func(a, b *Arrow) int { return cmp.Compare(rank(a.Kind), rank(b.Kind)) })
}

// rank puts the quiet arrows below the others.
func rank(name string) int {
	return -slices.IndexFunc(kinds, func(k kind) bool { return k.name == name })
}

// connectZone draws the traffic inside a zone, where the security groups let it.
func (p *plan) connectZone(i int, z *zone) {
	out := -1.0 // towards the outer edge
	if i == 1 {
		out = 1
	}
	box := func(id string) *Box { return p.Drawing.Find(id + "-" + z.name) }
	manager, syncer, bastion := box("customers-mngr"), box("synchronizer"), box("bastion")
	if b := p.balancer; b != nil && manager != nil {
		why, port := p.allowed(b, manager)
		p.arrow("call", b, manager, port, why, Point{manager.midX(), b.bottom()}, Point{manager.midX(), manager.Y})
	}
	if bastion != nil && p.balancer != nil {
		why, _ := p.allowed(bastion, p.balancer)
		x := side(bastion, -out) - out*9
		p.arrow("call", bastion, p.balancer, "", why, Point{side(bastion, -out), bastion.midY()}, Point{x, bastion.midY()},
			Point{x, p.balancer.midY()}, Point{side(p.balancer, out), p.balancer.midY()})
	}
	p.connectData(i, out, manager, syncer)
	p.connectExits(out, box("endpoints"), manager, syncer, bastion)
}

// connectData draws the way of the zone's tasks to the database: to the writer,
// whose address the tasks are given, wherever it stands.
func (p *plan) connectData(i int, out float64, manager, syncer *Box) {
	database := p.writer()
	if database == nil {
		return
	}
	into := func(b *Box, lane, at float64) {
		if b == nil {
			return
		}
		why, _ := p.allowed(b, database)
		from, y := b.midX()-out*60, b.bottom()+lane
		p.arrow("data", b, database, "", why, Point{from, b.bottom()}, Point{from, y}, Point{at, y}, Point{at, database.Y})
	}
	if x := database.midX(); x < zoneX(i) || x > zoneX(i)+zoneW {
		into(manager, 12, database.right()-24)
		into(syncer, 22, database.right()-46)
		return
	}
	into(syncer, 12, database.X+24)
	if manager != nil {
		why, port := p.allowed(manager, database)
		x := manager.midX() - 10
		p.arrow("data", manager, database, port, why, Point{x, manager.bottom()}, Point{x, database.Y})
	}
}

// writer returns the box of the database's writer.
func (p *plan) writer() *Box {
	for _, z := range p.zones {
		if b := p.Drawing.Find("database-" + z.name); b != nil && writer(b.From[0]) {
			return b
		}
	}
	return nil
}

// connectExits draws the ways to the interface endpoints.
func (p *plan) connectExits(out float64, exits *Box, tasks ...*Box) {
	for _, b := range tasks {
		if b == nil || exits == nil {
			continue
		}
		why, _ := p.allowed(b, exits)
		if b.bottom() > dataY { // it stands above them
			p.arrow("aws", b, exits, "", why, Point{b.midX(), b.bottom()}, Point{b.midX(), exits.Y})
			continue
		}
		x := side(b, out) + out*10
		p.arrow("aws", b, exits, "", why, Point{side(b, out), b.midY()}, Point{x, b.midY()}, Point{x, exits.Y})
	}
}

// side is the x of the box's side in the direction.
func side(b *Box, direction float64) float64 {
	if direction < 0 {
		return b.X
	}
	return b.right()
}

// allowed returns the rules by which the one box's members reach the other's.
func (p *plan) allowed(from, to *Box) ([]*cfn.Resource, string) {
	return p.opens(p.groups(from.From...), p.groups(to.From...))
}

// connectOut draws the way of the synchronizer to the provider: by its own
// zone's route to a NAT gateway, and from there to the Internet gateway.
func (p *plan) connectOut() {
	gate, provider := p.Drawing.Find("internet-gateway"), p.Drawing.Find("provider")
	for i, z := range p.zones {
		if z.private != nil && z.private.target != nil {
			p.connectNAT(z)
		}
		nat := p.Drawing.Find("nat-" + z.name)
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
	ip := p.Drawing.Find("eip-" + z.name)
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
	syncer := p.Drawing.Find("synchronizer-" + z.name)
	var nat *Box
	for _, other := range p.zones {
		if b := p.Drawing.Find("nat-" + other.name); b != nil && slices.Contains(b.From, z.private.target) {
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
	transit, vpn, link := p.Drawing.Find("transit"), p.Drawing.Find("vpn"), p.Drawing.Find("private-link")
	for _, c := range p.consumers() {
		from := p.Drawing.Find("consumer-" + c.name())
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
	if accounts := p.Drawing.Find("consumer-accounts"); accounts != nil {
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
		nlb := p.Drawing.Find("nlb-" + z.name)
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
