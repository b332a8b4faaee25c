package estate

import (
	"fmt"
	"math"

	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatchactions"
	"github.com/aws/jsii-runtime-go"
)

// The API's objectives over 30 days: the share of requests, in percent, that
// may fail, and that may take longer than slowSeconds.
const (
	mayFail     = 0.1
	mayBeSlow   = 1.0
	slowSeconds = 0.25
)

// fewRequests is how many requests in a window say nothing yet.
const fewRequests = 20

// burns are how fast a month's allowance may be used up before somebody is
// told: all of it in two days, or in five. The long window says that it
// matters, the short one that it still goes on.
var burns = []struct {
	name                     string
	times                    float64
	longMinutes, shortMinute int
}{
	{"fast", 14.4, 60, 5},
	{"slow", 6, 360, 30},
}

// objectives makes an alarm for each objective and burn.
func objectives(o observed) []awscloudwatch.IAlarm {
	var alarms []awscloudwatch.IAlarm
	for _, burn := range burns {
		for _, objective := range []struct {
			name, what string
			allowed    float64
			share      func(*Edge, int) awscloudwatch.IMetric
		}{
			{"availability", "requests fail", mayFail, failedShare},
			{"latency", "requests are slow", mayBeSlow, slowShare},
		} {
			id := objective.name + "-" + burn.name
			bound := math.Round(objective.allowed*burn.times*100) / 100
			side := func(window string, minutes int) awscloudwatch.IAlarmRule {
				a := newAlarm(o.stack, o.env, alarm{
					id: id + "-" + window, part: true, metric: objective.share(o.edge, minutes),
					what:  fmt.Sprintf("More than %.3g%% of %s over %d minutes", bound, objective.what, minutes),
					above: bound, periods: 1, of: 1,
				})
				return awscloudwatch.AlarmRule_FromAlarm(a, awscloudwatch.AlarmState_ALARM)
			}
			alarms = append(alarms, both(o, id, fmt.Sprintf("Too many %s: %g times what the objective allows", objective.what, burn.times),
				side("long", burn.longMinutes), side("short", burn.shortMinute)))
		}
	}
	return alarms
}

// both is the alarm of two sides at once.
func both(o observed, id, what string, sides ...awscloudwatch.IAlarmRule) awscloudwatch.IAlarm {
	c := awscloudwatch.NewCompositeAlarm(o.stack, jsii.String(id), &awscloudwatch.CompositeAlarmProps{
		CompositeAlarmName: jsii.String(o.env.Prefix() + "-" + id), AlarmDescription: jsii.String(what),
		AlarmRule: awscloudwatch.AlarmRule_AllOf(sides...),
	})
	tell := awscloudwatchactions.NewSnsAction(alertsTopic(o.stack, o.env))
	c.AddAlarmAction(tell)
	c.AddOkAction(tell)
	return c
}

// failedShare is the percentage of requests that the tasks, or the load
// balancer in their stead, answered with 5xx.
func failedShare(edge *Edge, minutes int) awscloudwatch.IMetric {
	return formula("failed requests, %", fmt.Sprintf("IF(requests > %d, 100 * (FILL(tasks, 0) + FILL(balancer, 0)) / requests, 0)", fewRequests), minutes,
		map[string]awscloudwatch.IMetric{
			"requests": atBalancer(edge, "RequestCount", "Sum", minutes),
			"tasks":    atBalancer(edge, "HTTPCode_Target_5XX_Count", "Sum", minutes),
			"balancer": atBalancer(edge, "HTTPCode_ELB_5XX_Count", "Sum", minutes),
		})
}

// slowShare is the percentage of requests that took longer than slowSeconds.
func slowShare(edge *Edge, minutes int) awscloudwatch.IMetric {
	return formula("slow requests, %", fmt.Sprintf("IF(requests > %d, 100 - quick, 0)", fewRequests), minutes,
		map[string]awscloudwatch.IMetric{
			"requests": atBalancer(edge, "RequestCount", "Sum", minutes),
			"quick":    atBalancer(edge, "TargetResponseTime", fmt.Sprintf("PR(:%g)", slowSeconds), minutes),
		})
}
