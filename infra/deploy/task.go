package deploy

import (
	"context"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// migrationTime is how long a migration may take: a paused database wakes up in
// it, and a large table is altered.
const migrationTime = 30 * time.Minute

// toldLines is how many of the last lines of a failed container's log are told.
const toldLines = 10

// runTask runs the migration task, changed by the override, and waits for its
// end.
func (d *Deployment) runTask(ctx context.Context, what string, override *ecstypes.TaskOverride) (*Migrated, error) {
	out, err := d.outputs(ctx, migrationStack, "Cluster", "TaskDefinition")
	if err != nil {
		return nil, err
	}
	place, err := d.outputs(ctx, networkStack, "PrivateSubnets", "MigrationGroup")
	if err != nil {
		return nil, err
	}
	client := ecs.NewFromConfig(d.AWS)
	started, err := client.RunTask(ctx, &ecs.RunTaskInput{
		Cluster: aws.String(out["Cluster"]), TaskDefinition: aws.String(out["TaskDefinition"]),
		LaunchType: ecstypes.LaunchTypeFargate, Count: aws.Int32(1), StartedBy: aws.String("padron-infra"),
		Overrides: override,
		NetworkConfiguration: &ecstypes.NetworkConfiguration{AwsvpcConfiguration: &ecstypes.AwsVpcConfiguration{
			Subnets: strings.Split(place["PrivateSubnets"], ","), SecurityGroups: []string{place["MigrationGroup"]},
			AssignPublicIp: ecstypes.AssignPublicIpDisabled,
		}},
	})
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", what, err)
	}
	if len(started.Tasks) == 0 {
		return nil, fmt.Errorf("start %s: %s", what, failures(started.Failures))
	}
	task := aws.ToString(started.Tasks[0].TaskArn)
	_, _ = fmt.Fprintf(d.Progress, "%s: task %s\n", what, task)
	return &Migrated{out["TaskDefinition"], task}, d.finished(ctx, client, what, out["Cluster"], task)
}

// finished waits for the task's end and returns why it failed, nil where it did
// not.
func (d *Deployment) finished(ctx context.Context, client *ecs.Client, what, cluster, task string) error {
	which := &ecs.DescribeTasksInput{Cluster: aws.String(cluster), Tasks: []string{task}}
	waiter := ecs.NewTasksStoppedWaiter(client, func(o *ecs.TasksStoppedWaiterOptions) {
		if d.Poll > 0 {
			o.MinDelay, o.MaxDelay = d.Poll, d.Poll
		}
	})
	if err := waiter.Wait(ctx, which, migrationTime); err != nil {
		return fmt.Errorf("%s has not ended: %w", what, err)
	}
	told, err := client.DescribeTasks(ctx, which)
	if err != nil {
		return err
	}
	if len(told.Tasks) == 0 {
		return fmt.Errorf("%s: its task is gone: %s", what, failures(told.Failures))
	}
	if c := culprit(told.Tasks[0]); c != nil {
		return fmt.Errorf("%s failed in container %s: %s; %s", what, aws.ToString(c.Name), reason(*c, told.Tasks[0]), d.log(ctx, aws.ToString(c.Name), task))
	}
	return nil
}

// culprit is the container for which the task failed, nil where all ended well:
// one that failed before one that was never started because of it.
func culprit(t ecstypes.Task) *ecstypes.Container {
	i := slices.IndexFunc(t.Containers, func(c ecstypes.Container) bool { return aws.ToInt32(c.ExitCode) != 0 })
	if i < 0 {
		i = slices.IndexFunc(t.Containers, func(c ecstypes.Container) bool { return c.ExitCode == nil })
	}
	if i < 0 {
		return nil
	}
	return &t.Containers[i]
}

// log says where the container's log is, and its last lines, if it has any.
func (d *Deployment) log(ctx context.Context, container, task string) string {
	group, stream := "/padron/"+d.Env.Name+"/migration", d.Env.Name+"/"+container+"/"+path.Base(task)
	where := "its log is in group " + group + ", stream " + stream
	told, err := cloudwatchlogs.NewFromConfig(d.AWS).GetLogEvents(ctx, &cloudwatchlogs.GetLogEventsInput{
		LogGroupName: &group, LogStreamName: &stream, Limit: aws.Int32(toldLines),
	})
	if err != nil {
		return fmt.Sprintf("%s, and could not be read: %v", where, err)
	}
	for _, e := range told.Events {
		where += "\n  " + aws.ToString(e.Message)
	}
	return where
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
