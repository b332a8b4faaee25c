package estate_test

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"padron/infra/cfn"
)

// TestSchedule holds when and what the schedule starts: one task where runs are
// not divided, else the state machine.
func TestSchedule(t *testing.T) {
	eachEnvironment(t, func(t *testing.T, e environment) {
		schedule := e.the(t, "AWS::Scheduler::Schedule", "services/Schedule")
		has(t, schedule, map[string]string{
			"ScheduleExpression": e.env.Synchronizer.Schedule, "ScheduleExpressionTimezone": "UTC", "State": "ENABLED",
		})
		if got := schedule.Text("FlexibleTimeWindow", "Mode"); got != "OFF" {
			t.Errorf("runs start within a window: %s", got)
		}
		if got := schedule.Target("Target", "RoleArn"); got != e.the(t, "AWS::IAM::Role", "identity/scheduler") {
			t.Errorf("%v starts runs", got)
		}
		if e.env.Synchronizer.Partitions > 1 {
			if got := schedule.Target("Target", "Arn"); got != e.the(t, "AWS::StepFunctions::StateMachine", "services/Partitions") {
				t.Errorf("the schedule starts %v", got)
			}
			return
		}
		e.none(t, "AWS::StepFunctions::StateMachine")
		ecs := []string{"Target", "EcsParameters"}
		if got := schedule.Target(append(ecs, "TaskDefinitionArn")...); got != e.the(t, typeTask, "services/synchronizer-task") {
			t.Errorf("the schedule starts %v", got)
		}
		placed(t, schedule.Get(append(ecs, "NetworkConfiguration", "AwsvpcConfiguration")...))
	})
}

// placed holds that a task is put into the private subnets, without a public
// address, as the synchronizer.
func placed(t *testing.T, network any) {
	t.Helper()
	n, _ := network.(map[string]any)
	if got := paths(cfn.Targets(n["SecurityGroups"])); !cmp.Equal(got, []string{"network/SynchronizerGroup"}) {
		t.Errorf("the task is in the groups %v", got)
	}
	if got := paths(cfn.Targets(n["Subnets"])); len(got) < 2 || n["AssignPublicIp"] != "DISABLED" {
		t.Errorf("the task is in %v with public addresses %v", got, n["AssignPublicIp"])
	}
}

// state is what the test reads of a state of the machine.
type state struct {
	Type, Resource, Next string
	Default              string
	Error, Cause         string
	Catch                []struct {
		ErrorEquals  []string
		Output, Next string
	}
	Choices        []struct{ Condition, Next string }
	End            bool
	Items          []string
	MaxConcurrency int
	Retry          []struct{ MaxAttempts int }
	Arguments      struct {
		TaskDefinition string
		Overrides      struct {
			ContainerOverrides []struct {
				Name    string
				Command []string
			}
		}
	}
	ItemProcessor struct {
		ProcessorConfig struct{ Mode, ExecutionType string }
		StartAt         string
		States          map[string]state
	}
}

// runs returns the command of a state that waits for a task, "" for another.
func (s state) runs() string {
	if s.Type != "Task" || s.Resource != "arn:aws:states:::ecs:runTask.sync" || len(s.Arguments.Overrides.ContainerOverrides) != 1 {
		return ""
	}
	c := s.Arguments.Overrides.ContainerOverrides[0]
	return fmt.Sprint(c.Name, " ", c.Command)
}

