package estate

import (
	"fmt"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsec2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsrds"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssecretsmanager"
	"github.com/aws/jsii-runtime-go"

	"padron/infra/config"
)

// The database's name, its administrator, and the users that the migration
// makes for the services. A user logs in by the IAM role of its service.
const (
	databaseName     = "padron"
	adminUser        = "padron_admin"
	synchronizerUser = "padron_synchronizer"
	managerUser      = "padron_customers_mngr"
)

// Data is the register's database and what it is reached with.
type Data struct {
	Stack   awscdk.Stack
	Cluster awsrds.DatabaseCluster
	// ProviderKey is the secret of the provider's API key, as plain text. It is
	// made with a random value; the operator puts the real one.
	ProviderKey awssecretsmanager.Secret
}

// URL is PADRON_DB for the user at the writer; "" names none, for a login by
// secret. Only a certificate of RDS's own authorities is accepted.
func (d *Data) URL(user string) *string {
	if user != "" {
		user += "@"
	}
	return jsii.String(fmt.Sprintf("mysql://%s%s:%d/%s?tls=rds", user, *d.Cluster.ClusterEndpoint().Hostname(), portDatabase, databaseName))
}

// NewData adds the stack data.
func NewData(app awscdk.App, env *config.Environment, keys *Keys, net *Network, who *Identity) *Data {
	stack := newStack(app, env, "data", "the database, its administrator's secret, the provider's key")
	d := &Data{Stack: stack, Cluster: newCluster(stack, env, keys, net), ProviderKey: providerKey(stack, env, keys)}
	d.admit(env, who)
	return d
}

// newCluster makes the cluster: the writer in the first zone and each reader in
// another.
func newCluster(stack awscdk.Stack, env *config.Environment, keys *Keys, net *Network) awsrds.DatabaseCluster {
	engine := awsrds.DatabaseClusterEngine_AuroraMysql(&awsrds.AuroraMysqlClusterEngineProps{
		Version: awsrds.AuroraMysqlEngineVersion_VER_3_10_4(),
	})
	private := &awsec2.SubnetSelection{SubnetType: awsec2.SubnetType_PRIVATE_WITH_EGRESS}
	size := env.Database
	props := &awsrds.DatabaseClusterProps{
		Engine:                   engine,
		ClusterIdentifier:        jsii.String(env.Prefix()),
		DefaultDatabaseName:      jsii.String(databaseName),
		Port:                     jsii.Number(portDatabase),
		Vpc:                      net.Vpc,
		SecurityGroups:           &[]awsec2.ISecurityGroup{net.Groups.Database},
		SubnetGroup:              subnetGroup(stack, env, net, private),
		ParameterGroup:           clusterParameters(stack, env, engine),
		Credentials:              awsrds.Credentials_FromUsername(jsii.String(adminUser), &awsrds.CredentialsFromUsernameOptions{EncryptionKey: keys.Secrets}),
		ManageMasterUserPassword: jsii.Bool(true),
		IamAuthentication:        jsii.Bool(true),
		StorageEncrypted:         jsii.Bool(true),
		StorageEncryptionKey:     keys.Database,
		DeletionProtection:       jsii.Bool(env.Protected),
		RemovalPolicy:            databaseRemoval(env),
		CopyTagsToSnapshot:       jsii.Bool(true),
		Backup: &awsrds.BackupProps{
			Retention: awscdk.Duration_Days(jsii.Number(size.BackupDays)), PreferredWindow: jsii.String("03:00-03:30"),
		},
		PreferredMaintenanceWindow: jsii.String("sun:04:00-sun:04:30"),
		CloudwatchLogsExports:      texts(exportedLogs...),
		MonitoringInterval:         awscdk.Duration_Seconds(jsii.Number(60)),
		MonitoringRole:             monitoringRole(stack, env),
		EngineLifecycleSupport:     awsrds.EngineLifecycleSupport_OPEN_SOURCE_RDS_EXTENDED_SUPPORT_DISABLED,
		ServerlessV2MinCapacity:    jsii.Number(size.MinACU),
		ServerlessV2MaxCapacity:    jsii.Number(size.MaxACU),
	}
	if size.MinACU == 0 {
		props.ServerlessV2AutoPauseDuration = awscdk.Duration_Seconds(jsii.Number(size.AutoPauseSeconds))
	}
	instances(props, env, keys, instanceParameters(stack, env, engine))
	groups := exportGroups(stack, env, keys)
	cluster := awsrds.NewDatabaseCluster(stack, jsii.String("Cluster"), props)
	for _, g := range groups {
		cluster.Node().AddDependency(g)
	}
	return cluster
}

// databaseRemoval is what becomes of the register with its stack: a protected
// one stays, of another a snapshot does.
func databaseRemoval(env *config.Environment) awscdk.RemovalPolicy {
	if env.Protected {
		return awscdk.RemovalPolicy_RETAIN
	}
	return awscdk.RemovalPolicy_SNAPSHOT
}

func subnetGroup(stack awscdk.Stack, env *config.Environment, net *Network, private *awsec2.SubnetSelection) awsrds.SubnetGroup {
	return awsrds.NewSubnetGroup(stack, jsii.String("Subnets"), &awsrds.SubnetGroupProps{
		SubnetGroupName: jsii.String(env.Prefix()), Description: jsii.String("The private subnets"),
		Vpc: net.Vpc, VpcSubnets: private,
	})
}

// instances sets the writer and the readers, which scale with it: one of them
// takes over without having to grow first.
func instances(props *awsrds.DatabaseClusterProps, env *config.Environment, keys *Keys, parameters awsrds.ParameterGroup) {
	instance := func(id string, zone int, reader bool) awsrds.IClusterInstance {
		p := &awsrds.ServerlessV2ClusterInstanceProps{
			InstanceIdentifier:              jsii.String(env.Prefix() + "-" + id),
			AvailabilityZone:                jsii.String(env.Zones[zone]),
			ParameterGroup:                  parameters,
			PubliclyAccessible:              jsii.Bool(false),
			AutoMinorVersionUpgrade:         jsii.Bool(true),
			CaCertificate:                   awsrds.CaCertificate_RDS_CA_RSA2048_G1(),
			EnablePerformanceInsights:       jsii.Bool(true),
			PerformanceInsightEncryptionKey: keys.Database,
			PerformanceInsightRetention:     awsrds.PerformanceInsightRetention_DEFAULT,
		}
		if reader {
			p.ScaleWithWriter = jsii.Bool(true)
		}
		return awsrds.ClusterInstance_ServerlessV2(jsii.String(id), p)
	}
	props.Writer = instance("writer", 0, false)
	var readers []awsrds.IClusterInstance
	for i := range env.Database.Readers {
		readers = append(readers, instance(fmt.Sprintf("reader-%d", i+1), i+1, true))
	}
	props.Readers = &readers
}

// monitoringRole lets RDS write the instances' operating system figures. The
// policy is AWS's own: RDS makes and names the log group, one for an account.
func monitoringRole(stack awscdk.Stack, env *config.Environment) awsiam.Role {
	return awsiam.NewRole(stack, jsii.String("Monitoring"), &awsiam.RoleProps{
		AssumedBy:   awsiam.NewServicePrincipal(jsii.String("monitoring.rds.amazonaws.com"), inAccount(env)),
		Description: jsii.String("Writes the database's operating system figures"),
		ManagedPolicies: &[]awsiam.IManagedPolicy{
			awsiam.ManagedPolicy_FromAwsManagedPolicyName(jsii.String("service-role/AmazonRDSEnhancedMonitoringRole")),
		},
	})
}
