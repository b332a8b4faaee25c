package controls

import (
	"fmt"
	"slices"
	"strings"

	"padron/infra/cfn"
	"padron/infra/config"
)

const (
	typeSchedule = "AWS::Scheduler::Schedule"
	typeMachine  = "AWS::StepFunctions::StateMachine"
)

func divided(env *config.Environment) bool { return env.Synchronizer.Partitions > 1 }

func runControls() []Control {
	return []Control{
		{
			ID: "services.starts-kept", What: "a run that could not be started is tried again, and then kept, encrypted, in a queue",
			PCI: []string{"10.7.2"}, NIST: []string{"SI-11", "CP-10"},
			Check: one(typeSchedule, "Schedule", func(r *cfn.Resource) string {
				queue := r.Target("Target", "DeadLetterConfig", "Arn")
				if queue == nil {
					return "has no queue for what it could not start"
				}
				if tries, _ := r.Get("Target", "RetryPolicy", "MaximumRetryAttempts").(float64); tries < 1 {
					return "does not try again"
				}
				return keyIs("messages", "KmsMasterKeyId")(queue)
			}),
			Remove: put(typeSchedule, "Schedule", nil, "Target", "DeadLetterConfig"),
		},
		{
			ID: "services.schedule-encrypted", What: "schedules are encrypted with the key of messages",
			PCI: []string{"3.5.1"}, NIST: []string{"SC-28"},
			Check:  every(typeSchedule, keyIs("messages", "KmsKeyArn")),
			Remove: set(typeSchedule, "KmsKeyArn", nil),
		},
	}
}

func startControls() []Control {
	return []Control{
		{
			ID: "services.starts-one-task", What: "what starts runs can start the synchronizer's task and no other",
			PCI: []string{"7.2.2", "7.2.5"}, NIST: []string{"AC-6"},
			Check: startsOneTask,
			Remove: func(e *Estate) int {
				n := 0
				for _, p := range e.Resources("AWS::IAM::ManagedPolicy") {
					for _, s := range policyStatements(p) {
						if s["Action"] == "ecs:RunTask" {
							s["Resource"] = "*"
							n++
						}
					}
				}
				return n
			},
		},
		{
			ID: "services.hands-over-own-roles", What: "what starts runs can give a task the synchronizer's roles and no others",
			PCI: []string{"7.2.2", "7.2.5"}, NIST: []string{"AC-6"}, CIS: []string{"1.16"},
			Check: handsOver,
			Remove: func(e *Estate) int {
				n := 0
				for _, p := range e.Resources("AWS::IAM::ManagedPolicy") {
					for _, s := range policyStatements(p) {
						if s["Action"] == "iam:PassRole" && p.Stack.Name == "services" {
							delete(s, "Condition")
							n++
						}
					}
				}
				return n
			},
		},
		{
			ID: "services.divided-runs-logged", What: "every step of a divided run is logged and traced",
			PCI: []string{"10.2.1"}, NIST: []string{"AU-2", "AU-12"}, Where: divided,
			Check: every(typeMachine, are(map[string]string{
				"LoggingConfiguration.Level": "ALL", "TracingConfiguration.Enabled": "true"})),
			Remove: put(typeMachine, "Partitions", "OFF", "LoggingConfiguration", "Level"),
		},
		{
			ID: "services.divided-runs-wait", What: "an execution that another run keeps out does not count as failed, nor as a run that completed",
			PCI: []string{"10.7.2"}, NIST: []string{"SI-4"}, Where: divided,
			Check:  keptOutIsTold,
			Remove: put(typeAlarm, "run-too-old", "ExecutionsSucceeded", "MetricName"),
		},
		{
			ID: "services.divided-runs-encrypted", What: "divided runs are encrypted with the key of messages",
			PCI: []string{"3.5.1"}, NIST: []string{"SC-28"}, Where: divided,
			Check:  every(typeMachine, keyIs("messages", "EncryptionConfiguration", "KmsKeyId")),
			Remove: put(typeMachine, "Partitions", nil, "EncryptionConfiguration", "KmsKeyId"),
		},
	}
}

// keptOutIsTold checks that the state machine tells a plan that was kept out from
// one that failed, and that the age of the data is not counted by executions.
func keptOutIsTold(e *Estate) []string {
	var wrong []string
	for _, machine := range e.Resources(typeMachine) {
		if !strings.Contains(machine.Text("DefinitionString"), `"Next":"KeptOut"`) {
			wrong = append(wrong, machine.String()+": a plan that is kept out fails the execution")
		}
	}
	for _, alarm := range e.Resources(typeAlarm) {
		if strings.Contains(fmt.Sprint(alarm.Properties), "ExecutionsSucceeded") {
			wrong = append(wrong, alarm.String()+": takes an execution that was kept out for a run")
		}
	}
	return wrong
}

// startsOneTask checks that the roles of the schedule and the state machine
// alone run tasks, the synchronizer's, in the estate's cluster.
func startsOneTask(e *Estate) []string {
	task := e.Find(typeTask, "synchronizer-task")
	if task == nil {
		return []string{"there is no task synchronizer-task"}
	}
	var wrong []string
	found := 0
	for _, p := range permissions(e, "ecs:RunTask") {
		if p.role.Stack.Name != "identity" {
			continue // the pipeline's roles have controls of their own
		}
		found++
		starter := slices.Contains([]string{"scheduler", "partitions"}, p.role.Path())
		if !starter || !slices.Equal(p.resources, []string{cfn.Reference{Resource: task}.String()}) {
			wrong = append(wrong, "ecs:RunTask: "+p.String())
		}
	}
	if found == 0 {
		wrong = append(wrong, "nobody may run the synchronizer's task")
	}
	return wrong
}

// handsOver checks every iam:PassRole of the stack services.
func handsOver(e *Estate) []string {
	var wrong []string
	found := 0
	for _, p := range e.Resources("AWS::IAM::ManagedPolicy", "AWS::IAM::Policy") {
		for _, s := range policyStatements(p) {
			if p.Stack.Name != "services" || !slices.Contains(several(s["Action"]), "iam:PassRole") {
				continue
			}
			found++
			if !strings.Contains(fmt.Sprint(s["Condition"]), "iam:PassedToService:ecs-tasks.amazonaws.com") {
				wrong = append(wrong, p.String()+": hands roles over to any service")
			}
			for _, role := range several(p.Stack.Resolve(s["Resource"])) {
				if !strings.HasPrefix(role, "${identity.synchronizer") {
					wrong = append(wrong, p.String()+": hands "+role+" over")
				}
			}
		}
	}
	if found == 0 {
		wrong = append(wrong, "nobody may give the synchronizer's task its roles")
	}
	return wrong
}
