package estate

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsecs"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/jsii-runtime-go"

	"padron/infra/config"
)

// bakeMinutes is how long the tasks before a deployment stay after it, to go
// back to within seconds.
const bakeMinutes = 10

func blueGreen(env *config.Environment) bool { return env.Manager.Deployment == "blue-green" }

// deployment never takes a task away before its successor is healthy. A rolling
// one goes back by itself when tasks do not start; a blue/green one, for which
// ECS has no such breaker, when an alarm goes off until the bake time is over.
func deployment(stack awscdk.Stack, env *config.Environment, edge *Edge) *awsecs.CfnService_DeploymentConfigurationProperty {
	d := &awsecs.CfnService_DeploymentConfigurationProperty{
		MinimumHealthyPercent: jsii.Number(100), MaximumPercent: jsii.Number(200),
	}
	if !blueGreen(env) {
		d.Strategy = jsii.String("ROLLING")
		d.DeploymentCircuitBreaker = &awsecs.CfnService_DeploymentCircuitBreakerProperty{
			Enable: jsii.Bool(true), Rollback: jsii.Bool(true),
		}
		return d
	}
	d.Strategy = jsii.String("BLUE_GREEN")
	d.BakeTimeInMinutes = jsii.Number(bakeMinutes)
	d.Alarms = &awsecs.CfnService_DeploymentAlarmsProperty{
		AlarmNames: deploymentAlarms(stack, env, edge), Enable: jsii.Bool(true), Rollback: jsii.Bool(true),
	}
	return d
}

// alternate names where the next tasks go and the rule that moves the traffic
// to them; nil for a rolling deployment.
func alternate(env *config.Environment, who *Identity, edge *Edge) any {
	if !blueGreen(env) {
		return nil
	}
	return &awsecs.CfnService_AdvancedConfigurationProperty{
		AlternateTargetGroupArn: edge.Green.TargetGroupArn(),
		ProductionListenerRule:  edge.Rule.ListenerRuleArn(),
		RoleArn:                 who.Balancing.RoleArn(),
	}
}

// balancingPolicy lets ECS move traffic between the two groups by the one rule.
func balancingPolicy(stack awscdk.Stack, who *Identity, edge *Edge) awsiam.ManagedPolicy {
	const lb = "elasticloadbalancing:"
	return grant(stack, "Balancing", who.Balancing,
		// What describes knows no resource.
		allow("Look", []string{lb + "DescribeListeners", lb + "DescribeRules", lb + "DescribeTargetGroups", lb + "DescribeTargetHealth"}, []string{"*"}),
		allow("Place", []string{lb + "RegisterTargets", lb + "DeregisterTargets"}, []string{*edge.Blue.TargetGroupArn(), *edge.Green.TargetGroupArn()}),
		allow("Shift", []string{lb + "ModifyRule"}, []string{*edge.Rule.ListenerRuleArn()}),
	)
}

// deploymentAlarms are what takes a deployment back: answers of 5xx, and tasks
// that stay unhealthy.
func deploymentAlarms(stack awscdk.Stack, env *config.Environment, edge *Edge) *[]*string {
	alarms := []awscloudwatch.Alarm{
		newAlarm(stack, env, alarm{
			id: "deployment-errors", what: "customers-mngr answers with 5xx; a deployment under way is taken back",
			metric: atBalancer(edge, "HTTPCode_Target_5XX_Count", "Sum", 1), above: 5, periods: 3, of: 5,
		}),
		newAlarm(stack, env, alarm{
			id: "deployment-unhealthy", what: "Tasks of customers-mngr stay unhealthy; a deployment under way is taken back",
			metric: unhealthy(edge), above: 0, periods: 3, of: 5,
		}),
	}
	var names []*string
	for _, a := range alarms {
		names = append(names, a.AlarmName())
	}
	return &names
}
