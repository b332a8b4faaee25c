package release_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"

	"padron/infra/config"
	"padron/infra/release"
)

// cluster answers for ECS: moto's tasks have no images, and its deployments no
// end. The maps are ECS's own JSON.
type cluster struct {
	definitions map[string]string // the image, by family or ARN
	service     map[string]any
	tasks       []any
	asked       int
	// settles is the question from which on the deployment has ended.
	settles int
}

func (c *cluster) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var in struct{ TaskDefinition string }
	_ = json.NewDecoder(r.Body).Decode(&in)
	_, action, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	var out any
	switch action {
	case "DescribeTaskDefinition":
		out = map[string]any{"taskDefinition": map[string]any{
			"taskDefinitionArn": in.TaskDefinition, "containerDefinitions": []any{
				map[string]any{"image": "public.ecr.aws/agents/runtime:v1"}, map[string]any{"image": c.definitions[in.TaskDefinition]}},
		}}
	case "DescribeServices":
		c.asked++
		service := c.service
		if c.asked < c.settles {
			service = with(c.service, "deployments", []any{map[string]any{"rolloutState": "IN_PROGRESS"}})
		}
		out = map[string]any{"services": []any{service}}
	case "ListTasks":
		out = map[string]any{"taskArns": make([]string, len(c.tasks))}
	case "DescribeTasks":
		out = map[string]any{"tasks": c.tasks}
	}
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	_ = json.NewEncoder(w).Encode(out)
}

func with(m map[string]any, key string, value any) map[string]any {
	out := map[string]any{key: value}
	for k, v := range m {
		if k != key {
			out[k] = v
		}
	}
	return out
}

// The images before and after.
const before, after = "sha256:0000", "sha256:1111"

func imageOf(program, digest string) string {
	return "111122223333.dkr.ecr.us-east-1.amazonaws.com/padron-dev-" + program + "@" + digest
}

func task(digest, status, health string) any {
	return map[string]any{"taskArn": "task/1", "lastStatus": status, "healthStatus": health,
		"containers": []any{map[string]any{"image": imageOf("customers-mngr", digest)}}}
}

// released is a cluster in which everything is the release's.
func releasedCluster() *cluster {
	return &cluster{
		definitions: map[string]string{
			"padron-dev-customers-mngr": imageOf("customers-mngr", after), "padron-dev-synchronizer": imageOf("synchronizer", after),
			"padron-dev-migration": imageOf("padron", after), "manager:2": imageOf("customers-mngr", after), "manager:1": imageOf("customers-mngr", before),
		},
		service: map[string]any{
			"serviceName": "padron-dev-customers-mngr", "clusterArn": "padron-dev", "taskDefinition": "manager:2", "desiredCount": 1,
			"deployments": []any{map[string]any{"rolloutState": "COMPLETED"}},
		},
		tasks: []any{task(after, "RUNNING", "HEALTHY")},
	}
}

func TestVerify(t *testing.T) {
	for title, c := range map[string]struct {
		spoil func(*cluster)
		want  string // "" is verified
	}{
		"released":         {func(*cluster) {}, ""},
		"settles":          {func(c *cluster) { c.settles = 3 }, ""},
		"never settles":    {func(c *cluster) { c.settles = 1 << 30 }, "still under way"},
		"old synchronizer": {func(c *cluster) { c.definitions["padron-dev-synchronizer"] = imageOf("synchronizer", before) }, "synchronizer: the newest task definition padron-dev-synchronizer has the image sha256:0000"},
		"another's image":  {func(c *cluster) { c.definitions["padron-dev-migration"] = "example.com/x@" + after }, "has no image of padron"},
		"taken back": {func(c *cluster) {
			c.service["taskDefinition"] = "manager:1"
			c.service["events"] = []any{map[string]any{"message": "has reached a steady state"},
				map[string]any{"message": "(deployment ecs-svc/2) deployment failed: tasks failed to start. rolling back to deployment ecs-svc/1"}}
		}, "the service says: (deployment ecs-svc/2) deployment failed"},
		"failed": {func(c *cluster) {
			c.service["deployments"] = []any{map[string]any{"rolloutState": "FAILED", "rolloutStateReason": "tasks failed to start"}}
		}, "its deployment failed: tasks failed to start"},
		"an old task": {func(c *cluster) { c.tasks = []any{task(before, "RUNNING", "HEALTHY")} }, "still runs sha256:0000"},
		"by a tag": {func(c *cluster) {
			c.tasks = []any{with(task(after, "RUNNING", "HEALTHY").(map[string]any), "containers",
				[]any{map[string]any{"image": "111122223333.dkr.ecr.us-east-1.amazonaws.com/padron-dev-customers-mngr:v1"}})}
		}, "still runs an image without a digest"},
		"too few tasks": {func(c *cluster) { c.tasks = []any{task(after, "PENDING", "UNKNOWN")} }, "0 of 1 tasks run"},
		"an ill task":   {func(c *cluster) { c.tasks = []any{task(after, "RUNNING", "UNHEALTHY")} }, "is unhealthy"},
		"nothing wanted": {func(c *cluster) {
			c.service["desiredCount"], c.tasks = 0, nil
		}, "0 of 0 tasks run"},
	} {
		t.Run(title, func(t *testing.T) {
			fake := releasedCluster()
			c.spoil(fake)
			err := verifier(t, fake).Verify(t.Context())
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("%v; want %q", err, c.want)
			}
		})
	}
}

func verifier(t *testing.T, fake *cluster) release.Verifier {
	t.Helper()
	server := httptest.NewServer(fake)
	t.Cleanup(server.Close)
	client := ecs.NewFromConfig(aws.Config{
		Region: "us-east-1", BaseEndpoint: &server.URL,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "emulated", SecretAccessKey: "emulated"}, nil
		}),
	})
	patience := time.Minute
	if fake.settles > 1000 {
		patience = 50 * time.Millisecond
	}
	return release.Verifier{
		Env: &config.Environment{Name: "dev"}, Client: client, Poll: time.Millisecond, Patience: patience,
		Images: map[string]string{"customers-mngr": after, "synchronizer": after, "padron": after},
	}
}
