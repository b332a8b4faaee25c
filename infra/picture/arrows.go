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
	box := func(id string) *Box { return p.Find(id + "-" + z.name) }
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
		if b := p.Find("database-" + z.name); b != nil && writer(b.From[0]) {
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
