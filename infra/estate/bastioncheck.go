package estate

import (
	"fmt"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsssm"
	"github.com/aws/jsii-runtime-go"

	"padron/infra/config"
)

// checkDocument is the one command that can be run at the bastion without a
// session: padron check of this service, against the release that its two
// parameters tell. What they may be leaves no room for another command.
func checkDocument(stack awscdk.Stack, env *config.Environment, data *Data, b *Bastion) awsssm.CfnDocument {
	tool := "s3://" + *b.Sessions.BucketName() + "/" + toolKey
	check := fmt.Sprintf("runuser -u nobody -- ./padron check https://%s.%s --database %s:%d --release release.json --json",
		env.Domains.Host, env.Domains.Zone, *data.Cluster.ClusterEndpoint().Hostname(), portDatabase)
	return awsssm.NewCfnDocument(stack, jsii.String("Check"), &awsssm.CfnDocumentProps{
		Name:         jsii.String(env.Prefix() + "-check"),
		DocumentType: jsii.String("Command"),
		TargetType:   jsii.String("/AWS::EC2::Instance"),
		UpdateMethod: jsii.String("NewVersion"),
		Content: map[string]any{
			"schemaVersion": "2.2",
			"description":   "Check the service from inside",
			"parameters": map[string]any{
				"version": parameter("The version that must run", "^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$"),
				"applied": parameter("Since when, as 2026-01-02T03:04:05Z", "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$"),
			},
			"mainSteps": []any{map[string]any{
				"action": "aws:runShellScript", "name": "check",
				"inputs": map[string]any{"timeoutSeconds": "300", "runCommand": []any{
					"set -eu",
					`dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT && chmod 0755 "$dir" && cd "$dir"`,
					"aws s3 cp --only-show-errors " + tool + " padron && chmod 0755 padron",
					`echo '{"version":"{{ version }}","applied":"{{ applied }}"}' > release.json && chmod 0644 release.json`,
					check,
				}},
			}},
		},
	})
}

func parameter(what, pattern string) map[string]any {
	return map[string]any{"type": "String", "description": what, "allowedPattern": pattern}
}
