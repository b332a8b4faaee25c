package estate

import (
	"encoding/json"
	"strconv"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsbudgets"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsce"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssns"
	"github.com/aws/jsii-runtime-go"

	"padron/infra/config"
)

// spending tells when the account costs more than the budget, or will by the
// end of the month, and when a day costs what no day before did.
func spending(stack awscdk.Stack, env *config.Environment, alerts awssns.Topic) {
	awsbudgets.NewCfnBudget(stack, jsii.String("Budget"), &awsbudgets.CfnBudgetProps{
		Budget: &awsbudgets.CfnBudget_BudgetDataProperty{
			BudgetName: jsii.String(env.Prefix()), BudgetType: jsii.String("COST"), TimeUnit: jsii.String("MONTHLY"),
			BudgetLimit: &awsbudgets.CfnBudget_SpendProperty{Amount: jsii.Number(env.Alarms.MonthlyBudget), Unit: jsii.String("USD")},
		},
		NotificationsWithSubscribers: &[]any{
			whenSpent("ACTUAL", 80, alerts), whenSpent("ACTUAL", 100, alerts), whenSpent("FORECASTED", 100, alerts),
		},
	})
	anomalies(stack, env)
}

// whenSpent tells when so many percent of the budget are spent, or forecast.
func whenSpent(kind string, percent float64, alerts awssns.Topic) any {
	return &awsbudgets.CfnBudget_NotificationWithSubscribersProperty{
		Notification: &awsbudgets.CfnBudget_NotificationProperty{
			NotificationType: jsii.String(kind), ComparisonOperator: jsii.String("GREATER_THAN"),
			Threshold: jsii.Number(percent), ThresholdType: jsii.String("PERCENTAGE"),
		},
		Subscribers: &[]any{&awsbudgets.CfnBudget_SubscriberProperty{SubscriptionType: jsii.String("SNS"), Address: alerts.TopicArn()}},
	}
}

// anomalies watches what bears the environment's tag, which must be made a cost
// allocation tag once. A monitor of all services would be simpler, but an
// account has only one, and AWS may have made it.
func anomalies(stack awscdk.Stack, env *config.Environment) {
	monitor := awsce.NewCfnAnomalyMonitor(stack, jsii.String("SpendingMonitor"), &awsce.CfnAnomalyMonitorProps{
		MonitorName: jsii.String(env.Prefix()), MonitorType: jsii.String("CUSTOM"),
		MonitorSpecification: text(map[string]any{"Tags": map[string]any{"Key": "padron:environment", "Values": []string{env.Name}}}),
	})
	impact := max(10, env.Alarms.MonthlyBudget/10) // USD
	awsce.NewCfnAnomalySubscription(stack, jsii.String("SpendingAnomalies"), &awsce.CfnAnomalySubscriptionProps{
		SubscriptionName: jsii.String(env.Prefix()), Frequency: jsii.String("DAILY"),
		MonitorArnList: &[]any{monitor.AttrMonitorArn()},
		Subscribers:    &[]any{&awsce.CfnAnomalySubscription_SubscriberProperty{Type: jsii.String("EMAIL"), Address: jsii.String(env.Alarms.Email)}},
		ThresholdExpression: text(map[string]any{"Dimensions": map[string]any{
			"Key": "ANOMALY_TOTAL_IMPACT_ABSOLUTE", "MatchOptions": []string{"GREATER_THAN_OR_EQUAL"}, "Values": []string{strconv.Itoa(impact)},
		}}),
	})
}

// text is the value as JSON. Maps of strings do not fail to become it.
func text(value any) *string {
	b, _ := json.Marshal(value)
	return jsii.String(string(b))
}
