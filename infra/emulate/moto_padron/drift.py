"""Drift, which moto's CloudFormation does not know: a resource as it stands beside its template.

A few types are looked at, and of them a few properties: those of LOOKS. All
others are NOT_CHECKED, as AWS says of types that it cannot look at.
"""

import json
import uuid
from collections.abc import Callable
from typing import Any

from moto.cloudformation import responses
from moto.cloudformation.exceptions import ValidationError
from moto.core.responses import ActionResult
from moto.core.utils import utcnow

from moto_padron.model import Made

# What a look returns: the properties as they stand, by name.
Standing = dict[str, Any]
# The states in which AWS looks at a stack (CloudFormation User Guide, "Detect unmanaged configuration changes").
LOOKED_AT = ("CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "UPDATE_ROLLBACK_FAILED")
_detections: dict[str, dict[str, Any]] = {}
_found: dict[str, list[dict[str, Any]]] = {}  # by the stack's id, as of its last detection


def repair() -> None:
    responses.CloudFormationResponse.detect_stack_drift = _detect
    responses.CloudFormationResponse.describe_stack_drift_detection_status = _status
    responses.CloudFormationResponse.describe_stack_resource_drifts = _describe


def _group(resource: Made, others: set[str]) -> Standing:
    """The rules of a security group that are not resources of their own."""
    ec2, group = resource.client(), resource.record["id"]
    rules = ec2.describe_security_group_rules(Filters=[{"Name": "group-id", "Values": [group]}])["SecurityGroupRules"]
    own = [r for r in rules if r["SecurityGroupRuleId"] not in others]
    return {
        "SecurityGroupIngress": [_rule(r, "Source") for r in own if not r["IsEgress"]],
        "SecurityGroupEgress": [_rule(r, "Destination") for r in own if r["IsEgress"]],
    }


def _rule(r: dict[str, Any], side: str) -> dict[str, Any]:
    rule = {"IpProtocol": r["IpProtocol"], "FromPort": r.get("FromPort"), "ToPort": r.get("ToPort"), "CidrIp": r.get("CidrIpv4"),
            "CidrIpv6": r.get("CidrIpv6"), side + "SecurityGroupId": r.get("ReferencedGroupInfo", {}).get("GroupId"),
            side + "PrefixListId": r.get("PrefixListId"), "Description": r.get("Description")}
    return {k: v for k, v in rule.items() if v not in (None, "") and not (rule["IpProtocol"] == "-1" and k in ("FromPort", "ToPort"))}


def _service(resource: Made, _: set[str]) -> Standing:
    p = resource.record["properties"]
    found = resource.client().describe_services(cluster=p["Cluster"], services=[resource.record["id"]])["services"][0]
    return {"DesiredCount": found["desiredCount"], "TaskDefinition": found["taskDefinition"], "EnableExecuteCommand": found["enableExecuteCommand"]}


def _scalable(resource: Made, _: set[str]) -> Standing:
    p = resource.record["properties"]
    found = resource.client().describe_scalable_targets(ServiceNamespace=p["ServiceNamespace"], ResourceIds=[p["ResourceId"]])["ScalableTargets"][0]
    return {"MinCapacity": found["MinCapacity"], "MaxCapacity": found["MaxCapacity"]}


def _bucket(resource: Made, _: set[str]) -> Standing:
    s3, name = resource.client(), resource.record["id"]
    return {
        "VersioningConfiguration": {"Status": s3.get_bucket_versioning(Bucket=name).get("Status", "Suspended")},
        "PublicAccessBlockConfiguration": s3.get_public_access_block(Bucket=name)["PublicAccessBlockConfiguration"],
    }


def _key(resource: Made, _: set[str]) -> Standing:
    return {"EnableKeyRotation": resource.client().get_key_rotation_status(KeyId=resource.record["id"])["KeyRotationEnabled"]}


def _log_group(resource: Made, _: set[str]) -> Standing:
    name = resource.record["properties"]["LogGroupName"]
    groups = resource.client().describe_log_groups(logGroupNamePrefix=name)["logGroups"]
    return {"RetentionInDays": next(g for g in groups if g["logGroupName"] == name).get("retentionInDays")}


def _cluster(resource: Made, _: set[str]) -> Standing:
    found = resource.client().describe_db_clusters(DBClusterIdentifier=resource.record["id"])["DBClusters"][0]
    return {name: found[name] for name in ("DeletionProtection", "BackupRetentionPeriod", "EngineVersion")}


def _role(resource: Made, _: set[str]) -> Standing:
    return {"AssumeRolePolicyDocument": resource.client().get_role(RoleName=resource.record["id"])["Role"]["AssumeRolePolicyDocument"]}


def _listener(resource: Made, _: set[str]) -> Standing:
    found = resource.client().describe_listeners(ListenerArns=[resource.record["id"]])["Listeners"][0]
    return {"SslPolicy": found.get("SslPolicy"), "DefaultActions": _actions(found["DefaultActions"])}


def _listener_rule(resource: Made, _: set[str]) -> Standing:
    found = resource.client().describe_rules(RuleArns=[resource.record["id"]])["Rules"][0]
    return {"Actions": _actions(found["Actions"])}


def _actions(actions: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Actions without what the load balancer adds to those that forward: whether a client sticks to its target."""
    plain = [{k: v for k, v in a.items() if k in ("Type", "TargetGroupArn", "ForwardConfig")} for a in actions]
    for action in plain:
        if "ForwardConfig" in action:
            action["ForwardConfig"] = {"TargetGroups": action["ForwardConfig"]["TargetGroups"]}
    return plain


LOOKS: dict[str, Callable[[Made, set[str]], Standing]] = {
    "AWS::ApplicationAutoScaling::ScalableTarget": _scalable,
    "AWS::EC2::SecurityGroup": _group,
    "AWS::ECS::Service": _service,
    "AWS::ElasticLoadBalancingV2::Listener": _listener,
    "AWS::ElasticLoadBalancingV2::ListenerRule": _listener_rule,
    "AWS::IAM::Role": _role,
    "AWS::KMS::Key": _key,
    "AWS::Logs::LogGroup": _log_group,
    "AWS::RDS::DBCluster": _cluster,
    "AWS::S3::Bucket": _bucket,
}


def _detect(self: Any) -> Any:
    """Look at every resource of the stack at once: the answer is there when it is asked for."""
    stack = self.cloudformation_backend.get_stack(self._get_param("StackName"))
    if stack.status not in LOOKED_AT:
        raise ValidationError(stack.name, f"Drift detection cannot be performed on stack [{stack.stack_id}] while in {stack.status} state")
    rules = {r.physical_resource_id for r in stack.resource_map._parsed_resources.values()
             if getattr(r, "type", "") in ("AWS::EC2::SecurityGroupIngress", "AWS::EC2::SecurityGroupEgress")}
    made = [r for name, r in stack.resource_map._parsed_resources.items() if name in stack.resource_map._resource_json_map and r is not None]
    _found[stack.stack_id] = [_look(stack, r, rules) for r in made]
    drifted = [d for d in _found[stack.stack_id] if d["StackResourceDriftStatus"] in ("MODIFIED", "DELETED")]
    detection = str(uuid.uuid4())
    _detections[detection] = {
        "StackId": stack.stack_id, "StackDriftDetectionId": detection, "DetectionStatus": "DETECTION_COMPLETE", "Timestamp": utcnow(),
        "StackDriftStatus": "DRIFTED" if drifted else "IN_SYNC", "DriftedStackResourceCount": len(drifted),
    }
    return ActionResult({"StackDriftDetectionId": detection})


def _status(self: Any) -> Any:
    return ActionResult(_detections[self._get_param("StackDriftDetectionId")])


def _describe(self: Any) -> Any:
    stack = self.cloudformation_backend.get_stack(self._get_param("StackName"))
    wanted = self._get_param("StackResourceDriftStatusFilters", [])
    drifts = [d for d in _found.get(stack.stack_id, []) if not wanted or d["StackResourceDriftStatus"] in wanted]
    return ActionResult({"StackResourceDrifts": drifts})


def _look(stack: Any, resource: Any, rules: set[str]) -> dict[str, Any]:
    drift = {
        "StackId": stack.stack_id, "LogicalResourceId": getattr(resource, "logical_resource_id", ""), "Timestamp": utcnow(),
        "PhysicalResourceId": getattr(resource, "physical_resource_id", ""), "ResourceType": getattr(resource, "cf_resource_type", ""),
        "StackResourceDriftStatus": "NOT_CHECKED",
    }
    look = LOOKS.get(getattr(resource, "type", ""))
    if look is None or not isinstance(resource, Made):
        return drift
    try:
        stands = look(resource, rules)
    except Exception:  # whatever a service raises of what it does not know
        return drift | {"StackResourceDriftStatus": "DELETED"}
    differences = [d for name in sorted(stands) for d in _differences(name, resource.record["properties"], stands)]
    expected = {name: resource.record["properties"].get(name) for name in stands}
    return drift | {
        "StackResourceDriftStatus": "MODIFIED" if differences else "IN_SYNC", "PropertyDifferences": differences,
        "ExpectedProperties": json.dumps(expected, default=str), "ActualProperties": json.dumps(stands, default=str),
    }


def _differences(name: str, template: dict[str, Any], stands: Standing) -> list[dict[str, Any]]:
    """Only what the template says is compared. Of lists, what came and what went."""
    if name not in template:
        return []
    wants, has = _plain(template[name]), _plain(stands[name])
    if wants == has:
        return []
    if not isinstance(wants, list):
        return [_difference("/" + name, "NOT_EQUAL", wants, has)]
    gone = [_difference(f"/{name}/{i}", "REMOVE", w, None) for i, w in enumerate(wants) if w not in has]
    came = [_difference(f"/{name}/{i}", "ADD", None, h) for i, h in enumerate(has) if h not in wants]
    return gone + came


def _difference(path: str, kind: str, expected: Any, actual: Any) -> dict[str, Any]:
    return {"PropertyPath": path, "DifferenceType": kind, "ExpectedValue": json.dumps(expected), "ActualValue": json.dumps(actual)}


def _plain(value: Any) -> Any:
    """Numbers and truths as text: a template has either."""
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in value.items()}
    if isinstance(value, list):
        return [_plain(v) for v in value]
    return str(value).lower() if isinstance(value, bool) else str(value)
