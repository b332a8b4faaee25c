package estate_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"padron/infra/cfn"
)

// TestBastion holds the instance: the configured size, on ARM64 Amazon Linux
// 2023, in a private subnet, in its own group.
func TestBastion(t *testing.T) {
	eachEnvironment(t, func(t *testing.T, e environment) {
		instance := e.the(t, "AWS::EC2::Instance", "bastion/Instance")
		has(t, instance, map[string]string{"InstanceType": e.env.Bastion.InstanceType, "KeyName": ""})
		if got := paths(cfn.Targets(instance.Get("SecurityGroupIds"))); !cmp.Equal(got, []string{"network/BastionGroup"}) {
			t.Errorf("the bastion is in the groups %v", got)
		}
		if got := instance.Target("SubnetId").String(); got != "network/Vpc/privateSubnet1/Subnet" {
			t.Errorf("the bastion is in %s", got)
		}
		parameters, _ := instance.Stack.Template["Parameters"].(map[string]any)
		image := ""
		for _, p := range parameters {
			image += text(p)
		}
		if want := "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-6.1-arm64"; !strings.Contains(image, want) {
			t.Errorf("the image is %s, want %s", image, want)
		}
	})
}

// TestCheckDocument holds the one command: this service, its database, as nobody.
func TestCheckDocument(t *testing.T) {
	eachEnvironment(t, func(t *testing.T, e environment) {
		check := e.the(t, "AWS::SSM::Document", "bastion/Check")
		has(t, check, map[string]string{"DocumentType": "Command", "Name": e.env.Prefix() + "-check"})
		script := text(check.Stack.Resolve(check.Get("Content", "mainSteps")))
		for _, want := range []string{
			"runuser -u nobody -- ./padron check https://" + e.env.Domains.Host + "." + e.env.Domains.Zone,
			"--release release.json --json", "tools/padron", ":3306",
		} {
			if !strings.Contains(script, want) {
				t.Errorf("the check has no %q: %s", want, script)
			}
		}
	})
}

// TestSessionsAreKept holds where sessions go: the bastion's own bucket and
// group, which no other stack writes to.
func TestSessionsAreKept(t *testing.T) {
	eachEnvironment(t, func(t *testing.T, e environment) {
		session := e.the(t, "AWS::SSM::Document", "bastion/Session")
		has(t, session, map[string]string{"DocumentType": "Session", "Name": e.env.Prefix() + "-session"})
		if got := session.Target("Content", "inputs", "s3BucketName"); got != e.the(t, "AWS::S3::Bucket", "bastion/Sessions") {
			t.Errorf("sessions go to the bucket %v", got)
		}
		if got := session.Target("Content", "inputs", "cloudWatchLogGroupName"); got != e.the(t, "AWS::Logs::LogGroup", "bastion/SessionLog") {
			t.Errorf("sessions go to the group %v", got)
		}
	})
}
