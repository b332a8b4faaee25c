package reach

import (
	"encoding/binary"
	"net/netip"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// The generators draw from a small world, so that rules meet: addresses of
// 10.0.0.0/24 and a few outside, ports up to 8.

func drawAddr(t *rapid.T, label string) netip.Addr {
	n := rapid.Uint32Range(0, 255).Draw(t, label)
	if rapid.IntRange(0, 3).Draw(t, label+" outside") == 0 {
		return netip.AddrFrom4([4]byte{192, 0, 2, byte(n)})
	}
	return netip.AddrFrom4([4]byte{10, 0, 0, byte(n)})
}

func drawPrefix(t *rapid.T, label string) netip.Prefix {
	bits := rapid.SampledFrom([]int{0, 1, 8, 23, 24, 25, 26, 28, 31, 32}).Draw(t, label+" bits")
	return netip.PrefixFrom(drawAddr(t, label), bits).Masked()
}

func drawPorts(t *rapid.T, label string) Ports {
	from := rapid.IntRange(1, 8).Draw(t, label+" from")
	return Ports{from, rapid.IntRange(from, 8).Draw(t, label+" to")}
}

func drawProtocol(t *rapid.T, label string) string {
	return rapid.SampledFrom([]string{tcp, tcp, all, "17", "icmp"}).Draw(t, label)
}

func drawEntry(t *rapid.T, n int) Entry {
	return Entry{
		Number: n, Allow: rapid.Bool().Draw(t, "allow"), Protocol: drawProtocol(t, "protocol"),
		Ports: drawPorts(t, "ports"), CIDR: drawPrefix(t, "cidr"),
	}
}

// inRange is what a range means, by arithmetic instead of by netip.
func inRange(p netip.Prefix, a netip.Addr) bool {
	x, y := p.Addr().As4(), a.As4()
	size := uint64(1) << (32 - p.Bits())
	first, at := uint64(binary.BigEndian.Uint32(x[:])), uint64(binary.BigEndian.Uint32(y[:]))
	return first <= at && at < first+size
}

// TestDecide compares a list with the definition: of the lines that match, the
// one with the lowest number decides, in whatever order they were written.
func TestDecide(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		numbers := rapid.SliceOfNDistinct(rapid.IntRange(1, 50), 0, 12, rapid.ID[int]).Draw(t, "numbers")
		var lines []Entry
		for _, n := range numbers {
			lines = append(lines, drawEntry(t, n))
		}
		addr, port := drawAddr(t, "addr"), rapid.IntRange(1, 9).Draw(t, "port")
		want, best := false, 1<<30
		for _, e := range lines {
			is := (e.Protocol == tcp || e.Protocol == all) && e.Ports.From <= port && port <= e.Ports.To && inRange(e.CIDR, addr)
			if is && e.Number < best {
				want, best = e.Allow, e.Number
			}
		}
		sorted := slices.Clone(lines)
		slices.SortFunc(sorted, byNumber)
		if got, _ := decide(sorted, addr, port); got != want {
			t.Fatalf("decide(%v, %s, %d) = %v, want %v", sorted, addr, port, got, want)
		}
	})
}

// TestLetting compares a group's rules with the definition: any that matches.
func TestLetting(t *testing.T) {
	groups := []*Group{{Name: "a"}, {Name: "b"}, {Name: "c"}}
	rapid.Check(t, func(t *rapid.T) {
		var rules []Rule
		for range rapid.IntRange(0, 6).Draw(t, "rules") {
			r := Rule{Protocol: drawProtocol(t, "protocol"), Ports: drawPorts(t, "ports")}
			switch rapid.IntRange(0, 2).Draw(t, "peer") {
			case 0:
				r.CIDR = drawPrefix(t, "cidr")
			case 1:
				r.Group = rapid.SampledFrom(groups).Draw(t, "group")
			default:
				r.List = rapid.SampledFrom([]string{"pl-1", "pl-2"}).Draw(t, "list")
			}
			rules = append(rules, r)
		}
		holds := rapid.SliceOfDistinct(rapid.SampledFrom(groups), func(g *Group) string { return g.Name }).Draw(t, "holds")
		peer := end{party: &Party{Groups: holds}, addr: drawAddr(t, "addr"), list: rapid.SampledFrom([]string{"", "pl-1"}).Draw(t, "list")}
		port := rapid.IntRange(1, 9).Draw(t, "port")
		want := false
		for _, r := range rules {
			who := r.CIDR.IsValid() && inRange(r.CIDR, peer.addr)
			for _, g := range holds {
				who = who || r.Group == g
			}
			who = who || r.List != "" && r.List == peer.list
			want = want || who && (r.Protocol == tcp || r.Protocol == all) && r.Ports.From <= port && port <= r.Ports.To
		}
		if got := letting(rules, peer, port) != nil; got != want {
			t.Fatalf("letting(%v) = %v, want %v", rules, got, want)
		}
	})
}

// TestRoute compares the choice of a route with the definition: of those that
// hold the address, the one with the longest prefix; a prefix list before all.
func TestRoute(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := &Network{VPC: prefixes("10.0.0.0/24")}
		s := &Subnet{}
		seen := map[netip.Prefix]bool{}
		for range rapid.IntRange(0, 6).Draw(t, "routes") {
			p := drawPrefix(t, "to")
			if !seen[p] && p != n.VPC[0] {
				s.Routes = append(s.Routes, Route{To: p, Way: rapid.SampledFrom([]Way{WayNAT, WayTransit, WayInternet}).Draw(t, "way")})
			}
			seen[p] = true
		}
		addr := drawAddr(t, "addr")
		var want Way
		for bits := 32; bits >= 0 && want == ""; bits-- {
			for _, r := range append(slices.Clone(s.Routes), Route{To: n.VPC[0], Way: WayLocal}) {
				if r.To.Bits() == bits && inRange(r.To, addr) {
					want = r.Way
				}
			}
		}
		if got, ok := n.route(s, addr, ""); got.Way != want || ok != (want != "") {
			t.Fatalf("route(%v, %s) = %v, want %q", s.Routes, addr, got, want)
		}
	})
}

// TestCuts proves what every answer stands on: an address is in the same ranges
// as the last cut before it.
func TestCuts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		list := []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0")}
		for range rapid.IntRange(0, 8).Draw(t, "ranges") {
			list = append(list, drawPrefix(t, "range"))
		}
		addr := drawAddr(t, "addr")
		var stands netip.Addr
		for _, c := range cuts(list) {
			if c.Compare(addr) <= 0 {
				stands = c
			}
		}
		for _, p := range list {
			if inRange(p, addr) != inRange(p, stands) {
				t.Fatalf("%s stands for %s, and %s holds one of them only", stands, addr, p)
			}
		}
	})
}
