package reach

import (
	"net/netip"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// drawWorld makes a VPC of two subnets with lists and two parties with groups.
func drawWorld(t *rapid.T) (n *Network, from, to *Party) {
	n = &Network{VPC: prefixes("10.0.0.0/28")}
	for i, p := range prefixes("10.0.0.0/29", "10.0.0.8/29") {
		s := &Subnet{Name: string(rune('a' + i)), CIDR: p}
		if rapid.Bool().Draw(t, "list") {
			s.ACL = &ACL{Name: "list of " + s.Name}
			s.ACL.In, s.ACL.Out = drawLines(t), drawLines(t)
		}
		n.Subnets = append(n.Subnets, s)
	}
	party := func(name string) *Party {
		p := &Party{Name: name, client: Ports{5, 8}, Groups: []*Group{{Name: name}}}
		p.Subnets = rapid.SampledFrom([][]*Subnet{n.Subnets, n.Subnets[:1], n.Subnets[1:]}).Draw(t, name+" stands")
		return p
	}
	from, to = party("from"), party("to")
	from.Groups[0].Out = drawRules(t, to.Groups[0])
	to.Groups[0].In = drawRules(t, from.Groups[0])
	n.Parties = []*Party{from, to}
	b := &builder{network: n, group: nil}
	n.addrs = worldCuts(b, from, to)
	n.clients = portCuts(b.listPorts())
	n.clients = slices.DeleteFunc(append(n.clients, 5, 9), func(p int) bool { return p > 9 })
	return n, from, to
}

func worldCuts(b *builder, parties ...*Party) []netip.Addr {
	list := slices.Clone(b.network.VPC)
	for _, s := range b.network.Subnets {
		list = append(list, s.CIDR)
		if s.ACL != nil {
			for _, e := range slices.Concat(s.ACL.In, s.ACL.Out) {
				list = append(list, e.CIDR)
			}
		}
	}
	for _, p := range parties {
		for _, r := range slices.Concat(p.Groups[0].In, p.Groups[0].Out) {
			list = append(list, r.CIDR)
		}
	}
	return cuts(list)
}

// near is a range of the small VPC, from one address to all of it.
func near(t *rapid.T) netip.Prefix {
	a := netip.AddrFrom4([4]byte{10, 0, 0, byte(rapid.IntRange(0, 15).Draw(t, "at"))})
	return netip.PrefixFrom(a, rapid.SampledFrom([]int{27, 28, 28, 29, 30, 32}).Draw(t, "bits")).Masked()
}

// drawLines are a few lines, most often with one at the end that lets the rest
// pass: else hardly anything would.
func drawLines(t *rapid.T) []Entry {
	var lines []Entry
	for k := range rapid.IntRange(0, 3).Draw(t, "lines") {
		lines = append(lines, drawNear(t, k))
	}
	if rapid.IntRange(0, 9).Draw(t, "rest") > 0 {
		lines = append(lines, Entry{Number: 99, Allow: true, Protocol: all, Ports: everyPort, CIDR: netip.MustParsePrefix("0.0.0.0/0")})
	}
	return lines
}

func drawNear(t *rapid.T, n int) Entry {
	return Entry{
		Number: n, Allow: rapid.IntRange(0, 3).Draw(t, "allow") > 0, Protocol: drawProtocol(t, "protocol"),
		Ports: drawPorts(t, "ports"), CIDR: near(t),
	}
}

func drawRules(t *rapid.T, other *Group) []Rule {
	var rules []Rule
	if rapid.IntRange(0, 3).Draw(t, "open") > 0 {
		rules = append(rules, Rule{Protocol: tcp, Ports: Ports{1, rapid.IntRange(4, 8).Draw(t, "up to")}, CIDR: near(t)})
	}
	for range rapid.IntRange(0, 2).Draw(t, "rules") {
		r := Rule{Protocol: drawProtocol(t, "protocol"), Ports: drawPorts(t, "ports"), CIDR: near(t)}
		if rapid.Bool().Draw(t, "by group") {
			r.CIDR, r.Group = netip.Prefix{}, other
		}
		rules = append(rules, r)
	}
	return rules
}

// bruteForce tries every address of both sides and every client port, packet
// by packet, from the definitions alone.
func bruteForce(from, to *Party, port int) (reachable, always bool) {
	always = true
	for _, fs := range from.Subnets {
		for _, ts := range to.Subnets {
			for f := fs.CIDR.Addr(); fs.CIDR.Contains(f); f = f.Next() {
				for a := ts.CIDR.Addr(); ts.CIDR.Contains(a); a = a.Next() {
					for client := 1; client <= 9; client++ {
						ok := passes(from.Groups[0].Out, a, to.Groups[0], port) && passes(to.Groups[0].In, f, from.Groups[0], port)
						if fs != ts {
							ok = ok && listed(fs, true, a, port) && listed(ts, false, f, port) &&
								listed(ts, true, f, client) && listed(fs, false, a, client)
						}
						reachable = reachable || ok
						always = always && (ok || client < 5 || client > 8)
					}
				}
			}
		}
	}
	return reachable, always && reachable
}

func passes(rules []Rule, a netip.Addr, g *Group, port int) bool {
	for _, r := range rules {
		who := r.Group == g || r.Group == nil && inRange(r.CIDR, a)
		if who && (r.Protocol == tcp || r.Protocol == all) && r.Ports.From <= port && port <= r.Ports.To {
			return true
		}
	}
	return false
}

func listed(s *Subnet, out bool, a netip.Addr, port int) bool {
	if s.ACL == nil {
		return true
	}
	lines := s.ACL.In
	if out {
		lines = s.ACL.Out
	}
	for _, e := range lines {
		if (e.Protocol == tcp || e.Protocol == all) && e.Ports.From <= port && port <= e.Ports.To && inRange(e.CIDR, a) {
			return e.Allow
		}
	}
	return false
}

// TestReachIsBruteForce compares every answer about a small VPC with trying
// everything.
func TestReachIsBruteForce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n, from, to := drawWorld(t)
		port := rapid.IntRange(1, 8).Draw(t, "port")
		a := n.Reach(from, to, port)
		reachable, always := bruteForce(from, to, port)
		if a.Reachable != reachable || a.Always != always {
			t.Fatalf("Reach: reachable %v, always %v; by trying everything: %v, %v\n%s", a.Reachable, a.Always, reachable, always, a.Stop)
		}
		if a.Reachable == (a.Stop != "") {
			t.Fatalf("reachable %v with the stop %q", a.Reachable, a.Stop)
		}
		want := map[State]bool{Yes: always, Part: reachable && !always, Admitted: !reachable && a.Admitted, No: !a.Admitted}
		if s := n.state(from, to, port); !want[s] {
			t.Fatalf("state is %s; reachable %v, always %v, admitted %v", s, reachable, always, a.Admitted)
		}
	})
}
