package estate

import (
	"fmt"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/jsii-runtime-go"

	"padron/infra/config"
)

// tokens is who issues the tokens that GitHub's jobs come with.
const tokens = "token.actions.githubusercontent.com"

// Delivery is what the pipeline may do in the account: a role to look and to
// propose, one to deploy what was proposed, one to push images. A job takes one
// with a token of an hour; there is no key to steal.
type Delivery struct {
	Stack awscdk.Stack
}

// NewDelivery adds the stack delivery.
func NewDelivery(app awscdk.App, env *config.Environment) *Delivery {
	stack := newStack(app, env, "delivery", "what the pipeline may do")
	provider := awsiam.NewCfnOIDCProvider(stack, jsii.String("GitHub"), &awsiam.CfnOIDCProviderProps{
		Url: jsii.String("https://" + tokens), ClientIdList: texts("sts.amazonaws.com"),
	})
	role := func(id, environment, what string) awsiam.Role {
		return awsiam.NewRole(stack, jsii.String(id), &awsiam.RoleProps{
			RoleName: jsii.String(env.Prefix() + "-" + id), Description: jsii.String(what),
			AssumedBy:          job(provider, env.Delivery.Subject(environment)),
			MaxSessionDuration: awscdk.Duration_Hours(jsii.Number(1)),
		})
	}
	guarded := env.Delivery.GitHubEnvironment
	grant(stack, "PlanPolicy", role("plan", env.Delivery.PlanEnvironment(), "Reads the estate and proposes changes to it"), proposals(env)...)
	grant(stack, "DeployPolicy", role("deploy", guarded, "Executes what was proposed and approved"), deployments(env)...)
	grant(stack, "ReleasePolicy", role("release", guarded, "Pushes images and reads what their scan found"), releases(env)...)
	return &Delivery{Stack: stack}
}

// job trusts a job with exactly this subject, that asked for its token for AWS.
func job(provider awsiam.CfnOIDCProvider, subject string) awsiam.IPrincipal {
	return awsiam.NewFederatedPrincipal(provider.AttrArn(), &map[string]any{
		"StringEquals": map[string]any{tokens + ":aud": "sts.amazonaws.com", tokens + ":sub": subject},
	}, jsii.String("sts:AssumeRoleWithWebIdentity"))
}

// stackARNs are the environment's stacks in both regions.
func stackARNs(env *config.Environment) []string {
	arn := func(region string) string {
		return fmt.Sprintf("arn:aws:cloudformation:%s:%s:stack/%s-*/*", region, env.Account, env.Prefix())
	}
	return []string{arn(env.Region), arn(env.CopyRegion)}
}

// looking is what both plan and deploy read of stacks.
func looking(env *config.Environment) awsiam.PolicyStatement {
	return allow("Look", []string{
		"cloudformation:DescribeStacks", "cloudformation:DescribeStackEvents", "cloudformation:DescribeStackResource",
		"cloudformation:DescribeStackResources", "cloudformation:ListStackResources", "cloudformation:DescribeChangeSet",
		"cloudformation:ListChangeSets", "cloudformation:GetTemplate", "cloudformation:GetTemplateSummary", "cloudformation:GetStackPolicy",
		"cloudformation:DetectStackDrift", "cloudformation:DetectStackResourceDrift", "cloudformation:DescribeStackResourceDrifts",
	}, stackARNs(env))
}

// bootstrapRoles are roles that cdk bootstrap made, in both regions.
func bootstrapRoles(env *config.Environment, name string) []string {
	arn := func(region string) string {
		return fmt.Sprintf("arn:aws:iam::%s:role/cdk-hnb659fds-%s-role-%s-%s", env.Account, name, env.Account, region)
	}
	return []string{arn(env.Region), arn(env.CopyRegion)}
}

// passing hands CloudFormation the role that it changes resources with; to
// anything else the role cannot be handed.
func passing(env *config.Environment) awsiam.PolicyStatement {
	s := allow("Pass", []string{"iam:PassRole"}, bootstrapRoles(env, "cfn-exec"))
	s.AddCondition(jsii.String("StringEquals"), map[string]any{"iam:PassedToService": "cloudformation.amazonaws.com"})
	return s
}

// proposals: read, and create change sets. To execute one is not among them.
func proposals(env *config.Environment) []awsiam.PolicyStatement {
	return []awsiam.PolicyStatement{
		looking(env), passing(env),
		allow("Propose", []string{"cloudformation:CreateChangeSet", "cloudformation:DeleteChangeSet"}, stackARNs(env)),
		allow("Upload", []string{"sts:AssumeRole"}, append(bootstrapRoles(env, "file-publishing"), bootstrapRoles(env, "lookup")...)),
		// These know no single resource.
		allow("List", []string{"cloudformation:ListStacks", "cloudformation:ListExports", "cloudformation:DescribeStackDriftDetectionStatus",
			"cloudformation:ValidateTemplate"}, []string{"*"}),
	}
}

// deployments: execute change sets that are there. To create one is not among
// them, so what runs is what was reviewed.
func deployments(env *config.Environment) []awsiam.PolicyStatement {
	return []awsiam.PolicyStatement{
		looking(env), passing(env),
		allow("Deploy", []string{"cloudformation:ExecuteChangeSet", "cloudformation:DeleteChangeSet", "cloudformation:CancelUpdateStack",
			"cloudformation:ContinueUpdateRollback", "cloudformation:RollbackStack"}, stackARNs(env)),
	}
}

// releases: push to the environment's repositories and read the scan.
func releases(env *config.Environment) []awsiam.PolicyStatement {
	var repositories []string
	for _, program := range []string{"synchronizer", "customers-mngr", "padron"} {
		repositories = append(repositories, fmt.Sprintf("arn:aws:ecr:%s:%s:repository/%s-%s", env.Region, env.Account, env.Prefix(), program))
	}
	return []awsiam.PolicyStatement{
		// A login knows no repository, nor does how the registry scans.
		allow("LogIn", []string{"ecr:GetAuthorizationToken", "ecr:GetRegistryScanningConfiguration"}, []string{"*"}),
		allow("Push", []string{"ecr:BatchCheckLayerAvailability", "ecr:InitiateLayerUpload", "ecr:UploadLayerPart", "ecr:CompleteLayerUpload",
			"ecr:PutImage", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"}, repositories),
		allow("Scan", []string{"ecr:DescribeImages", "ecr:DescribeRepositories", "ecr:DescribeImageScanFindings"}, repositories),
		// Findings of the enhanced scan are Inspector's, which knows no single one.
		allow("Findings", []string{"inspector2:ListFindings", "inspector2:ListCoverage"}, []string{"*"}),
	}
}
