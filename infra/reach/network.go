// Package reach proves who can reach whom on which port, and says why: it
// follows a TCP connection through security groups, access lists and routes as
// the synthesized templates have them, there and back. What it cannot model is
// a fault, never a guess.
//
// Its limits: TCP over IPv4. What is behind a transit gateway is another
// account's, and taken as open. Names, the resolver and the services' own
// authentication are not asked.
package reach

import (
	"errors"
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strings"

	"padron/infra/cfn"
	"padron/infra/config"
)

// Network is one environment's VPC and everybody in and around it.
type Network struct {
	// VPC are its ranges.
	VPC     []netip.Prefix
	Subnets []*Subnet
	NATs    []*NAT
	// Parties are those outside and then those inside, each kind by name.
	Parties []*Party
	// Attachments are the subnets through which the transit gateway comes in.
	Attachments []*Subnet

	// addrs and ports are where anything changes: between two neighbours of a
	// list no rule tells one address, or port, from another. clients are the
	// same of the ports that connections begin at, which only lists look at.
	addrs          []netip.Addr
	ports, clients []int
}

// New reads the network from the templates. env tells the declared consumers.
// The error is every fault at once: what the model does not know.
func New(a *cfn.Assembly, env *config.Environment) (*Network, error) {
	b := &builder{
		assembly: a, env: env, network: &Network{},
		subnet: map[*cfn.Resource]*Subnet{}, group: map[*cfn.Resource]*Group{}, nat: map[*cfn.Resource]*NAT{},
		named: map[string]*cfn.Resource{}, lists: map[string]bool{},
	}
	b.places()
	b.groups()
	b.nats()
	b.routes()
	b.accessLists()
	b.outside()
	b.inside()
	b.network.addrs = b.addressCuts()
	b.network.clients = portCuts(b.listPorts())
	b.network.ports = portCuts(slices.Concat(b.listPorts(), b.groupPorts(), b.listens))
	return b.network, errors.Join(b.faults...)
}

// Party returns the party of the name, nil where there is none.
func (n *Network) Party(name string) *Party {
	i := slices.IndexFunc(n.Parties, func(p *Party) bool { return p.Name == name })
	if i < 0 {
		return nil
	}
	return n.Parties[i]
}

// builder holds what is read on the way to a Network.
type builder struct {
	assembly *cfn.Assembly
	env      *config.Environment
	network  *Network
	subnet   map[*cfn.Resource]*Subnet
	group    map[*cfn.Resource]*Group
	nat      map[*cfn.Resource]*NAT
	// named finds a subnet or a group by how a text refers to it.
	named map[string]*cfn.Resource
	// lists are the prefix lists that gateway endpoints lead to.
	lists map[string]bool
	// listens are the ports of load balancers that PrivateLink leads to.
	listens []Ports
	faults  []error
}

func (b *builder) fault(format string, args ...any) {
	b.faults = append(b.faults, fmt.Errorf(format, args...))
}

// remember lets references inside texts be found: ${stack.Id} and
// ${stack.Id.Attribute}.
func (b *builder) remember(r *cfn.Resource, attribute string) {
	b.named[cfn.Reference{Resource: r}.String()] = r
	b.named[cfn.Reference{Resource: r, Attribute: attribute}.String()] = r
}

// resource returns what a resolved value refers to, nil where it is nothing.
func (b *builder) resource(v any) *cfn.Resource {
	if t, ok := v.(string); ok {
		return b.named[t]
	}
	return cfn.Target(v)
}

var placeholder = regexp.MustCompile(`\$\{[^}]*\}`)

// mentions returns the subnets and groups anywhere in a value, inside of texts
// too: the definition of a state machine is one text.
func (b *builder) mentions(v any) (subnets []*Subnet, groups []*Group) {
	add := func(r *cfn.Resource) {
		if s := b.subnet[r]; s != nil && !slices.Contains(subnets, s) {
			subnets = append(subnets, s)
		}
		if g := b.group[r]; g != nil && !slices.Contains(groups, g) {
			groups = append(groups, g)
		}
	}
	var walk func(any)
	walk = func(v any) {
		switch v := v.(type) {
		case map[string]any:
			for _, x := range v {
				walk(x)
			}
		case []any:
			for _, x := range v {
				walk(x)
			}
		case string:
			for _, name := range placeholder.FindAllString(v, -1) {
				add(b.named[name])
			}
		case cfn.Reference:
			add(v.Resource)
		}
	}
	walk(v)
	slices.SortFunc(subnets, func(a, b *Subnet) int { return strings.Compare(a.Name, b.Name) })
	slices.SortFunc(groups, func(a, b *Group) int { return strings.Compare(a.Name, b.Name) })
	return subnets, groups
}

// places reads the VPC and its subnets.
func (b *builder) places() {
	for _, r := range b.assembly.Resources("AWS::EC2::VPC") {
		b.network.VPC = append(b.network.VPC, b.prefix(r, "CidrBlock"))
	}
	for _, r := range b.assembly.Resources("AWS::EC2::VPCCidrBlock") {
		b.network.VPC = append(b.network.VPC, b.prefix(r, "CidrBlock"))
	}
	if len(b.network.VPC) == 0 {
		b.fault("the templates have no VPC")
	}
	for _, r := range b.assembly.Resources("AWS::EC2::Subnet") {
		s := &Subnet{
			Name: strings.TrimSuffix(r.Path(), "/Subnet"), Zone: r.Text("AvailabilityZone"),
			CIDR: b.prefix(r, "CidrBlock"), GivesAddresses: r.Bool("MapPublicIpOnLaunch"),
		}
		b.subnet[r] = s
		b.remember(r, "SubnetId")
		b.network.Subnets = append(b.network.Subnets, s)
	}
}

func (b *builder) prefix(r *cfn.Resource, name string) netip.Prefix {
	p, err := netip.ParsePrefix(r.Text(name))
	if err != nil {
		b.fault("%s: %s %q is no IPv4 range that is known before deployment", r, name, r.Text(name))
	}
	return p.Masked()
}

func (b *builder) nats() {
	for _, r := range b.assembly.Resources("AWS::EC2::NatGateway") {
		s := b.subnet[r.Target("SubnetId")]
		if s == nil {
			b.fault("%s: stands in no subnet of the templates", r)
			continue
		}
		address := r.Target("AllocationId")
		b.nat[r] = &NAT{Name: r.Path(), Subnet: s, Public: address != nil && address.Type == "AWS::EC2::EIP"}
		b.network.NATs = append(b.network.NATs, b.nat[r])
	}
}
