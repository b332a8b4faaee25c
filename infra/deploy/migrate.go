package deploy

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// usersContainer is the migration task's last container, which runs when the
// schema is there; another command can take its place.
const usersContainer = "users"

// Migrated is a migration that ran to its end.
type Migrated struct {
	// Definition is the ARN of the task definition, and Task that of the task.
	Definition string `json:"definition"`
	Task       string `json:"task"`
}

// Migrate runs the migration task of the deployed stack migration and waits for
// its end: the database's schema and users are then what the services expect.
// It asks for no more of d than Env, Templates, AWS, Poll and Progress.
func (d *Deployment) Migrate(ctx context.Context) (*Migrated, error) {
	return d.runTask(ctx, "the database migration", nil)
}

// MigrationDefinition is the ARN of the task definition that Migrate runs.
func (d *Deployment) MigrationDefinition(ctx context.Context) (string, error) {
	out, err := d.outputs(ctx, migrationStack, "TaskDefinition")
	return out["TaskDefinition"], err
}

// Token makes an API token for the deployed register and prints it. Only a hash
// of it travels: the task that stores it, and its log, never see the token.
func (d *Deployment) Token(ctx context.Context, role, name, expires string) error {
	t, err := d.draft(ctx, role, name, expires)
	if err != nil {
		return err
	}
	_, err = d.runTask(ctx, "the registration of the token", &ecstypes.TaskOverride{ContainerOverrides: []ecstypes.ContainerOverride{
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
