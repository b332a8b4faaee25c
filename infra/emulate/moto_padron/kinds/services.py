"""What runs and what leads to it: names, load balancer, firewall, tasks, schedules."""

from typing import Any

from moto_padron.kind import Call, Clients, Kind, Record, given, only

DNS, ELB, ECS, WAF, SCALING, SCHEDULER, STATES = (
    "route53", "elbv2", "ecs", "wafv2", "application-autoscaling", "scheduler", "stepfunctions",
)

FULL_NAME = "full_name(id)"  # what metrics call it: the ARN from load balancer or group on
SERVICE = (
    "{cluster: Cluster, taskDefinition: TaskDefinition, desiredCount: DesiredCount, launchType: LaunchType, "
    "platformVersion: PlatformVersion, networkConfiguration: NetworkConfiguration, loadBalancers: LoadBalancers, "
    "deploymentConfiguration: DeploymentConfiguration, propagateTags: PropagateTags, enableExecuteCommand: EnableExecuteCommand, "
    "healthCheckGracePeriodSeconds: HealthCheckGracePeriodSeconds, capacityProviderStrategy: CapacityProviderStrategy"
)
MACHINE = (
    "definition: DefinitionString || Definition, roleArn: RoleArn, loggingConfiguration: LoggingConfiguration, "
    "tracingConfiguration: TracingConfiguration, encryptionConfiguration: EncryptionConfiguration"
)
WEB_ACL = "Scope: Scope, DefaultAction: DefaultAction, Rules: Rules, VisibilityConfig: VisibilityConfig, Description: Description"


def _acl(client: Clients, record: Record, operation: str, **more: Any) -> Any:
    """Change or delete a web ACL, which takes the token of its last reading."""
    name, acl, scope = record["id"].split("|")
    waf = client()
    token = waf.get_web_acl(Name=name, Scope=scope, Id=acl)["LockToken"]
    return getattr(waf, operation)(Name=name, Scope=scope, Id=acl, LockToken=token, **more)


def _delete_acl(client: Clients, record: Record) -> Any:
    return _acl(client, record, "delete_web_acl")


SCALABLE = {
    "ServiceNamespace": "properties.ServiceNamespace", "ResourceId": "properties.ResourceId",
    "ScalableDimension": "properties.ScalableDimension",
}


def _name_target(client: Clients, record: Record) -> None:
    """Say what a policy scales in three properties, where it is said as the target's id."""
    p = record["properties"]
    if "ScalingTargetId" in p:
        p["ResourceId"], p["ScalableDimension"], p["ServiceNamespace"] = p.pop("ScalingTargetId").split("|")


