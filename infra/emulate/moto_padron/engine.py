"""Repairs of moto where it behaves otherwise than AWS, most of its CloudFormation engine."""

import json
from typing import Any

from moto.cloudformation import models, parsing
from moto.cloudformation.exceptions import ValidationError
from moto.core.utils import utcnow
from moto.ec2.models.elastic_network_interfaces import NetworkInterface
from moto.ecs.models import Container, EC2ContainerServiceBackend, Task
from moto.iam.access_control import IAMPolicy, PermissionResult
from moto.kms.models import KmsBackend
from moto.logs.models import logs_backends
from moto.moto_api import state_manager
from moto.s3.models import FakeBucket

from moto_padron import changesets, drift
from moto_padron.changesets import references
from moto_padron.model import Resource

_class_of = parsing.resource_class_from_type
_difference = parsing.ResourceMap.build_resource_diff
_update_resources = parsing.ResourceMap.update
_clean = parsing.clean_json
_order = parsing.ResourceMap._ResourceMap__get_resources_in_dependency_order
_update = models.CloudFormationBackend.update_stack
_replicate = KmsBackend.replicate_key
_start = Task.__init__
_look_up = parsing.ResourceMap.parse_ssm_parameter


def repair() -> None:
    # Templates are JSON. moto reads them as YAML, which takes seconds.
    models.Stack.parse_template = staticmethod(json.loads)
    parsing.resource_class_from_type = _own_custom_resources
    parsing.ResourceMap.build_resource_diff = _with_dependents
    parsing.ResourceMap.update = _forget_removed
    parsing.ResourceMap.delete = _delete_backwards
    parsing.ResourceMap._ResourceMap__get_resources_in_dependency_order = _channels_last
    models.CloudFormationBackend.update_stack = _with_exports
    parsing.clean_json = _with_stack_outputs
    parsing.ResourceMap.parse_ssm_parameter = _kept_or_looked_up
    changesets.repair()
    drift.repair()
    KmsBackend.replicate_key = _without_aliases
    NetworkInterface.private_dns_name = ""  # ECS reads it of every interface, and not every one has it
    EC2ContainerServiceBackend._calculate_task_resource_requirements = staticmethod(_no_instance_is_asked)
    Task.__init__ = _with_every_container
    state_manager.set_transition("ecs::task", {"progression": "immediate"})  # it would take a step each time somebody asks
    FakeBucket._log_permissions_enabled_policy = staticmethod(_may_log)
    FakeBucket.get_permission = _without_conditions
    parsing.resource_name_property_from_type = lambda t: parsing.get_name_type_map().get(t)


def _with_stack_outputs(value: Any, resources: Any) -> Any:
    """Fn::GetStackOutput, by which a stack reads one of another region."""
    if not isinstance(value, dict) or "Fn::GetStackOutput" not in value:
        return _clean(value, resources)
    what = _clean(value["Fn::GetStackOutput"], resources)
    backend = models.cloudformation_backends[resources["AWS::AccountId"]][what.get("Region", resources["AWS::Region"])]
    outputs = backend.get_stack(what["StackName"]).output_map
    return outputs[what["OutputName"]].value


def _kept_or_looked_up(self: Any, value: str, value_type: str) -> Any:
    """A parameter that keeps its value comes as what it was looked up to be the last time."""
    return _look_up(self, value, value_type) if value.startswith("/") else value


def _no_instance_is_asked(_definition: Any) -> dict[str, Any]:
    """What a task takes of an instance: nothing on Fargate, where memory is the task's and not its containers'."""
    return {"CPU": 0, "MEMORY": 0, "PORTS": [], "PORTS_UDP": []}


def _with_every_container(self: Any, *args: Any, **kwargs: Any) -> None:
    """A task has all containers of its definition, of which moto knows the first; the command false fails, and says so in its log.

    Nothing runs here. What depends on a container that fails is never started, so it has no exit code.
    """
    _start(self, *args, **kwargs)
    definitions, failed = kwargs["task_definition"].container_definitions, set()
    self.containers = [Container(kwargs["task_definition"]) for _ in definitions]
    for container, body in zip(self.containers, definitions, strict=True):
        container.name, container.image, container.command = body["name"], body.get("image"), body.get("command")
        if any(d["containerName"] in failed for d in body.get("dependsOn", [])):
            del container.exitCode
            failed.add(container.name)
        elif container.command == ["false"]:
            container.exitCode = 1
            failed.add(container.name)
            _log(self, body["logConfiguration"]["options"], container.name)


