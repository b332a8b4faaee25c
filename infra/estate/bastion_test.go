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

// TestCheckDocuments holds the two commands: tokens into memory, then the check of
// this service and its database with them, both as nobody.
func TestCheckDocuments(t *testing.T) {
	eachEnvironment(t, func(t *testing.T, e environment) {
		for id, wants := range map[string][]string{
			"Draft": {"runuser -u nobody -- ./padron token draft-check --to /run/padron-check/tokens.json", "tools/padron"},
			"Check": {
				"runuser -u nobody -- ./padron check https://" + e.env.Domains.Host + "." + e.env.Domains.Zone + " --tokens /run/padron-check/tokens.json",
				"--release release.json --json", "tools/padron", ":3306", "/run/padron-check' EXIT",
			},
		} {
			command := e.the(t, "AWS::SSM::Document", "bastion/"+id)
			name := map[string]string{"Draft": "-check-draft", "Check": "-check"}[id]
			has(t, command, map[string]string{"DocumentType": "Command", "Name": e.env.Prefix() + name})
			script := text(command.Stack.Resolve(command.Get("Content", "mainSteps")))
			for _, want := range wants {
				if !strings.Contains(script, want) {
					t.Errorf("%s has no %q: %s", id, want, script)
				}
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