KINDS = (
    Kind(
        "AWS::Route53::HostedZone", DNS,
        Call("create_hosted_zone", {"CallerReference": "name"},
             "{Name: Name, VPC: VPCs[0], HostedZoneConfig: {Comment: HostedZoneConfig.Comment, PrivateZone: VPCs && `true`}}"),
        id="tail(response.HostedZone.Id)", attributes={"Id": "id", "NameServers": "response.DelegationSet.NameServers"},
        then=[Call("create_query_logging_config", {"HostedZoneId": "id"},
                   "QueryLoggingConfig && {CloudWatchLogsLogGroupArn: QueryLoggingConfig.CloudWatchLogsLogGroupArn}")],
        delete=[Call("delete_hosted_zone", {"Id": "id"})],
    ),
    Kind(
        "AWS::ElasticLoadBalancingV2::LoadBalancer", ELB,
        Call("create_load_balancer", source=only("Name", "Subnets", "SecurityGroups", "Scheme", "Type",
             "IpAddressType", "Tags")),
        id="response.LoadBalancers[0].LoadBalancerArn", name="Name",
        attributes={
            "LoadBalancerArn": "id", "DNSName": "response.LoadBalancers[0].DNSName", "LoadBalancerName": "properties.Name",
            "CanonicalHostedZoneID": "response.LoadBalancers[0].CanonicalHostedZoneId || 'Z35SXDOTRQ7X7K'",
            "LoadBalancerFullName": FULL_NAME,
        },
        then=[Call("modify_load_balancer_attributes", {"LoadBalancerArn": "id"},
                   "LoadBalancerAttributes && {Attributes: LoadBalancerAttributes}")],
        update=[Call("set_security_groups", {"LoadBalancerArn": "id"}, given("SecurityGroups"))],
        delete=[Call("delete_load_balancer", {"LoadBalancerArn": "id"})],
    ),
    Kind(
        "AWS::ElasticLoadBalancingV2::TargetGroup", ELB, Call("create_target_group"),
        id="response.TargetGroups[0].TargetGroupArn", name="Name",
        attributes={"TargetGroupArn": "id", "TargetGroupName": "properties.Name", "TargetGroupFullName": FULL_NAME},
        then=[Call("modify_target_group_attributes", {"TargetGroupArn": "id"},
                   "TargetGroupAttributes && {Attributes: TargetGroupAttributes}")],
        update=[Call("modify_target_group", {"TargetGroupArn": "id"})],
        delete=[Call("delete_target_group", {"TargetGroupArn": "id"})],
    ),
    Kind(
        "AWS::ElasticLoadBalancingV2::Listener", ELB, Call("create_listener"),
        id="response.Listeners[0].ListenerArn", attributes={"ListenerArn": "id"},
        update=[Call("modify_listener", {"ListenerArn": "id"})],
        delete=[Call("delete_listener", {"ListenerArn": "id"})],
    ),
    Kind(
        "AWS::ElasticLoadBalancingV2::ListenerRule", ELB, Call("create_rule"),
        id="response.Rules[0].RuleArn", attributes={"RuleArn": "id"},
        update=[Call("modify_rule", {"RuleArn": "id"})],
        delete=[Call("delete_rule", {"RuleArn": "id"})],
    ),
    Kind(
        "AWS::WAFv2::WebACL", WAF, Call("create_web_acl", source="{Name: Name, Tags: Tags, " + WEB_ACL + "}"),
        id="join('|', [properties.Name, response.Summary.Id, properties.Scope])", name="Name",
        attributes={"Arn": "response.Summary.ARN", "Id": "response.Summary.Id"}, delete=[_delete_acl],
    ),
    Kind(
        "AWS::WAFv2::WebACLAssociation", WAF, Call("associate_web_acl"),
        id="join('|', [properties.WebACLArn, properties.ResourceArn])",
        delete=[Call("disassociate_web_acl", {"ResourceArn": "properties.ResourceArn"})],
    ),
    Kind(
        "AWS::WAFv2::LoggingConfiguration", WAF, Call("put_logging_configuration", source="{LoggingConfiguration: @}"),
        id="properties.ResourceArn", update=[Call("put_logging_configuration", source="{LoggingConfiguration: @}")],
        delete=[Call("delete_logging_configuration", {"ResourceArn": "id"})],
    ),
    Kind(
        "AWS::ECS::Cluster", ECS,
        Call("create_cluster", source="{clusterName: ClusterName, settings: ClusterSettings, "
             "configuration: Configuration, tags: Tags}"),
        id="response.cluster.clusterName", name="ClusterName", attributes={"Arn": "response.cluster.clusterArn"},
        update=[Call("update_cluster", {"cluster": "id"}, "{settings: ClusterSettings, configuration: Configuration}")],
        delete=[Call("delete_cluster", {"cluster": "id"})],
    ),
    Kind(
        "AWS::ECS::TaskDefinition", ECS, Call("register_task_definition"),
        id="response.taskDefinition.taskDefinitionArn", attributes={"TaskDefinitionArn": "id"},
        delete=[Call("deregister_task_definition", {"taskDefinition": "id"})],
    ),
    Kind(
        "AWS::ECS::Service", ECS,
        Call("create_service", source=SERVICE + ", serviceName: ServiceName, deploymentController: DeploymentController, tags: Tags}"),
        id="response.service.serviceArn", name="ServiceName",
        attributes={"Name": "properties.ServiceName", "ServiceArn": "id"},
        update=[Call("update_service", {"service": "id"}, SERVICE.replace("launchType: LaunchType, ", "") + "}")],
        delete=[Call("delete_service", {"cluster": "properties.Cluster", "service": "id", "force": "`true`"})],
    ),
    Kind(
        "AWS::ApplicationAutoScaling::ScalableTarget", SCALING, Call("register_scalable_target"),
        id="join('|', [properties.ResourceId, properties.ScalableDimension, properties.ServiceNamespace])", attributes={"Id": "id"},
        update=[Call("register_scalable_target")], delete=[Call("deregister_scalable_target", SCALABLE)],
    ),
    Kind(
        "AWS::ApplicationAutoScaling::ScalingPolicy", SCALING, Call("put_scaling_policy"),
        id="response.PolicyARN", attributes={"Arn": "id"},
        name="PolicyName", before=_name_target, update=[Call("put_scaling_policy")],
        delete=[Call("delete_scaling_policy", {"PolicyName": "properties.PolicyName", **SCALABLE})],
    ),
    Kind(
        "AWS::Scheduler::ScheduleGroup", SCHEDULER, Call("create_schedule_group"), id="properties.Name", name="Name",
        attributes={"Arn": "response.ScheduleGroupArn"}, delete=[Call("delete_schedule_group", {"Name": "id"})],
    ),
    Kind(
        "AWS::Scheduler::Schedule", SCHEDULER, Call("create_schedule"), id="properties.Name", name="Name",
        attributes={"Arn": "response.ScheduleArn"}, update=[Call("update_schedule")],
        delete=[Call("delete_schedule", {"Name": "id", "GroupName": "properties.GroupName"})],
    ),
    Kind(
        "AWS::StepFunctions::StateMachine", STATES,
        Call("create_state_machine", source="{name: StateMachineName, type: StateMachineType, " + MACHINE + "}"),
        id="response.stateMachineArn", attributes={"Arn": "id", "Name": "properties.StateMachineName"}, name="StateMachineName",
        update=[Call("update_state_machine", {"stateMachineArn": "id"}, "{" + MACHINE + "}")],
        delete=[Call("delete_state_machine", {"stateMachineArn": "id"})],
    ),
)
