package controls

import (
	"fmt"
	"maps"

	"padron/infra/cfn"
	"padron/infra/reach"
)

// sight is who reaches whom in an estate, or why that cannot be said.
type sight struct {
	network *reach.Network
	matrix  reach.Matrix
	err     error
}

// sight asks once for all controls.
func (e *Estate) sight() *sight {
	if e.seen == nil {
		n, err := reach.New(e.Assembly, e.Env)
		e.seen = &sight{network: n, err: err}
		switch {
		case err != nil:
		case e.origin != nil && e.origin.sight().err == nil && n.Same(e.origin.sight().network):
			e.seen.matrix = e.origin.sight().matrix
		default:
			e.seen.matrix = n.Matrix()
		}
	}
	return e.seen
}

// reachControls are the statements of the reachability prover, each with a
// removal that makes it untrue.
func reachControls() []Control {
	segmentation := []string{"1.3.1", "1.3.2", "1.4.2"}
	references := map[string]struct {
		pci, nist, cis []string
		remove         func(*Estate) int
	}{
		"database-sources":      {[]string{"1.4.4", "7.2.1"}, []string{"AC-4", "SC-7"}, nil, letIn("DatabaseGroup", 3306, "10.0.0.0/24")},
		"nothing-from-internet": {[]string{"1.4.1", "1.4.2", "1.4.4"}, []string{"SC-7"}, []string{"5.2"}, openPrivate},
		"balancer-sources":      {segmentation, []string{"AC-4", "SC-7(5)"}, []string{"5.2"}, letIn("BalancerGroup", 443, "0.0.0.0/0")},
		"routes-by-zone":        {[]string{"1.2.1"}, []string{"SC-7", "SC-36"}, nil, misroute},
		"bastion-closed":        {[]string{"1.3.1", "2.2.7"}, []string{"AC-17", "SC-7"}, []string{"5.2"}, letIn("BastionGroup", 22, "10.0.0.0/24")},
		"public-holds-nat":      {[]string{"1.4.1", "1.4.4"}, []string{"SC-7"}, nil, placePublic},
		"bastion-no-database":   {[]string{"1.4.4", "7.2.1"}, []string{"AC-6", "SC-7"}, nil, bastionToDatabase},
		"nobody-private":        {segmentation, []string{"AC-4", "SC-7(5)"}, nil, letIn("ManagerGroup", 8443, "10.0.0.0/8")},
		"consumers-not-called":  {[]string{"1.3.2", "1.4.5"}, []string{"AC-4", "SC-7(5)"}, nil, callConsumers},
		"works":                 {[]string{"1.2.5"}, []string{"CP-10"}, nil, forgetAnswers},
	}
	var list []Control
	for _, s := range reach.Statements() {
		r := references[s.ID]
		list = append(list, Control{
			ID: "reach." + s.ID, What: s.What, PCI: r.pci, NIST: r.nist, CIS: r.cis, Remove: r.remove,
			Check: func(e *Estate) []string {
				seen := e.sight()
				if seen.err != nil {
					return []string{seen.err.Error()}
				}
				return s.Check(seen.network, seen.matrix, e.Env)
			},
		})
	}
	return list
}

// letIn returns a Remove that opens a group: the mistake that a security group
// is most often changed by.
func letIn(group string, port int, cidr string) func(*Estate) int {
	return func(e *Estate) int {
		r := e.Find("AWS::EC2::SecurityGroup", group)
		if r == nil {
			return 0
		}
		rule := tcpRule(port)
		rule["CidrIp"] = cidr
		rules, _ := r.Properties["SecurityGroupIngress"].([]any)
		r.Properties["SecurityGroupIngress"] = append(rules, rule)
		return 1
	}
}

func tcpRule(port int) map[string]any {
	return map[string]any{"IpProtocol": "tcp", "FromPort": float64(port), "ToPort": float64(port), "Description": "a mistake"}
}

// openPrivate sends the private subnets' default route to the Internet gateway.
func openPrivate(e *Estate) int {
	gateways := e.Resources("AWS::EC2::InternetGateway")
	return privateRoutes(e, func(r *cfn.Resource) {
		delete(r.Properties, "NatGatewayId")
		r.Properties["GatewayId"] = refTo(gateways[0])
	})
}

