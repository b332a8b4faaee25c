package estate_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"padron/infra/cfn"
)

const typeService = "AWS::ECS::Service"

// program returns the only container of a task, and its variables.
func program(t *testing.T, task *cfn.Resource) (container map[string]any, variables map[string]string) {
	t.Helper()
	all := task.List("ContainerDefinitions")
	if len(all) != 1 {
		t.Fatalf("%s has %d containers, want 1", task, len(all))
	}
	container, _ = all[0].(map[string]any)
	variables = map[string]string{}
	list, _ := container["Environment"].([]any)
	for _, v := range list {
		pair, _ := v.(map[string]any)
		variables[text(pair["Name"])] = text(pair["Value"])
	}
	return container, variables
}

// TestPrograms holds what the services run with: their own database user, the
// customers' key, and nothing else that they do not need.
func TestPrograms(t *testing.T) {
	eachEnvironment(t, func(t *testing.T, e environment) {
		endpoint := cfn.Reference{Resource: e.the(t, typeCluster, "data/Cluster"), Attribute: "Endpoint.Address"}.String()
		key := cfn.Reference{Resource: e.the(t, "AWS::KMS::Key", "keys/customers"), Attribute: "Arn"}.String()
		common := func(user string, more map[string]string) map[string]string {
			more["PADRON_DB"] = "mysql://" + user + "@" + endpoint + ":3306/padron?tls=rds"
			more["PADRON_DB_IAM"], more["PADRON_KEYS"] = "true", "aws-kms:"+key
			more["AWS_REGION"], more["PADRON_LOG_FORMAT"] = e.env.Region, "json"
			return more
		}
		for _, want := range []struct {
			task, entry, command, image string
			variables                   map[string]string
			cpu, memory                 int
		}{
			{"services/customers-mngr-task", "/customers-mngr", "serve", e.env.Images.Manager, common("padron_customers_mngr", map[string]string{
				"PADRON_LISTEN": "0.0.0.0:8443", "PADRON_TLS_CERT": "auto",
			}), e.env.Manager.CPU, e.env.Manager.Memory},
			{"services/synchronizer-task", "/synchronizer", "run", e.env.Images.Synchronizer, common("padron_synchronizer", map[string]string{
				"PADRON_PROVIDER_URL": e.env.Synchronizer.ProviderURL, "PADRON_PROVIDER_PAGING": e.env.Synchronizer.Paging,
			}), e.env.Synchronizer.CPU, e.env.Synchronizer.Memory},
		} {
			task := e.the(t, typeTask, want.task)
			has(t, task, map[string]string{"Cpu": fmt.Sprint(want.cpu), "Memory": fmt.Sprint(want.memory), "NetworkMode": "awsvpc"})
			if got := task.Text("RuntimePlatform", "CpuArchitecture"); got != "ARM64" {
				t.Errorf("%s is for %s", task, got)
			}
			container, variables := program(t, task)
			if diff := cmp.Diff(want.variables, variables); diff != "" {
				t.Errorf("%s (-want +got):\n%s", task, diff)
			}
			if got := fmt.Sprint(container["EntryPoint"], container["Command"]); got != fmt.Sprintf("[%s] [%s]", want.entry, want.command) {
				t.Errorf("%s runs %s", task, got)
			}
			if got := text(container["Image"]); !strings.HasSuffix(got, "@"+want.image) {
				t.Errorf("%s runs the image %s", task, got)
			}
		}
	})
}

// TestProviderKeyHandedOver holds that the one secret there is comes from its secret.
func TestProviderKeyHandedOver(t *testing.T) {
	eachEnvironment(t, func(t *testing.T, e environment) {
		secret := cfn.Reference{Resource: e.the(t, "AWS::SecretsManager::Secret", "data/ProviderKey")}
		container, _ := program(t, e.the(t, typeTask, "services/synchronizer-task"))
		want := []any{map[string]any{"Name": "PADRON_PROVIDER_API_KEY", "ValueFrom": secret}}
		if diff := cmp.Diff(fmt.Sprint(want), fmt.Sprint(container["Secrets"])); diff != "" {
			t.Errorf("secrets (-want +got):\n%s", diff)
		}
		if container, _ := program(t, e.the(t, typeTask, "services/customers-mngr-task")); container["Secrets"] != nil {
			t.Errorf("customers-mngr is handed secrets: %v", container["Secrets"])
		}
	})
}

