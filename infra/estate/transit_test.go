package estate_test

import (
	"slices"
	"strconv"
	"testing"

	"padron/infra/synthtest"
)

// TestAttachmentStandsInEveryZone: a consumer comes in by its own zone, and the
// routes back wait for the attachment.
func TestAttachmentStandsInEveryZone(t *testing.T) {
	for _, name := range synthtest.Environments(t) {
		env, estate := synthtest.Config(t, name), synthtest.Load(t, name)
		if !env.Features.TransitGateway {
			continue
		}
		attachment := estate.Find("AWS::EC2::TransitGatewayVpcAttachment", "Attachment")
		var zones []string
		for i := range attachment.List("SubnetIds") {
			subnet := attachment.Target("SubnetIds", strconv.Itoa(i))
			zones = append(zones, subnet.Text("AvailabilityZone"))
		}
		if slices.Sort(zones); !slices.Equal(zones, env.Zones) {
			t.Errorf("%s: attached in %q, want %q", name, zones, env.Zones)
		}
		for _, r := range estate.Resources("AWS::EC2::Route") {
			waits, _ := r.Body["DependsOn"].([]any)
			if r.Stack.Name == "transit" && !slices.Contains(waits, any(attachment.LogicalID)) {
				t.Errorf("%s: %s does not wait for the attachment", name, r)
			}
		}
	}
}

// TestTunnelLogsHaveAKey: the tunnels log to the group that is encrypted and
// kept, by an ARN without the star of its streams.
func TestTunnelLogsHaveAKey(t *testing.T) {
	for _, name := range synthtest.Environments(t) {
		estate := synthtest.Load(t, name)
		for _, vpn := range estate.Resources("AWS::EC2::VPNConnection") {
			group := estate.Find("AWS::Logs::LogGroup", "VpnLogs")
			if key := group.Target("KmsKeyId"); key == nil || key.Path() != "logs" {
				t.Errorf("%s: %s is encrypted with %v", name, group, key)
			}
			want := "arn:aws:logs:" + group.Stack.Region + ":" + group.Stack.Account + ":log-group:${" + group.Stack.Name + "." + group.LogicalID + "}"
			for _, i := range []string{"0", "1"} {
				if got := vpn.Text("VpnTunnelOptionsSpecifications", i, "LogOptions", "CloudwatchLogOptions", "LogGroupArn"); got != want {
					t.Errorf("%s: tunnel %s logs to %s, want %s", name, i, got, want)
				}
			}
		}
	}
}

// TestLinkLeadsToTheAPI: the endpoint service's load balancer has the API's
// behind it and passes TCP on, so that TLS ends where it always does.
func TestLinkLeadsToTheAPI(t *testing.T) {
	for _, name := range synthtest.Environments(t) {
		estate := synthtest.Load(t, name)
		for _, service := range estate.Resources("AWS::EC2::VPCEndpointService") {
			link := service.Target("NetworkLoadBalancerArns", "0")
			listener := estate.Find("AWS::ElasticLoadBalancingV2::Listener", "Link/Https")
			if link == nil || listener.Target("LoadBalancerArn") != link || listener.Text("Protocol") != "TCP" {
				t.Fatalf("%s: the listener is not the link's, or opens what it should pass on", name)
			}
			group := listener.Target("DefaultActions", "0", "TargetGroupArn")
			if behind := group.Target("Targets", "0", "Id"); behind == nil || behind.Path() != "Balancer" || group.Text("TargetType") != "alb" {
				t.Errorf("%s: behind the link is %v", name, behind)
			}
		}
	}
}
