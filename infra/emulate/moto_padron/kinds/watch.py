"""What watches: logs, alarms, messages, trail, detectors, records, sessions."""

import json

from moto_padron.kind import Call, Clients, Kind, Record, only

LOGS, METRICS, SNS, SQS, RESOLVER = "logs", "cloudwatch", "sns", "sqs", "route53resolver"
TRAIL, CONFIG, DETECTOR, HUB, BUDGETS, SSM = "cloudtrail", "config", "guardduty", "securityhub", "budgets", "ssm"

TRAIL_SETTINGS = (
    "S3BucketName: S3BucketName, S3KeyPrefix: S3KeyPrefix, SnsTopicName: SnsTopicName, IsMultiRegionTrail: IsMultiRegionTrail, "
    "IncludeGlobalServiceEvents: IncludeGlobalServiceEvents, EnableLogFileValidation: EnableLogFileValidation, "
    "CloudWatchLogsLogGroupArn: CloudWatchLogsLogGroupArn, CloudWatchLogsRoleArn: CloudWatchLogsRoleArn, KmsKeyId: KMSKeyId || KmsKeyId"
)
METRIC_FILTER = Call("put_metric_filter")


def _queue_policies(client: Clients, record: Record) -> None:
    for url in record["properties"]["Queues"]:
        client().set_queue_attributes(QueueUrl=url, Attributes={"Policy": json.dumps(record["properties"]["PolicyDocument"])})


def _topic_policies(client: Clients, record: Record) -> None:
    for arn in record["properties"]["Topics"]:
        client().set_topic_attributes(
            TopicArn=arn, AttributeName="Policy", AttributeValue=json.dumps(record["properties"]["PolicyDocument"])
        )


