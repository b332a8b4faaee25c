"""What keeps data: buckets, the database, images, backups."""

from typing import Any

from moto_padron.kind import Call, Clients, Kind, Record, given, only

S3, RDS, ECR, BACKUP = "s3", "rds", "ecr", "backup"

# A bucket is made bare, and each setting is a call of its own.
BUCKET = {"Bucket": "id"}
BUCKET_SETTINGS = (
    Call("put_public_access_block", BUCKET,
         given("PublicAccessBlockConfiguration")),
    Call("put_bucket_ownership_controls", BUCKET, given("OwnershipControls")),
    Call("put_bucket_versioning", BUCKET, given("VersioningConfiguration")),
    Call("put_bucket_encryption", BUCKET,
         "BucketEncryption && {ServerSideEncryptionConfiguration: {Rules: BucketEncryption.ServerSideEncryptionConfiguration[]."
         "{ApplyServerSideEncryptionByDefault: ServerSideEncryptionByDefault, BucketKeyEnabled: BucketKeyEnabled}}}"),
    Call("put_bucket_logging", BUCKET,
         "LoggingConfiguration.DestinationBucketName && {BucketLoggingStatus: {LoggingEnabled: "
         "{TargetBucket: LoggingConfiguration.DestinationBucketName, TargetPrefix: LoggingConfiguration.LogFilePrefix || ''}}}"),
    Call("put_bucket_lifecycle_configuration", BUCKET,
         "LifecycleConfiguration && {LifecycleConfiguration: {Rules: LifecycleConfiguration.Rules[].{ID: Id, Status: Status, "
         "Filter: {Prefix: Prefix || ''}, Expiration: ExpirationInDays && {Days: ExpirationInDays}, "
         "NoncurrentVersionExpiration: NoncurrentVersionExpiration, AbortIncompleteMultipartUpload: AbortIncompleteMultipartUpload}}}"),
    Call("put_object_lock_configuration", BUCKET,
         given("ObjectLockConfiguration")),
    Call("put_bucket_notification_configuration", BUCKET,
         "NotificationConfiguration && {NotificationConfiguration: {"
         "QueueConfigurations: NotificationConfiguration.QueueConfigurations[].{QueueArn: Queue, Events: [Event]}, "
         "TopicConfigurations: NotificationConfiguration.TopicConfigurations[].{TopicArn: Topic, Events: [Event]}, "
         "EventBridgeConfiguration: NotificationConfiguration.EventBridgeConfiguration && `{}`}}"),
    Call("put_bucket_tagging", BUCKET, "Tags && {Tagging: {TagSet: Tags}}"),
)


def _bucket(client: Clients, record: Record) -> Any:
    p, request = record["properties"], {}
    if record["region"] != "us-east-1":
        request["CreateBucketConfiguration"] = {"LocationConstraint": record["region"]}
    locked = str(p.get("ObjectLockEnabled", False)).lower() == "true"
    return client().create_bucket(Bucket=p["BucketName"], ObjectLockEnabledForBucket=locked, **request)


def _parameters(of: str) -> Any:
    """Return a step that writes the parameters of a group of clusters or of instances."""

    def write(client: Clients, record: Record) -> None:
        p = record["properties"]
        getattr(client(), f"modify_{of}_parameter_group")(**{
            "DBClusterParameterGroupName" if of == "db_cluster" else "DBParameterGroupName": record["id"],
            "Parameters": [
                {"ParameterName": name, "ParameterValue": str(value), "ApplyMethod": "pending-reboot"}
                for name, value in p.get("Parameters", {}).items()
            ],
        })

    return write


# CloudFormation waits until the cluster is there, and only then knows its secret.
def _cluster(client: Clients, record: Record) -> Any:
    return client().describe_db_clusters(DBClusterIdentifier=record["id"])["DBClusters"][0]


MODIFY_CLUSTER = (
    only("EngineVersion", "BackupRetentionPeriod", "DeletionProtection", "EnableIAMDatabaseAuthentication",
         "ServerlessV2ScalingConfiguration", "CopyTagsToSnapshot")
)

