package estate_test

import (
	"fmt"
	"slices"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"

	"padron/infra/cfn"
)

const (
	typeCluster  = "AWS::RDS::DBCluster"
	typeInstance = "AWS::RDS::DBInstance"
)

func TestDatabase(t *testing.T) {
	eachEnvironment(t, func(t *testing.T, e environment) {
		cluster := e.the(t, typeCluster, "data/Cluster")
		has(t, cluster, map[string]string{
			"DBClusterIdentifier": e.env.Prefix(), "Engine": "aurora-mysql", "EngineVersion": "8.0.mysql_aurora.3.10.4",
			"DatabaseName": "padron", "MasterUsername": "padron_admin", "Port": "3306",
			"BackupRetentionPeriod": strconv.Itoa(e.env.Database.BackupDays),
		})
		if cluster.Get("MasterUserPassword") != nil {
			t.Error("the administrator's password stands in the template")
		}
		want := map[string]any{"MinCapacity": e.env.Database.MinACU, "MaxCapacity": e.env.Database.MaxACU}
		if e.env.Database.MinACU == 0 {
			want["SecondsUntilAutoPause"] = float64(e.env.Database.AutoPauseSeconds)
		}
		if diff := cmp.Diff(want, cluster.Get("ServerlessV2ScalingConfiguration")); diff != "" {
			t.Errorf("the capacity is not the configured one (-want +got):\n%s", diff)
		}
		// A proxy would keep the database from pausing.
		e.none(t, "AWS::RDS::DBProxy")
	})
}

// TestDatabaseInstances holds that the writer is in the first zone and each
// reader in the next, all of them serverless and of the estate's parameters.
func TestDatabaseInstances(t *testing.T) {
	eachEnvironment(t, func(t *testing.T, e environment) {
		parameters := e.the(t, "AWS::RDS::DBParameterGroup", "data/InstanceParameters")
		var got []string
		for _, r := range e.Resources(typeInstance) {
			got = append(got, r.Text("DBInstanceIdentifier")+" "+r.Text("AvailabilityZone"))
			has(t, r, map[string]string{"DBInstanceClass": "db.serverless", "Engine": "aurora-mysql"})
			if r.Target("DBParameterGroupName") != parameters {
				t.Errorf("%s has not the estate's parameters", r)
			}
			if r.Target("DBClusterIdentifier") != e.the(t, typeCluster, "data/Cluster") {
				t.Errorf("%s is of another cluster", r)
			}
		}
		want := []string{e.env.Prefix() + "-writer " + e.env.Zones[0]}
		for i := range e.env.Database.Readers {
			want = append(want, fmt.Sprintf("%s-reader-%d %s", e.env.Prefix(), i+1, e.env.Zones[i+1]))
		}
		slices.Sort(got)
		slices.Sort(want)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("instances (-want +got):\n%s", diff)
		}
	})
}

// TestDatabaseParameters holds what the loader and the log of slow statements
// need; the controls hold the rest.
func TestDatabaseParameters(t *testing.T) {
	eachEnvironment(t, func(t *testing.T, e environment) {
		want := map[string]any{"local_infile": "1", "slow_query_log": "1", "long_query_time": "1", "log_output": "FILE"}
		group := e.the(t, "AWS::RDS::DBParameterGroup", "data/InstanceParameters")
		if diff := cmp.Diff(want, group.Get("Parameters")); diff != "" {
			t.Errorf("%s (-want +got):\n%s", group, diff)
		}
		shared := e.the(t, "AWS::RDS::DBClusterParameterGroup", "data/ClusterParameters")
		if e.the(t, typeCluster, "data/Cluster").Target("DBClusterParameterGroupName") != shared {
			t.Errorf("the cluster does not use %s", shared)
		}
		has(t, shared, map[string]string{"Family": "aurora-mysql8.0"})
	})
}

func TestDatabaseStandsInPrivateSubnets(t *testing.T) {
	eachEnvironment(t, func(t *testing.T, e environment) {
		group := e.the(t, typeCluster, "data/Cluster").Target("DBSubnetGroupName")
		if group == nil {
			t.Fatal("the cluster has no subnet group of the estate's")
		}
		var got []string
		for _, subnet := range cfn.Targets(group.Get("SubnetIds")) {
			got = append(got, subnet.Text("CidrBlock"))
		}
		if diff := cmp.Diff(e.env.Network.Private, got); diff != "" {
			t.Errorf("subnets (-want +got):\n%s", diff)
		}
		groups := cfn.Targets(e.the(t, typeCluster, "data/Cluster").Get("VpcSecurityGroupIds"))
		if diff := cmp.Diff([]string{"network/DatabaseGroup"}, paths(groups)); diff != "" {
			t.Errorf("security groups (-want +got):\n%s", diff)
		}
	})
}

// TestRegisterOutlivesItsStack holds that a protected register stays and that
// of another a snapshot does.
func TestRegisterOutlivesItsStack(t *testing.T) {
	eachEnvironment(t, func(t *testing.T, e environment) {
		want := "Snapshot"
		if e.env.Protected {
			want = "Retain"
		}
		if got := e.the(t, typeCluster, "data/Cluster").Body["DeletionPolicy"]; got != want {
			t.Errorf("the cluster's DeletionPolicy is %v, want %s", got, want)
		}
	})
}

// TestProviderKey holds that the template brings no value of it but one that
// the provider refuses.
func TestProviderKey(t *testing.T) {
	eachEnvironment(t, func(t *testing.T, e environment) {
		secret := e.the(t, "AWS::SecretsManager::Secret", "data/ProviderKey")
		has(t, secret, map[string]string{"Name": e.env.Prefix() + "/provider-api-key"})
		if secret.Get("GenerateSecretString", "PasswordLength") == nil {
			t.Errorf("%s is not made with a random value", secret)
		}
	})
}
