package estate

import (
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
)

// Bounds of alarms that are no environment's own.
const (
	busyCPU         = 85  // percent, of tasks and of the database
	busyMemory      = 85  // percent, of tasks
	ceilingACU      = 90  // percent of the largest capacity
	manyConnections = 150 // a 2 ACU cluster takes about 270
	littleMemory    = 256 << 20
	rejectedShare   = 1.0 // percent of what a run reads
	manyDenied      = 100 // in five minutes
)

func apiAlarms(o observed) []awscloudwatch.IAlarm {
	alarms := []alarm{
		{id: "api-unhealthy", what: "Tasks of customers-mngr fail the load balancer's health check",
			metric: unhealthy(o.edge), above: 0, periods: 5, of: 5},
		{id: "api-cpu", what: "Tasks of customers-mngr are short of CPU, and scaling does not help",
			metric: ofManager(o, "CPUUtilization"), above: busyCPU, periods: 3, of: 3},
		{id: "api-memory", what: "Tasks of customers-mngr are short of memory",
			metric: ofManager(o, "MemoryUtilization"), above: busyMemory, periods: 3, of: 3},
		{id: "api-tasks", what: "Fewer tasks of customers-mngr run than the least number", below: true, silent: true,
			metric: runningTasks(o), above: float64(o.env.Manager.MinTasks), periods: 10, of: 10},
		{id: "api-denied", what: "Many callers have no valid credential, or ask for what they may not have",
			metric: counted(o, "Denied", 5), above: manyDenied, periods: 1, of: 1},
		{id: "reveals", what: "More reveals in an hour than the budget: look in the audit log whose they are (padron audit list)",
			metric: counted(o, "Reveals", 60), above: float64(o.env.Alarms.RevealsPerHour), periods: 1, of: 1},
	}
	return o.all(alarms...)
}

func dataAlarms(o observed) []awscloudwatch.IAlarm {
	return o.all(
		alarm{id: "database-capacity", what: "The database is at its largest capacity: raise database.max_acu",
			metric: ofDatabase(o, "ACUUtilization", "Average"), above: ceilingACU, periods: 3, of: 3},
		alarm{id: "database-cpu", what: "The database is short of CPU",
			metric: ofDatabase(o, "CPUUtilization", "Average"), above: busyCPU, periods: 3, of: 3},
		alarm{id: "database-connections", what: "The database has many connections",
			metric: ofDatabase(o, "DatabaseConnections", "Maximum"), above: manyConnections, periods: 3, of: 3},
		alarm{id: "database-memory", what: "The database is short of memory", below: true,
			metric: ofDatabase(o, "FreeableMemory", "Minimum"), above: littleMemory, periods: 3, of: 3},
	)
}

// ofManager is a figure of the service's tasks on average.
func ofManager(o observed, name string) awscloudwatch.IMetric {
	return figure("AWS/ECS", name, "Average", 5, map[string]*string{
		"ClusterName": o.services.Cluster.ClusterName(), "ServiceName": o.services.Manager.AttrName(),
	})
}

func runningTasks(o observed) awscloudwatch.IMetric {
	return figure("ECS/ContainerInsights", "RunningTaskCount", "Minimum", 1, map[string]*string{
		"ClusterName": o.services.Cluster.ClusterName(), "ServiceName": o.services.Manager.AttrName(),
	})
}

func ofDatabase(o observed, name, statistic string) awscloudwatch.IMetric {
	return figure("AWS/RDS", name, statistic, 5, map[string]*string{"DBClusterIdentifier": o.data.Cluster.ClusterIdentifier()})
}
