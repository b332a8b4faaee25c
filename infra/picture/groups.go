package picture

import (
	"net/netip"
	"slices"

	"padron/infra/cfn"
)

// rule is one rule of a security group: where it stands, which port it opens
// and to whom.
type rule struct {
	from *cfn.Resource
	port string
	peer *cfn.Resource
	cidr string
	note string
}

// rules returns the group's rules in the direction Ingress or Egress: those
// that are written in it and those that stand apart.
func (e *estate) rules(group *cfn.Resource, direction string) []rule {
	peer := map[string]string{"Ingress": "SourceSecurityGroupId", "Egress": "DestinationSecurityGroupId"}[direction]
	var all []rule
	for _, x := range group.List("SecurityGroup" + direction) {
		m, _ := x.(map[string]any)
		text := func(name string) string { s, _ := group.Stack.Resolve(m[name]).(string); return s }
		port, _ := m["FromPort"].(float64)
		all = append(all, rule{group, number(port), cfn.Target(m[peer]), text("CidrIp"), text("Description")})
	}
	for _, r := range e.Resources("AWS::EC2::SecurityGroup" + direction) {
		if r.Target("GroupId") == group {
			all = append(all, rule{r, r.Text("FromPort"), r.Target(peer), r.Text("CidrIp"), r.Text("Description")})
		}
	}
	return all
}

// opens returns the two rules by which a member of from may reach a member of
// to, and the port; nil where one side does not allow it.
func (e *estate) opens(from, to []*cfn.Resource) ([]*cfn.Resource, string) {
	for _, f := range from {
		for _, t := range to {
			for _, in := range e.rules(t, "Ingress") {
				if in.peer != f && !e.ours(in.cidr) {
					continue
				}
				for _, out := range e.rules(f, "Egress") {
					if (out.peer == t || e.ours(out.cidr)) && out.port == in.port {
						return []*cfn.Resource{in.from, out.from}, in.port
					}
				}
			}
		}
	}
	return nil, ""
}

// ours reports whether the range covers the VPC.
func (e *estate) ours(cidr string) bool {
	vpc, err := netip.ParsePrefix(e.vpc.Text("CidrBlock"))
	if err != nil {
		return false
	}
	p, err := netip.ParsePrefix(cidr)
	return err == nil && p.Bits() <= vpc.Bits() && p.Contains(vpc.Addr())
}

// leaves returns the rule by which a member of the groups may reach the
// Internet, nil where there is none.
func (e *estate) leaves(groups []*cfn.Resource) *cfn.Resource {
	for _, g := range groups {
		for _, r := range e.rules(g, "Egress") {
			if r.cidr == "0.0.0.0/0" {
				return r.from
			}
		}
	}
	return nil
}

// outsiders returns the rules by which somebody outside the VPC may reach a
// member of the groups, one for each range.
func (e *estate) outsiders(groups []*cfn.Resource) []rule {
	var all []rule
	for _, g := range groups {
		for _, r := range e.rules(g, "Ingress") {
			known := slices.ContainsFunc(all, func(o rule) bool { return o.cidr == r.cidr })
			if r.cidr != "" && !e.ours(r.cidr) && !known {
				all = append(all, r)
			}
		}
	}
	return all
}
