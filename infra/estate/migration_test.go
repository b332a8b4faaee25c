package estate_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"padron/infra/cfn"
)

const typeTask = "AWS::ECS::TaskDefinition"

// TestMigration holds the two steps and their order: the users are made once
// the schema is what they are given rights on.
func TestMigration(t *testing.T) {
	eachEnvironment(t, func(t *testing.T, e environment) {
		task := e.the(t, typeTask, "migration/Task")
		has(t, task, map[string]string{"Family": e.env.Prefix() + "-migration", "NetworkMode": "awsvpc"})
		steps := task.List("ContainerDefinitions")
		if len(steps) != 2 {
			t.Fatalf("there are %d containers, want 2", len(steps))
		}
		type step struct {
			Command   []any
			Essential any
			DependsOn any
		}
		var got []step
		for _, s := range steps {
			m, _ := s.(map[string]any)
			command, _ := m["Command"].([]any)
			got = append(got, step{command, m["Essential"], m["DependsOn"]})
		}
		want := []step{
			{[]any{"migrate", "up"}, false, nil},
			{[]any{"migrate", "users", "--iam"}, true, []any{map[string]any{"Condition": "SUCCESS", "ContainerName": "schema"}}},
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("steps (-want +got):\n%s", diff)
		}
	})
}

// TestMigrationLogin holds that the task is told where the administrator's
// password is, and not the password.
func TestMigrationLogin(t *testing.T) {
	eachEnvironment(t, func(t *testing.T, e environment) {
		cluster := e.the(t, typeCluster, "data/Cluster")
		endpoint := cfn.Reference{Resource: cluster, Attribute: "Endpoint.Address"}.String()
		want := map[string]string{
			"AWS_REGION":        e.env.Region,
			"PADRON_DB":         "mysql://" + endpoint + ":3306/padron?tls=rds",
			"PADRON_DB_SECRET":  cfn.Reference{Resource: cluster, Attribute: "MasterUserSecret.SecretArn"}.String(),
			"PADRON_LOG_FORMAT": "json",
		}
		for _, s := range e.the(t, typeTask, "migration/Task").List("ContainerDefinitions") {
			m, _ := s.(map[string]any)
			got := map[string]string{}
			list, _ := m["Environment"].([]any)
			for _, v := range list {
				pair, _ := v.(map[string]any)
				got[text(pair["Name"])] = text(pair["Value"])
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", m["Name"], diff)
			}
			if m["Secrets"] != nil {
				t.Errorf("%s is handed a secret's value", m["Name"])
			}
		}
	})
}

// TestMigrationOutputs holds the names by which the command that runs the task
// finds it.
func TestMigrationOutputs(t *testing.T) {
	eachEnvironment(t, func(t *testing.T, e environment) {
		for stack, names := range map[string][]string{
			"migration": {"Cluster", "TaskDefinition"}, "network": {"PrivateSubnets", "MigrationGroup"},
		} {
			outputs, _ := e.Stack(stack).Template["Outputs"].(map[string]any)
			for _, name := range names {
				if outputs[name] == nil {
					t.Errorf("%s has no output %s", stack, name)
				}
			}
		}
	})
}

// TestMigrationWaitsForNothingOfTheServices holds the order of a first
// deployment: the cluster and the task stand before the services do.
func TestMigrationWaitsForNothingOfTheServices(t *testing.T) {
	eachEnvironment(t, func(t *testing.T, e environment) {
		if needs := strings.Join(e.Stack("migration").Needs, " "); strings.Contains(needs, "services") || strings.Contains(needs, "edge") {
			t.Errorf("migration needs %s", needs)
		}
	})
}
