package estate

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsecr"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsecs"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslogs"
	"github.com/aws/jsii-runtime-go"

	"padron/infra/config"
)

// program is one of padron's services as a task.
type program struct {
	// name is the program's, its container's and its repository's: /name is the
	// only file of the image that is run.
	name            string
	cpu, memory     int
	role, execution awsiam.Role
	repository      awsecr.Repository
	digest          string
	command         []string
	variables       map[string]*string
	log             awslogs.LogGroup
}

// newProgram makes the task's definition, and lets its execution role write to
// this program's log alone. Change is applied to the container before it is
// added; nil changes nothing.
func newProgram(stack awscdk.Stack, env *config.Environment, p program, change func(*awsecs.ContainerDefinitionOptions)) awsecs.FargateTaskDefinition {
	definition := taskDefinition(stack, p.name+"-task", taskSize{p.name, p.cpu, p.memory}, env, p.role, p.execution)
	c := taskContainer(env, p.repository, p.digest, p.log, p.variables)
	c.EntryPoint, c.Command = texts("/"+p.name), texts(p.command...)
	c.LinuxParameters = withoutCapabilities(stack, p.name+"-kernel")
	c.StopTimeout = awscdk.Duration_Seconds(jsii.Number(30)) // the programs take 10 s to end their work
	if change != nil {
		change(c)
	}
	definition.AddContainer(jsii.String(p.name), c)
	writeLogs(stack, p.name+"-logs", p.execution, p.log)
	if env.Features.GuardDuty {
		pull := []string{"ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"}
		grant(stack, p.name+"-agent", p.execution, allow("PullAgent", pull, []string{agentRepository(stack, env)}))
	}
	return definition
}

// agentAccounts are whose repository GuardDuty's agent comes from that watches
// tasks from beside them, by region.
var agentAccounts = map[string]string{"us-east-1": "593207742271", "us-west-2": "733349766148"}

// agentRepository is where GuardDuty's agent is pulled from. A region that is
// not known here gets an error at synthesis that says what to add.
func agentRepository(stack awscdk.Stack, env *config.Environment) string {
	account, ok := agentAccounts[env.Region]
	if !ok {
		awscdk.Annotations_Of(stack).AddError(jsii.String("the repository of GuardDuty's agent in " + env.Region +
			" is not known: add its account to agentAccounts (GuardDuty's guide lists it), or switch features.guardduty off"))
	}
	return "arn:aws:ecr:" + env.Region + ":" + account + ":repository/aws-guardduty-agent-fargate"
}
