package estate

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslogs"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsrds"
	"github.com/aws/jsii-runtime-go"

	"padron/infra/config"
)

// exportedLogs are the database's logs that leave it. The general log is off,
// and is here so that, switched on for an inquiry, it is kept like the others.
var exportedLogs = []string{"audit", "error", "general", "slowquery"}

// exportGroups makes the groups that RDS exports to, under RDS's own names.
func exportGroups(stack awscdk.Stack, env *config.Environment, keys *Keys) []awslogs.LogGroup {
	var groups []awslogs.LogGroup
	for _, log := range exportedLogs {
		groups = append(groups, serviceLogGroup(stack, "Log"+log, env, keys, "/aws/rds/cluster/"+env.Prefix()+"/"+log, env.Retention.Logs))
	}
	return groups
}

// clusterParameters are the settings of the whole cluster. The audit log holds
// who connected and who changed users, rights and tables; statements on data
// are left out, since the register keeps an audit log of its own.
func clusterParameters(stack awscdk.Stack, env *config.Environment, engine awsrds.IClusterEngine) awsrds.ParameterGroup {
	group := awsrds.NewParameterGroup(stack, jsii.String("ClusterParameters"), &awsrds.ParameterGroupProps{
		Engine: engine, Name: jsii.String(env.Prefix() + "-cluster"), Description: jsii.String("TLS and auditing"),
		Parameters: &map[string]*string{
			"require_secure_transport": jsii.String("ON"),
			"tls_version":              jsii.String("TLSv1.2,TLSv1.3"),
			"server_audit_logging":     jsii.String("1"),
			"server_audit_events":      jsii.String("CONNECT,QUERY_DCL,QUERY_DDL"),
			"character_set_server":     jsii.String("utf8mb4"),
			"time_zone":                jsii.String("UTC"),
		},
	})
	return group
}

// instanceParameters are the settings of each instance. The synchronizer loads
// with LOAD DATA LOCAL, whose data comes from the client that asks for it and
// from nowhere else.
func instanceParameters(stack awscdk.Stack, env *config.Environment, engine awsrds.IEngine) awsrds.ParameterGroup {
	return awsrds.NewParameterGroup(stack, jsii.String("InstanceParameters"), &awsrds.ParameterGroupProps{
		Engine: engine, Name: jsii.String(env.Prefix() + "-instance"), Description: jsii.String("Loading and slow queries"),
		Parameters: &map[string]*string{
			"local_infile":    jsii.String("1"),
			"slow_query_log":  jsii.String("1"),
			"long_query_time": jsii.String("1"),
			"log_output":      jsii.String("FILE"),
		},
	})
}
