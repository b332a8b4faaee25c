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
	// part is one side of a composite alarm: it tells nobody of itself, unless
	// its figure cannot be had.
	part bool
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
	if a.part {
		made.AddInsufficientDataAction(tell)
		return made
	}
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

// figure is a metric as an alarm or a graph takes it, over minutes.
func figure(namespace, name, statistic string, minutes int, dimensions map[string]*string) awscloudwatch.Metric {
	return awscloudwatch.NewMetric(&awscloudwatch.MetricProps{
		Namespace: jsii.String(namespace), MetricName: jsii.String(name), Statistic: jsii.String(statistic),
		Period: awscdk.Duration_Minutes(jsii.Number(minutes)), DimensionsMap: &dimensions,
	})
}

// formula is a figure that is computed of others, by the names that it has for
// them.
func formula(label, expression string, minutes int, of map[string]awscloudwatch.IMetric) awscloudwatch.IMetric {
	return awscloudwatch.NewMathExpression(&awscloudwatch.MathExpressionProps{
		Label: jsii.String(label), Expression: jsii.String(expression), UsingMetrics: &of,
		Period: awscdk.Duration_Minutes(jsii.Number(minutes)),
	})
}

// atBalancer is a figure of the load balancer.
func atBalancer(edge *Edge, name, statistic string, minutes int) awscloudwatch.Metric {
	return figure("AWS/ApplicationELB", name, statistic, minutes, map[string]*string{"LoadBalancer": edge.Balancer.LoadBalancerFullName()})
}

// unhealthy is the number of tasks that fail the load balancer's health check.
func unhealthy(edge *Edge) awscloudwatch.IMetric {
	in := func(group elb.ApplicationTargetGroup) awscloudwatch.IMetric {
		return figure("AWS/ApplicationELB", "UnHealthyHostCount", "Maximum", 1, map[string]*string{
			"LoadBalancer": edge.Balancer.LoadBalancerFullName(), "TargetGroup": group.TargetGroupFullName(),
		})
	}
	if edge.Green == nil {
		return in(edge.Blue)
	}
	return formula("unhealthy tasks", "FILL(blue, 0) + FILL(green, 0)", 1, map[string]awscloudwatch.IMetric{
		"blue": in(edge.Blue), "green": in(edge.Green),
	})
}
