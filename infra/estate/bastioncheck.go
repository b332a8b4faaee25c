package estate

import (
	"fmt"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsssm"
	"github.com/aws/jsii-runtime-go"

	"padron/infra/config"
)

// checkTokens is where the tokens of one check lie, in the bastion's memory:
// from when it drafts them until the check has ended.
const checkTokens = "/run/padron-check" //nolint:gosec // a folder

// checks are the two commands that can be run at the bastion without a session.
// Neither leaves room for another one.
type checks struct{ draft, check awsssm.CfnDocument }

func newChecks(stack awscdk.Stack, env *config.Environment, data *Data, b *Bastion) checks {
	return checks{draftDocument(stack, env, b), checkDocument(stack, env, data, b)}
}

// draftDocument has the bastion make a token of each role for the check. What it
// answers is how to register them: hashes, and no token.
func draftDocument(stack awscdk.Stack, env *config.Environment, b *Bastion) awsssm.CfnDocument {
	return commandDocument(stack, "Draft", env.Prefix()+"-check-draft", map[string]any{
		"description": "Draft the tokens of a check",
		"mainSteps": script(b, "",
			"rm -rf "+checkTokens+" && install -d -m 0700 -o nobody "+checkTokens,
			"runuser -u nobody -- ./padron token draft-check --to "+checkTokens+"/tokens.json"),
	})
}

// checkDocument is padron check of this service, with the tokens that were
// drafted and against the release that its two parameters tell.
func checkDocument(stack awscdk.Stack, env *config.Environment, data *Data, b *Bastion) awsssm.CfnDocument {
	return commandDocument(stack, "Check", env.Prefix()+"-check", map[string]any{
		"description": "Check the service from inside",
		"parameters": map[string]any{
			"version": parameter("The version that must run", "^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$"),
			"applied": parameter("Since when, as 2026-01-02T03:04:05Z", "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$"),
		},
		"mainSteps": script(b, checkTokens,
			`echo '{"version":"{{ version }}","applied":"{{ applied }}"}' > release.json && chmod 0644 release.json`,
			fmt.Sprintf("runuser -u nobody -- ./padron check https://%s.%s --tokens %s/tokens.json --database %s:%d --release release.json --json",
				env.Domains.Host, env.Domains.Zone, checkTokens, *data.Cluster.ClusterEndpoint().Hostname(), portDatabase)),
	})
}

func commandDocument(stack awscdk.Stack, id, name string, content map[string]any) awsssm.CfnDocument {
	content["schemaVersion"] = "2.2"
	return awsssm.NewCfnDocument(stack, jsii.String(id), &awsssm.CfnDocumentProps{
		Name:         jsii.String(name),
		DocumentType: jsii.String("Command"),
		TargetType:   jsii.String("/AWS::EC2::Instance"),
		UpdateMethod: jsii.String("NewVersion"),
		Content:      content,
	})
}

// script is one step that fetches the tool into a folder of its own and runs the
// lines there. The folder goes with it, as does what else is named.
func script(b *Bastion, gone string, lines ...any) []any {
	begin := []any{
		"set -eu",
		`dir=$(mktemp -d) && trap 'rm -rf "$dir" ` + gone + `' EXIT && chmod 0755 "$dir" && cd "$dir"`,
		"aws s3 cp --only-show-errors s3://" + *b.Sessions.BucketName() + "/" + toolKey + " padron && chmod 0755 padron",
	}
	return []any{map[string]any{
		"action": "aws:runShellScript", "name": "check",
		"inputs": map[string]any{"timeoutSeconds": "300", "runCommand": append(begin, lines...)},
	}}
}

func parameter(what, pattern string) map[string]any {
	return map[string]any{"type": "String", "description": what, "allowedPattern": pattern}
}

// statements let somebody run the two commands and read their answers.
func (c checks) statements(env *config.Environment, b *Bastion) []awsiam.PolicyStatement {
	return []awsiam.PolicyStatement{
		allow("RunCheck", []string{"ssm:SendCommand"}, []string{
			instanceARN(env, b.Instance), documentARN(env, c.draft), documentARN(env, c.check),
		}),
		allow("ReadCheck", []string{"ssm:GetCommandInvocation"}, []string{"*"}), // it knows no single one
	}
}

// verify lets the role that deploys have what it deployed checked: bring the
// program, wake the instance, run the two commands. Stopping is the evening's.
func (c checks) verify(env *config.Environment, deploy awsiam.IRole, b *Bastion) {
	grant(b.Stack, "Verify", deploy, append(c.statements(env, b),
		allow("BringTool", []string{"s3:PutObject"}, []string{*b.Sessions.BucketArn() + "/" + toolKey}),
		allow("Wake", []string{"ec2:StartInstances"}, []string{instanceARN(env, b.Instance)}),
	)...)
}

func documentARN(env *config.Environment, document awsssm.CfnDocument) string {
	return "arn:aws:ssm:" + env.Region + ":" + env.Account + ":document/" + *document.Ref()
}
