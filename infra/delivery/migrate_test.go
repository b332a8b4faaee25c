package delivery

import (
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/ecs"

	"padron/infra/cfn"
)

// migration brings a schema that cannot be made: the services, which a person
// approved together with it, stay as they are until the cause is mended.
func (s *story) migration(c commit) {
	with := func(name string, command ...any) commit {
		return s.edited(c, name, func(a *cfn.Assembly) {
			containers := a.Find("AWS::ECS::TaskDefinition", "Task").Properties["ContainerDefinitions"].([]any)
			containers[0].(map[string]any)["Command"] = command
			a.Stack("services").Template["Outputs"] = map[string]any{"Schema": map[string]any{"Value": name}}
		})
	}
	last, ran := s.last(c), s.tasks(c)
	if last.Migration == nil || !slices.Contains(ran, last.Migration.Task) {
		s.Fatalf("the release says %+v migrated the database, and ECS ran %v", last.Migration, ran)
	}
	wrong := with("wrong schema", "false")
	if got := s.fails(wrong); got != "changed changed" {
		s.Errorf("the stacks migration and services were %s, want both changed", got)
	}
	// The schema is still not there, so the services still wait for it.
	if got := s.fails(wrong); got != "unchanged changed" {
		s.Errorf("after a failed migration, the stacks migration and services were %s, want unchanged and still to come", got)
	}
	if again := s.last(c); again.Revision != last.Revision {
		s.Errorf("a failed migration became release %d", again.Revision)
	}
	right := with("schema", "migrate", "up", "--again")
	s.migrates(right, s.plan(right).Record, true)
	s.migrates(right, s.plan(right).Record, false)
}

// fails plans and applies the commit, whose migration fails, and returns what
// was to become of the stacks migration and services.
func (s *story) fails(c commit) string {
	s.Helper()
	record := s.plan(c).Record
	_, err := s.of(c).Apply(s.Context(), record, nil)
	if err == nil {
		s.Fatal("applied, though the migration fails")
	}
	for _, want := range []string{"stack migration is complete", "failed in container schema: exit code 1",
		"log is in group /padron/dev/migration, stream dev/schema/", "\n  schema failed", "Stacks after it were not touched", "plan again"} {
		if !strings.Contains(err.Error(), want) {
			s.Errorf("a failed migration says\n%v\nand not %q", err, want)
		}
	}
	return states(record, "migration", "services")
}

// migrates applies the record and wants a migration of its own in the release,
// or that of the release before. It returns the release.
func (s *story) migrates(c commit, record *Record, anew bool) *Release {
	s.Helper()
	before, known := s.last(c), s.tasks(c)
	release, err := s.of(c).Apply(s.Context(), record, nil)
	if err != nil {
		s.Fatal(err)
	}
	ran := s.tasks(c)
	if !slices.Contains(ran, release.Migration.Task) {
		s.Errorf("the release says %s migrated the database, and ECS ran %v", release.Migration.Task, ran)
	}
	if fresh := !slices.Contains(known, release.Migration.Task); fresh != anew || len(ran) > len(known) != anew {
		s.Errorf("the database was migrated by %s after %s, want anew: %t", release.Migration.Task, before.Migration.Task, anew)
	}
	return release
}

// last is the last release.
func (s *story) last(c commit) *Release {
	s.Helper()
	last, err := NewShelf(c.env, s.account.Config(c.env.Region)).Last(s.Context())
	if err != nil {
		s.Fatal(err)
	}
	return last
}

// tasks are the ARNs of all tasks that were run. Those of services do not run
// here.
func (s *story) tasks(c commit) []string {
	s.Helper()
	cluster := c.env.Prefix()
	told, err := ecs.NewFromConfig(s.account.Config(c.env.Region)).ListTasks(s.Context(), &ecs.ListTasksInput{Cluster: &cluster})
	if err != nil {
		s.Fatal(err)
	}
	return told.TaskArns
}

// TestServicesComeAfterTheMigration refuses a record in another order.
func TestServicesComeAfterTheMigration(t *testing.T) {
	for name, test := range map[string]struct {
		stacks []StackPlan
		want   string
	}{
		"in order":          {[]StackPlan{{Name: "network"}, {Name: "migration"}, {Name: "services"}}, ""},
		"services first":    {[]StackPlan{{Name: "services", ChangeSet: "arn"}, {Name: "migration"}}, "does not come after"},
		"no migration":      {[]StackPlan{{Name: "services"}}, "does not come after"},
		"both wait":         {[]StackPlan{{Name: "migration", State: Waiting}, {Name: "services", State: Waiting}}, ""},
		"migration waits":   {[]StackPlan{{Name: "migration", State: Waiting}, {Name: "services", ChangeSet: "arn"}}, "has a change set"},
		"neither is there":  {[]StackPlan{{Name: "network"}}, ""},
		"services unneeded": {[]StackPlan{{Name: "migration"}}, ""},
	} {
		err := ordered(&Record{Stacks: test.stacks})
		if ok := err == nil; ok != (test.want == "") || !ok && !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want %q", name, err, test.want)
		}
	}
}
