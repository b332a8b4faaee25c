package reach

import (
	"fmt"
	"net/netip"
	"slices"
)

// ACL is a network access list: stateless, and so asked about the answers too.
type ACL struct {
	Name string
	// In and Out are in the order of their numbers.
	In, Out []Entry
}

// Entry is one line of a list. The first that matches decides.
type Entry struct {
	Number   int
	Allow    bool
	Protocol string
	Ports    Ports
	CIDR     netip.Prefix
}

// String is the line as people number it: line 100.
func (e Entry) String() string { return fmt.Sprintf("line %d", e.Number) }

// decide returns whether TCP with the address on the port passes, and the line
// that says so: the zero entry is the last line of every list, which forbids.
func decide(lines []Entry, addr netip.Addr, port int) (bool, Entry) {
	for _, e := range lines {
		if (e.Protocol == tcp || e.Protocol == all) && e.Ports.Has(port) && e.CIDR.Contains(addr) {
			return e.Allow, e
		}
	}
	return false, Entry{}
}

// accessLists reads the lists and the subnets that they stand around.
func (b *builder) accessLists() {
	lists := map[any]*ACL{}
	for _, r := range b.assembly.Resources("AWS::EC2::NetworkAcl") {
		lists[r] = &ACL{Name: r.Path()}
	}
	for _, r := range b.assembly.Resources("AWS::EC2::NetworkAclEntry") {
		list := lists[r.Target("NetworkAclId")]
		entry, ok := entryOf(r.Text("RuleNumber"), r.Text("CidrBlock"), r.Text("Ipv6CidrBlock"))
		if list == nil || !ok {
			b.fault("%s: is a line of no list, or its range is not known before deployment", r)
			continue
		}
		entry.Allow, entry.Protocol = r.Text("RuleAction") == "allow", protocolOf(r.Text("Protocol"))
		entry.Ports = portsOf(r.Get("PortRange", "From"), r.Get("PortRange", "To"))
		if r.Bool("Egress") {
			list.Out = append(list.Out, entry)
		} else {
			list.In = append(list.In, entry)
		}
	}
	for _, list := range lists {
		slices.SortFunc(list.In, byNumber)
		slices.SortFunc(list.Out, byNumber)
	}
	for _, r := range b.assembly.Resources("AWS::EC2::SubnetNetworkAclAssociation") {
		subnet, list := b.subnet[r.Target("SubnetId")], lists[r.Target("NetworkAclId")]
		if subnet == nil || list == nil {
			b.fault("%s: puts no list of the templates around a subnet of theirs", r)
			continue
		}
		subnet.ACL = list
	}
}

func byNumber(a, b Entry) int { return a.Number - b.Number }

func entryOf(n, v4, v6 string) (Entry, bool) {
	prefix, err := netip.ParsePrefix(v4 + v6)
	order, ok := number(n)
	return Entry{Number: order, CIDR: prefix.Masked()}, ok && err == nil
}
