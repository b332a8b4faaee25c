package estate

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/jsii-runtime-go"

	"padron/infra/config"
)

// Identity is who acts: one role for each task, and one to start each. They
// stand before everything else, because key policies name them. What each may
// do is written where the thing it is done to stands, as a policy of that stack
// attached to the role.
type Identity struct {
	Stack awscdk.Stack
	// Task roles are what the programs in the containers are.
	Synchronizer, Manager, Migration awsiam.Role
	// Execution roles are what pulls images, writes logs and hands secrets over
	// for one task.
	SynchronizerExecution, ManagerExecution, MigrationExecution awsiam.Role
	// Scheduler starts runs; Partitions is the state machine of a divided run.
	Scheduler, Partitions awsiam.Role
	// Balancing is what ECS shifts traffic with in a blue/green deployment.
	Balancing awsiam.Role
	// Bastion is the instance that checks; Evening stops it.
	Bastion, Evening awsiam.Role
}

// NewIdentity adds the stack identity.
func NewIdentity(app awscdk.App, env *config.Environment) *Identity {
	stack := newStack(app, env, "identity", "roles, one for each task")
	role := func(id, service, what string) awsiam.Role {
		return awsiam.NewRole(stack, jsii.String(id), &awsiam.RoleProps{
			RoleName:    jsii.String(env.Prefix() + "-" + id),
			AssumedBy:   awsiam.NewServicePrincipal(jsii.String(service), inAccount(env)),
			Description: jsii.String(what),
		})
	}
	const tasks = "ecs-tasks.amazonaws.com"
	return &Identity{
		Stack:                 stack,
		Synchronizer:          role("synchronizer", tasks, "What the synchronizer does"),
		Manager:               role("customers-mngr", tasks, "What customers-mngr does"),
		Migration:             role("migration", tasks, "What the database migration does"),
		SynchronizerExecution: role("synchronizer-execution", tasks, "Starts the synchronizer"),
		ManagerExecution:      role("customers-mngr-execution", tasks, "Starts customers-mngr"),
		MigrationExecution:    role("migration-execution", tasks, "Starts the database migration"),
		Scheduler:             role("scheduler", "scheduler.amazonaws.com", "Starts runs on the schedule"),
		Partitions:            role("partitions", "states.amazonaws.com", "Runs a divided run"),
		Evening:               role("bastion-evening", "scheduler.amazonaws.com", "Stops the bastion in the evening"),
		// AWS's own trust policy for it has no condition: ECS names no account.
		Balancing: awsiam.NewRole(stack, jsii.String("balancing"), &awsiam.RoleProps{
			RoleName:    jsii.String(env.Prefix() + "-balancing"),
			AssumedBy:   awsiam.NewServicePrincipal(jsii.String("ecs.amazonaws.com"), nil),
			Description: jsii.String("Shifts traffic in a deployment"),
		}),
		Bastion: awsiam.NewRole(stack, jsii.String("bastion"), &awsiam.RoleProps{
			RoleName:    jsii.String(env.Prefix() + "-bastion"),
			AssumedBy:   awsiam.NewServicePrincipal(jsii.String("ec2.amazonaws.com"), nil),
			Description: jsii.String("The instance that checks the service from inside"),
		}),
	}
}

// inAccount lets a service take a role only for this account: the confused
// deputy has no use for it.
func inAccount(env *config.Environment) *awsiam.ServicePrincipalOpts {
	return &awsiam.ServicePrincipalOpts{Conditions: &map[string]any{
		"StringEquals": map[string]any{"aws:SourceAccount": env.Account},
	}}
}

// allow is a policy statement; resources are ARNs.
func allow(sid string, actions []string, resources []string) awsiam.PolicyStatement {
	return awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
		Sid: jsii.String(sid), Actions: texts(actions...), Resources: texts(resources...),
	})
}

// grant attaches statements to a role as a policy of the stack, so that the
// stack with the resource depends on the role and never the other way round.
// The policy is a managed one: NIST asks for none inside a role (AC-6).
func grant(stack awscdk.Stack, id string, role awsiam.IRole, statements ...awsiam.PolicyStatement) awsiam.ManagedPolicy {
	return awsiam.NewManagedPolicy(stack, jsii.String(id), &awsiam.ManagedPolicyProps{
		Roles: &[]awsiam.IRole{role}, Statements: &statements,
	})
}
