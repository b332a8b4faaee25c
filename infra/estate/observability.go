package estate

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssns"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssnssubscriptions"
	"github.com/aws/jsii-runtime-go"

	"padron/infra/config"
)

// Observability is what tells people that something is wrong, or will be.
type Observability struct {
	Stack awscdk.Stack
	// Alerts is the topic of every alarm and of the budget.
	Alerts awssns.Topic
}

// observed is what the alarms look at.
type observed struct {
	stack    awscdk.Stack
	env      *config.Environment
	data     *Data
	edge     *Edge
	services *Services
}

// NewObservability adds the stack observability.
func NewObservability(app awscdk.App, env *config.Environment, keys *Keys, data *Data, edge *Edge, services *Services) *Observability {
	stack := newStack(app, env, "observability", "alarms, objectives, dashboard, budget")
	o := &Observability{Stack: stack, Alerts: alerts(stack, env, keys)}
	at := observed{stack, env, data, edge, services}
	countLogs(at)
	alarms := objectives(at)
	alarms = append(alarms, apiAlarms(at)...)
	alarms = append(alarms, runAlarms(at)...)
	alarms = append(alarms, dataAlarms(at)...)
	dashboard(at, alarms)
	spending(stack, env, o.Alerts)
	return o
}

// alerts is the topic. Its name is known before it stands (see alertsTopic).
func alerts(stack awscdk.Stack, env *config.Environment, keys *Keys) awssns.Topic {
	topic := awssns.NewTopic(stack, jsii.String("Alerts"), &awssns.TopicProps{
		TopicName: jsii.String(alertsName(env)), DisplayName: jsii.String("padron " + env.Name),
		MasterKey: keys.Messages, EnforceSSL: jsii.Bool(true),
	})
	own := map[string]any{"StringEquals": map[string]any{"aws:SourceAccount": env.Account}}
	for _, service := range []string{"cloudwatch", "budgets"} {
		topic.AddToResourcePolicy(serviceMay("From"+service, service+".amazonaws.com", []string{"sns:Publish"}, []string{*topic.TopicArn()}, own))
	}
	topic.AddSubscription(awssnssubscriptions.NewEmailSubscription(jsii.String(env.Alarms.Email), nil))
	return topic
}

// all makes the alarms.
func (o observed) all(alarms ...alarm) []awscloudwatch.IAlarm {
	var made []awscloudwatch.IAlarm
	for _, a := range alarms {
		made = append(made, newAlarm(o.stack, o.env, a))
	}
	return made
}
