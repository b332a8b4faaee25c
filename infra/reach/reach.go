package reach

import (
	"fmt"
	"net/netip"
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
		t := &trail{}
		if stop := n.follow(c, t); stop != "" {
			a.Always = a.Always && !usual(c)
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

// state is Reach without the words, which is what most questions want.
func (n *Network) state(from, to *Party, port int) State {
	if !n.admitted(from, to, port) {
		return No
	}
	reachable, always := false, true
	for c := range n.attempts(from, to, port) {
		if n.follow(c, nil) == "" {
			reachable = true
		} else if usual(c) {
			always = false
		}
		if reachable && !always {
			return Part
		}
	}
	if reachable {
		return Yes
	}
	return Admitted
}

// usual reports whether the attempt begins at ports that such clients use.
func usual(c connection) bool {
	return c.from.party.client.Has(c.clientPort) && anyClient.Has(c.natPort)
}

// attempts are the connections that stand for all: no rule tells any other from
// one of them.
func (n *Network) attempts(from, to *Party, port int) func(func(connection) bool) {
	return func(yield func(connection) bool) {
		nats, entries := []int{lastPort}, []*Subnet{nil}
		if to.Outside() && len(n.NATs) > 0 {
			nats = n.clients
		}
		if (to.Comes == WayTransit || from.Comes == WayTransit) && len(n.Attachments) > 0 {
			entries = n.Attachments
		}
		for _, f := range n.ends(from) {
			for _, t := range n.ends(to) {
				for _, client := range n.clients {
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
			_, _, out := leaves(f, t, port)
			if _, _, in := enters(f, t, port); out && in {
				return true
			}
		}
	}
	return false
}

// leaves returns the group and the rule that let the connection out of its
// side; ok is false where none does. Outside, none is asked.
func leaves(f, t end, port int) (*Group, *Rule, bool) {
	if f.subnet == nil || f.party.Unguarded {
		return nil, nil, true
	}
	for _, g := range f.party.Groups {
		if r := letting(g.Out, t, port); r != nil {
			return g, r, true
		}
	}
	return nil, nil, false
}

// enters is leaves for the goal.
func enters(f, t end, port int) (*Group, *Rule, bool) {
	if f.party.link != nil {
		if ok, asked := f.party.link.lets(t.party, port); !ok || !asked {
			return nil, nil, ok
		}
	}
	if t.subnet == nil || t.party.Unguarded {
		return nil, nil, true
	}
	for _, g := range t.party.Groups {
		if r := letting(g.In, f, port); r != nil {
			return g, r, true
		}
	}
	return nil, nil, false
}

// trail is what a connection has passed, in words. On a nil trail nothing is
// written down: most questions want no words.
type trail struct{ steps []string }

func (t *trail) pass(format string, args ...any) {
	if t != nil {
		t.steps = append(t.steps, fmt.Sprintf(format, args...))
	}
}

// stop says what stopped it.
func (t *trail) stop(format string, args ...any) string {
	if t == nil {
		return "stopped"
	}
	return fmt.Sprintf(format, args...)
}

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
	g, rule, ok := leaves(c.from, c.to, c.port)
	if !ok {
		return t.stop("%s lets nothing out to %s on tcp/%d", c.from.party.Name, c.to.party.Name, c.port)
	}
	if rule != nil {
		t.pass("%s lets out %s", g.Name, rule)
	}
	crossings, stop := n.way(c, t)
	if stop != "" {
		return stop
	}
	if stop := cross(crossings, false, t); stop != "" {
		return stop
	}
	if g, rule, ok = enters(c.from, c.to, c.port); !ok {
		return t.stop("%s lets in nothing from %s on tcp/%d", c.to.party.Name, c.from.party.Name, c.port)
	}
	if rule != nil {
		t.pass("%s lets in %s", g.Name, rule)
	}
	return cross(crossings, true, t)
}

// cross asks the access lists about the packets, or about their answers.
func cross(list []crossing, answers bool, t *trail) string {
	for _, x := range list {
		acl := x.subnet.ACL
		if acl == nil || x.answer != answers {
			continue
		}
		lines, direction, what := acl.In, "into", "it"
		if x.out {
			lines, direction = acl.Out, "out of"
		}
		if answers {
			what = "the answer"
		}
		ok, line := decide(lines, x.with, x.port)
		if !ok {
			return t.stop("%s does not let %s %s %s (port %d with %s)", acl.Name, what, direction, x.subnet.Name, x.port, x.with)
		}
		if t != nil {
			t.pass("%s lets %s %s %s by %s", acl.Name, what, direction, x.subnet.Name, line)
		}
	}
	return ""
}
