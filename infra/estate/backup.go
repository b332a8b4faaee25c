package estate

import (
	"fmt"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsbackup"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/jsii-runtime-go"

	"padron/infra/config"
)

// Backup is what is left after the worst day: a vault here, one in another
// region, and one that the account itself cannot empty. docs/recovery.md says
// how much is lost and how long it takes, and a test derives it from here.
type Backup struct {
	Stack awscdk.Stack
}

// The windows of a backup, in minutes. With a run every twelve hours, one that
// begins and ends as late as it may leaves eight hours for the copy within the
// 24 that may be lost with the region.
const (
	backupRuns       = "cron(0 5,17 * * ? *)"
	monthlyRun       = "cron(0 7 1 * ? *)"
	startMinutes     = 60
	completeMinutes  = 180
	lockCoolingDays  = 3
	restoreTestRun   = "cron(0 9 ? * SUN *)"
	restoreTestHours = 1
)

// deletions are what nobody may do to a backup before its time. AWS Backup
// itself, which ends what has been kept long enough, is not asked.
var deletions = []string{"backup:DeleteRecoveryPoint", "backup:UpdateRecoveryPointLifecycle", "backup:DisassociateRecoveryPoint"}

// NewBackup adds the stack backup.
func NewBackup(app awscdk.App, env *config.Environment, keys *Keys, net *Network, data *Data, audit *Audit, copies *Copies) *Backup {
	stack := newStack(app, env, "backup", "backups, their copies, restore tests")
	stack.AddStackDependency(copies.Stack, jsii.String("copies need a vault to go to"))
	vault := vault(stack, env, keys.Backup.KeyArn(), audit.Findings.TopicArn())
	targets := []string{vaultARN(env, env.CopyRegion)}
	if env.Features.AirGappedVault {
		targets = append(targets, *airGapped(stack, env, audit).AttrBackupVaultArn())
	}
	plan := plan(stack, env, vault, targets)
	role := backupRole(stack, env)
	awsbackup.NewCfnBackupSelection(stack, jsii.String("Selection"), &awsbackup.CfnBackupSelectionProps{
		BackupPlanId: plan.AttrBackupPlanId(),
		BackupSelection: &awsbackup.CfnBackupSelection_BackupSelectionResourceTypeProperty{
			SelectionName: jsii.String(env.Prefix()), IamRoleArn: role.RoleArn(),
			Resources: &[]*string{data.Cluster.ClusterArn()},
		},
	})
	if env.Features.RestoreTest {
		restoreTest(stack, env, vault, net)
	}
	tell(stack, env, audit.Findings, "backup-failed", "A backup, a copy or a restore test did not complete", map[string]any{
		"source":      []string{"aws.backup"},
		"detail-type": []string{"Backup Job State Change", "Copy Job State Change", "Restore Job State Change"},
		"detail": map[string]any{"$or": []any{
			map[string]any{"state": []string{"FAILED", "ABORTED", "EXPIRED", "PARTIAL"}},
			map[string]any{"status": []string{"FAILED", "ABORTED"}},
		}},
	})
	return &Backup{Stack: stack}
}

// vaultARN is the environment's vault in the region.
func vaultARN(env *config.Environment, region string) string {
	return fmt.Sprintf("arn:aws:backup:%s:%s:backup-vault:%s", region, env.Account, env.Prefix())
}

// vault is a place for backups from which nobody deletes; where vault_lock is
// on, not even who may change this policy, three days after the first
// deployment. Backups may be kept as long as the plan says and no longer.
func vault(stack awscdk.Stack, env *config.Environment, key, topic *string) awsbackup.CfnBackupVault {
	props := &awsbackup.CfnBackupVaultProps{
		BackupVaultName: jsii.String(env.Prefix()), EncryptionKeyArn: key, AccessPolicy: keepPolicy(),
	}
	if topic != nil {
		props.Notifications = &awsbackup.CfnBackupVault_NotificationObjectTypeProperty{
			SnsTopicArn: topic, BackupVaultEvents: texts("BACKUP_JOB_COMPLETED", "COPY_JOB_FAILED", "RECOVERY_POINT_MODIFIED", "RESTORE_JOB_COMPLETED"),
		}
	}
	if env.Features.VaultLock {
		props.LockConfiguration = &awsbackup.CfnBackupVault_LockConfigurationTypeProperty{
			MinRetentionDays: jsii.Number(env.Retention.DailyBackups), MaxRetentionDays: jsii.Number(env.Retention.MonthlyBackups),
			ChangeableForDays: jsii.Number(lockCoolingDays),
		}
	}
	v := awsbackup.NewCfnBackupVault(stack, jsii.String("Vault"), props)
	v.ApplyRemovalPolicy(removal(env), nil)
	return v
}

