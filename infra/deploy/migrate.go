package deploy

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
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

// usersContainer is the migration task's last container, which runs when the
// schema is there; another command can take its place.
const usersContainer = "users"

// Migrate runs the migration task of the deployed stack migration and waits for
// its end: the database's schema and users are then what the services expect.
func (d *Deployment) Migrate(ctx context.Context) error {
	return d.runTask(ctx, "the database migration", nil)
}

// Token makes an API token for the deployed register and prints it. Only a hash
// of it travels: the task that stores it, and its log, never see the token.
func (d *Deployment) Token(ctx context.Context, role, name, expires string) error {
	t, err := d.draft(ctx, role, name, expires)
	if err != nil {
		return err
	}
	err = d.runTask(ctx, "the registration of the token", &ecstypes.TaskOverride{ContainerOverrides: []ecstypes.ContainerOverride{
		{Name: aws.String(usersContainer), Command: []string{"token", "register", t.Registration}},
	}})
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(d.Out, t.Token)
	return err
}

// drafted is what `padron token draft` prints.
type drafted struct {
	Token        string `json:"token"`
	Registration string `json:"registration"`
}

// draft runs padron of this checkout.
func (d *Deployment) draft(ctx context.Context, role, name, expires string) (drafted, error) {
	cmd := exec.CommandContext(ctx, "go", "run", "./cmd/padron", "token", "draft", "--role="+role, "--name="+name, "--expires="+expires) //nolint:gosec // flags of ours
	cmd.Dir = filepath.Dir(d.Root)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return drafted{}, fmt.Errorf("draft a token: %w; the lines above say why", err)
	}
	var t drafted
	if err := json.Unmarshal(out, &t); err != nil {
		return drafted{}, fmt.Errorf("draft a token: %w", err)
	}
	return t, nil
}

// runTask runs the migration task, changed by the override, and waits for its
// end.
func (d *Deployment) runTask(ctx context.Context, what string, override *ecstypes.TaskOverride) error {
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
		Overrides: override,
		NetworkConfiguration: &ecstypes.NetworkConfiguration{AwsvpcConfiguration: &ecstypes.AwsVpcConfiguration{
			Subnets: strings.Split(place["PrivateSubnets"], ","), SecurityGroups: []string{place["MigrationGroup"]},
			AssignPublicIp: ecstypes.AssignPublicIpDisabled,
		}},
	})
	if err != nil {
		return fmt.Errorf("start %s: %w", what, err)
	}
	if len(started.Tasks) == 0 {
		return fmt.Errorf("start %s: %s", what, failures(started.Failures))
	}
	task := aws.ToString(started.Tasks[0].TaskArn)
	_, _ = fmt.Fprintf(d.Progress, "%s: task %s\n", what, task)
	return d.finished(ctx, client, what, out["Cluster"], task)
}

// finished waits for the task's end and returns why it failed, nil where it did
// not.
func (d *Deployment) finished(ctx context.Context, client *ecs.Client, what, cluster, task string) error {
	which := &ecs.DescribeTasksInput{Cluster: aws.String(cluster), Tasks: []string{task}}
	if err := ecs.NewTasksStoppedWaiter(client).Wait(ctx, which, migrationTime); err != nil {
		return fmt.Errorf("%s has not ended: %w", what, err)
	}
	told, err := client.DescribeTasks(ctx, which)
	if err != nil {
		return err
	}
	if len(told.Tasks) == 0 {
		return fmt.Errorf("%s: its task is gone: %s", what, failures(told.Failures))
	}
	for _, c := range told.Tasks[0].Containers {
		if c.ExitCode == nil || *c.ExitCode != 0 {
			return fmt.Errorf("%s failed in container %s: %s; its log group is /padron/%s/migration", what,
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
