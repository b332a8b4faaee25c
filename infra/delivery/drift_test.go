package delivery

import (
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/google/go-cmp/cmp"

	"padron/infra/synthtest"
)

// drift changes things by hand and finds them again, and nothing before.
func (s *story) drift(c commit) {
	before := s.drifted(c)
	if before.Any() || before.Stacks != len(c.templates.Stacks) {
		s.Fatalf("drift before anybody touched anything: %+v", before)
	}
	where := func(stack, id string) *string {
		told, err := cloudformation.NewFromConfig(s.account.Config(c.env.Region)).DescribeStackResource(s.Context(),
			&cloudformation.DescribeStackResourceInput{StackName: aws.String(c.env.Prefix() + "-" + stack), LogicalResourceId: &id})
		if err != nil {
			s.Fatal(err)
		}
		return told.StackResourceDetail.PhysicalResourceId
	}
	config := s.account.Config(c.env.Region)
	bucket, group := c.templates.Find("AWS::S3::Bucket", "Releases"), c.templates.Find("AWS::EC2::SecurityGroup", "BalancerGroup")
	log := c.templates.Stack("migration").Resources["Log95422804"]
	_, versions := objects(config).PutBucketVersioning(s.Context(), &s3.PutBucketVersioningInput{
		Bucket: where("delivery", bucket.LogicalID), VersioningConfiguration: &s3types.VersioningConfiguration{Status: s3types.BucketVersioningStatusSuspended},
	})
	_, open := ec2.NewFromConfig(config).AuthorizeSecurityGroupIngress(s.Context(), &ec2.AuthorizeSecurityGroupIngressInput{
		GroupId: where("network", group.LogicalID), IpPermissions: []ec2types.IpPermission{{
			IpProtocol: aws.String("tcp"), FromPort: aws.Int32(22), ToPort: aws.Int32(22), IpRanges: []ec2types.IpRange{{CidrIp: aws.String("0.0.0.0/0")}},
		}},
	})
	_, gone := cloudwatchlogs.NewFromConfig(config).DeleteLogGroup(s.Context(), &cloudwatchlogs.DeleteLogGroupInput{LogGroupName: where("migration", log.LogicalID)})
	for _, err := range []error{versions, open, gone} {
		if err != nil {
			s.Fatal(err)
		}
	}
	drift := s.drifted(c)
	var got []string
	for _, r := range drift.Resources {
		line := r.Stack + "/" + r.LogicalID + " " + r.Status
		for _, p := range r.Differences {
			line += " " + p.Path + " " + p.Kind
		}
		got = append(got, line)
	}
	want := []string{
		"delivery/" + bucket.LogicalID + " MODIFIED /VersioningConfiguration NOT_EQUAL",
		"migration/" + log.LogicalID + " DELETED",
		"network/" + group.LogicalID + " MODIFIED /SecurityGroupIngress/2 ADD",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		s.Errorf("what was changed by hand (-want +got):\n%s", diff)
	}
	for _, want := range []string{"dev is not as it was deployed", "Release 5 should run", "`/SecurityGroupIngress/2` | – | `{", "0.0.0.0/0"} {
		if page := drift.Markdown(); !strings.Contains(page, want) {
			s.Errorf("the page does not say %q:\n%s", want, page)
		}
	}
	if err := drift.Write(filepath.Join(s.TempDir(), "drift")); err != nil {
		s.Error(err)
	}
}

// drifted asks for the drift; there is nothing but the account.
func (s *story) drifted(c commit) *Drift {
	s.Helper()
	drift, err := s.of(commit{"unknown", c.env, nil}).Drift(s.Context())
	if err != nil {
		s.Fatal(err)
	}
	return drift
}