def _log(task: Any, options: dict[str, str], name: str) -> None:
    """Write a line to the container's log, as the driver awslogs does."""
    logs = logs_backends[task._account_id][task.region_name]
    group, stream = options["awslogs-group"], f"{options['awslogs-stream-prefix']}/{name}/{task.id}"
    logs.create_log_stream(group, stream)
    logs.put_log_events(group, stream, [{"timestamp": int(utcnow().timestamp() * 1000), "message": f"{name} failed"}])


def _without_conditions(self: Any, action: str, resource: str) -> Any:
    """A bucket's statement with a condition, such as not by TLS, does not count: moto takes the condition for met."""
    if self.policy is None:
        return PermissionResult.NEUTRAL
    policy = json.loads(self.policy)
    policy["Statement"] = [s for s in policy["Statement"] if "Condition" not in s]
    return IAMPolicy(json.dumps(policy)).is_action_permitted(action, resource)


def _own_custom_resources(resource_type: str) -> Any:
    """Custom resources are types of the extension: their Lambda functions do not run."""
    own = parsing.get_model_map().get(resource_type)
    return own or _class_of(resource_type)


def _with_dependents(self: Any, other_template: dict[str, Any], parameters: Any = None) -> dict[str, Any]:
    """Change what has other properties, and after it what refers to it.

    moto changes each resource whose text changed, were it only what becomes of
    it when it is deleted; and no other, so that a service would stay on the old
    revision of its task definition.
    """
    by_action = _difference(self, other_template, parameters)
    old, new = self._resource_json_map, other_template["Resources"]
    modified = [n for n in by_action["Modify"] if old[n].get("Properties") != new[n].get("Properties")]
    for name in modified:
        for other, body in new.items():
            if other in old and other not in modified and name in references(body) and _is_ours(body["Type"]):
                modified.append(other)
    by_action["Modify"] = modified
    return by_action


def _forget_removed(self: Any, template: dict[str, Any], parameters: Any = None) -> None:
    """What an earlier update removed is made again when it comes back: moto takes it for there."""
    for name, resource in list(self._parsed_resources.items()):
        if hasattr(resource, "logical_resource_id") and name not in self._resource_json_map:
            del self._parsed_resources[name]
    _update_resources(self, template, parameters)


def _is_ours(resource_type: str) -> bool:
    """Ours alone know a change that changes nothing."""
    return issubclass(parsing.resource_class_from_type(resource_type), Resource)


def _delete_backwards(self: Any) -> None:
    """Delete what was made last first, and keep what is to be kept.

    moto tries in any order until nothing moves any more.
    """
    for name in reversed(list(self._parsed_resources)):
        body, resource = self._resource_json_map.get(name), self._parsed_resources[name]
        if body is None or resource is None or body.get("DeletionPolicy", "").startswith("Retain"):
            continue
        try:
            self._delete_resource(resource, body)
        except Exception as e:
            raise ValidationError(name, f"{name} ({body['Type']}): {type(e).__name__}: {e}") from e
        del self._parsed_resources[name]


def _with_exports(self: Any, *args: Any, **kwargs: Any) -> Any:
    """What an update exports can be imported: moto knows the exports of creations alone."""
    stack = _update(self, *args, **kwargs)
    stack.last_updated_time = utcnow()
    self.exports.update({export.name: export for export in stack.exports})
    return stack


def _channels_last(self: Any) -> list[str]:
    """Config's channel wants its recorder, which templates do not say: CloudFormation knows it."""
    return sorted(_order(self), key=lambda name: self._resource_json_map[name]["Type"] == "AWS::Config::DeliveryChannel")


def _may_log(target_bucket: Any, target_prefix: str | None) -> bool:
    """Whether S3 may write logs to the bucket: moto overlooks a statement with more than one resource."""
    policy = json.loads(target_bucket.policy or '{"Statement": []}')
    wanted = f"arn:aws:s3:::{target_bucket.name}/{target_prefix or ''}*"
    for statement in policy["Statement"]:
        resources = statement["Resource"] if isinstance(statement["Resource"], list) else [statement["Resource"]]
        if (
            statement["Effect"] == "Allow"
            and statement["Principal"] == {"Service": "logging.s3.amazonaws.com"}
            and "s3:PutObject" in statement["Action"]
            and any(r in (wanted, f"arn:aws:s3:::{target_bucket.name}/*") for r in resources)
        ):
            return True
    return False


def _without_aliases(self: Any, key_id: str, replica_region: str) -> Any:
    """A replica of a key has aliases of its own: moto lets it share the primary's."""
    replica = _replicate(self, key_id, replica_region)
    replica.aliases = {}
    return replica
