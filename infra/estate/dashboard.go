package estate

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/aws-cdk-go/awscdk/v2/interfaces/interfacesawscloudwatch"
	"github.com/aws/jsii-runtime-go"
)

// dashboard is the whole service on one page: first what is wrong, then the
// API, the runs and the database, each with what explains it.
func dashboard(o observed, alarms []awscloudwatch.IAlarm) {
	refs := make([]interfacesawscloudwatch.IAlarmRef, len(alarms))
	for i, a := range alarms {
		refs[i] = a
	}
	awscloudwatch.NewDashboard(o.stack, jsii.String("Dashboard"), &awscloudwatch.DashboardProps{
		DashboardName: jsii.String(o.env.Prefix()), DefaultInterval: awscdk.Duration_Hours(jsii.Number(24)),
		Widgets: &[]*[]awscloudwatch.IWidget{
			{awscloudwatch.NewAlarmStatusWidget(&awscloudwatch.AlarmStatusWidgetProps{
				Title: jsii.String("Alarms"), Width: jsii.Number(24), Height: jsii.Number(5), Alarms: &refs,
			})},
			{
				graph("Requests", atBalancer(o.edge, "RequestCount", "Sum", 5), atBalancer(o.edge, "HTTPCode_Target_5XX_Count", "Sum", 5)),
				graph("Failed and slow, %", failedShare(o.edge, 5), slowShare(o.edge, 5)),
				graph("Response time, s", atBalancer(o.edge, "TargetResponseTime", "p50", 5), atBalancer(o.edge, "TargetResponseTime", "p99", 5)),
			},
			{
				graph("Tasks", runningTasks(o), unhealthy(o.edge)),
				graph("CPU and memory, %", ofManager(o, "CPUUtilization"), ofManager(o, "MemoryUtilization")),
				graph("Reveals and refusals", counted(o, "Reveals", 60), counted(o, "Denied", 60)),
			},
			{
				graph("Runs", counted(o, "RunsCompleted", 60), counted(o, "RunsRefused", 60), counted(o, "RunsFailed", 60)),
				graph("Customers read", counted(o, "Read", 60)),
				graph("Quarantined", counted(o, "Quarantined", 60)),
			},
			{
				graph("Database capacity and CPU, %", ofDatabase(o, "ACUUtilization", "Average"), ofDatabase(o, "CPUUtilization", "Average")),
				graph("Database connections", ofDatabase(o, "DatabaseConnections", "Maximum")),
				graph("Database memory", ofDatabase(o, "FreeableMemory", "Minimum")),
			},
		},
	})
}

func graph(title string, of ...awscloudwatch.IMetric) awscloudwatch.IWidget {
	return awscloudwatch.NewGraphWidget(&awscloudwatch.GraphWidgetProps{
		Title: jsii.String(title), Width: jsii.Number(8), Height: jsii.Number(6), Left: &of,
	})
}
