package picture

import (
	"fmt"
	"slices"
	"strings"

	"padron/infra/cfn"
)

// Rows and columns inside a zone. The second zone mirrors the first, so that
// what both share, the load balancer and the database, meets in the middle.
const (
	zoneY    = vpcY + heading
	publicY  = zoneY + heading
	publicH  = heading + cardH + 22
	privateY = publicY + publicH + 10
	balanceY = privateY + heading
	taskY    = balanceY + cardH + 34
	dataY    = taskY + cardH + 36
	exitY    = dataY + cardH + 32
	privateH = exitY + exitH + pad - privateY

	subnetW = zoneW - 2*gap
	outerW  = 166.0
	innerW  = 188.0
	// laneW is the way between the columns, and at the outer edge.
	laneW = 28.0
	// exitH holds the names of the endpoints.
	exitH = 88.0
)

// column returns where the zone's outer and inner column begin.
func column(i int) (outer, inner float64) {
	x := zoneX(i) + gap
	if i == 0 {
		return x + laneW, x + subnetW - pad - innerW
	}
	return x + subnetW - laneW - outerW, x + pad
}

func zoneX(i int) float64 { return vpcX + pad + float64(i)*(zoneW+gutterW) }

func (p *plan) layNetwork() {
	p.vpcBox = p.group(p.region, "vpc", "vpc", "VPC "+p.vpc.Text("CidrBlock"), vpcX, vpcY, 0, 0, p.vpc)
	for i, z := range p.zones {
		p.layZone(i, z)
	}
	enclose(p.vpcBox)
	p.layBalancer()
}

func (p *plan) layZone(i int, z *zone) {
	box := p.group(p.vpcBox, "zone-"+z.name, "zone", p.words.f("Availability zone %s", z.name),
		zoneX(i), zoneY, zoneW, 0, z.from()...)
	if z.public != nil {
		b := p.group(box, "public-"+z.name, "public", p.words.f("Public subnet %s", z.public.Text("CidrBlock")),
			zoneX(i)+gap, publicY, subnetW, publicH, z.public.from()...)
		p.layPublic(i, z, b)
	}
	if z.private != nil {
		b := p.group(box, "private-"+z.name, "private", p.words.f("Private subnet %s", z.private.Text("CidrBlock")),
			zoneX(i)+gap, privateY, subnetW, privateH, z.private.from()...)
		p.layTasks(i, z, b)
		p.layData(i, z, b)
		p.layExits(i, z, b)
	}
	enclose(box)
}

func (z *zone) from() []*cfn.Resource { return append(z.public.from(), z.private.from()...) }

func (s *subnet) from() []*cfn.Resource {
	if s == nil {
		return nil
	}
	return []*cfn.Resource{s.Resource}
}

// layPublic places the NAT gateway and its address.
func (p *plan) layPublic(i int, z *zone, parent *Box) {
	outer, inner := column(i)
	for _, nat := range p.Resources("AWS::EC2::NatGateway") {
		if nat.Target("SubnetId") != z.public.Resource {
			continue
		}
		p.place(parent, p.node("nat-"+z.name, "network", "nat", p.words.t("NAT gateway"), nil, nat), outer, publicY+heading, outerW, cardH)
		ip := nat.Target("AllocationId")
		if ip != nil && ip.Stack.Resources[ip.LogicalID] == ip {
			p.place(parent, p.node("eip-"+z.name, "network", "address", p.words.t("Elastic IP"),
				[]string{p.words.t("fixed public address")}, ip), inner, publicY+heading, innerW, cardH)
		}
	}
}

// layTasks places the tasks that run in the zone: those of a service in the
// middle, those that something starts at the outer edge.
func (p *plan) layTasks(i int, z *zone, parent *Box) {
	outer, inner := column(i)
	for _, t := range p.tasks() {
		if !p.in(z.private, t.runners...) {
			continue
		}
		scale := p.scale(t)
		lines := p.when(fargate(t.definition), "ECS task on Fargate")
		for _, r := range scale {
			lines = append(lines, p.words.f("%s–%s tasks", r.Text("MinCapacity"), r.Text("MaxCapacity")))
		}
		b := p.node(t.name+"-"+z.name, "compute", "container", t.name, lines, append(t.from(), scale...)...)
		if slices.ContainsFunc(t.runners, func(r *cfn.Resource) bool { return r.Type == "AWS::ECS::Service" }) {
			p.place(parent, b, inner, taskY, innerW, cardH)
		} else {
			p.place(parent, b, outer, taskY, outerW, cardH)
		}
	}
}

// scale returns what makes the task's service larger and smaller.
func (p *plan) scale(t task) []*cfn.Resource {
	var all []*cfn.Resource
	for _, r := range t.runners {
		all = append(all, p.users(r, "AWS::ApplicationAutoScaling::ScalableTarget")...)
	}
	return all
}

