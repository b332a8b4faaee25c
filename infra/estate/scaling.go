package estate

import (
	"fmt"

	"github.com/aws/aws-cdk-go/awscdk/v2/awsapplicationautoscaling"
	elb "github.com/aws/aws-cdk-go/awscdk/v2/awselasticloadbalancingv2"
	"github.com/aws/jsii-runtime-go"

	"padron/infra/config"
)

// What a task of customers-mngr should have to do at most, on average: a share
// of its CPU in percent, and requests a minute.
const (
	targetCPU      = 60
	targetRequests = 3000
)

// scaleManager keeps the number of tasks between the configured bounds by two
// figures; the one that wants more tasks wins.
func scaleManager(s *Services, env *config.Environment, edge *Edge) {
	target := awsapplicationautoscaling.NewCfnScalableTarget(s.Stack, jsii.String("ManagerTasks"), &awsapplicationautoscaling.CfnScalableTargetProps{
		ServiceNamespace:  jsii.String("ecs"),
		ScalableDimension: jsii.String("ecs:service:DesiredCount"),
		ResourceId:        "service/" + *s.Cluster.ClusterName() + "/" + *s.Manager.AttrName(),
		MinCapacity:       jsii.Number(env.Manager.MinTasks),
		MaxCapacity:       jsii.Number(env.Manager.MaxTasks),
	})
	policy := func(id string, by *awsapplicationautoscaling.CfnScalingPolicy_TargetTrackingScalingPolicyConfigurationProperty) {
		by.ScaleOutCooldown, by.ScaleInCooldown = jsii.Number(60), jsii.Number(300)
		awsapplicationautoscaling.NewCfnScalingPolicy(s.Stack, jsii.String(id), &awsapplicationautoscaling.CfnScalingPolicyProps{
			PolicyName: jsii.String(env.Prefix() + "-" + id), PolicyType: jsii.String("TargetTrackingScaling"),
			ScalingTargetId: target.Ref(), TargetTrackingScalingPolicyConfiguration: by,
		})
	}
	policy("ByCPU", &awsapplicationautoscaling.CfnScalingPolicy_TargetTrackingScalingPolicyConfigurationProperty{
		TargetValue: jsii.Number(targetCPU),
		PredefinedMetricSpecification: &awsapplicationautoscaling.CfnScalingPolicy_PredefinedMetricSpecificationProperty{
			PredefinedMetricType: jsii.String("ECSServiceAverageCPUUtilization"),
		},
	})
	policy("ByRequests", &awsapplicationautoscaling.CfnScalingPolicy_TargetTrackingScalingPolicyConfigurationProperty{
		TargetValue: jsii.Number(targetRequests),
		CustomizedMetricSpecification: &awsapplicationautoscaling.CfnScalingPolicy_CustomizedMetricSpecificationProperty{
			Metrics: requestsATarget(edge),
		},
	})
}

// requestsATarget is the requests a target and minute, wherever the tasks are:
// the ready-made figure belongs to one target group, and after a blue/green
// deployment the tasks are in the other one, which has none.
func requestsATarget(edge *Edge) []any {
	groups := []elb.ApplicationTargetGroup{edge.Blue}
	if edge.Green != nil {
		groups = append(groups, edge.Green)
	}
	var queries []any
	sum := ""
	for i, group := range groups {
		id := fmt.Sprintf("m%d", i+1)
		if i > 0 {
			sum += " + "
		}
		sum += "FILL(" + id + ", 0)"
		queries = append(queries, requestsQuery(id, edge, group))
	}
	return append(queries, &awsapplicationautoscaling.CfnScalingPolicy_TargetTrackingMetricDataQueryProperty{
		Id: jsii.String("requests"), Expression: jsii.String(sum), Label: jsii.String("requests a target"), ReturnData: jsii.Bool(true),
	})
}

func requestsQuery(id string, edge *Edge, group elb.ApplicationTargetGroup) any {
	dimension := func(name string, value *string) any {
		return &awsapplicationautoscaling.CfnScalingPolicy_TargetTrackingMetricDimensionProperty{Name: jsii.String(name), Value: value}
	}
	return &awsapplicationautoscaling.CfnScalingPolicy_TargetTrackingMetricDataQueryProperty{
		Id: jsii.String(id), ReturnData: jsii.Bool(false),
		MetricStat: &awsapplicationautoscaling.CfnScalingPolicy_TargetTrackingMetricStatProperty{
			Stat: jsii.String("Sum"),
			Metric: &awsapplicationautoscaling.CfnScalingPolicy_TargetTrackingMetricProperty{
				Namespace: jsii.String("AWS/ApplicationELB"), MetricName: jsii.String("RequestCountPerTarget"),
				Dimensions: &[]any{
					dimension("TargetGroup", group.TargetGroupFullName()),
					dimension("LoadBalancer", edge.Balancer.LoadBalancerFullName()),
				},
			},
		},
	}
}
