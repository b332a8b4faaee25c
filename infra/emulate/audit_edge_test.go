package emulate_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/acm"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/aws/aws-sdk-go-v2/service/route53"
	r53types "github.com/aws/aws-sdk-go-v2/service/route53/types"
)

// balancer returns the load balancer of the API.
func (d *deployed) balancer(t testing.TB) types.LoadBalancer {
	t.Helper()
	return must(d.in(d.env.Region).elb.DescribeLoadBalancers(t.Context(), &elb.DescribeLoadBalancersInput{
		Names: []string{d.env.Prefix()},
	}))(t).LoadBalancers[0]
}

// auditBalancer: internal, in the private subnets, kept from deletion as
// configured, without invalid headers, its requests logged.
func (d *deployed) auditBalancer(t testing.TB) {
	b := d.balancer(t)
	same(t, "the load balancer's scheme", b.Scheme, types.LoadBalancerSchemeEnumInternal)
	var subnets []string
	for _, z := range b.AvailabilityZones {
		subnets = append(subnets, str(z.SubnetId))
	}
	slices.Sort(subnets)
	if !slices.Equal(subnets, d.privateSubnets(t)) {
		t.Errorf("the load balancer is in %v, want the private subnets %v", subnets, d.privateSubnets(t))
	}
	settings := map[string]string{}
	for _, a := range must(d.in(d.env.Region).elb.DescribeLoadBalancerAttributes(t.Context(), &elb.DescribeLoadBalancerAttributesInput{
		LoadBalancerArn: b.LoadBalancerArn,
	}))(t).Attributes {
		settings[str(a.Key)] = str(a.Value)
	}
	protected := map[bool]string{true: "true", false: "false"}[d.env.Protected]
	same(t, "deletion protection of the load balancer", settings["deletion_protection.enabled"], protected)
	same(t, "dropping invalid headers", settings["routing.http.drop_invalid_header_fields.enabled"], "true")
	same(t, "access logs", settings["access_logs.s3.enabled"], "true")
}

// auditListener: one, on 443, by TLS 1.3 alone, with a certificate for the
// API's name.
func (d *deployed) auditListener(t testing.TB) {
	c := d.in(d.env.Region)
	listeners := must(c.elb.DescribeListeners(t.Context(), &elb.DescribeListenersInput{LoadBalancerArn: d.balancer(t).LoadBalancerArn}))(t).Listeners
	if len(listeners) != 1 {
		t.Fatalf("the load balancer has %d listeners, want 1", len(listeners))
	}
	l := listeners[0]
	same(t, "the listener's port", *l.Port, 443)
	same(t, "the listener's protocol", l.Protocol, types.ProtocolEnumHttps)
	if !strings.HasPrefix(str(l.SslPolicy), "ELBSecurityPolicy-TLS13-1-3") {
		t.Errorf("the listener's policy is %s, want TLS 1.3 alone", str(l.SslPolicy))
	}
	if len(l.Certificates) != 1 {
		t.Fatalf("the listener has %d certificates, want 1", len(l.Certificates))
	}
	certificate := must(c.acm.DescribeCertificate(t.Context(), &acm.DescribeCertificateInput{CertificateArn: l.Certificates[0].CertificateArn}))(t).Certificate
	same(t, "the certificate's name", str(certificate.DomainName), d.env.Domains.Host+"."+d.env.Domains.Zone)
}

// auditTargets: HTTPS to the tasks, whose health is asked for often enough to
// take one out within half a minute.
func (d *deployed) auditTargets(t testing.TB) {
	groups := must(d.in(d.env.Region).elb.DescribeTargetGroups(t.Context(), &elb.DescribeTargetGroupsInput{}))(t).TargetGroups
	blue := 0
	for _, g := range groups {
		if g.Protocol != types.ProtocolEnumHttps {
			continue // the way in by PrivateLink
		}
		blue++
		name := str(g.TargetGroupName)
		same(t, "the port of "+name, *g.Port, 8443)
		same(t, "the kind of "+name, g.TargetType, types.TargetTypeEnumIp)
		same(t, "the health check of "+name, string(g.HealthCheckProtocol)+" "+str(g.HealthCheckPath)+" "+str(g.Matcher.HttpCode), "HTTPS /healthz 200")
		same(t, "the interval of "+name, *g.HealthCheckIntervalSeconds, 10)
		same(t, "the timeout of "+name, *g.HealthCheckTimeoutSeconds, 5)
		same(t, "the healthy threshold of "+name, *g.HealthyThresholdCount, 3)
		same(t, "the unhealthy threshold of "+name, *g.UnhealthyThresholdCount, 3)
	}
	want := map[string]int{"rolling": 1, "blue-green": 2}[d.env.Manager.Deployment]
	same(t, "the number of target groups", blue, want)
}

// auditNames: the API's name leads to the load balancer inside the VPC, and
// the public zone does not know it.
func (d *deployed) auditNames(t testing.TB) {
	client := d.in(d.env.Region).route53
	zones := must(client.ListHostedZonesByName(t.Context(), &route53.ListHostedZonesByNameInput{}))(t).HostedZones
	host, private := d.env.Domains.Host+"."+d.env.Domains.Zone+".", 0
	for _, z := range zones {
		for _, r := range must(client.ListResourceRecordSets(t.Context(), &route53.ListResourceRecordSetsInput{HostedZoneId: z.Id}))(t).ResourceRecordSets {
			if str(r.Name) != host || r.Type != r53types.RRTypeA {
				continue
			}
			same(t, "a private zone of "+host, z.Config.PrivateZone, true)
			private++
			if r.AliasTarget == nil || !strings.Contains(str(r.AliasTarget.DNSName), str(d.balancer(t).DNSName)) {
				t.Errorf("%s leads to %+v, want the load balancer", host, r.AliasTarget)
			}
		}
	}
	same(t, "the number of records of "+host, private, 1)
}