// layData places the database's instances and the bastion.
func (p *plan) layData(i int, z *zone, parent *Box) {
	outer, inner := column(i)
	for n, db := range p.Resources("AWS::RDS::DBInstance") {
		if at := db.Text("AvailabilityZone"); at != z.name && (at != "" || n != i) {
			continue
		}
		label := p.words.t("Aurora reader")
		if writer(db) {
			label = p.words.t("Aurora writer")
		}
		cluster := db.Target("DBClusterIdentifier")
		p.place(parent, p.node("database-"+z.name, "database", "database", label, p.capacity(cluster), db, cluster),
			inner, dataY, innerW, cardH)
	}
	for _, b := range p.Resources("AWS::EC2::Instance") {
		if p.in(z.private, b) {
			p.place(parent, p.node("bastion-"+z.name, "compute", "terminal", p.words.t("Bastion"), p.closed(b), b), outer, dataY, outerW, cardH)
		}
	}
}

// writer reports whether the instance is made to be the cluster's writer.
func writer(db *cfn.Resource) bool { return strings.Contains(strings.ToLower(db.Path()), "writer") }

// capacity says what the cluster is.
func (p *plan) capacity(cluster *cfn.Resource) []string {
	if cluster == nil {
		return nil
	}
	scale := cluster.Text("ServerlessV2ScalingConfiguration", "MaxCapacity")
	if scale == "" {
		return []string{"MySQL"}
	}
	return []string{fmt.Sprintf("MySQL, %s–%s ACU", cluster.Text("ServerlessV2ScalingConfiguration", "MinCapacity"), scale)}
}

// closed says that nothing may connect to the instance, where that is so.
func (p *plan) closed(r *cfn.Resource) []string {
	for _, g := range p.groups(r) {
		if len(p.rules(g, "Ingress")) > 0 {
			return nil
		}
	}
	return []string{p.words.t("no way in: Session"), p.words.t("Manager alone")}
}

// layExits places what stands at the bottom of the zone: the interface
// endpoints, and the load balancer that PrivateLink leads to.
func (p *plan) layExits(i int, z *zone, parent *Box) {
	outer, inner := column(i)
	var interfaces []*cfn.Resource
	for _, r := range p.Resources("AWS::EC2::VPCEndpoint") {
		if r.Text("VpcEndpointType") == "Interface" && p.in(z.private, r) {
			interfaces = append(interfaces, r)
		}
	}
	p.place(parent, p.node("endpoints-"+z.name, "network", "endpoint", p.words.t("Interface endpoints"),
		[]string{strings.Join(services(interfaces), ", ")}, interfaces...), outer-laneW+gap, exitY, outerW+2*(laneW-gap), exitH)
	for _, r := range p.balancers("network") {
		if p.in(z.private, r) {
			p.place(parent, p.node("nlb-"+z.name, "network", "balancer", p.words.t("Network load balancer"),
				[]string{"PrivateLink"}, r), inner+10, exitY+(exitH-cardH)/2, innerW-10, cardH)
		}
	}
}

// services are the names of what the endpoints lead to, without their first
// parts, which are the same for all.
func services(endpoints []*cfn.Resource) []string {
	var names []string
	for _, r := range endpoints {
		name := r.Text("ServiceName")
		parts := strings.Split(name, ".")
		names = append(names, strings.Join(parts[min(3, len(parts)-1):], "."))
	}
	slices.Sort(names)
	return names
}

func (p *plan) balancers(typ string) []*cfn.Resource {
	return slices.DeleteFunc(p.Resources("AWS::ElasticLoadBalancingV2::LoadBalancer"), func(r *cfn.Resource) bool {
		kind := r.Text("Type")
		return kind != typ && (kind != "" || typ != "application")
	})
}

// layBalancer lays the load balancer over the private subnets that it stands in.
func (p *plan) layBalancer() {
	for _, r := range p.balancers("application") {
		left, right := 0.0, 0.0
		for i, z := range p.zones {
			if _, inner := column(i); p.in(z.private, r) {
				if left == 0 {
					left = inner
				}
				right = inner + innerW
			}
		}
		label := p.words.t("Application Load Balancer")
		if r.Text("Scheme") == "internal" {
			label = p.words.t("Internal Application Load Balancer")
		}
		p.balancer = p.place(p.vpcBox, p.node("balancer", "network", "balancer", label, p.listens(r), r), left, balanceY, right-left, cardH)
		if p.balancer != nil {
			p.balancer.Spans = true
		}
	}
}

// listens says on which ports, and with which TLS policy, the balancer listens.
func (p *plan) listens(balancer *cfn.Resource) []string {
	var lines []string
	for _, l := range p.Resources("AWS::ElasticLoadBalancingV2::Listener") {
		if l.Target("LoadBalancerArn") != balancer {
			continue
		}
		line := l.Text("Protocol") + " " + l.Text("Port")
		if strings.Contains(l.Text("SslPolicy"), "TLS13-1-3") {
			line += ", TLS 1.3"
		}
		lines = append(lines, line)
	}
	return lines
}
