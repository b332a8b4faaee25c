package estate

import (
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslogs"
	"github.com/aws/jsii-runtime-go"
)

// counts are what the programs' logs say in figures. The first filter is the
// synchronizer's line at the end of each run, the other the line that
// customers-mngr writes for each request.
var counts = []struct {
	name, pattern, value string
	manager              bool
}{
	{name: "RunsCompleted", pattern: `{ $.msg = "run ended" && $.outcome = "completed" }`, value: "1"},
	{name: "RunsRefused", pattern: `{ $.msg = "run ended" && $.outcome = "refused" }`, value: "1"},
	{name: "RunsFailed", pattern: `{ $.msg = "run ended" && $.outcome = "failed" }`, value: "1"},
	{name: "Read", pattern: `{ $.msg = "run ended" && $.read > 0 }`, value: "$.read"},
	{name: "Quarantined", pattern: `{ $.msg = "run ended" && $.quarantined > 0 }`, value: "$.quarantined"},
	{name: "Reveals", pattern: `{ $.msg = "request" && $.route = "/v1/customers/{id}/reveal" && $.status = 200 }`, value: "1", manager: true},
	{name: "Denied", pattern: `{ $.msg = "request" && ($.status = 401 || $.status = 403) }`, value: "1", manager: true},
}

// countLogs makes a metric of each count.
func countLogs(o observed) {
	for _, c := range counts {
		group := o.services.SynchronizerLog
		if c.manager {
			group = o.services.ManagerLog
		}
		awslogs.NewMetricFilter(o.stack, jsii.String("Count-"+c.name), &awslogs.MetricFilterProps{
			LogGroup: group, FilterPattern: awslogs.FilterPattern_Literal(jsii.String(c.pattern)),
			MetricNamespace: jsii.String(o.env.Prefix()), MetricName: jsii.String(c.name), MetricValue: jsii.String(c.value),
			DefaultValue: jsii.Number(0),
		})
	}
}

// counted is the sum of a count over minutes.
func counted(o observed, name string, minutes int) awscloudwatch.IMetric {
	return figure(o.env.Prefix(), name, "Sum", minutes, nil)
}

func runAlarms(o observed) []awscloudwatch.IAlarm {
	const tooMany = "More than 1% of what runs read went into quarantine: padron quarantine list shows why"
	alarms := []alarm{
		freshness(o),
		{id: "run-refused", what: "A run would have deleted or changed too many customers and did not: look, then synchronizer run --force REASON",
			metric: counted(o, "RunsRefused", 5), above: 0, periods: 1, of: 1},
		{id: "run-failed", what: "Runs fail one after the other: padron runs shows why",
			metric: counted(o, "RunsFailed", failureMinutes(o)), above: 1, periods: 1, of: 1},
		{id: "quarantine", what: tooMany, above: rejectedShare, periods: 1, of: 1,
			metric: formula("quarantined, %", "IF(read > 0, 100 * FILL(quarantined, 0) / read, 0)", 60, map[string]awscloudwatch.IMetric{
				"read": counted(o, "Read", 60), "quarantined": counted(o, "Quarantined", 60),
			})},
		{id: "run-undelivered", what: "The scheduler could not start a run: the message in the queue says why", above: 0, periods: 1, of: 1,
			metric: figure("AWS/SQS", "ApproximateNumberOfMessagesVisible", "Maximum", 5, map[string]*string{"QueueName": o.services.Undelivered.QueueName()})},
	}
	if o.services.Partitions != nil {
		alarms = append(alarms, alarm{id: "run-divided", what: "A divided run failed: its execution shows which task", above: 0, periods: 1, of: 1,
			metric: formula("failed divided runs", "FILL(failed, 0) + FILL(late, 0) + FILL(aborted, 0)", 5, map[string]awscloudwatch.IMetric{
				"failed": ofPartitions(o, "ExecutionsFailed", 5), "late": ofPartitions(o, "ExecutionsTimedOut", 5), "aborted": ofPartitions(o, "ExecutionsAborted", 5),
			})})
	}
	return o.all(alarms...)
}

// failureMinutes is in how long two failed runs are a pattern.
func failureMinutes(o observed) int { return min(o.env.Alarms.FreshnessMinutes, 24*60) }

// freshness is the alarm of the register's age: no run completed for as long
// as the environment allows, or ever. An execution that was kept out by another
// succeeds without a run, so that executions say nothing of it. CloudWatch takes
// periods up to a day, and a week of hours.
func freshness(o observed) alarm {
	minutes, periods := o.env.Alarms.FreshnessMinutes, 1
	if minutes > 24*60 {
		periods, minutes = (minutes+59)/60, 60
	}
	completed := counted(o, "RunsCompleted", minutes)
	return alarm{
		id: "run-too-old", what: "No run has completed for too long: what the API answers is old", below: true, silent: true,
		metric: completed, above: 1, periods: periods, of: periods,
	}
}

func ofPartitions(o observed, name string, minutes int) awscloudwatch.IMetric {
	return figure("AWS/States", name, "Sum", minutes, map[string]*string{"StateMachineArn": o.services.Partitions.Ref()})
}
