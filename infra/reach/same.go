package reach

import (
	"fmt"
	"strings"
)

// Same reports whether nothing that an answer rests on differs between the
// networks: their matrices are then equal, without asking.
func (n *Network) Same(other *Network) bool { return n.dump() == other.dump() }

func (n *Network) dump() string {
	var b strings.Builder
	fmt.Fprintln(&b, n.VPC)
	for _, s := range n.Subnets {
		fmt.Fprintln(&b, s.Name, s.Zone, s.CIDR, s.GivesAddresses, s.Routes)
		if s.ACL != nil {
			fmt.Fprintln(&b, s.ACL.Name, fields(s.ACL.In), fields(s.ACL.Out))
		}
	}
	for _, g := range n.NATs {
		fmt.Fprintln(&b, g.Name, g.Subnet.Name, g.Public)
	}
	for _, s := range n.Attachments {
		fmt.Fprintln(&b, s.Name)
	}
	for _, p := range n.Parties {
		fmt.Fprintln(&b, p.Name, p.Things, p.Unguarded, p.Public, p.Source, p.Ranges, p.Without, p.List, p.Comes, p.client)
		for _, s := range p.Subnets {
			fmt.Fprintln(&b, s.Name)
		}
		for _, g := range p.Groups {
			fmt.Fprintln(&b, g.Name, g.In, g.Out)
		}
		if p.link != nil {
			fmt.Fprintln(&b, p.link.to.Name, p.link.ports, p.link.guarded)
		}
	}
	return b.String()
}

// fields are entries with all that they say: their String is the number alone.
func fields(lines []Entry) []string {
	list := make([]string, len(lines))
	for i, e := range lines {
		list[i] = fmt.Sprint(e.Number, e.Allow, e.Protocol, e.Ports, e.CIDR)
	}
	return list
}
