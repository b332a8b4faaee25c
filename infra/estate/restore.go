package estate

import (
	"fmt"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsbackup"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/jsii-runtime-go"

	"padron/infra/config"
)

// backupRole makes backups and copies them, to the other region too, where the
// copy is a snapshot again. It restores nothing.
func backupRole(stack awscdk.Stack, env *config.Environment) awsiam.Role {
	role := serviceRole(stack, env, "backup", "Makes backups of the database and copies them")
	snapshots := append(rdsARNs(env, "cluster-snapshot:*"), fmt.Sprintf("arn:aws:rds:%s:%s:cluster-snapshot:*", env.CopyRegion, env.Account))
	own := append(rdsARNs(env, "cluster:"+env.Prefix()+"*"), snapshots...)
	grant(stack, "BackupPolicy", role,
		allow("Snapshot", []string{"rds:CreateDBClusterSnapshot", "rds:DeleteDBClusterSnapshot", "rds:CopyDBClusterSnapshot",
			"rds:AddTagsToResource", "rds:ListTagsForResource", "rds:DescribeDBClusterSnapshots", "rds:ModifyDBClusterSnapshotAttribute"}, own),
		allow("Find", []string{"rds:DescribeDBClusters", "rds:DescribeDBInstances"}, rdsARNs(env, "cluster:*", "db:*")),
		allow("FindTagged", []string{"tag:GetResources"}, []string{"*"}), // a list
		allow("CopyOut", []string{"backup:CopyFromBackupVault"}, snapshots),
		allow("Store", []string{"backup:DescribeBackupVault", "backup:CopyIntoBackupVault"},
			[]string{vaultARN(env, env.Region), vaultARN(env, env.Region) + "-air-gapped", vaultARN(env, env.CopyRegion)}),
		keysThroughRDS(env))
	return role
}

// restoreRole restores a backup for a test and removes it again: it may delete
// no cluster but one that a restore test made.
func restoreRole(stack awscdk.Stack, env *config.Environment) awsiam.Role {
	role := serviceRole(stack, env, "restore-test", "Restores backups to see that they can be restored")
	tests := rdsARNs(env, "cluster:awsbackup-restore-test-*", "db:awsbackup-restore-test-*")
	grant(stack, "RestorePolicy", role,
		allow("Restore", []string{"rds:RestoreDBClusterFromSnapshot", "rds:AddTagsToResource", "rds:ListTagsForResource"},
			append(rdsARNs(env, "cluster-snapshot:*", "subgrp:"+env.Prefix()+"*", "cluster-pg:"+env.Prefix()+"*", "pg:"+env.Prefix()+"*"), tests...)),
		allow("Remove", []string{"rds:CreateDBInstance", "rds:DeleteDBInstance", "rds:DeleteDBCluster", "rds:ModifyDBCluster"}, tests),
		allow("Find", []string{"rds:DescribeDBClusters", "rds:DescribeDBInstances", "rds:DescribeDBClusterSnapshots", "rds:DescribeDBSubnetGroups"},
			rdsARNs(env, "cluster:*", "db:*", "cluster-snapshot:*", "subgrp:*")),
		// These list, and know no single resource.
		allow("Place", []string{"ec2:DescribeSecurityGroups", "ec2:DescribeSubnets", "ec2:DescribeVpcs"}, []string{"*"}),
		keysThroughRDS(env))
	return role
}

// serviceRole is a role that AWS Backup takes for this account.
func serviceRole(stack awscdk.Stack, env *config.Environment, name, what string) awsiam.Role {
	return awsiam.NewRole(stack, jsii.String(name), &awsiam.RoleProps{
		RoleName:    jsii.String(env.Prefix() + "-" + name),
		AssumedBy:   awsiam.NewServicePrincipal(jsii.String("backup.amazonaws.com"), inAccount(env)),
		Description: jsii.String(what),
	})
}

// keysThroughRDS lets a role use keys by way of RDS and Backup alone. Which
// keys those are, the keys' own policies say.
func keysThroughRDS(env *config.Environment) awsiam.PolicyStatement {
	var hosts, keys []string
	for _, region := range []string{env.Region, env.CopyRegion} {
		hosts = append(hosts, "rds."+region+".amazonaws.com", "backup."+region+".amazonaws.com")
		keys = append(keys, fmt.Sprintf("arn:aws:kms:%s:%s:key/*", region, env.Account))
	}
	s := allow("Keys", []string{"kms:DescribeKey", "kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey", "kms:GenerateDataKeyWithoutPlaintext",
		"kms:ReEncryptFrom", "kms:ReEncryptTo", "kms:CreateGrant"}, keys)
	s.AddCondition(jsii.String("StringEquals"), map[string]any{"kms:ViaService": hosts})
	return s
}

func rdsARNs(env *config.Environment, names ...string) []string {
	arns := make([]string, len(names))
	for i, n := range names {
		arns[i] = fmt.Sprintf("arn:aws:rds:%s:%s:%s", env.Region, env.Account, n)
	}
	return arns
}

// restoreTest restores the latest backup each week, and removes it after an
// hour in which to look at it. A backup that was never restored is a hope.
func restoreTest(stack awscdk.Stack, env *config.Environment, vault awsbackup.CfnBackupVault, net *Network) {
	name := strings.ReplaceAll(env.Prefix(), "-", "_")
	test := awsbackup.NewCfnRestoreTestingPlan(stack, jsii.String("RestoreTest"), &awsbackup.CfnRestoreTestingPlanProps{
		RestoreTestingPlanName: jsii.String(name), ScheduleExpression: jsii.String(restoreTestRun),
		ScheduleExpressionTimezone: jsii.String("Etc/UTC"), StartWindowHours: jsii.Number(restoreTestHours),
		RecoveryPointSelection: &awsbackup.CfnRestoreTestingPlan_RestoreTestingRecoveryPointSelectionProperty{
			Algorithm: jsii.String("LATEST_WITHIN_WINDOW"), IncludeVaults: &[]*string{vault.AttrBackupVaultArn()},
			RecoveryPointTypes: texts("SNAPSHOT"), SelectionWindowDays: jsii.Number(7),
		},
	})
	selection := awsbackup.NewCfnRestoreTestingSelection(stack, jsii.String("RestoreTestSelection"), &awsbackup.CfnRestoreTestingSelectionProps{
		RestoreTestingPlanName: jsii.String(name), RestoreTestingSelectionName: jsii.String(name),
		ProtectedResourceType: jsii.String("Aurora"), ProtectedResourceArns: texts("*"),
		IamRoleArn: restoreRole(stack, env).RoleArn(), ValidationWindowHours: jsii.Number(restoreTestHours),
		// Without these it would go to the default VPC, which need not be there.
		RestoreMetadataOverrides: map[string]*string{
			"dbSubnetGroupName":   jsii.String(env.Prefix()),
			"vpcSecurityGroupIds": jsii.String(`["` + *net.Groups.Database.SecurityGroupId() + `"]`),
			"availabilityZones":   jsii.String(`["` + strings.Join(env.Zones, `","`) + `"]`),
		},
	})
	selection.AddResourceDependency(test, nil)
}