// TestKnown sorts what the estate does itself from what somebody else did in the
// same place.
func TestKnown(t *testing.T) {
	const rule, cluster = "AWS::ElasticLoadBalancingV2::ListenerRule", "AWS::RDS::DBCluster"
	action := func(first, second string, weights ...string) string {
		return `{"Type":"forward","ForwardConfig":{"TargetGroups":[{"TargetGroupArn":"` + first + `","Weight":` + weights[0] + `},{"TargetGroupArn":"` + second + `","Weight":` + weights[1] + `}]}}`
	}
	tests := []struct {
		name, typ   string
		differences []Difference
		drift, ours int
	}{
		{"weights, as values", rule, []Difference{
			{Path: "/Actions/0/ForwardConfig/TargetGroups/0/Weight", Kind: "NOT_EQUAL", Expected: "1", Actual: "0"},
			{Path: "/Actions/0/ForwardConfig/TargetGroups/1/Weight", Kind: "NOT_EQUAL", Expected: "0", Actual: "1"},
		}, 0, 2},
		{"weights, as an action that came and one that went", rule, []Difference{
			{Path: "/Actions/0", Kind: "REMOVE", Expected: action("blue", "green", "1", "0"), Actual: "null"},
			{Path: "/Actions/0", Kind: "ADD", Expected: "null", Actual: action("blue", "green", "0", "1")},
		}, 0, 2},
		{"another target group", rule, []Difference{
			{Path: "/Actions/0", Kind: "REMOVE", Expected: action("blue", "green", "1", "0"), Actual: "null"},
			{Path: "/Actions/0", Kind: "ADD", Expected: "null", Actual: action("blue", "theirs", "0", "1")},
		}, 2, 0},
		{"an action more", rule, []Difference{{Path: "/Actions/1", Kind: "ADD", Actual: action("blue", "green", "1", "0")}}, 1, 0},
		{"a target group, as a value", rule, []Difference{
			{Path: "/Actions/0/ForwardConfig/TargetGroups/0/TargetGroupArn", Kind: "NOT_EQUAL", Expected: "blue", Actual: "theirs"},
		}, 1, 0},
		{"a condition beside the weights", rule, []Difference{
			{Path: "/Actions/0/ForwardConfig/TargetGroups/0/Weight", Kind: "NOT_EQUAL", Expected: "1", Actual: "0"},
			{Path: "/Conditions/0", Kind: "REMOVE", Expected: "{}"},
		}, 1, 1},
		{"the weights of a listener, which nobody moves", "AWS::ElasticLoadBalancingV2::Listener", []Difference{
			{Path: "/Actions/0/ForwardConfig/TargetGroups/0/Weight", Kind: "NOT_EQUAL", Expected: "1", Actual: "0"},
		}, 1, 0},
		{"a patch", cluster, []Difference{{Path: "/EngineVersion", Kind: "NOT_EQUAL", Expected: "8.0.mysql_aurora.3.10.4", Actual: "8.0.mysql_aurora.3.10.5"}}, 0, 1},
		{"another minor version", cluster, []Difference{{Path: "/EngineVersion", Kind: "NOT_EQUAL", Expected: "8.0.mysql_aurora.3.10.4", Actual: "8.0.mysql_aurora.3.11.0"}}, 1, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			drift, ours := explain(tt.typ, tt.differences)
			if len(drift) != tt.drift || len(ours) != tt.ours {
				t.Errorf("%d count and %d are known, want %d and %d: %+v, %+v", len(drift), len(ours), tt.drift, tt.ours, drift, ours)
			}
			for _, d := range ours {
				if d.Why == "" {
					t.Errorf("%s: nobody says who does it", d.Path)
				}
			}
		})
	}
}

// TestPageIsText: a value that is cut is still text, without which there is no
// issue: GitHub takes no other.
func TestPageIsText(t *testing.T) {
	for _, pad := range []string{"", "x"} {
		d := &Drift{Resources: []Drifted{{Differences: []Difference{{Actual: pad + strings.Repeat("é", maxValue)}}}}}
		if page := d.Markdown(); !utf8.ValidString(page) || !strings.Contains(page, "é...`") {
			t.Errorf("%q", page)
		}
	}
}

// TestKnownIsThere wants every known difference to be of a property that some
// environment sets: CloudFormation looks at no other.
func TestKnownIsThere(t *testing.T) {
	for _, k := range known {
		found := false
		for _, name := range synthtest.Environments(t) {
			for _, r := range synthtest.Load(t, name).Resources(k.typ) {
				found = found || r.Get(strings.Split(k.path, "/")[1]) != nil
			}
		}
		if !found {
			t.Errorf("no template sets %s of a %s: take it off the list", k.path, k.typ)
		}
	}
}