// misroute sends one zone's traffic through another's NAT gateway, or nowhere
// where there is one gateway only.
func misroute(e *Estate) int {
	nats := e.Resources("AWS::EC2::NatGateway")
	return privateRoutes(e, func(r *cfn.Resource) {
		if len(nats) == 1 {
			r.Remove()
			return
		}
		r.Properties["NatGatewayId"] = refTo(nats[0])
	})
}

func privateRoutes(e *Estate, change func(*cfn.Resource)) int {
	n := 0
	for _, r := range e.Resources("AWS::EC2::Route") {
		if r.Target("NatGatewayId") != nil {
			change(r)
			n++
		}
	}
	return n
}

// placePublic puts an instance beside a NAT gateway.
func placePublic(e *Estate) int {
	group := e.Find("AWS::EC2::SecurityGroup", "BastionGroup")
	nats := e.Resources("AWS::EC2::NatGateway")
	if group == nil || len(nats) == 0 {
		return 0
	}
	addResource(group.Stack, "Misplaced", "AWS::EC2::Instance", map[string]any{
		"SubnetId": nats[0].Properties["SubnetId"], "SecurityGroupIds": []any{refTo(group)},
	})
	return 1
}

// bastionToDatabase opens both sides.
func bastionToDatabase(e *Estate) int {
	from, to := e.Find("AWS::EC2::SecurityGroup", "BastionGroup"), e.Find("AWS::EC2::SecurityGroup", "DatabaseGroup")
	if from == nil || to == nil {
		return 0
	}
	in, out := tcpRule(3306), tcpRule(3306)
	maps.Copy(in, map[string]any{"GroupId": refTo(to), "SourceSecurityGroupId": refTo(from)})
	maps.Copy(out, map[string]any{"GroupId": refTo(from), "DestinationSecurityGroupId": refTo(to)})
	addResource(from.Stack, "MistakeIn", "AWS::EC2::SecurityGroupIngress", in)
	addResource(from.Stack, "MistakeOut", "AWS::EC2::SecurityGroupEgress", out)
	return 1
}

// callConsumers takes the lines away that keep ours out of other networks, and
// routes to one where the environment has no consumer.
func callConsumers(e *Estate) int {
	n := 0
	for _, r := range e.Resources("AWS::EC2::NetworkAclEntry") {
		if r.Text("RuleAction") == "deny" {
			r.Remove()
			n++
		}
	}
	subnets := e.Resources("AWS::EC2::Subnet")
	addResource(subnets[0].Stack, "Joined", "AWS::EC2::TransitGatewayVpcAttachment", map[string]any{"SubnetIds": []any{refTo(subnets[0])}})
	for i, table := range e.Resources("AWS::EC2::RouteTable") {
		addResource(table.Stack, fmt.Sprintf("Joins%d", i), "AWS::EC2::Route", map[string]any{
			"RouteTableId": refTo(table), "DestinationCidrBlock": "172.16.0.0/12", "TransitGatewayId": "tgw-0",
		})
	}
	return n
}

// forgetAnswers takes the line away that lets answers into the private subnets.
func forgetAnswers(e *Estate) int {
	n := 0
	for _, r := range e.Resources("AWS::EC2::NetworkAclEntry") {
		list := r.Target("NetworkAclId")
		if list != nil && list.Path() == "PrivateList" && !r.Bool("Egress") && r.Text("CidrBlock") == "0.0.0.0/0" {
			r.Remove()
			n++
		}
	}
	return n
}

// refTo refers to a resource of the same stack.
func refTo(r *cfn.Resource) any { return map[string]any{"Ref": r.LogicalID} }

// addResource puts a resource into a stack.
func addResource(s *cfn.Stack, id, typ string, properties map[string]any) {
	body := map[string]any{"Type": typ, "Properties": properties}
	s.Resources[id] = &cfn.Resource{Stack: s, LogicalID: id, Type: typ, Properties: properties, Body: body}
	if all, ok := s.Template["Resources"].(map[string]any); ok {
		all[id] = body
	}
}
