package estate_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"padron/infra/cfn"
)

const (
	typeZone   = "AWS::Route53::HostedZone"
	typeRecord = "AWS::Route53::RecordSet"
)

// TestZones holds that the zone exists twice: once for the world, unless it is
// there already, and once for the VPC.
func TestZones(t *testing.T) {
	eachEnvironment(t, func(t *testing.T, e environment) {
		want := []string{"names/Private"}
		if e.env.Domains.PublicZoneID == "" {
			want = append(want, "names/Public")
		}
		zones := e.Resources(typeZone)
		if diff := cmp.Diff(want, paths(zones)); diff != "" {
			t.Errorf("zones (-want +got):\n%s", diff)
		}
		for _, z := range zones {
			has(t, z, map[string]string{"Name": e.env.Domains.Zone + "."})
		}
		vpc := e.the(t, typeZone, "names/Private").Target("VPCs", "0", "VPCId")
		if vpc == nil || vpc.String() != "network/Vpc" {
			t.Errorf("the private zone is of %v, want network/Vpc", vpc)
		}
	})
}

// TestQueriesPolicy holds that Route 53 may write the zone's queries, for this
// account alone.
func TestQueriesPolicy(t *testing.T) {
	eachEnvironment(t, func(t *testing.T, e environment) {
		if e.env.Domains.PublicZoneID != "" || e.env.Region != "us-east-1" {
			return // the zone is somebody else's, or Route 53 cannot log its queries in the region
		}
		zone := e.the(t, typeZone, "names/Public")
		group := zone.Target("QueryLoggingConfig", "CloudWatchLogsLogGroupArn")
		if group == nil {
			t.Fatal("the queries have no log group")
		}
		policy := e.the(t, "AWS::Logs::ResourcePolicy", "names/QueriesPolicy/ResourcePolicy").Text("PolicyDocument")
		want := `{"Statement":[{"Action":["logs:CreateLogStream","logs:PutLogEvents"],"Condition":{"StringEquals":{"aws:SourceAccount":"` +
			e.env.Account + `"}},"Effect":"Allow","Principal":{"Service":"route53.amazonaws.com"},"Resource":"` +
			cfn.Reference{Resource: group, Attribute: "Arn"}.String() + `","Sid":"Queries"}],"Version":"2012-10-17"}`
		if diff := cmp.Diff(want, policy); diff != "" {
			t.Errorf("policy (-want +got):\n%s", diff)
		}
	})
}
