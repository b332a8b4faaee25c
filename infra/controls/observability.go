package controls

import (
	"fmt"
	"slices"
	"strings"

	"padron/infra/cfn"
)

const typeComposite = "AWS::CloudWatch::CompositeAlarm"

func observabilityControls() []Control {
	return slices.Concat(tellingControls(), watchingControls(), spendingControls())
}

func tellingControls() []Control {
	const typeTopic = "AWS::SNS::Topic"
	return []Control{
		{
			ID: "observability.topic-encrypted", What: "what people are told is encrypted with the key of messages",
			PCI: []string{"3.5.1", "4.2.1"}, NIST: []string{"SC-8", "SC-28"},
			Check:  one(typeTopic, "Alerts", keyIs("messages", "KmsMasterKeyId")),
			Remove: put(typeTopic, "Alerts", nil, "KmsMasterKeyId"),
		},
		{
			ID: "observability.somebody-is-told", What: "alarms reach a person",
			PCI: []string{"10.4.1", "12.10.5"}, NIST: []string{"IR-6", "SI-4"},
			Check: func(e *Estate) []string {
				for _, s := range e.Resources("AWS::SNS::Subscription") {
					topic := s.Target("TopicArn")
					if topic != nil && topic.Path() == "Alerts" && s.Text("Protocol") == "email" && s.Text("Endpoint") == e.Env.Alarms.Email {
						return nil
					}
				}
				return []string{"nobody is subscribed to observability/Alerts"}
			},
			Remove: drop("AWS::SNS::Subscription"),
		},
		{
			ID: "observability.no-dumb-alarm", What: "every alarm tells somebody",
			PCI: []string{"10.7.2"}, NIST: []string{"SI-4", "IR-5"},
			Check: func(e *Estate) []string {
				return slices.Concat(every(typeAlarm, toldOf)(e), every(typeComposite, toldOf)(e))
			},
			Remove: set(typeAlarm, "AlarmActions", nil),
		},
	}
}

// toldOf checks that an alarm tells somebody of its beginning, or of the lack of
// a figure where it is part of another one.
func toldOf(r *cfn.Resource) string {
	if len(r.List("AlarmActions")) == 0 && len(r.List("InsufficientDataActions")) == 0 {
		return "tells nobody"
	}
	return ""
}

// alarmControl is an alarm that must be there, look at the figure, and treat a
// missing figure as wanted.
func alarmControl(id, path, what, figure, missing string, nist ...string) Control {
	return Control{
		ID: "observability." + id, What: what, PCI: []string{"10.7.2", "12.10.5"}, NIST: nist,
		Check: one(typeAlarm, path, func(r *cfn.Resource) string {
			seen := r.Text("MetricName") + fmt.Sprint(r.Get("Metrics"))
			if !strings.Contains(seen, figure) {
				return "does not look at " + figure
			}
			return is(missing, "TreatMissingData")(r)
		}),
		Remove: without(typeAlarm, path),
	}
}

func watchingControls() []Control {
	const breaching, quiet = "breaching", "notBreaching"
	controls := []Control{
		alarmControl("run-refused", "run-refused", "a run that refused to delete or change too many is told", "RunsRefused", quiet, "SI-4", "SI-7"),
		alarmControl("run-failed", "run-failed", "failing runs are told", "RunsFailed", quiet, "SI-4"),
		alarmControl("quarantine", "quarantine", "a growing quarantine is told", "Quarantined", quiet, "SI-4", "SI-10"),
		alarmControl("reveals", "reveals", "more reveals than the budget are told", "Reveals", quiet, "AU-6", "SI-4"),
		alarmControl("denied", "api-denied", "many refused callers are told", "Denied", quiet, "AC-7", "SI-4"),
		alarmControl("undelivered", "run-undelivered", "a run that could not be started is told", "ApproximateNumberOfMessagesVisible", quiet, "SI-4"),
		alarmControl("unhealthy", "api-unhealthy", "unhealthy tasks are told", "UnHealthyHostCount", quiet, "SI-4"),
		alarmControl("tasks", "api-tasks", "too few tasks are told", "RunningTaskCount", breaching, "SI-4", "CP-10"),
		alarmControl("capacity", "database-capacity", "a database at its largest capacity is told", "ACUUtilization", quiet, "AU-5", "SI-4"),
	}
	fresh := Control{
		ID: "observability.freshness", What: "a register that is too old is told, silence included",
		PCI: []string{"10.7.2"}, NIST: []string{"SI-4", "SI-7"},
		Check: func(e *Estate) []string {
			return one(typeAlarm, "run-too-old", func(r *cfn.Resource) string { return tooOld(e, r) })(e)
		},
		Remove: put(typeAlarm, "run-too-old", "notBreaching", "TreatMissingData"),
	}
	objectives := Control{
		ID: "observability.objectives", What: "an allowance of failed or slow requests that burns fast, or for long, is told",
		PCI: []string{"10.7.2"}, NIST: []string{"SI-4", "SC-5"},
		Check:  burnsTold,
		Remove: without(typeComposite, "availability-fast"),
	}
	return append(controls, fresh, objectives)
}

// tooOld checks that the alarm of freshness covers the configured age, and goes
// off when nothing is heard.
func tooOld(e *Estate, r *cfn.Resource) string {
	period, _ := r.Get("Period").(float64)
	times, _ := r.Get("EvaluationPeriods").(float64)
	if minutes := period * times / 60; int(minutes) < e.Env.Alarms.FreshnessMinutes || int(minutes) > e.Env.Alarms.FreshnessMinutes+60 {
		return fmt.Sprintf("looks back %g minutes, want %d", minutes, e.Env.Alarms.FreshnessMinutes)
	}
	return are(map[string]string{"TreatMissingData": "breaching", "ComparisonOperator": "LessThanThreshold"})(r)
}

// burnsTold checks the four alarms, each of a long and a short window.
func burnsTold(e *Estate) []string {
	var missing []string
	for _, objective := range []string{"availability", "latency"} {
		for _, burn := range []string{"fast", "slow"} {
			check := one(typeComposite, objective+"-"+burn, func(r *cfn.Resource) string {
				rule := r.Text("AlarmRule")
				for _, window := range []string{"long", "short"} {
					side := e.Find(typeAlarm, objective+"-"+burn+"-"+window)
					if side == nil || !strings.Contains(rule, cfn.Reference{Resource: side, Attribute: "Arn"}.String()) {
						return "has no " + window + " window"
					}
				}
				return ""
			})
			missing = append(missing, check(e)...)
		}
	}
	return missing
}

func spendingControls() []Control {
	return []Control{
		{
			ID: "observability.budget", What: "more cost than the budget, or the forecast of it, is told",
			NIST: []string{"SI-4"},
			Check: one("AWS::Budgets::Budget", "Budget", func(r *cfn.Resource) string {
				if len(r.List("NotificationsWithSubscribers")) < 3 {
					return "does not tell at 80%, 100% and the forecast of 100%"
				}
				return ""
			}),
			Remove: drop("AWS::Budgets::Budget"),
		},
		{
			ID: "observability.anomaly", What: "a day that costs what no day before did is told",
			NIST: []string{"SI-4"},
			Check: every("AWS::CE::AnomalySubscription", func(r *cfn.Resource) string {
				if len(cfn.Targets(r.Get("MonitorArnList"))) == 0 || len(r.List("Subscribers")) == 0 {
					return "tells nobody of anything"
				}
				return ""
			}),
			Remove: drop("AWS::CE::AnomalyMonitor"),
		},
	}
}
