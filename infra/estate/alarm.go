package estate

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatchactions"
	elb "github.com/aws/aws-cdk-go/awscdk/v2/awselasticloadbalancingv2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssns"
	"github.com/aws/jsii-runtime-go"

	"padron/infra/config"
)

// awselb5xx is the answers of tasks that are the tasks' own fault.
const awselb5xx = elb.HttpCodeTarget_TARGET_5XX_COUNT

// alarm tells people when a figure is above a bound in so many of the last
// periods.
type alarm struct {
	id, what    string
	metric      awscloudwatch.IMetric
	above       float64
	periods, of int
	// below turns it round: the figure must not fall under above.
	below bool
	// silent says that a figure which is not there is a reason for alarm too.
	silent bool
}

// newAlarm makes the alarm PREFIX-id. Its end is told as well as its beginning.
func newAlarm(stack awscdk.Stack, env *config.Environment, a alarm) awscloudwatch.Alarm {
	compare, missing := awscloudwatch.ComparisonOperator_GREATER_THAN_THRESHOLD, awscloudwatch.TreatMissingData_NOT_BREACHING
	if a.below {
		compare = awscloudwatch.ComparisonOperator_LESS_THAN_THRESHOLD
	}
	if a.silent {
		missing = awscloudwatch.TreatMissingData_BREACHING
	}
	made := awscloudwatch.NewAlarm(stack, jsii.String(a.id), &awscloudwatch.AlarmProps{
		AlarmName: jsii.String(env.Prefix() + "-" + a.id), AlarmDescription: jsii.String(a.what),
		Metric: a.metric, Threshold: jsii.Number(a.above), ComparisonOperator: compare, TreatMissingData: missing,
		DatapointsToAlarm: jsii.Number(a.periods), EvaluationPeriods: jsii.Number(a.of),
	})
	tell := awscloudwatchactions.NewSnsAction(alertsTopic(stack, env))
	made.AddAlarmAction(tell)
	made.AddOkAction(tell)
	return made
}

// alertsTopic is where alarms go, by its name: the stack observability makes
// it, behind all others.
func alertsTopic(stack awscdk.Stack, env *config.Environment) awssns.ITopic {
	const id = "Alerts"
	if known, ok := stack.Node().TryFindChild(jsii.String(id)).(awssns.ITopic); ok {
		return known
	}
	return awssns.Topic_FromTopicArn(stack, jsii.String(id), jsii.String("arn:aws:sns:"+env.Region+":"+env.Account+":"+alertsName(env)))
}

func alertsName(env *config.Environment) string { return env.Prefix() + "-alerts" }

// unhealthy is the number of tasks that fail the load balancer's health check.
func unhealthy(edge *Edge) awscloudwatch.IMetric {
	minute := &awscloudwatch.MetricOptions{Period: awscdk.Duration_Minutes(jsii.Number(1)), Statistic: jsii.String("Maximum")}
	metrics := map[string]awscloudwatch.IMetric{"blue": edge.Blue.Metrics().UnhealthyHostCount(minute)}
	sum := "FILL(blue, 0)"
	if edge.Green != nil {
		metrics["green"] = edge.Green.Metrics().UnhealthyHostCount(minute)
		sum += " + FILL(green, 0)"
	}
	return awscloudwatch.NewMathExpression(&awscloudwatch.MathExpressionProps{
		Expression: jsii.String(sum), UsingMetrics: &metrics, Label: jsii.String("unhealthy tasks"), Period: minute.Period,
	})
}
