package estate_test

import (
	"slices"
	"strings"
	"testing"

	"padron/infra/synthtest"
)

// TestCopiesStandElsewhere: the stack with the copies is in the other region,
// is deployed before the plan that names its vault, and opens with the same
// keys.
func TestCopiesStandElsewhere(t *testing.T) {
	for _, name := range synthtest.Environments(t) {
		env, estate := synthtest.Config(t, name), synthtest.Load(t, name)
		copies := estate.Stack("copies")
		if copies.Region != env.CopyRegion || copies.Account != env.Account {
			t.Errorf("%s: copies are in %s of %s", name, copies.Region, copies.Account)
		}
		if !slices.Contains(estate.Stack("backup").Needs, "copies") {
			t.Errorf("%s: backup does not wait for copies", name)
		}
		for _, s := range estate.Stacks {
			if s.Name != "copies" && s.Region != env.Region {
				t.Errorf("%s: the stack %s is in %s", name, s.Name, s.Region)
			}
		}
		for _, key := range []string{"backup", "customers"} {
			replica := estate.Find("AWS::KMS::ReplicaKey", key)
			if replica == nil {
				t.Fatalf("%s: the key %s has no replica", name, key)
			}
			primary := replica.Target("PrimaryKeyArn")
			if primary == nil || primary.Path() != key || !primary.Bool("MultiRegion") {
				t.Errorf("%s: the replica of %s is one of %v", name, key, primary)
			}
		}
	}
}

// TestSelection: exactly the register's cluster is backed up.
func TestSelection(t *testing.T) {
	for _, name := range synthtest.Environments(t) {
		estate := synthtest.Load(t, name)
		selection := estate.Resources("AWS::Backup::BackupSelection")
		if len(selection) != 1 {
			t.Fatalf("%s: %d selections, want one", name, len(selection))
		}
		cluster := estate.Find("AWS::RDS::DBCluster", "Cluster")
		got := selection[0].List("BackupSelection", "Resources")
		if len(got) != 1 || !strings.HasSuffix(got[0].(string), "cluster:${"+cluster.Stack.Name+"."+cluster.LogicalID+"}") {
			t.Errorf("%s: backed up is %v", name, got)
		}
	}
}

// TestRestoreTestHasAPlace: the restored cluster goes where the register's is,
// and not to a default VPC that need not be there.
func TestRestoreTestHasAPlace(t *testing.T) {
	for _, name := range synthtest.Environments(t) {
		estate := synthtest.Load(t, name)
		cluster := estate.Find("AWS::RDS::DBCluster", "Cluster")
		for _, r := range estate.Resources("AWS::Backup::RestoreTestingSelection") {
			if got, want := r.Text("RestoreMetadataOverrides", "dbSubnetGroupName"), cluster.Target("DBSubnetGroupName").Text("DBSubnetGroupName"); got != want {
				t.Errorf("%s: restored into the subnets %q, want %q", name, got, want)
			}
			group := cluster.Target("VpcSecurityGroupIds", "0")
			if got := r.Text("RestoreMetadataOverrides", "vpcSecurityGroupIds"); !strings.HasPrefix(got, `["${`+group.Stack.Name+"."+group.LogicalID) {
				t.Errorf("%s: restored behind %q, want %s", name, got, group)
			}
		}
	}
}

// TestCopiesMayBeMade: what copies a backup to the other region may make and
// remove snapshots there, and not here alone.
func TestCopiesMayBeMade(t *testing.T) {
	for _, name := range synthtest.Environments(t) {
		env, estate := synthtest.Config(t, name), synthtest.Load(t, name)
		for _, s := range objects(estate.Find("AWS::IAM::ManagedPolicy", "BackupPolicy").List("PolicyDocument", "Statement")) {
			if !slices.Contains(texts(s["Action"]), "rds:CopyDBClusterSnapshot") && !slices.Contains(texts(s["Action"]), "backup:CopyFromBackupVault") {
				continue
			}
			for _, region := range []string{env.Region, env.CopyRegion} {
				if want := "arn:aws:rds:" + region + ":" + env.Account + ":cluster-snapshot:*"; !slices.Contains(texts(s["Resource"]), want) {
					t.Errorf("%s: %v is not for %s", name, s["Sid"], want)
				}
			}
		}
	}
}

// TestBackupRoles: the role that makes backups restores nothing; the one that
// restores deletes nothing but what a restore test made.
func TestBackupRoles(t *testing.T) {
	estate := synthtest.Load(t, "prod")
	for _, s := range objects(estate.Find("AWS::IAM::ManagedPolicy", "BackupPolicy").List("PolicyDocument", "Statement")) {
		for _, action := range texts(s["Action"]) {
			if strings.Contains(action, "Restore") || strings.HasPrefix(action, "rds:DeleteDBCluster") && action != "rds:DeleteDBClusterSnapshot" {
				t.Errorf("the backup role may %s", action)
			}
		}
	}
	for _, s := range objects(estate.Find("AWS::IAM::ManagedPolicy", "RestorePolicy").List("PolicyDocument", "Statement")) {
		for _, action := range texts(s["Action"]) {
			if !strings.Contains(action, "Delete") && !strings.Contains(action, "Modify") {
				continue
			}
			for _, resource := range texts(s["Resource"]) {
				if !strings.Contains(resource, ":awsbackup-restore-test-") {
					t.Errorf("the restore role may %s of %s", action, resource)
				}
			}
		}
	}
}

// texts is an element of a policy: a text or a list of them.
func texts(v any) []string {
	if s, ok := v.(string); ok {
		return []string{s}
	}
	var all []string
	l, _ := v.([]any)
	for _, x := range l {
		if s, ok := x.(string); ok {
			all = append(all, s)
		}
	}
	return all
}