KINDS = (
    Kind(
        "AWS::S3::Bucket", S3, _bucket, id="properties.BucketName", name="BucketName",
        attributes={
            "Arn": "join('', ['arn:aws:s3:::', id])",
            "DomainName": "join('', [id, '.s3.amazonaws.com'])",
            "RegionalDomainName": "join('', [id, '.s3.', region, '.amazonaws.com'])",
        },
        then=BUCKET_SETTINGS, update=[Call("head_bucket", BUCKET, "`{}`")], delete=[Call("delete_bucket", BUCKET)],
    ),
    Kind(
        "AWS::S3::BucketPolicy", S3, Call("put_bucket_policy", source="{Bucket: Bucket, Policy: PolicyDocument}"),
        id="properties.Bucket", update=[Call("put_bucket_policy", source="{Bucket: Bucket, Policy: PolicyDocument}")],
        delete=[Call("delete_bucket_policy", BUCKET)],
    ),
    Kind(
        "AWS::RDS::DBCluster", RDS,
        Call("create_db_cluster", {"MasterUserSecretKmsKeyId": "properties.MasterUserSecret.KmsKeyId"}),
        id="response.DBCluster.DBClusterIdentifier", name="DBClusterIdentifier",
        attributes={
            "DBClusterArn": "response.DBCluster.DBClusterArn",
            "DBClusterResourceId": "response.DBCluster.DbClusterResourceId",
            "Endpoint.Address": "response.DBCluster.Endpoint",
            "Endpoint.Port": "to_string(response.DBCluster.Port)",
            "ReadEndpoint.Address": "response.DBCluster.ReaderEndpoint",
            "MasterUserSecret.SecretArn": "response.DBCluster.MasterUserSecret.SecretArn",
        },
        update=[Call("modify_db_cluster", {"DBClusterIdentifier": "id"}, MODIFY_CLUSTER)],
        delete=[Call("delete_db_cluster", {
            "DBClusterIdentifier": "id", "SkipFinalSnapshot": "`false`", "FinalDBSnapshotIdentifier": "join('-', [id, 'final'])",
        })],
    ),
    Kind(
        "AWS::RDS::DBInstance", RDS, Call("create_db_instance"),
        id="response.DBInstance.DBInstanceIdentifier", name="DBInstanceIdentifier",
        attributes={
            "DBInstanceArn": "response.DBInstance.DBInstanceArn",
            "DbiResourceId": "response.DBInstance.DbiResourceId",
            "Endpoint.Address": "response.DBInstance.Endpoint.Address",
            "Endpoint.Port": "to_string(response.DBInstance.Endpoint.Port)",
        },
        update=[Call("modify_db_instance", {"DBInstanceIdentifier": "id"}, only("AutoMinorVersionUpgrade"))],
        delete=[Call("delete_db_instance", {"DBInstanceIdentifier": "id", "SkipFinalSnapshot": "`true`"})],
    ),
    Kind(
        "AWS::RDS::DBClusterParameterGroup", RDS,
        Call("create_db_cluster_parameter_group", {"DBParameterGroupFamily": "properties.Family"},
             only("DBClusterParameterGroupName", "Description", "Tags")),
        id="response.DBClusterParameterGroup.DBClusterParameterGroupName", name="DBClusterParameterGroupName",
        then=[_parameters("db_cluster")],
        update=[Call("describe_db_cluster_parameter_groups", {"DBClusterParameterGroupName": "id"}, "`{}`")],
        delete=[Call("delete_db_cluster_parameter_group", {"DBClusterParameterGroupName": "id"})],
    ),
    Kind(
        "AWS::RDS::DBParameterGroup", RDS,
        Call("create_db_parameter_group", {"DBParameterGroupFamily": "properties.Family"},
             only("DBParameterGroupName", "Description", "Tags")),
        id="response.DBParameterGroup.DBParameterGroupName", attributes={"DBParameterGroupName": "id"}, name="DBParameterGroupName",
        then=[_parameters("db")],
        update=[Call("describe_db_parameter_groups", {"DBParameterGroupName": "id"}, "`{}`")],
        delete=[Call("delete_db_parameter_group", {"DBParameterGroupName": "id"})],
    ),
    Kind(
        "AWS::RDS::DBSubnetGroup", RDS, Call("create_db_subnet_group"),
        id="response.DBSubnetGroup.DBSubnetGroupName", name="DBSubnetGroupName",
        update=[Call("modify_db_subnet_group", source=only("DBSubnetGroupName", "SubnetIds"))],
        delete=[Call("delete_db_subnet_group", {"DBSubnetGroupName": "id"})],
    ),
    Kind(
        "AWS::ECR::Repository", ECR,
        Call("create_repository", source="{repositoryName: RepositoryName, imageTagMutability: ImageTagMutability, "
             "imageScanningConfiguration: ImageScanningConfiguration, encryptionConfiguration: EncryptionConfiguration, tags: Tags}"),
        id="response.repository.repositoryName", name="RepositoryName",
        attributes={"Arn": "response.repository.repositoryArn", "RepositoryUri": "response.repository.repositoryUri"},
        then=[
            Call("put_lifecycle_policy", {"repositoryName": "id"},
                 "LifecyclePolicy && {lifecyclePolicyText: LifecyclePolicy.LifecyclePolicyText}"),
            Call("set_repository_policy", {"repositoryName": "id"}, "RepositoryPolicyText && {policyText: RepositoryPolicyText}"),
        ],
        update=[Call("put_image_tag_mutability", {"repositoryName": "id"}, "{imageTagMutability: ImageTagMutability}")],
        delete=[Call("delete_repository", {"repositoryName": "id", "force": "`true`"})],
    ),
    Kind(
        "AWS::ECR::RegistryScanningConfiguration", ECR, Call("put_registry_scanning_configuration"),
        id="account", attributes={"RegistryId": "id"},
        update=[Call("put_registry_scanning_configuration")],
        delete=[Call("put_registry_scanning_configuration", {"scanType": "'BASIC'", "rules": "`[]`"})],
    ),
    Kind(
        "AWS::Backup::BackupVault", BACKUP, Call("create_backup_vault"), id="properties.BackupVaultName", name="BackupVaultName",
        attributes={"BackupVaultArn": "response.BackupVaultArn", "BackupVaultName": "id"},
        then=[Call("put_backup_vault_lock_configuration", {"BackupVaultName": "id"}, "LockConfiguration")],
        update=[Call("describe_backup_vault", {"BackupVaultName": "id"}, "`{}`")],
        delete=[Call("delete_backup_vault", {"BackupVaultName": "id"})],
    ),
    Kind(
        "AWS::Backup::BackupPlan", BACKUP,
        Call("create_backup_plan", source="{BackupPlan: {BackupPlanName: BackupPlan.BackupPlanName, Rules: BackupPlan.BackupPlanRule[]."
             "{RuleName: RuleName, TargetBackupVaultName: TargetBackupVault, ScheduleExpression: ScheduleExpression, "
             "StartWindowMinutes: StartWindowMinutes, CompletionWindowMinutes: CompletionWindowMinutes, Lifecycle: Lifecycle, "
             "CopyActions: CopyActions}}}"),
        id="response.BackupPlanId", attributes={"BackupPlanId": "id", "BackupPlanArn": "response.BackupPlanArn"},
        delete=[Call("delete_backup_plan", {"BackupPlanId": "id"})],
    ),
)
