package reach_test

import (
	"slices"
	"strings"
	"testing"

	"padron/infra/cfn"
	"padron/infra/reach"
	"padron/infra/synthtest"
)

// changed is the network of an environment after a change to its templates.
func changed(t *testing.T, name string, change func(*cfn.Assembly)) (*reach.Network, error) {
	t.Helper()
	a := synthtest.Load(t, name)
	change(a)
	return reach.New(a, synthtest.Config(t, name))
}

func must(t *testing.T, name string, change func(*cfn.Assembly)) *reach.Network {
	t.Helper()
	n, err := changed(t, name, change)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func asIs(*cfn.Assembly) {}

// add puts a resource into a stack.
func add(s *cfn.Stack, typ string, properties map[string]any) {
	s.Resources["Added"] = &cfn.Resource{Stack: s, LogicalID: "Added", Type: typ, Properties: properties, Body: map[string]any{"Type": typ}}
}

func id(r *cfn.Resource) any { return map[string]any{"Ref": r.LogicalID} }

func group(a *cfn.Assembly, name string) *cfn.Resource {
	return a.Find("AWS::EC2::SecurityGroup", name)
}

func letIn(r *cfn.Resource, rule map[string]any) {
	rules, _ := r.Properties["SecurityGroupIngress"].([]any)
	r.Properties["SecurityGroupIngress"] = append(rules, rule)
}

// TestDiff is what a developer reads who opens a group: each mistake, in words.
// A name begins with the sign of all its lines.
func TestDiff(t *testing.T) {
	before := must(t, "prod", asIs).Matrix()
	tcp := func(from, to float64, peer, value string) map[string]any {
		return map[string]any{"IpProtocol": "tcp", "FromPort": from, "ToPort": to, peer: value}
	}
	for _, c := range []struct {
		name   string
		change func(*cfn.Assembly)
		want   []string
	}{
		{"nothing", asIs, nil}, // no line at all
		{"+ anywhere", func(a *cfn.Assembly) { letIn(group(a, "ManagerGroup"), tcp(443, 443, "CidrIp", "0.0.0.0/0")) }, []string{
			"+ Internet -> ManagerGroup tcp/443: let in, and stopped on the way (was: no)",
			"+ SynchronizerGroup -> ManagerGroup tcp/443 (was: no)",
			"+ consumer data-centre -> ManagerGroup tcp/443 (was: no)",
			"+ consumer sales -> ManagerGroup tcp/443 (was: no)",
			"+ consumer support -> ManagerGroup tcp/443 (was: no)",
			"+ other private -> ManagerGroup tcp/443: let in, and stopped on the way (was: no)",
			"+ stranger in the VPC -> ManagerGroup tcp/443 (was: no)",
		}},
		{"+ one consumer, ports", func(a *cfn.Assembly) { letIn(group(a, "DatabaseGroup"), tcp(3306, 3307, "CidrIp", "10.1.0.0/16")) }, []string{
			"+ consumer sales -> DatabaseGroup tcp/3306-3307: in part (was: no)",
		}},
		{"- no rule", func(a *cfn.Assembly) { group(a, "BalancerGroup").Properties["SecurityGroupIngress"] = []any{} }, []string{
			"- BastionGroup -> BalancerGroup tcp/443 (was: yes)",
			"- consumer data-centre -> BalancerGroup tcp/443 (was: yes)",
			"- consumer sales -> BalancerGroup tcp/443 (was: yes)",
			"- consumer support -> BalancerGroup tcp/443 (was: yes)",
			"- stranger in the VPC -> BalancerGroup tcp/443 (was: yes)",
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			n := must(t, "prod", c.change)
			got := reach.Diff(before, n.Matrix())
			for _, line := range c.want {
				if !slices.Contains(got, line) {
					t.Errorf("the difference lacks %q:\n%s", line, strings.Join(got, "\n"))
				}
			}
			sign := c.name[:1]
			if slices.ContainsFunc(got, func(line string) bool { return line[:1] != sign }) {
				t.Errorf("not every line begins with %s:\n%s", sign, strings.Join(got, "\n"))
			}
			if same := n.Same(must(t, "prod", asIs)); same != (c.want == nil) {
				t.Errorf("Same is %v", same)
			}
		})
	}
}

// TestAnswers reads the words: the way, and the first thing that stops it.
func TestAnswers(t *testing.T) {
	n := must(t, "prod", asIs)
	for _, c := range []struct {
		from, to string
		port     int
		want     string
	}{
		{"BastionGroup", "DatabaseGroup", 3306, "BastionGroup lets nothing out to DatabaseGroup on tcp/3306"},
		{"Internet", "BalancerGroup", 443, "BalancerGroup has no public address"},
		{"stranger in the VPC", "BastionGroup", 22, "BastionGroup lets in nothing from stranger in the VPC on tcp/22"},
		{"SynchronizerGroup", "consumer sales", 443, "PrivateList does not let it out of Vpc/privateSubnet1 (port 443 with 10.1.0.0)"},
		{"other private", "BalancerGroup", 443, "Vpc/privateSubnet1 has no route back to other private by the transit gateway"},
		{"PrivateLink of 777788889999", "BalancerGroup", 443, "BalancerGroup lets in nothing from PrivateLink of 777788889999 on tcp/443"},
	} {
		a := n.Reach(n.Party(c.from), n.Party(c.to), c.port)
		if a.Reachable || a.Stop != c.want {
			t.Errorf("%s -> %s %d: reachable %v, stopped by %q, want %q", c.from, c.to, c.port, a.Reachable, a.Stop, c.want)
		}
	}
	a := n.Reach(n.Party("SynchronizerGroup"), n.Party("Internet"), 443)
	if words := strings.Join(a.Path, "\n"); !a.Always || !strings.Contains(words, "0.0.0.0/0 by the NAT gateway in Vpc/publicSubnet1") ||
		!strings.Contains(words, "PublicList lets the answer into Vpc/publicSubnet1") {
		t.Errorf("the synchronizer's way to the provider: always %v\n%s", a.Always, words)
	}
}

// TestForgottenAnswers takes the line for answers from outside away: what leaves
// has no answer, although nothing stops it.
func TestForgottenAnswers(t *testing.T) {
	n := must(t, "dev", func(a *cfn.Assembly) {
		for _, r := range a.Resources("AWS::EC2::NetworkAclEntry") {
			if r.Text("PortRange", "From") == "32768" {
				r.Properties["PortRange"] = map[string]any{"From": 40000.0, "To": 65535.0}
			}
		}
	})
	a := n.Reach(n.Party("SynchronizerGroup"), n.Party("Internet"), 443)
	if !a.Reachable || a.Always {
		t.Errorf("reachable %v, always %v: want some client ports only", a.Reachable, a.Always)
	}
	if s := n.Matrix().At("SynchronizerGroup", "Internet", 443); s != reach.Part {
		t.Errorf("state is %q, want %q", s, reach.Part)
	}
}

// TestDefaultEgress: a group without a word about what leaves lets all of it.
func TestDefaultEgress(t *testing.T) {
	n := must(t, "dev", func(a *cfn.Assembly) { delete(group(a, "DatabaseGroup").Properties, "SecurityGroupEgress") })
	if s := n.Matrix().At("DatabaseGroup", "Internet", 443); s != reach.Yes {
		t.Errorf("DatabaseGroup -> Internet is %q, want yes", s)
	}
}

// TestFaults wants what the model does not know to be an error that names it.
func TestFaults(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*cfn.Assembly)
		want   string
	}{
		{"a type that names a subnet", func(a *cfn.Assembly) {
			g := group(a, "ManagerGroup")
			add(g.Stack, "AWS::RDS::DBProxy", map[string]any{"VpcSecurityGroupIds": []any{id(g)}})
		}, "AWS::RDS::DBProxy"},
		{"a group in a text", func(a *cfn.Assembly) {
			g := group(a, "ManagerGroup")
			add(g.Stack, "Custom::Call", map[string]any{"Body": map[string]any{"Fn::Sub": "{\"groups\": [\"${" + g.LogicalID + "}\"]}"}})
		}, "Custom::Call"},
		{"a route to a peer", func(a *cfn.Assembly) {
			r := a.Resources("AWS::EC2::Route")[0]
			delete(r.Properties, "GatewayId")
			delete(r.Properties, "NatGatewayId")
			r.Properties["VpcPeeringConnectionId"] = "pcx-0"
		}, "has no such gateway"},
		{"a rule for an unknown list", func(a *cfn.Assembly) {
			letIn(group(a, "ManagerGroup"), map[string]any{"IpProtocol": "tcp", "FromPort": 1.0, "ToPort": 2.0, "SourcePrefixListId": "pl-0"})
		}, "peer of a rule is not known"},
		{"a range of a parameter", func(a *cfn.Assembly) {
			a.Resources("AWS::EC2::Subnet")[0].Properties["CidrBlock"] = map[string]any{"Ref": "Range"}
		}, "no IPv4 range that is known"},
		{"no VPC", func(a *cfn.Assembly) { a.Resources("AWS::EC2::VPC")[0].Remove() }, "have no VPC"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := changed(t, "dev", c.change); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want one with %q", err, c.want)
			}
		})
	}
}

// TestEveryThing wants all that the templates put into subnets to be a party's.
func TestEveryThing(t *testing.T) {
	n := must(t, "prod", asIs)
	for party, typ := range map[string]string{
		"BalancerGroup": "AWS::ElasticLoadBalancingV2::LoadBalancer", "LinkGroup": "AWS::ElasticLoadBalancingV2::LoadBalancer",
		"ManagerGroup": "AWS::ECS::Service", "SynchronizerGroup": "AWS::StepFunctions::StateMachine", "DatabaseGroup": "AWS::RDS::DBCluster",
		"BastionGroup": "AWS::EC2::Instance", "EndpointsGroup": "AWS::EC2::VPCEndpoint",
	} {
		if p := n.Party(party); p == nil || !p.Has(typ) {
			t.Errorf("%s holds no %s", party, typ)
		}
	}
	dev := must(t, "dev", asIs)
	if p := dev.Party("SynchronizerGroup"); p == nil || !p.Has("AWS::Scheduler::Schedule") {
		t.Error("dev's schedule starts no task in SynchronizerGroup")
	}
}