KINDS = (
    Kind(
        "AWS::Logs::LogGroup", LOGS,
        Call("create_log_group", source="{logGroupName: LogGroupName, kmsKeyId: KmsKeyId, tags: Tags}"),
        id="properties.LogGroupName", name="LogGroupName",
        attributes={"Arn": "join(':', ['arn:aws:logs', region, account, 'log-group', id, '*'])"},
        then=[Call("put_retention_policy", {"logGroupName": "id"}, "RetentionInDays && {retentionInDays: RetentionInDays}")],
        update=[Call("describe_log_groups", {"logGroupNamePrefix": "id"}, "`{}`")],
        delete=[Call("delete_log_group", {"logGroupName": "id"})],
    ),
    Kind(
        "AWS::Logs::MetricFilter", LOGS, METRIC_FILTER, id="properties.FilterName", name="FilterName", update=[METRIC_FILTER],
        delete=[Call("delete_metric_filter", {"logGroupName": "properties.LogGroupName", "filterName": "id"})],
    ),
    Kind(
        "AWS::CloudWatch::Alarm", METRICS, Call("put_metric_alarm"), id="properties.AlarmName", name="AlarmName",
        attributes={"Arn": "join(':', ['arn:aws:cloudwatch', region, account, 'alarm', id])"},
        update=[Call("put_metric_alarm")], delete=[Call("delete_alarms", {"AlarmNames": "[id]"})],
    ),
    Kind(
        "AWS::SNS::Subscription", SNS,
        Call("subscribe", {"ReturnSubscriptionArn": "`true`"}, only("TopicArn", "Protocol", "Endpoint")),
        id="response.SubscriptionArn", delete=[Call("unsubscribe", {"SubscriptionArn": "id"})],
    ),
    Kind("AWS::SNS::TopicPolicy", SNS, _topic_policies, id="name", update=[_topic_policies]),
    Kind("AWS::SQS::QueuePolicy", SQS, _queue_policies, id="name", update=[_queue_policies]),
    Kind(
        "AWS::Route53Resolver::ResolverQueryLoggingConfig", RESOLVER,
        Call("create_resolver_query_log_config", {"CreatorRequestId": "name"}),
        id="response.ResolverQueryLogConfig.Id", attributes={"Id": "id", "Arn": "response.ResolverQueryLogConfig.Arn"}, name="Name",
    ),
    Kind(
        "AWS::Route53Resolver::ResolverQueryLoggingConfigAssociation", RESOLVER, Call("associate_resolver_query_log_config"),
        id="response.ResolverQueryLogConfigAssociation.Id", attributes={"Id": "id"},
    ),
    Kind(
        "AWS::CloudTrail::Trail", TRAIL, Call("create_trail", source="{Name: TrailName, TagsList: Tags, " + TRAIL_SETTINGS + "}"),
        id="properties.TrailName", name="TrailName", attributes={"Arn": "response.TrailARN"},
        then=[
            Call("put_event_selectors", {"TrailName": "id"},
                 "(AdvancedEventSelectors || EventSelectors) && {EventSelectors: EventSelectors, AdvancedEventSelectors: "
                 "AdvancedEventSelectors[].{Name: Name, FieldSelectors: FieldSelectors[].{Field: Field, Equals: Equals || EqualTo, "
                 "StartsWith: StartsWith, NotStartsWith: NotStartsWith, NotEquals: NotEquals, EndsWith: EndsWith}}}"),
            Call("start_logging", {"Name": "id"}, "IsLogging && `{}`"),
        ],
        update=[Call("update_trail", {"Name": "id"}, "{" + TRAIL_SETTINGS + "}")],
        delete=[Call("delete_trail", {"Name": "id"})],
    ),
    Kind(
        "AWS::Config::ConfigurationRecorder", CONFIG,
        Call("put_configuration_recorder",
             source="{ConfigurationRecorder: {name: Name, roleARN: RoleARN, recordingGroup: RecordingGroup}}"),
        id="properties.Name", name="Name", delete=[Call("delete_configuration_recorder", {"ConfigurationRecorderName": "id"})],
    ),
    Kind(
        "AWS::Config::DeliveryChannel", CONFIG, Call("put_delivery_channel", source="{DeliveryChannel: @}"),
        id="properties.Name", name="Name",
        then=[Call("start_configuration_recorder", {"ConfigurationRecorderName": "properties.Name"}, "`{}`")],
        delete=[
            Call("stop_configuration_recorder", {"ConfigurationRecorderName": "properties.Name"}),
            Call("delete_delivery_channel", {"DeliveryChannelName": "id"}),
        ],
    ),
    Kind(
        "AWS::GuardDuty::Detector", DETECTOR, Call("create_detector"), id="response.DetectorId", attributes={"Id": "id"},
        update=[Call("update_detector", {"DetectorId": "id"})], delete=[Call("delete_detector", {"DetectorId": "id"})],
    ),
    Kind(
        "AWS::SecurityHub::Hub", HUB,
        Call("enable_security_hub", source=only("EnableDefaultStandards", "ControlFindingGenerator")),
        id="join('', ['arn:aws:securityhub:', region, ':', account, ':hub/default'])", attributes={"ARN": "id"},
        delete=[Call("disable_security_hub")],
    ),
    Kind(
        "AWS::Budgets::Budget", BUDGETS, Call("create_budget", {"AccountId": "account"}), id="properties.Budget.BudgetName",
        delete=[Call("delete_budget", {"AccountId": "account", "BudgetName": "id"})],
    ),
    Kind(
        "AWS::SSM::Document", SSM, Call("create_document", source="{Content: Content, Name: Name, DocumentType: DocumentType, "
             "DocumentFormat: DocumentFormat || 'JSON', Tags: Tags}"),
        id="properties.Name", name="Name",
        update=[Call("update_document", {"DocumentVersion": "'$LATEST'"},
                     "{Content: Content, Name: Name, DocumentFormat: DocumentFormat || 'JSON'}")],
        delete=[Call("delete_document", {"Name": "id"})],
    ),
)
