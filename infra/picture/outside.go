package picture

import (
	"slices"
	"strconv"
	"strings"

	"padron/infra/cfn"
)

// layEdge lays what stands at the VPC's own edge.
func (p *plan) layEdge() {
	if p.internet != nil && p.internet.Stack.Resources[p.internet.LogicalID] == p.internet {
		b := p.node("internet-gateway", "network", "globe", p.words.t("Internet gateway"), nil, p.internet)
		p.place(p.region, b, edgeX, publicY+4, edgeW, 84)
	}
	for _, r := range p.Resources("AWS::EC2::VPCEndpoint") {
		if r.Text("VpcEndpointType") == "Gateway" {
			b := p.node("gateway-endpoint", "network", "endpoint", p.words.t("S3 gateway endpoint"), nil, r)
			p.place(p.region, b, edgeX, exitY, edgeW, 84)
		}
	}
}

// layTransit lays, below the VPC, the ways of the consumers in.
func (p *plan) layTransit() {
	y := p.vpcBox.bottom() + 20
	middle := zoneX(1) - gutterW/2
	w := cardW + 24
	gateways := append(p.Resources("AWS::EC2::TransitGateway"), p.Resources("AWS::EC2::TransitGatewayAttachment", "AWS::EC2::TransitGatewayVpcAttachment")...)
	p.place(p.region, p.node("transit", "network", "transit", "Transit Gateway", p.attached(), gateways...), middle-w/2, y, w, cardH)
	p.place(p.region, p.node("vpn", "network", "tunnel", p.words.t("Site-to-site VPN"), nil, p.Resources("AWS::EC2::VPNConnection")...),
		middle-w*1.5-50, y, w, cardH)
	p.place(p.region, p.node("private-link", "network", "endpoint", "PrivateLink", []string{p.words.t("endpoint service")},
		p.Resources("AWS::EC2::VPCEndpointService")...), middle+w/2+50, y, w, cardH)
}

// attached says whether the VPC hangs on the gateway with every zone.
func (p *plan) attached() []string {
	attachments := p.Resources("AWS::EC2::TransitGatewayAttachment", "AWS::EC2::TransitGatewayVpcAttachment")
	return p.when(!slices.ContainsFunc(p.zones, func(z *zone) bool { return !p.in(z.private, attachments...) }), "attached to both zones")
}

// layOutside lays what is not in the account and that the templates speak of:
// the provider and GitHub to the left, consumers below.
func (p *plan) layOutside() {
	if b := p.Find("deploy"); b != nil {
		p.place(nil, p.node("github", "outside", "code", "GitHub Actions", []string{p.words.t("delivers by OIDC")}, b.From...), margin, b.Y, outsideW, cardH)
	}
	if gate := p.Find("internet-gateway"); gate != nil {
		if from := p.leaving(); from != nil {
			p.place(nil, p.node("provider", "outside", "cloud", p.words.t("Provider"),
				[]string{p.words.t("HTTPS, on the"), p.words.t("Internet")}, from...), margin, gate.midY()-cardH/2, outsideW, cardH)
		}
	}
	p.layConsumers()
}

// leaving returns the synchronizer's definitions whose groups may reach the
// Internet.
func (p *plan) leaving() []*cfn.Resource {
	for _, t := range p.tasks() {
		if t.name == "synchronizer" && p.leaves(p.groups(t.runners...)) != nil {
			return t.from()
		}
	}
	return nil
}

// consumer is somebody outside who may call the API, and by which box.
type consumer struct {
	rule
	via string
}

// consumers returns who may call, those by VPN first.
func (p *plan) consumers() []consumer {
	if p.balancer == nil {
		return nil
	}
	var all []consumer
	for _, r := range p.outsiders(p.groups(p.balancer.From...)) {
		via := "transit"
		if p.byVPN(r.name()) {
			via = "vpn"
		}
		all = append(all, consumer{r, via})
	}
	slices.SortStableFunc(all, func(a, b consumer) int { return strings.Compare(b.via, a.via) })
	return all
}

// name is the consumer's, which the rule's description ends with.
func (r rule) name() string { return strings.TrimPrefix(r.note, "consumer ") }

// byVPN reports whether a site-to-site VPN bears the consumer's name. Which
// ranges lie behind it is no matter of the template: BGP tells.
func (p *plan) byVPN(name string) bool {
	for _, r := range p.Resources("AWS::EC2::VPNConnection") {
		for i := range r.List("Tags") {
			if strings.HasSuffix(r.Text("Tags", strconv.Itoa(i), "Value"), name) {
				return true
			}
		}
	}
	return false
}

func (p *plan) layConsumers() {
	y := p.account.bottom() + 28
	all := p.consumers()
	services := p.Resources("AWS::EC2::VPCEndpointServicePermissions")
	middle := zoneX(1) - gutterW/2
	w := cardW + 24
	x := middle - (w+12)*float64(len(all))/2 + 6
	if len(services) > 0 {
		x -= (w + 12) / 2
	}
	for _, c := range all {
		icon, what := "server", p.words.t("consumer's network")
		if c.via == "vpn" {
			icon, what = "building", p.words.t("consumer by VPN")
		}
		b := p.node("consumer-"+c.name(), "outside", icon, c.name(), []string{what, c.cidr}, c.from)
		p.place(nil, b, x, y, w, cardH)
		x += w + 12
	}
	if b := p.Find("private-link"); b != nil && len(services) > 0 {
		p.place(nil, p.node("consumer-accounts", "outside", "person", p.words.t("Consumer accounts"),
			[]string{p.words.t("by PrivateLink")}, services...), max(x, b.X), y, w, cardH)
	}
}