// TestManagerBehindTheBalancer holds the wiring of the service: the tasks'
// group, the load balancer's targets, and no number of tasks that a deployment
// would go back to.
func TestManagerBehindTheBalancer(t *testing.T) {
	const typeTargets = "AWS::ElasticLoadBalancingV2::TargetGroup"
	eachEnvironment(t, func(t *testing.T, e environment) {
		service := e.the(t, typeService, "services/Manager")
		if got := service.Get("DesiredCount"); got != nil {
			t.Errorf("the service wants %v tasks, whatever the scaling says", got)
		}
		groups := cfn.Targets(service.Get("NetworkConfiguration", "AwsvpcConfiguration", "SecurityGroups"))
		if diff := cmp.Diff([]string{"network/ManagerGroup"}, paths(groups)); diff != "" {
			t.Errorf("security groups (-want +got):\n%s", diff)
		}
		if got := service.Target("LoadBalancers", "0", "TargetGroupArn"); got != e.the(t, typeTargets, "edge/Blue") {
			t.Errorf("the tasks are targets of %v", got)
		}
		if got := service.Text("LoadBalancers", "0", "ContainerPort"); got != "8443" {
			t.Errorf("the tasks are targets at port %s", got)
		}
		advanced := []string{"LoadBalancers", "0", "AdvancedConfiguration"}
		if e.env.Manager.Deployment == "rolling" {
			if got := service.Get(advanced...); got != nil {
				t.Errorf("a rolling deployment has %v", got)
			}
			return
		}
		for property, want := range map[string]*cfn.Resource{
			"AlternateTargetGroupArn": e.the(t, typeTargets, "edge/Green"),
			"ProductionListenerRule":  e.the(t, "AWS::ElasticLoadBalancingV2::ListenerRule", "edge/Shift"),
			"RoleArn":                 e.the(t, "AWS::IAM::Role", "identity/balancing"),
		} {
			if got := service.Target(append(advanced, property)...); got != want {
				t.Errorf("%s is %v, want %v", property, got, want)
			}
		}
	})
}

// TestPurposes holds what each service may do with the customers' key, which
// its policies and the key's say alike: exactly what the programs need (see
// docs/adr/0014-keys-in-kms.md), and the making of shared keys at a first start.
func TestPurposes(t *testing.T) {
	want := map[string]string{
		"synchronizer kms:GenerateDataKey":   "[seal fingerprint index quarantine]",
		"synchronizer kms:Decrypt":           "[fingerprint index quarantine]",
		"customers-mngr kms:Decrypt":         "[seal page index]",
		"customers-mngr kms:GenerateDataKey": "[page index]",
	}
	eachEnvironment(t, func(t *testing.T, e environment) {
		key := e.the(t, "AWS::KMS::Key", "keys/customers")
		byKey, byRole := map[string]string{}, map[string]string{}
		for _, s := range statements(key, "KeyPolicy") {
			principal, _ := s["Principal"].(map[string]any)
			if role := cfn.Target(key.Stack.Resolve(principal["AWS"])); role != nil && s["Effect"] == "Allow" {
				byKey[role.Path()+" "+text(s["Action"])] = purposesOf(s)
			}
		}
		for _, policy := range e.Resources("AWS::IAM::ManagedPolicy") {
			for _, s := range statements(policy, "PolicyDocument") {
				for _, role := range cfn.Targets(policy.Get("Roles")) {
					if cfn.Target(policy.Stack.Resolve(s["Resource"])) == key {
						byRole[role.Path()+" "+text(s["Action"])] = purposesOf(s)
					}
				}
			}
		}
		if diff := cmp.Diff(want, byKey); diff != "" {
			t.Errorf("the key's policy (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff(want, byRole); diff != "" {
			t.Errorf("the roles' policies (-want +got):\n%s", diff)
		}
	})
}

// statements are those of the policy document in the property, as in the
// template.
func statements(r *cfn.Resource, property string) []map[string]any {
	document, _ := r.Properties[property].(map[string]any)
	list, _ := document["Statement"].([]any)
	var found []map[string]any
	for _, s := range list {
		if m, ok := s.(map[string]any); ok {
			found = append(found, m)
		}
	}
	return found
}

func purposesOf(s map[string]any) string {
	condition, _ := s["Condition"].(map[string]any)
	equals, _ := condition["StringEquals"].(map[string]any)
	return text(equals["kms:EncryptionContext:purpose"])
}
