package release

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"padron/infra/config"
)

// Verifier sees what runs in an environment after a deployment. That a
// deployment completed says little: one that the circuit breaker or an alarm
// took back ends as completed, too, on the old revision.
type Verifier struct {
	Env    *config.Environment
	Client *ecs.Client
	// Images are the digests that must run, by program.
	Images map[string]string
	// Poll is how long to wait between two questions, and Patience how long a
	// deployment may still be under way.
	Poll, Patience time.Duration
}

// managerName is the program that is a service: the others run as tasks.
const managerName = "customers-mngr"

// taskFamilies are the families of task definitions, and the program of each.
var taskFamilies = map[string]string{managerName: managerName, "synchronizer": "synchronizer", "migration": "padron"}

// Verify returns an error for each program of which not the release's image is
// what runs, or what would run next.
func (v Verifier) Verify(ctx context.Context) error {
	var faults []error
	for _, family := range slices.Sorted(maps.Keys(taskFamilies)) {
		definition, err := v.definition(ctx, v.Env.Prefix()+"-"+family)
		if err != nil {
			return err
		}
		if wrong := v.pinned(definition, taskFamilies[family]); wrong != "" {
			faults = append(faults, fmt.Errorf("%s: the newest task definition %s", family, wrong))
		}
	}
	service, err := v.settled(ctx)
	if err != nil {
		return errors.Join(append(faults, err)...)
	}
	return errors.Join(append(faults, v.service(ctx, service), v.tasks(ctx, service))...)
}

func (v Verifier) definition(ctx context.Context, name string) (*types.TaskDefinition, error) {
	out, err := v.Client.DescribeTaskDefinition(ctx, &ecs.DescribeTaskDefinitionInput{TaskDefinition: &name})
	if err != nil {
		return nil, fmt.Errorf("task definition %s: %w", name, err)
	}
	return out.TaskDefinition, nil
}

// pinned says what is wrong with the images of a task definition, "" where all
// of them are the program's of the release. What runs beside it, such as AWS's
// own agents, is not in our registry.
func (v Verifier) pinned(definition *types.TaskDefinition, program string) string {
	repository, ours := "/"+v.Env.Prefix()+"-"+program+"@", 0
	for _, c := range definition.ContainerDefinitions {
		_, digest, found := strings.Cut(aws.ToString(c.Image), repository)
		if !found {
			continue
		}
		ours++
		if digest != v.Images[program] {
			return fmt.Sprintf("%s has the image %s, not the release's %s", aws.ToString(definition.TaskDefinitionArn), digest, v.Images[program])
		}
	}
	if ours == 0 {
		return fmt.Sprintf("%s has no image of %s", aws.ToString(definition.TaskDefinitionArn), program)
	}
	return ""
}

// settled waits until no deployment of the service is under way, and returns the
// service.
func (v Verifier) settled(ctx context.Context) (*types.Service, error) {
	name := v.Env.Prefix() + "-" + managerName
	ctx, cancel := context.WithTimeoutCause(ctx, v.Patience, fmt.Errorf("%s: its deployment is still under way after %v", name, v.Patience))
	defer cancel()
	for {
		out, err := v.Client.DescribeServices(ctx, &ecs.DescribeServicesInput{Cluster: aws.String(v.Env.Prefix()), Services: []string{name}})
		if err != nil && ctx.Err() == nil {
			return nil, fmt.Errorf("service %s: %w", name, err)
		}
		if err == nil && len(out.Services) == 0 {
			return nil, fmt.Errorf("there is no service %s: deploy it first", name)
		}
		if err == nil && !underWay(&out.Services[0]) {
			return &out.Services[0], nil
		}
		select {
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-time.After(v.Poll):
		}
	}
}

// underWay reports whether tasks are still being replaced.
func underWay(s *types.Service) bool {
	return len(s.Deployments) > 1 || slices.ContainsFunc(s.Deployments, func(d types.Deployment) bool {
		return d.RolloutState == types.DeploymentRolloutStateInProgress
	})
}

// service checks what the service is to run. One that was taken back runs the
// old revision, and its events say why.
func (v Verifier) service(ctx context.Context, s *types.Service) error {
	for _, d := range s.Deployments {
		if d.RolloutState == types.DeploymentRolloutStateFailed {
			return fmt.Errorf("%s: its deployment failed: %s", managerName, aws.ToString(d.RolloutStateReason))
		}
	}
	definition, err := v.definition(ctx, aws.ToString(s.TaskDefinition))
	if err != nil {
		return err
	}
	if wrong := v.pinned(definition, managerName); wrong != "" {
		return fmt.Errorf("%s runs an old revision: %s%s", managerName, wrong, takenBack(s))
	}
	return nil
}

// takenBack is what the service's newest events say of a deployment that was
// taken back, "" where they say nothing.
func takenBack(s *types.Service) string {
	for _, e := range s.Events {
		message := aws.ToString(e.Message)
		for _, sign := range []string{"rolling back", "rolled back", "circuit breaker", "deployment failed"} {
			if strings.Contains(strings.ToLower(message), sign) {
				return "; the service says: " + message
			}
		}
	}
	return ""
}

// tasks checks that as many tasks as wanted run, none ill, and each of the
// release's image. Images are pinned by digest, so the task's own words about
// its image are what was pulled.
func (v Verifier) tasks(ctx context.Context, s *types.Service) error {
	running, err := v.running(ctx, s)
	if err != nil {
		return err
	}
	var faults []error
	if len(running) < int(s.DesiredCount) || s.DesiredCount == 0 {
		faults = append(faults, fmt.Errorf("%s: %d of %d tasks run", managerName, len(running), s.DesiredCount))
	}
	for _, t := range running {
		if t.HealthStatus == types.HealthStatusUnhealthy {
			faults = append(faults, fmt.Errorf("%s: task %s is unhealthy", managerName, aws.ToString(t.TaskArn)))
		}
		if digest := v.runs(t); digest != v.Images[managerName] {
			faults = append(faults, fmt.Errorf("%s: task %s still runs %s, not the release's %s",
				managerName, aws.ToString(t.TaskArn), cmp.Or(digest, "an image without a digest"), v.Images[managerName]))
		}
	}
	return errors.Join(faults...)
}

// runs is the digest of the service's image in the task, "" where none is
// pinned.
func (v Verifier) runs(t types.Task) string {
	for _, c := range t.Containers {
		if _, digest, found := strings.Cut(aws.ToString(c.Image), "/"+v.Env.Prefix()+"-"+managerName+"@"); found {
			return digest
		}
	}
	return ""
}

// running are the service's tasks that run.
func (v Verifier) running(ctx context.Context, s *types.Service) ([]types.Task, error) {
	var all []types.Task
	pages := ecs.NewListTasksPaginator(v.Client, &ecs.ListTasksInput{
		Cluster: s.ClusterArn, ServiceName: s.ServiceName, DesiredStatus: types.DesiredStatusRunning,
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("tasks of %s: %w", managerName, err)
		}
		if len(page.TaskArns) == 0 {
			continue
		}
		out, err := v.Client.DescribeTasks(ctx, &ecs.DescribeTasksInput{Cluster: s.ClusterArn, Tasks: page.TaskArns})
		if err != nil {
			return nil, fmt.Errorf("tasks of %s: %w", managerName, err)
		}
		for _, t := range out.Tasks {
			if aws.ToString(t.LastStatus) == string(types.DesiredStatusRunning) {
				all = append(all, t)
			}
		}
	}
	return all, nil
}
