package emulate_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/ecr"
	ecrtypes "github.com/aws/aws-sdk-go-v2/service/ecr/types"
	"github.com/aws/aws-sdk-go-v2/service/rds"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
)

// auditCluster: encrypted with its own key, IAM logins, TLS alone, kept from
// deletion and backed up as configured, in the private subnets.
func (d *deployed) auditCluster(t testing.TB) {
	client := d.in(d.env.Region).rds
	clusters := must(client.DescribeDBClusters(t.Context(), &rds.DescribeDBClustersInput{}))(t).DBClusters
	if len(clusters) != 1 {
		t.Fatalf("there are %d database clusters, want 1", len(clusters))
	}
	c := clusters[0]
	same(t, "the engine", str(c.Engine), "aurora-mysql")
	same(t, "encrypted storage", *c.StorageEncrypted, true)
	same(t, "the storage's key", keyOf(str(c.KmsKeyId)), d.key(t, d.env.Region, "database"))
	same(t, "IAM logins", *c.IAMDatabaseAuthenticationEnabled, true)
	same(t, "deletion protection", *c.DeletionProtection, d.env.Protected)
	same(t, "days of backups", int(*c.BackupRetentionPeriod), d.env.Database.BackupDays)
	same(t, "the least capacity", *c.ServerlessV2ScalingConfiguration.MinCapacity, d.env.Database.MinACU)
	same(t, "the greatest capacity", *c.ServerlessV2ScalingConfiguration.MaxCapacity, d.env.Database.MaxACU)
	for _, log := range []string{"audit", "error", "slowquery"} {
		if !slices.Contains(c.EnabledCloudwatchLogsExports, log) {
			t.Errorf("the log %s is not exported", log)
		}
	}
	if c.MasterUserSecret == nil {
		t.Error("the administrator's password is not managed by RDS")
	} else {
		same(t, "the key of the administrator's secret", keyOf(str(c.MasterUserSecret.KmsKeyId)), d.key(t, d.env.Region, "secrets"))
	}
	d.requiresTLS(t, str(c.DBClusterParameterGroup))
	d.inPrivateSubnets(t, str(c.DBSubnetGroup))
}

func (d *deployed) requiresTLS(t testing.TB, group string) {
	t.Helper()
	for _, p := range must(d.in(d.env.Region).rds.DescribeDBClusterParameters(t.Context(), &rds.DescribeDBClusterParametersInput{
		DBClusterParameterGroupName: &group,
	}))(t).Parameters {
		if str(p.ParameterName) == "require_secure_transport" && strings.EqualFold(str(p.ParameterValue), "ON") {
			return
		}
	}
	t.Errorf("the parameter group %s does not require TLS", group)
}

func (d *deployed) inPrivateSubnets(t testing.TB, group string) {
	t.Helper()
	found := must(d.in(d.env.Region).rds.DescribeDBSubnetGroups(t.Context(), &rds.DescribeDBSubnetGroupsInput{DBSubnetGroupName: &group}))(t)
	var ids []string
	for _, s := range found.DBSubnetGroups[0].Subnets {
		ids = append(ids, str(s.SubnetIdentifier))
	}
	slices.Sort(ids)
	if !slices.Equal(ids, d.privateSubnets(t)) {
		t.Errorf("the database's subnets are %v, want the private ones %v", ids, d.privateSubnets(t))
	}
}

// auditInstances: a writer and the configured readers, each in another zone,
// none public.
func (d *deployed) auditInstances(t testing.TB) {
	instances := must(d.in(d.env.Region).rds.DescribeDBInstances(t.Context(), &rds.DescribeDBInstancesInput{}))(t).DBInstances
	same(t, "the number of database instances", len(instances), 1+d.env.Database.Readers)
	zones := map[string]bool{}
	for _, i := range instances {
		zones[str(i.AvailabilityZone)] = true
		same(t, "the class of "+str(i.DBInstanceIdentifier), str(i.DBInstanceClass), "db.serverless")
		same(t, "a public address of "+str(i.DBInstanceIdentifier), *i.PubliclyAccessible, false)
	}
	same(t, "the number of their zones", len(zones), min(len(instances), len(d.env.Zones)))
}

// auditSecrets: each encrypted with the key of secrets.
func (d *deployed) auditSecrets(t testing.TB) {
	secrets := must(d.in(d.env.Region).secrets.ListSecrets(t.Context(), &secretsmanager.ListSecretsInput{}))(t).SecretList
	if len(secrets) == 0 {
		t.Error("there is no secret")
	}
	for _, s := range secrets {
		same(t, "the key of "+str(s.Name), keyOf(str(s.KmsKeyId)), d.key(t, d.env.Region, "secrets"))
	}
}

// auditRegistry: a repository for each image, whose tags do not move, encrypted
// with its key, scanned as long as images are kept.
func (d *deployed) auditRegistry(t testing.TB) {
	client := d.in(d.env.Region).ecr
	repositories := must(client.DescribeRepositories(t.Context(), &ecr.DescribeRepositoriesInput{}))(t).Repositories
	var names []string
	for _, r := range repositories {
		name := str(r.RepositoryName)
		names = append(names, strings.TrimPrefix(name, d.env.Prefix()+"-"))
		same(t, "the tags of "+name, r.ImageTagMutability, ecrtypes.ImageTagMutabilityImmutable)
		same(t, "scanning of "+name, r.ImageScanningConfiguration.ScanOnPush, true)
		same(t, "the key of "+name, keyOf(str(r.EncryptionConfiguration.KmsKey)), d.key(t, d.env.Region, "registry"))
		must(client.GetLifecyclePolicy(t.Context(), &ecr.GetLifecyclePolicyInput{RepositoryName: r.RepositoryName}))(t)
	}
	slices.Sort(names)
	if want := []string{"customers-mngr", "padron", "synchronizer"}; !slices.Equal(names, want) {
		t.Errorf("the repositories are %v, want %v", names, want)
	}
	scanning := must(client.GetRegistryScanningConfiguration(t.Context(), &ecr.GetRegistryScanningConfigurationInput{}))(t).ScanningConfiguration
	same(t, "the registry's scanning", scanning.ScanType, ecrtypes.ScanTypeEnhanced)
	if len(scanning.Rules) != 1 || scanning.Rules[0].ScanFrequency != ecrtypes.ScanFrequencyContinuousScan {
		t.Errorf("the registry's scanning rules are %+v, want one that scans continuously", scanning.Rules)
	}
}
