package reach

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// Answer is whether one party reaches another on a port, and why.
type Answer struct {
	// Reachable is that some connection gets through, from any address, zone and
	// client port that the party could have: what safety is proven by.
	Reachable bool
	// Always is that every one gets through that begins at the ports such a
	// client uses: what working is proven by.
	Always bool
	// Admitted is that the security groups would let it, whatever routes and
	// access lists say.
	Admitted bool
	// Path is how a connection gets through, in words: one that crosses the most.
	Path []string
	// Stop is the first thing that stops the one that gets furthest, "" where
	// one gets through.
	Stop string
}

// end is one side of a connection: a party at one of its addresses.
type end struct {
	party  *Party
	subnet *Subnet // nil outside
	addr   netip.Addr
	list   string
}

// connection is one attempt, all of it known.
type connection struct {
	from, to         end
	port, clientPort int
	// natPort is the port that a NAT gateway would leave from; entry is the
	// subnet by which a transit gateway comes in.
	natPort int
	entry   *Subnet
}

// Reach answers whether from reaches to on the TCP port.
func (n *Network) Reach(from, to *Party, port int) Answer {
	a := Answer{Admitted: n.admitted(from, to, port), Always: true}
	furthest := -1
	for c := range n.attempts(from, to, port) {
		var t trail
		if stop := n.follow(c, &t); stop != "" {
			if a.usual(c) {
				a.Always = false
			}
			if len(t.steps) > furthest {
				furthest, a.Stop = len(t.steps), stop
			}
			continue
		}
		a.Reachable = true
		if len(t.steps) > len(a.Path) {
			a.Path = t.steps
		}
	}
	if a.Reachable {
		a.Stop = ""
	}
	a.Always = a.Always && a.Reachable
	return a
}

// usual reports whether the attempt begins at ports that such clients use.
func (Answer) usual(c connection) bool {
	return c.from.party.client.Has(c.clientPort) && anyClient.Has(c.natPort)
}

// attempts are the connections that stand for all: no rule tells any other from
// one of them.
func (n *Network) attempts(from, to *Party, port int) func(func(connection) bool) {
	return func(yield func(connection) bool) {
		nats, entries := []int{lastPort}, []*Subnet{nil}
		if to.Outside() && len(n.NATs) > 0 {
			nats = n.ports
		}
		if (to.Comes == WayTransit || from.Comes == WayTransit) && len(n.Attachments) > 0 {
			entries = n.Attachments
		}
		for _, f := range n.ends(from) {
			for _, t := range n.ends(to) {
				for _, client := range n.ports {
					for _, nat := range nats {
						for _, e := range entries {
							if !yield(connection{from: f, to: t, port: port, clientPort: client, natPort: nat, entry: e}) {
								return
							}
						}
					}
				}
			}
		}
	}
}

// ends are the addresses that stand for all of a party's.
func (n *Network) ends(p *Party) []end {
	var list []end
	if p.Outside() {
		for _, a := range n.addrs {
			if p.holds(a) {
				list = append(list, end{party: p, addr: a, list: p.List})
			}
		}
		return list
	}
	for _, s := range p.Subnets {
		for _, a := range n.addrs {
			if s.CIDR.Contains(a) {
				list = append(list, end{party: p, subnet: s, addr: a})
			}
		}
	}
	return list
}

// admitted reports whether the groups of both sides let some of it.
func (n *Network) admitted(from, to *Party, port int) bool {
	for _, f := range n.ends(from) {
		for _, t := range n.ends(to) {
			if leaves(f, t, port) != "" && enters(f, t, port) != "" {
				return true
			}
		}
	}
	return false
}

// leaves returns what lets the connection out of its side, "" where nothing
// does.
func leaves(f, t end, port int) string {
	if f.subnet == nil || f.party.Unguarded {
		return f.party.Name + " may leave"
	}
	for _, g := range f.party.Groups {
		if r := letting(g.Out, t, port); r != nil {
			return fmt.Sprintf("%s lets out %s", g.Name, r)
		}
	}
	return ""
}

// enters returns what lets the connection into its goal, "" where nothing does.
func enters(f, t end, port int) string {
	if t.subnet == nil || t.party.Unguarded {
		return t.party.Name + " has no group of ours"
	}
	for _, g := range t.party.Groups {
		if r := letting(g.In, f, port); r != nil {
			return fmt.Sprintf("%s lets in %s", g.Name, r)
		}
	}
	return ""
}

// trail is what a connection has passed.
type trail struct{ steps []string }

func (t *trail) pass(s string) { t.steps = append(t.steps, s) }

// crossing is one packet at one access list.
type crossing struct {
	subnet *Subnet
	out    bool
	with   netip.Addr
	port   int
	answer bool
}

// follow takes the connection there and back, and returns the first thing that
// stops it, "" where nothing does.
func (n *Network) follow(c connection, t *trail) string {
	out := leaves(c.from, c.to, c.port)
	if out == "" {
		return fmt.Sprintf("%s lets nothing out to %s on tcp/%d", groupNames(c.from.party), c.to.party.Name, c.port)
	}
	t.pass(out)
	way, crossings, stop := n.way(c)
	if stop != "" {
		return stop
	}
	t.pass(way)
	there := slices.DeleteFunc(slices.Clone(crossings), func(x crossing) bool { return x.answer })
	back := slices.DeleteFunc(crossings, func(x crossing) bool { return !x.answer })
	if stop := cross(there, t); stop != "" {
		return stop
	}
	in := enters(c.from, c.to, c.port)
	if in == "" {
		return fmt.Sprintf("%s lets in nothing from %s on tcp/%d", groupNames(c.to.party), c.from.party.Name, c.port)
	}
	if c.to.subnet != nil {
		t.pass(in)
	}
	return cross(back, t)
}

func cross(list []crossing, t *trail) string {
	for _, x := range list {
		if x.subnet.ACL == nil {
			continue
		}
		lines, direction, what := x.subnet.ACL.In, "into", "it"
		if x.out {
			lines, direction = x.subnet.ACL.Out, "out of"
		}
		if x.answer {
			what = "the answer"
		}
		ok, line := decide(lines, x.with, x.port)
		if !ok {
			return fmt.Sprintf("%s does not let %s %s %s (port %d with %s)", x.subnet.ACL.Name, what, direction, x.subnet.Name, x.port, x.with)
		}
		t.pass(fmt.Sprintf("%s lets %s %s %s by %s", x.subnet.ACL.Name, what, direction, x.subnet.Name, line))
	}
	return ""
}

func groupNames(p *Party) string {
	if len(p.Groups) == 0 {
		return p.Name
	}
	var list []string
	for _, g := range p.Groups {
		list = append(list, g.Name)
	}
	return strings.Join(list, " and ")
}
