package deploy

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// migrationTime is how long a migration may take: a paused database wakes up in
// it, and a large table is altered.
const migrationTime = 30 * time.Minute

// Migrate runs the migration task of the deployed stack migration and waits for
// its end: the database's schema and users are then what the services expect.
func (d *Deployment) Migrate(ctx context.Context) error {
	out, err := d.outputs(ctx, migrationStack, "Cluster", "TaskDefinition")
	if err != nil {
		return err
	}
	place, err := d.outputs(ctx, networkStack, "PrivateSubnets", "MigrationGroup")
	if err != nil {
		return err
	}
	client := ecs.NewFromConfig(d.AWS)
	started, err := client.RunTask(ctx, &ecs.RunTaskInput{
		Cluster: aws.String(out["Cluster"]), TaskDefinition: aws.String(out["TaskDefinition"]),
		LaunchType: ecstypes.LaunchTypeFargate, Count: aws.Int32(1), StartedBy: aws.String("padron-infra"),
		NetworkConfiguration: &ecstypes.NetworkConfiguration{AwsvpcConfiguration: &ecstypes.AwsVpcConfiguration{
			Subnets: strings.Split(place["PrivateSubnets"], ","), SecurityGroups: []string{place["MigrationGroup"]},
			AssignPublicIp: ecstypes.AssignPublicIpDisabled,
		}},
	})
	if err != nil {
		return fmt.Errorf("start the database migration: %w", err)
	}
	if len(started.Tasks) == 0 {
		return fmt.Errorf("start the database migration: %s", failures(started.Failures))
	}
	task := aws.ToString(started.Tasks[0].TaskArn)
	d.say("migrate %s: task %s", d.Env.Prefix(), task)
	return d.finished(ctx, client, out["Cluster"], task)
}

// finished waits for the task's end and returns why it failed, nil where it did
// not.
func (d *Deployment) finished(ctx context.Context, client *ecs.Client, cluster, task string) error {
	which := &ecs.DescribeTasksInput{Cluster: aws.String(cluster), Tasks: []string{task}}
	if err := ecs.NewTasksStoppedWaiter(client).Wait(ctx, which, migrationTime); err != nil {
		return fmt.Errorf("the database migration has not ended: %w", err)
	}
	told, err := client.DescribeTasks(ctx, which)
	if err != nil {
		return err
	}
	if len(told.Tasks) == 0 {
		return fmt.Errorf("the database migration's task is gone: %s", failures(told.Failures))
	}
	for _, c := range told.Tasks[0].Containers {
		if c.ExitCode == nil || *c.ExitCode != 0 {
			return fmt.Errorf("the database migration failed in container %s: %s; its log group is /padron/%s/migration",
				aws.ToString(c.Name), reason(c, told.Tasks[0]), d.Env.Name)
		}
	}
	return nil
}

func reason(c ecstypes.Container, t ecstypes.Task) string {
	if c.ExitCode != nil {
		return fmt.Sprintf("exit code %d", *c.ExitCode)
	}
	if c.Reason != nil {
		return *c.Reason
	}
	return aws.ToString(t.StoppedReason)
}

func failures(list []ecstypes.Failure) string {
	if len(list) == 0 {
		return "ECS gives no reason"
	}
	return strings.TrimSpace(aws.ToString(list[0].Reason) + " " + aws.ToString(list[0].Detail))
}

// outputs returns the named outputs of a deployed stack.
func (d *Deployment) outputs(ctx context.Context, stack string, names ...string) (map[string]string, error) {
	s := d.Templates.Stack(stack)
	if s == nil {
		return nil, fmt.Errorf("%s has no stack %s", d.Env.Prefix(), stack)
	}
	told, err := cloudformation.NewFromConfig(d.AWS).DescribeStacks(ctx, &cloudformation.DescribeStacksInput{StackName: aws.String(s.StackName)})
	if err != nil {
		return nil, fmt.Errorf("stack %s: %w; deploy it first", s.StackName, err)
	}
	found := map[string]string{}
	for _, o := range told.Stacks[0].Outputs {
		found[aws.ToString(o.OutputKey)] = aws.ToString(o.OutputValue)
	}
	var missing []error
	for _, name := range names {
		if found[name] == "" {
			missing = append(missing, fmt.Errorf("stack %s has no output %s: deploy it again", s.StackName, name))
		}
	}
	return found, errors.Join(missing...)
}
