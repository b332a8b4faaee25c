package cost

import (
	"strconv"
	"strings"

	"padron/infra/cfn"
	"padron/infra/config"
)

// measure reads a quantity from a resource.
type measure func(*meter, *cfn.Resource) float64

// measures are the quantities that the list may name beside its assumptions.
var measures map[string]measure

func init() {
	measures = map[string]measure{
		"subnets":        func(_ *meter, r *cfn.Resource) float64 { return float64(len(r.List("SubnetIds"))) },
		"web_rules":      func(_ *meter, r *cfn.Resource) float64 { return float64(len(r.List("Rules"))) },
		"disk_gb":        diskGB,
		"vcpus":          func(_ *meter, r *cfn.Resource) float64 { return figure(definition(r), "Cpu") / 1024 },
		"memory_gb":      func(_ *meter, r *cfn.Resource) float64 { return figure(definition(r), "Memory") / 1024 },
		"least_tasks":    (*meter).leastTasks,
		"least_acu":      leastACU,
		"managed_secret": managedSecret,
		"alarm_metrics":  alarmMetrics,
		"fires":          func(_ *meter, r *cfn.Resource) float64 { return config.RunsPerMonth(r.Text("ScheduleExpression")) },
		"runs":           (*meter).runs,
		"log_gb":         (*meter).logGB,
		"log_kept_gb":    (*meter).logKeptGB,
	}
}

// figure returns a number that a template may write as text; 0 where there is
// none.
func figure(r *cfn.Resource, path ...string) float64 {
	if r == nil {
		return 0
	}
	v, _ := strconv.ParseFloat(r.Text(path...), 64)
	return v
}

// definition returns the task definition of a service, or the resource itself.
func definition(r *cfn.Resource) *cfn.Resource {
	if d := r.Target("TaskDefinition"); d != nil {
		return d
	}
	return r
}

func diskGB(_ *meter, r *cfn.Resource) float64 {
	sum := 0.0
	for i := range r.List("BlockDeviceMappings") {
		sum += figure(r, "BlockDeviceMappings", strconv.Itoa(i), "Ebs", "VolumeSize")
	}
	return sum
}

// leastTasks is what the service's scaling never goes below, or the number that
// it asks for itself.
func (m *meter) leastTasks(r *cfn.Resource) float64 {
	for _, t := range m.assembly.Resources("AWS::ApplicationAutoScaling::ScalableTarget") {
		if strings.Contains(t.Text("ResourceId"), cfn.Reference{Resource: r, Attribute: "Name"}.String()) {
			return figure(t, "MinCapacity")
		}
	}
	return max(figure(r, "DesiredCount"), 1)
}

// runs is how often a month the schedules start the synchronizer, as a task or
// as a state machine of tasks.
func (m *meter) runs(_ *cfn.Resource) float64 {
	sum := 0.0
	for _, s := range m.assembly.Resources("AWS::Scheduler::Schedule") {
		target := s.Target("Target", "Arn")
		if s.Get("Target", "EcsParameters") != nil || target != nil && target.Type == "AWS::StepFunctions::StateMachine" {
			sum += config.RunsPerMonth(s.Text("ScheduleExpression"))
		}
	}
	return sum
}

// leastACU is what an instance never goes below: 0 for one that may pause.
func leastACU(_ *meter, r *cfn.Resource) float64 {
	return figure(r.Target("DBClusterIdentifier"), "ServerlessV2ScalingConfiguration", "MinCapacity")
}

func managedSecret(_ *meter, r *cfn.Resource) float64 {
	if r.Bool("ManageMasterUserPassword") {
		return 1
	}
	return 0
}

// alarmMetrics counts the metrics that the alarm reads: an expression over
// several is billed for each.
func alarmMetrics(_ *meter, r *cfn.Resource) float64 {
	n := 0.0
	for i := range r.List("Metrics") {
		if r.Get("Metrics", strconv.Itoa(i), "MetricStat") != nil {
			n++
		}
	}
	return max(n, 1)
}

// logKeptGB is what the group holds once its retention is full. CloudWatch keeps
// logs compressed, to about a fifth.
func (m *meter) logKeptGB(r *cfn.Resource) float64 {
	const daysOfMonth, compression = 30, 5
	return m.logGB(r) * figure(r, "RetentionInDays") / daysOfMonth / compression
}

// logGB is the figure of the longest end of the group's name that is known.
func (m *meter) logGB(r *cfn.Resource) float64 {
	name, best := r.Text("LogGroupName"), ""
	for end := range m.prices.Logs {
		if strings.HasSuffix(name, end) && len(end) > len(best) {
			best = end
		}
	}
	v, ok := m.prices.Logs[best].In(m.environment)
	if !ok {
		m.missing("logs " + best)
	}
	return v
}
