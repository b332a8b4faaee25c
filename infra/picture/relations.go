package picture

import (
	"slices"

	"padron/infra/cfn"
)

// connectServices draws what the services around do to what is inside.
func (p *plan) connectServices() {
	p.connectStarts()
	p.connectDelivery()
	p.connectReplica()
	p.connectCopies()
	p.connectServing()
	p.connectEndpoints()
}

// connectStarts draws who starts the synchronizer: the schedule, by way of the
// state machine where runs have partitions.
func (p *plan) connectStarts() {
	schedule, steps := p.Find("scheduler"), p.Find("steps")
	starter := schedule
	if schedule != nil && steps != nil {
		if why := p.mentioning(schedule, steps); why != nil {
			y := schedule.midY()
			p.arrow("start", schedule, steps, "", why, Point{schedule.right(), y}, Point{steps.X, y})
			starter = steps
		}
	}
	last := p.zones[len(p.zones)-1]
	syncer := p.Find("synchronizer-" + last.name)
	if starter == nil || syncer == nil {
		return
	}
	x := p.vpcBox.right() + 22
	y := starter.bottom() + gap/2
	path := []Point{{starter.X, starter.midY()}, {x, starter.midY()}, {x, syncer.midY() - 12}, {syncer.right(), syncer.midY() - 12}}
	if starter == steps {
		path = append([]Point{{starter.midX(), starter.bottom()}, {starter.midX(), y}, {x, y}}, path[2:]...)
	}
	p.arrow("start", starter, syncer, "", p.mentioning(starter, syncer), path...)
}

// mentioning returns those of the one box's resources that speak of the
// other's.
func (p *plan) mentioning(from, to *Box) []*cfn.Resource {
	var all []*cfn.Resource
	for _, r := range from.From {
		for _, m := range p.mentions(r) {
			if slices.Contains(to.From, m) && !slices.Contains(all, r) {
				all = append(all, r)
			}
		}
	}
	return all
}

func (p *plan) connectDelivery() {
	github, role := p.Find("github"), p.Find("deploy")
	if github != nil && role != nil {
		p.arrow("start", github, role, "OIDC", role.From, Point{github.right(), github.midY()}, Point{role.X, role.midY()})
	}
}

// connectReplica draws the writer's copy in the other zone.
func (p *plan) connectReplica() {
	var boxes []*Box
	for _, z := range p.zones {
		if b := p.Find("database-" + z.name); b != nil {
			boxes = append(boxes, b)
		}
	}
	for _, b := range boxes {
		if len(boxes) != 2 || !writer(b.From[0]) {
			continue
		}
		other := boxes[1]
		from, to := Point{b.right(), b.midY() + 14}, Point{other.X, other.midY() + 14}
		if other == b {
			other = boxes[0]
			from, to = Point{b.X, b.midY() + 14}, Point{other.right(), other.midY() + 14}
		}
		p.arrow("copy", b, other, "", slices.Concat(b.From, other.From), from, to)
	}
}

// connectCopies draws the way of the backups to the other region.
func (p *plan) connectCopies() {
	backup, vault := p.Find("backup"), p.Find("copy-vault")
	if backup == nil || vault == nil {
		return
	}
	var why []*cfn.Resource
	for _, r := range backup.From {
		if r.Type == "AWS::Backup::BackupPlan" {
			why = append(why, r)
		}
	}
	// It begins at the shelf's frame, so that it does not cross its heading.
	shelf := p.Find("recovery")
	p.arrow("copy", backup, vault, "", why, Point{backup.midX(), shelf.Y}, Point{backup.midX(), vault.bottom()})
}

// connectServing draws what the load balancer uses: its certificate and the
// firewall before it.
func (p *plan) connectServing() {
	for i, id := range []string{"certificate", "waf"} {
		b := p.Find(id)
		if b == nil || p.balancer == nil || i > 0 && p.Find("certificate") != nil {
			continue
		}
		x, y := p.vpcBox.right()+12, p.balancer.midY()
		p.arrow("serves", b, p.balancer, "", p.serving(b), Point{b.X, b.midY()}, Point{x, b.midY()}, Point{x, y}, Point{p.balancer.right(), y})
	}
}

// serving returns the listeners and associations that name the box's
// resources.
func (p *plan) serving(b *Box) []*cfn.Resource {
	var all []*cfn.Resource
	for _, r := range b.From {
		all = append(all, p.users(r, "AWS::ElasticLoadBalancingV2::Listener", "AWS::WAFv2::WebACLAssociation")...)
	}
	return all
}

// connectEndpoints draws that the interface endpoints lead to the region's
// services.
func (p *plan) connectEndpoints() {
	last := p.zones[len(p.zones)-1]
	exits := p.Find("endpoints-" + last.name)
	if exits != nil {
		p.arrow("aws", exits, p.region, "", exits.From, Point{exits.right(), exits.midY()}, Point{panelX, exits.midY()})
	}
}
