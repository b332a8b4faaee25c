package estate_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"padron/infra/cfn"
)

const (
	typeBalancer    = "AWS::ElasticLoadBalancingV2::LoadBalancer"
	typeListener    = "AWS::ElasticLoadBalancingV2::Listener"
	typeRule        = "AWS::ElasticLoadBalancingV2::ListenerRule"
	typeTargetGroup = "AWS::ElasticLoadBalancingV2::TargetGroup"
)

func TestBalancer(t *testing.T) {
	eachEnvironment(t, func(t *testing.T, e environment) {
		balancer := e.the(t, typeBalancer, "edge/Balancer")
		has(t, balancer, map[string]string{"Name": e.env.Prefix(), "Type": "application"})
		var subnets []string
		for _, s := range cfn.Targets(balancer.Get("Subnets")) {
			subnets = append(subnets, s.Text("CidrBlock"))
		}
		if diff := cmp.Diff(e.env.Network.Private, subnets); diff != "" {
			t.Errorf("subnets (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff([]string{"network/BalancerGroup"}, paths(cfn.Targets(balancer.Get("SecurityGroups")))); diff != "" {
			t.Errorf("security groups (-want +got):\n%s", diff)
		}
	})
}

// TestSourcesAreDeclared holds that the load balancer's group lets in the VPC
// and the declared consumers. The construct would have let in the world.
func TestSourcesAreDeclared(t *testing.T) {
	eachEnvironment(t, func(t *testing.T, e environment) {
		want := []string{e.env.Network.CIDR + " 443-443"}
		for _, c := range e.env.Consumers {
			want = append(want, c.CIDR+" 443-443")
		}
		group := e.the(t, "AWS::EC2::SecurityGroup", "network/BalancerGroup")
		var got []string
		for _, rule := range group.List("SecurityGroupIngress") {
			r, _ := rule.(map[string]any)
			got = append(got, text(r["CidrIp"])+" "+text(r["FromPort"])+"-"+text(r["ToPort"]))
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("sources (-want +got):\n%s", diff)
		}
	})
}

// TestTraffic holds where requests go: to the one group, and by a rule whose
// weights a deployment shifts where there are two.
func TestTraffic(t *testing.T) {
	eachEnvironment(t, func(t *testing.T, e environment) {
		listener := e.the(t, typeListener, "edge/Balancer/Https")
		if to := listener.Target("DefaultActions", "0", "TargetGroupArn"); to != e.the(t, typeTargetGroup, "edge/Blue") {
			t.Errorf("the listener forwards to %v, want Blue", to)
		}
		if e.env.Manager.Deployment != "blue-green" {
			if e.Find(typeTargetGroup, "Green") != nil {
				t.Error("there is a second group though deployments roll")
			}
			return
		}
		rule := e.the(t, typeRule, "edge/Shift")
		if rule.Target("ListenerArn") != listener {
			t.Error("the rule is of another listener")
		}
		for i, want := range []struct{ group, weight string }{{"Blue", "1"}, {"Green", "0"}} {
			at := []string{"Actions", "0", "ForwardConfig", "TargetGroups", string(rune('0' + i))}
			if to := rule.Target(append(at, "TargetGroupArn")...); to != e.the(t, typeTargetGroup, "edge/"+want.group) {
				t.Errorf("group %d is %v, want %s", i, to, want.group)
			}
			if got := rule.Text(append(at, "Weight")...); got != want.weight {
				t.Errorf("%s has the weight %s, want %s", want.group, got, want.weight)
			}
		}
	})
}

// TestTargetGroupsAreAlike holds that a deployment changes the tasks and not
// how they are checked.
func TestTargetGroupsAreAlike(t *testing.T) {
	eachEnvironment(t, func(t *testing.T, e environment) {
		blue, green := e.the(t, typeTargetGroup, "edge/Blue"), e.Find(typeTargetGroup, "Green")
		has(t, blue, map[string]string{"Port": "8443", "TargetType": "ip"})
		if green == nil {
			return
		}
		if diff := cmp.Diff(blue.Properties, green.Properties); diff != "" {
			t.Errorf("blue and green differ (-blue +green):\n%s", diff)
		}
	})
}

func TestName(t *testing.T) {
	eachEnvironment(t, func(t *testing.T, e environment) {
		record, name := e.the(t, typeRecord, "edge/Alias"), e.env.Domains.Host+"."+e.env.Domains.Zone
		has(t, record, map[string]string{"Name": name + ".", "Type": "A"})
		has(t, e.the(t, "AWS::CertificateManager::Certificate", "edge/Certificate"), map[string]string{"DomainName": name})
		if zone := record.Target("HostedZoneId"); zone != e.the(t, typeZone, "names/Private") {
			t.Errorf("the name stands in %v, want the private zone", zone)
		}
		if to := record.Target("AliasTarget", "HostedZoneId"); to != e.the(t, typeBalancer, "edge/Balancer") {
			t.Errorf("the name is that of %v, want the load balancer's", to)
		}
	})
}

// TestCertificateIsProvenPublicly holds that the proof stands where Amazon looks
// for it.
func TestCertificateIsProvenPublicly(t *testing.T) {
	eachEnvironment(t, func(t *testing.T, e environment) {
		c := e.the(t, "AWS::CertificateManager::Certificate", "edge/Certificate")
		if e.env.Domains.PublicZoneID != "" {
			if got := c.Text("DomainValidationOptions", "0", "HostedZoneId"); got != e.env.Domains.PublicZoneID {
				t.Errorf("the proof stands in %s, want %s", got, e.env.Domains.PublicZoneID)
			}
			return
		}
		if zone := c.Target("DomainValidationOptions", "0", "HostedZoneId"); zone != e.the(t, typeZone, "names/Public") {
			t.Errorf("the proof stands in %v, want the public zone", zone)
		}
	})
}

// TestAccessLogsArrive holds that the bucket is one that load balancers can
// write to: theirs cannot be encrypted with a key of ours, and its policy lets
// Elastic Load Balancing put what belongs to this account.
func TestAccessLogsArrive(t *testing.T) {
	eachEnvironment(t, func(t *testing.T, e environment) {
		bucket := e.the(t, "AWS::S3::Bucket", "network/AccessLogs")
		attributes := map[string]any{}
		for _, a := range e.the(t, typeBalancer, "edge/Balancer").List("LoadBalancerAttributes") {
			m, _ := a.(map[string]any)
			attributes[text(m["Key"])] = m["Value"]
		}
		if to := cfn.Target(attributes["access_logs.s3.bucket"]); to != bucket {
			t.Fatalf("access logs go to %v, want %s", to, bucket)
		}
		place := cfn.Reference{Resource: bucket, Attribute: "Arn"}.String() + "/balancer/AWSLogs/" + e.env.Account + "/*"
		for _, s := range e.the(t, "AWS::S3::BucketPolicy", "network/AccessLogs/Policy").List("PolicyDocument", "Statement") {
			m, _ := s.(map[string]any)
			if m["Effect"] == "Allow" && text(m["Action"]) == "s3:PutObject" && strings.Contains(text(m["Resource"]), place) {
				return
			}
		}
		t.Errorf("nobody may write to %s", place)
	})
}

// TestFeaturesOffAreAbsent holds that a switch that is off leaves nothing.
func TestFeaturesOffAreAbsent(t *testing.T) {
	eachEnvironment(t, func(t *testing.T, e environment) {
		if !e.env.Features.WAF {
			e.none(t, "AWS::WAFv2::WebACL", "AWS::WAFv2::WebACLAssociation", "AWS::WAFv2::LoggingConfiguration")
		}
		if e.env.Features.MutualTLSBundle == "" {
			e.none(t, "AWS::ElasticLoadBalancingV2::TrustStore")
		}
	})
}
