package estate

import (
	"fmt"
	"slices"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awss3"
	"github.com/aws/jsii-runtime-go"

	"padron/infra/config"
)

// tokens is who issues the tokens that GitHub's jobs come with.
const tokens = "token.actions.githubusercontent.com"

// Delivery is what the pipeline may do in the account: a role to look and to
// propose, one to deploy what was proposed, one to push images. A job takes one
// with a token of its own, for as long as it may take; there is no key to steal.
type Delivery struct {
	Stack awscdk.Stack
	// Releases keeps the record of every release, with its templates.
	Releases awss3.Bucket
	// Deploy executes what was approved, and sees that it runs.
	Deploy awsiam.Role
}

// NewDelivery adds the stack delivery.
func NewDelivery(app awscdk.App, env *config.Environment, keys *Keys, net *Network) *Delivery {
	stack := newStack(app, env, "delivery", "what the pipeline may do")
	kept := logBucket(stack, "Releases", env, keys, net, "releases", env.Retention.Trail)
	provider := awsiam.NewCfnOIDCProvider(stack, jsii.String("GitHub"), &awsiam.CfnOIDCProviderProps{
		Url: jsii.String("https://" + tokens), ClientIdList: texts("sts.amazonaws.com"),
	})
	role := func(id, environment, what string, policies ...awsiam.IManagedPolicy) awsiam.Role {
		return awsiam.NewRole(stack, jsii.String(id), &awsiam.RoleProps{
			RoleName: jsii.String(env.Prefix() + "-" + id), Description: jsii.String(what),
			AssumedBy:          job(provider, env.Delivery.Subject(environment)),
			ManagedPolicies:    &policies,
			MaxSessionDuration: awscdk.Duration_Seconds(jsii.Number(env.Delivery.Session(id).Seconds())),
		})
	}
	guarded := env.Delivery.GitHubEnvironment
	grant(stack, "PlanPolicy", role(config.PlanRole, env.Delivery.PlanEnvironment(), "Reads the estate and proposes changes to it",
		settings()), proposals(env, kept)...)
	d := &Delivery{Stack: stack, Releases: kept, Deploy: role(config.DeployRole, guarded, "Executes what was proposed and approved")}
	grant(stack, "DeployPolicy", d.Deploy, deployments(env, kept)...)
	grant(stack, "ReleasePolicy", role(config.ReleaseRole, guarded, "Pushes images and reads what their scan found"), releases(env, kept)...)
	return d
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

// bootstrapped is what both plan and deploy read of what cdk bootstrap made: its
// version, and the files that resources and large templates are made of.
func bootstrapped(env *config.Environment) []awsiam.PolicyStatement {
	var versions []string
	for _, region := range []string{env.Region, env.CopyRegion} {
		versions = append(versions, fmt.Sprintf("arn:aws:ssm:%s:%s:parameter/cdk-bootstrap/hnb659fds/version", region, env.Account))
	}
	return []awsiam.PolicyStatement{
		allow("Bootstrapped", []string{"ssm:GetParameter"}, versions),
		allow("Assets", []string{"s3:GetObject"}, assets(env)),
	}
}

// assets are the files in the buckets of cdk bootstrap, in both regions.
func assets(env *config.Environment) []string {
	files := func(region string) string {
		return fmt.Sprintf("arn:aws:s3:::cdk-hnb659fds-assets-%s-%s/*", env.Account, region)
	}
	return []string{files(env.Region), files(env.CopyRegion)}
}

// uploading writes a file that is not there yet, and none that is: what was
// reviewed cannot be swapped while a stack is made of it. The condition is the
// header by which a request asks S3 for just that (S3 User Guide, "Enforce
// conditional writes").
func uploading(env *config.Environment) awsiam.PolicyStatement {
	s := allow("Upload", []string{"s3:PutObject"}, assets(env))
	s.AddCondition(jsii.String("Null"), map[string]any{"s3:if-none-match": "false"})
	return s
}

// passing hands CloudFormation the role of cdk bootstrap that it changes resources
// with, one in each region; to anything else the role cannot be handed.
func passing(env *config.Environment) awsiam.PolicyStatement {
	role := func(region string) string {
		return fmt.Sprintf("arn:aws:iam::%s:role/cdk-hnb659fds-cfn-exec-role-%s-%s", env.Account, env.Account, region)
	}
	s := allow("Pass", []string{"iam:PassRole"}, []string{role(env.Region), role(env.CopyRegion)})
	s.AddCondition(jsii.String("StringEquals"), map[string]any{"iam:PassedToService": "cloudformation.amazonaws.com"})
	return s
}

// proposals: read, and create change sets. To execute one is not among them.
func proposals(env *config.Environment, kept awss3.IBucket) []awsiam.PolicyStatement {
	return append(slices.Concat(readReleases(kept), bootstrapped(env)),
		looking(env), passing(env), uploading(env),
		allow("Propose", []string{"cloudformation:CreateChangeSet", "cloudformation:DeleteChangeSet"}, stackARNs(env)),
		// A way back is planned of images whose signatures hold.
		allow("LogIn", []string{"ecr:GetAuthorizationToken"}, []string{"*"}), // it knows no repository
		allow("Images", []string{"ecr:DescribeImages", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"}, repositories(env)),
		// These know no single resource.
		allow("List", []string{"cloudformation:ListStacks", "cloudformation:ListExports", "cloudformation:DescribeStackDriftDetectionStatus",
			"cloudformation:ValidateTemplate"}, []string{"*"}),
	)
}

// settings is AWS's policy that reads every service's settings and no data: to
// find drift, CloudFormation looks at each resource with the rights of who asks.
func settings() awsiam.IManagedPolicy {
	return awsiam.ManagedPolicy_FromAwsManagedPolicyName(jsii.String("SecurityAudit"))
}

// releaseObjects are the objects that the releases are kept in.
func releaseObjects(kept awss3.IBucket) []string { return []string{*kept.BucketArn() + "/releases/*"} }

// readReleases reads what was released.
func readReleases(kept awss3.IBucket) []awsiam.PolicyStatement {
	return []awsiam.PolicyStatement{
		allow("ListReleases", []string{"s3:ListBucket"}, []string{*kept.BucketArn()}),
		allow("ReadReleases", []string{"s3:GetObject"}, releaseObjects(kept)),
	}
}

// deployments: execute change sets that are there, and see what runs then. To
// create one is not among them, so what runs is what was reviewed.
func deployments(env *config.Environment, kept awss3.IBucket) []awsiam.PolicyStatement {
	return append(slices.Concat(readReleases(kept), bootstrapped(env), migrating(env), seeing(env)),
		looking(env), passing(env),
		allow("KeepRelease", []string{"s3:PutObject"}, releaseObjects(kept)),
		allow("Deploy", []string{"cloudformation:ExecuteChangeSet", "cloudformation:DeleteChangeSet", "cloudformation:CancelUpdateStack",
			"cloudformation:ContinueUpdateRollback", "cloudformation:RollbackStack"}, stackARNs(env)),
	)
}

// migrating runs the task that migrates the database, in its cluster with its
// two roles, and reads what it logged. The same task registers the tokens with
// which what was deployed is checked.
func migrating(env *config.Environment) []awsiam.PolicyStatement {
	name := env.Prefix() + "-migration"
	role := fmt.Sprintf("arn:aws:iam::%s:role/%s", env.Account, name)
	run := allow("Migrate", []string{"ecs:RunTask"}, []string{fmt.Sprintf("arn:aws:ecs:%s:%s:task-definition/%s:*", env.Region, env.Account, name)})
	run.AddCondition(jsii.String("ArnEquals"), map[string]any{
		"ecs:cluster": fmt.Sprintf("arn:aws:ecs:%s:%s:cluster/%s", env.Region, env.Account, env.Prefix()),
	})
	roles := allow("HandOver", []string{"iam:PassRole"}, []string{role, role + "-execution"})
	roles.AddCondition(jsii.String("StringEquals"), map[string]any{"iam:PassedToService": "ecs-tasks.amazonaws.com"}) //nolint:gosec // a condition's name
	return []awsiam.PolicyStatement{
		run, roles,
		allow("ReadMigration", []string{"logs:GetLogEvents"}, []string{
			fmt.Sprintf("arn:aws:logs:%s:%s:log-group:/padron/%s/migration:log-stream:*", env.Region, env.Account, env.Name),
		}),
	}
}

// seeing looks at what runs: at tasks, the migration's among them, and at the
// service and the definitions that they are of.
func seeing(env *config.Environment) []awsiam.PolicyStatement {
	return []awsiam.PolicyStatement{
		allow("SeeService", []string{"ecs:DescribeServices"}, []string{ecsARN(env, "service", env.Prefix()+"-"+managerName)}),
		allow("SeeTasks", []string{"ecs:DescribeTasks"}, []string{ecsARN(env, "task", "*")}),
		// ECS asks this of a cluster's instances, on Fargate, too, which has none.
		allow("ListTasks", []string{"ecs:ListTasks"}, []string{ecsARN(env, "container-instance", "*")}),
		allow("SeeDefinitions", []string{"ecs:DescribeTaskDefinition"}, []string{"*"}), // it knows no single one
	}
}

// releases: push to the environment's repositories and read the scan.
func releases(env *config.Environment, kept awss3.IBucket) []awsiam.PolicyStatement {
	own := repositories(env)
	return append(readReleases(kept),
		// A login knows no repository, nor does how the registry scans.
		allow("LogIn", []string{"ecr:GetAuthorizationToken", "ecr:GetRegistryScanningConfiguration"}, []string{"*"}),
		allow("Push", []string{"ecr:BatchCheckLayerAvailability", "ecr:InitiateLayerUpload", "ecr:UploadLayerPart", "ecr:CompleteLayerUpload",
			"ecr:PutImage", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"}, own),
		allow("Scan", []string{"ecr:DescribeImages", "ecr:DescribeRepositories", "ecr:DescribeImageScanFindings"}, own),
		// Findings of the enhanced scan are Inspector's, which knows no single one.
		allow("Findings", []string{"inspector2:ListFindings", "inspector2:ListCoverage"}, []string{"*"}),
	)
}

// ecsARN is something in the environment's cluster.
func ecsARN(env *config.Environment, kind, name string) string {
	return fmt.Sprintf("arn:aws:ecs:%s:%s:%s/%s/%s", env.Region, env.Account, kind, env.Prefix(), name)
}

// repositories are those of the environment's images.
func repositories(env *config.Environment) []string {
	var arns []string
	for _, program := range []string{"synchronizer", "customers-mngr", "padron"} {
		arns = append(arns, fmt.Sprintf("arn:aws:ecr:%s:%s:repository/%s-%s", env.Region, env.Account, env.Prefix(), program))
	}
	return arns
}
