package picture

import (
	"errors"
	"maps"
	"regexp"
	"slices"
	"strings"

	"padron/infra/cfn"
)

// estate is what the templates say, by meaning.
type estate struct {
	*cfn.Assembly
	vpc      *cfn.Resource
	internet *cfn.Resource
	zones    []*zone
}

// zone is an availability zone with its subnets.
type zone struct {
	name            string
	public, private *subnet
}

// subnet is a subnet with its route table and where its default route goes.
type subnet struct {
	*cfn.Resource
	table *cfn.Resource
	// exit is the resource of the default route, and target what it leads to.
	exit, target *cfn.Resource
}

func read(a *cfn.Assembly) (*estate, error) {
	vpcs := a.Resources("AWS::EC2::VPC")
	if len(vpcs) != 1 {
		return nil, errors.New("the picture wants exactly one VPC in the templates; make infra writes them")
	}
	e := &estate{Assembly: a, vpc: vpcs[0]}
	if attached := a.Resources("AWS::EC2::VPCGatewayAttachment"); len(attached) > 0 {
		e.internet = attached[0].Target("InternetGatewayId")
	}
	zones := map[string]*zone{}
	for _, r := range a.Resources("AWS::EC2::Subnet") {
		s, name := e.subnet(r), r.Text("AvailabilityZone")
		if zones[name] == nil {
			zones[name] = &zone{name: name}
		}
		if s.target != nil && s.target == e.internet {
			zones[name].public = s
		} else {
			zones[name].private = s
		}
	}
	for _, name := range slices.Sorted(maps.Keys(zones)) {
		e.zones = append(e.zones, zones[name])
	}
	if len(e.zones) == 0 {
		return nil, errors.New("the VPC has no subnets to draw")
	}
	return e, nil
}

// subnet follows the route table of the subnet.
func (e *estate) subnet(r *cfn.Resource) *subnet {
	s := &subnet{Resource: r}
	for _, a := range e.Resources("AWS::EC2::SubnetRouteTableAssociation") {
		if a.Target("SubnetId") == r {
			s.table = a.Target("RouteTableId")
		}
	}
	for _, route := range e.Resources("AWS::EC2::Route") {
		if s.table == nil || route.Target("RouteTableId") != s.table || route.Text("DestinationCidrBlock") != "0.0.0.0/0" {
			continue
		}
		s.exit = route
		for _, way := range []string{"GatewayId", "NatGatewayId"} {
			if t := route.Target(way); t != nil && t.Stack.Resources[t.LogicalID] == t {
				s.target = t
			}
		}
	}
	return s
}

var reference = regexp.MustCompile(`\$\{([a-z0-9-]+)\.([A-Za-z0-9]+)`)

// mentions returns every resource that r's properties refer to, in lists, in
// texts and inside documents that are written as text.
func (e *estate) mentions(r *cfn.Resource) []*cfn.Resource {
	var found []*cfn.Resource
	var visit func(v any)
	visit = func(v any) {
		switch v := v.(type) {
		case cfn.Reference:
			found = append(found, v.Resource)
		case string:
			for _, m := range reference.FindAllStringSubmatch(v, -1) {
				if s := e.Stack(m[1]); s != nil && s.Resources[m[2]] != nil {
					found = append(found, s.Resources[m[2]])
				}
			}
		case []any:
			for _, x := range v {
				visit(x)
			}
		case map[string]any:
			for _, k := range slices.Sorted(maps.Keys(v)) {
				visit(v[k])
			}
		}
	}
	visit(r.Get())
	return found
}

// users returns the resources of the types that mention r.
func (e *estate) users(r *cfn.Resource, types ...string) []*cfn.Resource {
	return slices.DeleteFunc(e.Resources(types...), func(u *cfn.Resource) bool {
		return !slices.Contains(e.mentions(u), r)
	})
}

// groups returns the security groups that r has, found by mention.
func (e *estate) groups(all ...*cfn.Resource) []*cfn.Resource {
	var found []*cfn.Resource
	for _, r := range all {
		for _, m := range e.mentions(r) {
			if m.Type == "AWS::EC2::SecurityGroup" {
				found = append(found, m)
			}
		}
	}
	return found
}

// in reports whether any of the resources is placed in the subnet.
func (e *estate) in(s *subnet, all ...*cfn.Resource) bool {
	for _, r := range all {
		if s != nil && slices.Contains(e.mentions(r), s.Resource) {
			return true
		}
	}
	return false
}

// task is one task definition and what runs it.
type task struct {
	name       string
	definition *cfn.Resource
	// runners are services, schedules and state machines.
	runners []*cfn.Resource
}

// from are the resources that the task stands for.
func (t task) from() []*cfn.Resource { return append([]*cfn.Resource{t.definition}, t.runners...) }

// tasks returns the task definitions by the name of their first container.
func (e *estate) tasks() []task {
	var all []task
	for _, d := range e.Resources("AWS::ECS::TaskDefinition") {
		all = append(all, task{
			name: e.container(d), definition: d,
			runners: e.users(d, "AWS::ECS::Service", "AWS::Scheduler::Schedule", "AWS::StepFunctions::StateMachine"),
		})
	}
	slices.SortFunc(all, func(a, b task) int { return strings.Compare(a.name, b.name) })
	return all
}

// container returns the name of the definition's first container.
func (e *estate) container(d *cfn.Resource) string {
	if name := d.Text("ContainerDefinitions", "0", "Name"); name != "" {
		return name
	}
	return d.LogicalID
}
