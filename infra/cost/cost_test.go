package cost_test

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"padron/infra/cfn"
	"padron/infra/cost"
	"padron/infra/synthtest"
)

func load(t *testing.T) *cost.Prices {
	t.Helper()
	p, err := cost.Load()
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func estimate(t *testing.T, a *cfn.Assembly, environment string) *cost.Estimate {
	t.Helper()
	e, err := load(t).Estimate(a, environment)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// TestFresh compares docs/cost.md with the templates and the list of today.
func TestFresh(t *testing.T) {
	var all []*cost.Estimate
	for _, name := range synthtest.Environments(t) {
		all = append(all, estimate(t, synthtest.Load(t, name), name))
	}
	kept, err := os.ReadFile(filepath.Join("..", "..", "docs", "cost.md"))
	if err != nil {
		t.Fatal(err)
	}
	if string(kept) != load(t).Document(all) {
		t.Error("docs/cost.md is stale: go run ./cmd/padron-infra cost --write, in infra")
	}
}

// TestFloor keeps the environments near what they are meant to cost in a month
// in which nobody comes. A change that leaves the range is a decision.
func TestFloor(t *testing.T) {
	for _, c := range []struct {
		environment   string
		least, most   float64
		transit, link float64
	}{
		{"dev", 70, 95, 0, 0},
		{"prod", 310, 365, 100, 130},
	} {
		e := estimate(t, synthtest.Load(t, c.environment), c.environment)
		if got := e.Floor() - e.FloorOf("transit"); got < c.least || got > c.most {
			t.Errorf("%s without transit has a floor of %.2f, want %.0f to %.0f", c.environment, got, c.least, c.most)
		}
		if got := e.FloorOf("transit"); got < c.transit || got > c.link {
			t.Errorf("%s: transit has a floor of %.2f, want %.0f to %.0f", c.environment, got, c.transit, c.link)
		}
	}
}

// TestWithoutNAT takes a NAT gateway away: its hours must go from the bill, and
// nothing else.
func TestWithoutNAT(t *testing.T) {
	a := synthtest.Load(t, "prod")
	before := estimate(t, a, "prod")
	c := a.Clone()
	nat := c.Resources("AWS::EC2::NatGateway")[0]
	nat.Remove()
	after := estimate(t, c, "prod")
	if got := before.Floor() - after.Floor(); math.Abs(got-32.85) > 0.005 {
		t.Errorf("the floor falls by %.2f, want 32.85", got)
	}
	changes := cost.Diff(before, after)
	if len(changes) != 1 || changes[0].Resource != nat.String() || changes[0].After != 0 {
		t.Errorf("the difference is %+v, want %s alone, to nothing", changes, nat)
	}
	if same := cost.Diff(before, before); len(same) != 0 {
		t.Errorf("an estimate differs from itself in %+v", same)
	}
}

// TestUnknown puts in what the list does not know: the error says what to add.
func TestUnknown(t *testing.T) {
	for _, c := range []struct{ name, typ, properties, want string }{
		{"type", "AWS::Redshift::Cluster", `{}`, "AWS::Redshift::Cluster, such as x/Thing, is not known: add it to types"},
		{"variant", "AWS::EC2::Instance", `{"InstanceType":"m7g.large"}`, "no variant of AWS::EC2::Instance holds: add one with where"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := load(t).Estimate(assembly(t, c.typ, c.properties), "dev")
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %q", err, c.want)
			}
		})
	}
	_, err := load(t).Estimate(assembly(t, "AWS::EC2::NatGateway", `{}`), "moon")
	if err == nil || !strings.Contains(err.Error(), "assumption nat_gb says nothing of the environment moon") {
		t.Errorf("error %v, want the assumption that lacks the environment", err)
	}
}

