package emulate_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/backup"
	backuptypes "github.com/aws/aws-sdk-go-v2/service/backup/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// buckets are the environment's, without the one of the CDK.
func (d *deployed) buckets(t testing.TB) []string {
	t.Helper()
	var names []string
	for _, b := range must(d.in(d.env.Region).s3.ListBuckets(t.Context(), &s3.ListBucketsInput{}))(t).Buckets {
		if strings.HasPrefix(str(b.Name), d.env.Prefix()+"-") {
			names = append(names, str(b.Name))
		}
	}
	return names
}

// auditBuckets: none is public, each is encrypted, versioned, logged and
// refuses what does not come by TLS.
func (d *deployed) auditBuckets(t testing.TB) {
	client, names := d.in(d.env.Region).s3, d.buckets(t)
	if len(names) < 2 {
		t.Errorf("the buckets are %v, want some", names)
	}
	logs := d.env.Prefix() + "-access-logs-" + d.env.Account
	for _, name := range names {
		bucket := &name
		block := must(client.GetPublicAccessBlock(t.Context(), &s3.GetPublicAccessBlockInput{Bucket: bucket}))(t).PublicAccessBlockConfiguration
		all := *block.BlockPublicAcls && *block.BlockPublicPolicy && *block.IgnorePublicAcls && *block.RestrictPublicBuckets
		same(t, "all public access blocked to "+name, all, true)
		versions := must(client.GetBucketVersioning(t.Context(), &s3.GetBucketVersioningInput{Bucket: bucket}))(t)
		same(t, "versions of "+name, versions.Status, types.BucketVersioningStatusEnabled)
		d.bucketKey(t, client, name, name == logs)
		text := str(must(client.GetBucketPolicy(t.Context(), &s3.GetBucketPolicyInput{Bucket: bucket}))(t).Policy)
		if !slices.ContainsFunc(parsePolicy(t, text).Statement, refusesPlain) {
			t.Errorf("%s takes requests without TLS", name)
		}
		to := must(client.GetBucketLogging(t.Context(), &s3.GetBucketLoggingInput{Bucket: bucket}))(t).LoggingEnabled
		if name != logs && (to == nil || str(to.TargetBucket) != logs) {
			t.Errorf("%s logs its accesses to %+v, want %s", name, to, logs)
		}
	}
}

func (d *deployed) bucketKey(t testing.TB, client *s3.Client, name string, ofS3 bool) {
	t.Helper()
	rules := must(client.GetBucketEncryption(t.Context(), &s3.GetBucketEncryptionInput{Bucket: &name}))(t).ServerSideEncryptionConfiguration.Rules
	by := rules[0].ApplyServerSideEncryptionByDefault
	if ofS3 {
		same(t, "the encryption of "+name, by.SSEAlgorithm, types.ServerSideEncryptionAes256)
		return
	}
	same(t, "the encryption of "+name, by.SSEAlgorithm, types.ServerSideEncryptionAwsKms)
	same(t, "the key of "+name, keyOf(str(by.KMSMasterKeyID)), d.key(t, d.env.Region, "logs"))
}

func refusesPlain(s statement) bool {
	return s.Effect == "Deny" && slices.Equal(s.Condition["Bool"]["aws:SecureTransport"], words{"false"})
}

// auditLogs: each group is encrypted with the key of logs and kept as long as
// configured at least.
func (d *deployed) auditLogs(t testing.TB) {
	groups := must(d.in(d.env.Region).logs.DescribeLogGroups(t.Context(), &cloudwatchlogs.DescribeLogGroupsInput{}))(t).LogGroups
	if len(groups) == 0 {
		t.Error("there is no log group")
	}
	for _, g := range groups {
		name := str(g.LogGroupName)
		same(t, "the key of "+name, keyOf(str(g.KmsKeyId)), d.key(t, d.env.Region, "logs"))
		if aws.ToInt32(g.RetentionInDays) < int32(min(d.env.Retention.Logs, d.env.Retention.FlowLogs)) {
			t.Errorf("%s is kept %d days", name, aws.ToInt32(g.RetentionInDays))
		}
	}
}

// auditTrail: it is on, in all regions, signed, encrypted, and its bucket lets
// nobody delete.
func (d *deployed) auditTrail(t testing.TB) {
	c := d.in(d.env.Region)
	trails := must(c.trail.DescribeTrails(t.Context(), &cloudtrail.DescribeTrailsInput{}))(t).TrailList
	if !d.env.Features.LocalTrail {
		same(t, "the number of trails", len(trails), 0)
		return
	}
	if len(trails) != 1 {
		t.Fatalf("there are %d trails, want 1", len(trails))
	}
	trail := trails[0]
	same(t, "all regions in the trail", *trail.IsMultiRegionTrail, true)
	same(t, "signed files of the trail", *trail.LogFileValidationEnabled, true)
	same(t, "the trail's key", keyOf(str(trail.KmsKeyId)), d.key(t, d.env.Region, "logs"))
	status := must(c.trail.GetTrailStatus(t.Context(), &cloudtrail.GetTrailStatusInput{Name: trail.Name}))(t)
	same(t, "the trail being on", aws.ToBool(status.IsLogging), true)
	lock := must(c.s3.GetObjectLockConfiguration(t.Context(), &s3.GetObjectLockConfigurationInput{Bucket: trail.S3BucketName}))(t)
	same(t, "the lock of the trail's bucket", lock.ObjectLockConfiguration.ObjectLockEnabled, types.ObjectLockEnabledEnabled)
}

// auditBackups: a vault here and one in the other region, encrypted with the
// key of backups in each, locked where configured; a plan that copies.
func (d *deployed) auditBackups(t testing.TB) {
	for _, region := range []string{d.env.Region, d.env.CopyRegion} {
		vault := must(d.in(region).backup.DescribeBackupVault(t.Context(), &backup.DescribeBackupVaultInput{
			BackupVaultName: aws.String(d.env.Prefix()),
		}))(t)
		same(t, "the key of the vault in "+region, keyOf(str(vault.EncryptionKeyArn)), d.key(t, region, "backup"))
		same(t, "the lock of the vault in "+region, aws.ToBool(vault.Locked), d.env.Features.VaultLock)
	}
	client := d.in(d.env.Region).backup
	plans := must(client.ListBackupPlans(t.Context(), &backup.ListBackupPlansInput{}))(t).BackupPlansList
	if len(plans) != 1 {
		t.Fatalf("there are %d backup plans, want 1", len(plans))
	}
	for _, r := range must(client.GetBackupPlan(t.Context(), &backup.GetBackupPlanInput{BackupPlanId: plans[0].BackupPlanId}))(t).BackupPlan.Rules {
		copied := slices.ContainsFunc(r.CopyActions, func(a backuptypes.CopyAction) bool {
			return strings.Contains(str(a.DestinationBackupVaultArn), ":"+d.env.CopyRegion+":")
		})
		same(t, "a copy of the backups of "+str(r.RuleName)+" in "+d.env.CopyRegion, copied, true)
	}
}