// checkKeptOut holds that a plan with exit code 3 ends the execution as done, and
// one with another as failed, with its own error.
func checkKeptOut(t *testing.T, states map[string]state) {
	t.Helper()
	catch, choice, failed := states["Plan"].Catch, states["KeptOut"], states["Failed"]
	if len(catch) != 1 || catch[0].Next != "KeptOut" || catch[0].Output != "{% $states.errorOutput %}" || len(choice.Choices) != 1 ||
		choice.Choices[0].Next != "Skipped" || states["Skipped"].Type != "Succeed" || choice.Default != "Failed" || failed.Type != "Fail" ||
		failed.Error != "{% $states.input.Error %}" || failed.Cause != "{% $states.input.Cause %}" {
		t.Fatalf("a plan that is kept out: %+v, %+v, %+v", catch, choice, failed)
	}
	pattern, ok := strings.CutPrefix(choice.Choices[0].Condition, "{% $contains($states.input.Cause, /")
	pattern, end := strings.CutSuffix(pattern, "/) %}")
	skips, err := regexp.Compile(pattern)
	if !ok || !end || err != nil {
		t.Fatalf("the condition is %s", choice.Choices[0].Condition)
	}
	for cause, want := range map[string]bool{
		`{"Containers":[{"ExitCode":3,"Name":"synchronizer"}],"StopCode":"EssentialContainerExited"}`: true,
		`{"Containers":[{"Name":"synchronizer","ExitCode": 3}]}`:                                      true,
		`{"Containers":[{"ExitCode":1,"Name":"synchronizer"}]}`:                                       false,
		`{"Containers":[{"ExitCode":137,"Name":"synchronizer"}]}`:                                     false,
		`{"Containers":[{"ExitCode":31,"Name":"synchronizer"}]}`:                                      false,
		`RESOURCE:MEMORY`: false,
	} {
		if got := skips.MatchString(cause); got != want {
			t.Errorf("%s is skipped: %v", cause, got)
		}
	}
}

// TestDividedRun reads the state machine: plan, each partition by itself and
// tried again alone, then finish.
func TestDividedRun(t *testing.T) {
	eachEnvironment(t, func(t *testing.T, e environment) {
		n := e.env.Synchronizer.Partitions
		if n < 2 {
			return // TestSchedule holds that there is none
		}
		machine := e.the(t, "AWS::StepFunctions::StateMachine", "services/Partitions")
		var d struct {
			QueryLanguage, StartAt string
			States                 map[string]state
		}
		if err := json.Unmarshal([]byte(machine.Text("DefinitionString")), &d); err != nil {
			t.Fatal(err)
		}
		plan, each, finish := d.States["Plan"], d.States["Partitions"], d.States["Finish"]
		one := each.ItemProcessor.States[each.ItemProcessor.StartAt]
		got := map[string]string{
			"language": d.QueryLanguage, "first": d.StartAt + ": " + plan.runs(), "then": plan.Next,
			"each": one.runs(), "last": each.Next + ": " + finish.runs(),
			"mode": each.ItemProcessor.ProcessorConfig.Mode + " " + each.ItemProcessor.ProcessorConfig.ExecutionType,
		}
		want := map[string]string{
			"language": "JSONata", "first": fmt.Sprintf("Plan: synchronizer [plan --partitions %d]", n), "then": "Partitions",
			"each": "synchronizer [run --partition {% $states.input %}]", "last": "Finish: synchronizer [finish]",
			"mode": "DISTRIBUTED STANDARD",
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("the machine (-want +got):\n%s", diff)
		}
		if len(each.Items) != n || each.Items[0] != fmt.Sprintf("1/%d", n) || each.Items[n-1] != fmt.Sprintf("%d/%d", n, n) || each.MaxConcurrency != n {
			t.Errorf("the partitions are %v, %d at a time", each.Items, each.MaxConcurrency)
		}
		checkKeptOut(t, d.States)
		if !one.End || !finish.End || len(one.Retry) != 1 || one.Retry[0].MaxAttempts < 1 {
			t.Errorf("a partition is not tried again by itself: %+v", one.Retry)
		}
		task := cfn.Reference{Resource: e.the(t, typeTask, "services/synchronizer-task")}.String()
		for name, s := range map[string]state{"plan": plan, "partition": one, "finish": finish} {
			if s.Arguments.TaskDefinition != task {
				t.Errorf("%s runs the task %s", name, s.Arguments.TaskDefinition)
			}
		}
	})
}
