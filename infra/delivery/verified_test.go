package delivery

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"padron/infra/release"
)

// service is the service that requests come to, as the account has it.
func (s *story) service(c commit) types.Service {
	s.Helper()
	cluster := c.env.Prefix()
	told, err := ecs.NewFromConfig(s.account.Config(c.env.Region)).DescribeServices(s.Context(),
		&ecs.DescribeServicesInput{Cluster: &cluster, Services: []string{cluster + "-customers-mngr"}})
	if err != nil || len(told.Services) != 1 {
		s.Fatalf("the service: %v, %+v", err, told)
	}
	return told.Services[0]
}

// runs is the revision that the service is to run: a task definition's ARN.
func (s *story) runs(c commit) string {
	s.Helper()
	return aws.ToString(s.service(c).TaskDefinition)
}

// verify is padron-deliver verify, of an account in which the service's last
// deployment ended on the revision.
func (s *story) verify(c commit, revision string, released *Release) error {
	s.Helper()
	edge := s.account.Config(c.env.Region)
	edge.BaseEndpoint = aws.String(s.ended(c, revision))
	return release.Verifier{
		Env: c.env, Client: ecs.NewFromConfig(edge), Images: released.Images, Poll: time.Millisecond, Patience: time.Minute,
	}.Verify(s.Context())
}

// ended is the address of the account where the service's deployment has ended
// on the revision. The emulated ECS replaces no tasks and runs none, and nobody
// scales there: this answers in its place which revision the service is on, that
// its deployment is complete, and that as many tasks as are wanted at least are
// healthy and have that revision's images. Everything else,
// the revisions and their images with it, is the account's own answer.
func (s *story) ended(c commit, revision string) string {
	s.Helper()
	service := s.service(c)
	told, err := ecs.NewFromConfig(s.account.Config(c.env.Region)).DescribeTaskDefinition(s.Context(), &ecs.DescribeTaskDefinitionInput{TaskDefinition: &revision})
	if err != nil {
		s.Fatal(err)
	}
	var containers, tasks []any
	for _, container := range told.TaskDefinition.ContainerDefinitions {
		containers = append(containers, map[string]any{"name": container.Name, "image": container.Image})
	}
	for range c.env.Manager.MinTasks {
		tasks = append(tasks, map[string]any{"taskArn": "task", "lastStatus": "RUNNING", "healthStatus": "HEALTHY", "containers": containers})
	}
	return s.edge(map[string]any{
		"DescribeServices": map[string]any{"services": []any{map[string]any{
			"serviceName": service.ServiceName, "clusterArn": service.ClusterArn, "desiredCount": len(tasks),
			"taskDefinition": revision, "deployments": []any{map[string]any{"rolloutState": "COMPLETED"}},
		}}},
		"ListTasks":     map[string]any{"taskArns": make([]string, len(tasks))},
		"DescribeTasks": map[string]any{"tasks": tasks},
	})
}

// edge is the address of the account with answers to some actions in its place.
func (s *story) edge(answers map[string]any) string {
	s.Helper()
	account, err := url.Parse(s.account.URL)
	if err != nil {
		s.Fatal(err)
	}
	proxy := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(account) }}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, action, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
		answer, ok := answers[action]
		if !ok {
			proxy.ServeHTTP(w, r)
			return
		}
		w.Header().Set("Content-Type", "application/x-amz-json-1.1")
		_ = json.NewEncoder(w).Encode(answer)
	}))
	s.Cleanup(server.Close)
	return server.URL
}
