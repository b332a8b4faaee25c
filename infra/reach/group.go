package reach

import (
	"fmt"
	"net/netip"
	"slices"

	"padron/infra/cfn"
)

// Group is a security group with every rule that the templates give it, its own
// and those that stand alone.
type Group struct {
	// Name is the construct's path, such as ManagerGroup.
	Name    string
	In, Out []Rule
}

// Rule lets one peer in or out. A security group has no rule that forbids, so
// their order does not matter.
type Rule struct {
	// Protocol is tcp, all, or what the template says.
	Protocol string
	Ports    Ports
	// One of these is the peer: a range, a group, or a managed prefix list.
	CIDR  netip.Prefix
	Group *Group
	List  string
	// What is the description.
	What string
}

// String is the rule without its direction: tcp/443 with 10.0.0.0/24.
func (r Rule) String() string {
	s := r.Ports.String()
	if r.Protocol != tcp && r.Protocol != all {
		s = r.Protocol
	}
	s += " with " + r.peer()
	if r.What != "" {
		s += " (" + r.What + ")"
	}
	return s
}

func (r Rule) peer() string {
	switch {
	case r.Group != nil:
		return r.Group.Name
	case r.List != "":
		return r.List
	}
	return r.CIDR.String()
}

// lets reports whether the rule is about TCP with the peer on the port.
func (r Rule) lets(peer end, port int) bool {
	if r.Protocol != tcp && r.Protocol != all || !r.Ports.Has(port) {
		return false
	}
	switch {
	case r.Group != nil:
		return peer.party != nil && slices.Contains(peer.party.Groups, r.Group)
	case r.List != "":
		return r.List == peer.list
	}
	return r.CIDR.Contains(peer.addr)
}

// letting returns the first rule that lets the peer, nil where none does.
func letting(rules []Rule, peer end, port int) *Rule {
	for i := range rules {
		if rules[i].lets(peer, port) {
			return &rules[i]
		}
	}
	return nil
}

// groups reads every security group of the assembly and its rules.
func (b *builder) groups() {
	for _, r := range b.assembly.Resources("AWS::EC2::SecurityGroup") {
		b.group[r] = &Group{Name: r.Path()}
		b.remember(r, "GroupId")
	}
	for r, g := range b.group {
		g.In = b.rules(r, r.List("SecurityGroupIngress"), "Source")
		g.Out = b.rules(r, r.List("SecurityGroupEgress"), "Destination")
	}
	b.alone("AWS::EC2::SecurityGroupIngress", "Source", func(g *Group) *[]Rule { return &g.In })
	b.alone("AWS::EC2::SecurityGroupEgress", "Destination", func(g *Group) *[]Rule { return &g.Out })
	for _, g := range b.group {
		// A group that nobody gives a way out gets every way out.
		if len(g.Out) == 0 {
			g.Out = []Rule{{Protocol: all, Ports: everyPort, CIDR: netip.MustParsePrefix("0.0.0.0/0"), What: "the default of EC2"}}
		}
	}
}

// alone adds the rules that are resources of their own.
func (b *builder) alone(typ, side string, list func(*Group) *[]Rule) {
	for _, r := range b.assembly.Resources(typ) {
		g := b.group[r.Target("GroupId")]
		if g == nil {
			b.fault("%s: belongs to no group of the templates", r)
			continue
		}
		own, _ := r.Get().(map[string]any)
		*list(g) = append(*list(g), b.rules(r, []any{own}, side)...)
	}
}

// rules reads rules; side is Source or Destination, which begin the names of
// the peer's properties.
func (b *builder) rules(at *cfn.Resource, list []any, side string) []Rule {
	var rules []Rule
	for _, v := range list {
		m, ok := v.(map[string]any)
		if !ok {
			b.fault("%s: a rule is not known before deployment", at)
			continue
		}
		rule := Rule{Protocol: protocolOf(fmt.Sprint(m["IpProtocol"])), Ports: everyPort}
		if rule.Protocol == tcp {
			rule.Ports = portsOf(m["FromPort"], m["ToPort"])
		}
		rule.What, _ = m["Description"].(string)
		if b.peer(&rule, m, side) {
			rules = append(rules, rule)
			continue
		}
		b.fault("%s: the peer of a rule is not known: want CidrIp, CidrIpv6, a group or a prefix list of the table", at)
	}
	return rules
}

// peer reads whom a rule is about.
func (b *builder) peer(rule *Rule, m map[string]any, side string) bool {
	for _, name := range []string{"CidrIp", "CidrIpv6"} {
		if text, ok := m[name].(string); ok {
			prefix, err := netip.ParsePrefix(text)
			rule.CIDR = prefix.Masked()
			return err == nil
		}
	}
	if v, ok := m[side+"SecurityGroupId"]; ok {
		rule.Group = b.group[b.resource(v)]
		return rule.Group != nil
	}
	rule.List, _ = m[side+"PrefixListId"].(string)
	_, known := managedLists[rule.List]
	return known
}