// keepPolicy denies everybody to delete a backup or to shorten its life.
func keepPolicy() awsiam.PolicyDocument {
	return awsiam.NewPolicyDocument(&awsiam.PolicyDocumentProps{Statements: &[]awsiam.PolicyStatement{
		awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
			Sid: jsii.String("NobodyDeletes"), Effect: awsiam.Effect_DENY,
			Principals: &[]awsiam.IPrincipal{awsiam.NewAnyPrincipal()},
			Actions:    texts(deletions...), Resources: texts("*"), // the vault that it stands on
		}),
	}})
}

// airGapped is a vault that AWS owns and isolates: locked from its first day,
// with AWS's key, so that who takes the account over, keys and all, still
// cannot take the backups.
func airGapped(stack awscdk.Stack, env *config.Environment, audit *Audit) awsbackup.CfnLogicallyAirGappedBackupVault {
	v := awsbackup.NewCfnLogicallyAirGappedBackupVault(stack, jsii.String("AirGapped"), &awsbackup.CfnLogicallyAirGappedBackupVaultProps{
		BackupVaultName:  jsii.String(env.Prefix() + "-air-gapped"),
		MinRetentionDays: jsii.Number(env.Retention.DailyBackups), MaxRetentionDays: jsii.Number(env.Retention.MonthlyBackups),
		Notifications: &awsbackup.CfnLogicallyAirGappedBackupVault_NotificationObjectTypeProperty{
			SnsTopicArn: audit.Findings.TopicArn(), BackupVaultEvents: texts("COPY_JOB_FAILED", "RESTORE_JOB_COMPLETED"),
		},
	})
	v.ApplyRemovalPolicy(removal(env), nil)
	return v
}

// plan backs up twice a day, and once a month for longer; each backup is copied
// to every target and kept there as long. Aurora's backups have no cold
// storage: AWS Backup moves none of them there.
func plan(stack awscdk.Stack, env *config.Environment, vault awsbackup.CfnBackupVault, targets []string) awsbackup.CfnBackupPlan {
	rule := func(name, schedule string, days int) any {
		life := &awsbackup.CfnBackupPlan_LifecycleResourceTypeProperty{DeleteAfterDays: jsii.Number(days)}
		var copies []any
		for _, target := range targets {
			copies = append(copies, &awsbackup.CfnBackupPlan_CopyActionResourceTypeProperty{
				DestinationBackupVaultArn: jsii.String(target), Lifecycle: life,
			})
		}
		return &awsbackup.CfnBackupPlan_BackupRuleResourceTypeProperty{
			RuleName: jsii.String(name), TargetBackupVault: vault.Ref(),
			ScheduleExpression: jsii.String(schedule), ScheduleExpressionTimezone: jsii.String("Etc/UTC"),
			StartWindowMinutes: jsii.Number(startMinutes), CompletionWindowMinutes: jsii.Number(completeMinutes),
			Lifecycle: life, CopyActions: &copies,
		}
	}
	return awsbackup.NewCfnBackupPlan(stack, jsii.String("Plan"), &awsbackup.CfnBackupPlanProps{
		BackupPlan: &awsbackup.CfnBackupPlan_BackupPlanResourceTypeProperty{
			BackupPlanName: jsii.String(env.Prefix()),
			BackupPlanRule: &[]any{
				rule("daily", backupRuns, env.Retention.DailyBackups),
				rule("monthly", monthlyRun, env.Retention.MonthlyBackups),
			},
		},
	})
}