// TestParts prices single resources of known size.
func TestParts(t *testing.T) {
	for _, c := range []struct {
		name, typ, properties string
		floor                 float64
	}{
		{"NAT gateway", "AWS::EC2::NatGateway", `{}`, 32.85},
		{"address", "AWS::EC2::EIP", `{}`, 3.65},
		{"endpoint in two zones", "AWS::EC2::VPCEndpoint", `{"VpcEndpointType":"Interface","SubnetIds":["a","b"]}`, 14.60},
		{"endpoint in one", "AWS::EC2::VPCEndpoint", `{"VpcEndpointType":"Interface","SubnetIds":["a"]}`, 7.30},
		{"gateway endpoint", "AWS::EC2::VPCEndpoint", `{"VpcEndpointType":"Gateway"}`, 0},
		{"load balancer", "AWS::ElasticLoadBalancingV2::LoadBalancer", `{"Type":"application"}`, 16.425},
		{"firewall of two rules", "AWS::WAFv2::WebACL", `{"Rules":[{},{}]}`, 7},
		{"attachment", "AWS::EC2::TransitGatewayVpcAttachment", `{}`, 36.50},
		{"VPN on a transit gateway", "AWS::EC2::VPNConnection", `{}`, 73},
		{"key", "AWS::KMS::Key", `{}`, 1},
		{"administrator's secret", "AWS::RDS::DBCluster", `{"ManageMasterUserPassword":true}`, 0.40},
		{"no secret", "AWS::RDS::DBCluster", `{}`, 0},
		{"alarm", "AWS::CloudWatch::Alarm", `{"MetricName":"x"}`, 0.10},
		{"alarm over two metrics", "AWS::CloudWatch::Alarm", `{"Metrics":[{"Expression":"a/b"},{"MetricStat":{}},{"MetricStat":{}}]}`, 0.20},
		{"disk", "AWS::EC2::Instance", `{"InstanceType":"t4g.nano","BlockDeviceMappings":[{"Ebs":{"VolumeSize":8}}]}`, 0.64},
		{"VPC", "AWS::EC2::VPC", `{}`, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := estimate(t, assembly(t, c.typ, c.properties), "dev").Floor(); math.Abs(got-c.floor) > 0.0005 {
				t.Errorf("floor %.4f, want %.4f", got, c.floor)
			}
		})
	}
}

// TestScaled reads a service's and a database's sizes through their references.
func TestScaled(t *testing.T) {
	a := synthtest.Load(t, "prod")
	before := estimate(t, a, "prod")
	c := a.Clone()
	c.Resources("AWS::ApplicationAutoScaling::ScalableTarget")[0].Properties["MinCapacity"] = 4.0
	// Two more tasks of a quarter of a vCPU and half a GB.
	want := 2 * 730 * (0.25*0.03238 + 0.5*0.00356)
	if got := estimate(t, c, "prod").Floor() - before.Floor(); math.Abs(got-want) > 0.005 {
		t.Errorf("two more tasks add %.2f, want %.2f", got, want)
	}
	c = a.Clone()
	c.Resources("AWS::RDS::DBCluster")[0].Properties["ServerlessV2ScalingConfiguration"] = map[string]any{"MinCapacity": 1.0}
	// Half an ACU more, for writer and reader.
	if got := estimate(t, c, "prod").Floor() - before.Floor(); math.Abs(got-87.60) > 0.005 {
		t.Errorf("half an ACU more adds %.2f, want 87.60", got)
	}
}

// TestOftener makes runs rarer: what a run costs falls with them.
func TestOftener(t *testing.T) {
	a := synthtest.Load(t, "prod")
	before := estimate(t, a, "prod")
	c := a.Clone()
	for _, s := range c.Resources("AWS::Scheduler::Schedule") {
		if s.Text("ScheduleExpression") == "rate(15 minutes)" {
			s.Properties["ScheduleExpression"] = "rate(30 minutes)"
		}
	}
	var changed []string
	for _, change := range cost.Diff(before, estimate(t, c, "prod")) {
		if change.After >= change.Before {
			t.Errorf("%+v grows with fewer runs", change)
		}
		changed = append(changed, change.Type)
	}
	for _, want := range []string{"AWS::ECS::TaskDefinition", "AWS::StepFunctions::StateMachine", "AWS::Config::ConfigurationRecorder"} {
		if !slices.Contains(changed, want) {
			t.Errorf("half the runs change %v, want %s among them", changed, want)
		}
	}
}

// assembly is one stack, x, of one resource, Thing.
func assembly(t *testing.T, typ, properties string) *cfn.Assembly {
	t.Helper()
	dir := t.TempDir()
	write := func(name string, v any) {
		text, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("manifest.json", map[string]any{"artifacts": map[string]any{"x": map[string]any{
		"type": "aws:cloudformation:stack", "environment": "aws://111122223333/us-east-1",
		"properties": map[string]any{"templateFile": "x.template.json", "stackName": "x"},
	}}})
	write("x.template.json", map[string]any{"Resources": map[string]any{
		"Thing": map[string]any{"Type": typ, "Properties": json.RawMessage(properties)},
	}})
	a, err := cfn.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	return a
}
