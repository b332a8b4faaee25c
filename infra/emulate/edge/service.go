package edge

import (
	"context"
	"encoding/json"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"

	"padron/infra/config"
	"padron/infra/emulate"
)

// taskOf begins the names of the service's tasks, which are here alone.
const taskOf = "of-the-service-"

// Service answers for the service of an environment as if its deployment had
// ended: the emulated ECS replaces no tasks and runs none, and nobody scales
// there. The answers say which revision the service is on, that its deployment
// is complete, and that as many tasks as are wanted at least are healthy and have
// that revision's images. Everything else, the revisions and their images with
// it, is the account's own answer.
type Service struct {
	Account *emulate.Account
	Env     *config.Environment
	// Revision is what the deployment ended on, a task definition's ARN; where it
	// is empty, the one that the account has for the service.
	Revision string
}

// Answers are those of the service.
func (s Service) Answers() Answers {
	names := make([]string, s.Env.Manager.MinTasks)
	for i := range names {
		names[i] = taskOf + string(rune('1'+i))
	}
	return Answers{
		"DescribeServices": func([]byte) any {
			return map[string]any{"services": []any{map[string]any{
				"serviceName": s.name(), "clusterArn": s.Env.Prefix(), "desiredCount": len(names),
				"taskDefinition": s.revision(), "deployments": []any{map[string]any{"rolloutState": "COMPLETED"}},
			}}}
		},
		"ListTasks": func(body []byte) any {
			if !strings.Contains(string(body), s.name()) {
				return nil
			}
			return map[string]any{"taskArns": names}
		},
		"DescribeTasks": func(body []byte) any {
			var asked struct{ Tasks []string }
			if json.Unmarshal(body, &asked) != nil || len(asked.Tasks) == 0 || !strings.HasPrefix(asked.Tasks[0], taskOf) {
				return nil
			}
			return map[string]any{"tasks": s.tasks(asked.Tasks)}
		},
	}
}

func (s Service) name() string { return s.Env.Prefix() + "-customers-mngr" }

func (s Service) client() *ecs.Client { return ecs.NewFromConfig(s.Account.Config(s.Env.Region)) }

// revision is what the service runs, "" where the account has no such service.
func (s Service) revision() string {
	if s.Revision != "" {
		return s.Revision
	}
	told, err := s.client().DescribeServices(context.Background(), &ecs.DescribeServicesInput{Cluster: aws.String(s.Env.Prefix()), Services: []string{s.name()}})
	if err != nil || len(told.Services) == 0 {
		return ""
	}
	return aws.ToString(told.Services[0].TaskDefinition)
}

// tasks are healthy, and of the revision's images.
func (s Service) tasks(names []string) []any {
	tasks := []any{}
	told, err := s.client().DescribeTaskDefinition(context.Background(), &ecs.DescribeTaskDefinitionInput{TaskDefinition: aws.String(s.revision())})
	if err != nil {
		return tasks
	}
	var containers []any
	for _, c := range told.TaskDefinition.ContainerDefinitions {
		containers = append(containers, map[string]any{"name": c.Name, "image": c.Image})
	}
	for _, name := range names {
		tasks = append(tasks, map[string]any{"taskArn": name, "lastStatus": "RUNNING", "healthStatus": "HEALTHY", "containers": containers})
	}
	return tasks
}
