"""Repairs of moto where it behaves otherwise than AWS, most of its CloudFormation engine."""

import json
from typing import Any

from moto.cloudformation import models, parsing
from moto.cloudformation.exceptions import CloudFormationError, ValidationError
from moto.ec2.models.elastic_network_interfaces import NetworkInterface
from moto.ecs.models import EC2ContainerServiceBackend
from moto.iam.access_control import IAMPolicy, PermissionResult
from moto.kms.models import KmsBackend
from moto.s3.models import FakeBucket

from moto_padron.model import Resource

_class_of = parsing.resource_class_from_type
_create = parsing.parse_and_create_resource
_difference = parsing.ResourceMap.build_resource_diff
_clean = parsing.clean_json
_order = parsing.ResourceMap._ResourceMap__get_resources_in_dependency_order
_update = models.CloudFormationBackend.update_stack
_replicate = KmsBackend.replicate_key
_look_up = parsing.ResourceMap.parse_ssm_parameter
_parse_yaml = models.ChangeSet._parse_template
_execute = models.CloudFormationBackend.execute_change_set


def repair() -> None:
    # Templates are JSON. moto reads them as YAML, which takes seconds.
    models.Stack.parse_template = staticmethod(json.loads)
    parsing.resource_class_from_type = _own_custom_resources
    parsing.parse_and_create_resource = _say_which
    parsing.ResourceMap.build_resource_diff = _with_dependents
    parsing.ResourceMap.delete = _delete_backwards
    parsing.ResourceMap._ResourceMap__get_resources_in_dependency_order = _channels_last
    models.CloudFormationBackend.update_stack = _with_exports
    parsing.clean_json = _with_stack_outputs
    models.CloudFormationBackend.execute_change_set = _as_stacks_are
    parsing.ResourceMap.parse_ssm_parameter = _kept_or_looked_up
    models.CloudFormationBackend.delete_change_set = _forget_change_set
    models.CloudFormationBackend.describe_change_set = _describe_change_set
    models.ChangeSet._parse_template = _parse_change_set
    KmsBackend.replicate_key = _without_aliases
    NetworkInterface.private_dns_name = ""  # ECS reads it of every interface, and not every one has it
    EC2ContainerServiceBackend._calculate_task_resource_requirements = staticmethod(_no_instance_is_asked)
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


def _as_stacks_are(self: Any, change_set_name: str, stack_name: str | None = None) -> None:
    """What a change set makes may import, and has outputs and exports, as with CreateStack."""
    made = [c for c in self.change_sets.values() if change_set_name in (c.change_set_id, c.change_set_name)]
    for change_set in made:
        stack = self.stacks[change_set.stack_id]
        stack.cross_stack_resources = self.exports
        stack.resource_map.cross_stack_resources = self.exports
    _execute(self, change_set_name, stack_name)
    for change_set in made:
        stack = self.stacks[change_set.stack_id]
        stack.template_dict = change_set.template_dict
        stack.output_map = stack._create_output_map()
        for export in stack.exports:
            self.exports[export.name] = export
        # moto looks for a name in all stacks, and the cdk gives every change set
        # the same: one that was executed is known by its ARN alone.
        change_set.change_set_name = change_set.change_set_id


class ChangeSetNotFound(CloudFormationError):
    code = "ChangeSetNotFound"
    __module__ = "moto.cloudformation.exceptions"  # where moto looks for the service of an error


def _describe_change_set(self: Any, change_set_name: str) -> Any:
    """A change set that is not there has an error of its own, which the cdk waits for."""
    for change_set in self.change_sets.values():
        if change_set_name in (change_set.change_set_id, change_set.change_set_name):
            return change_set
    raise ChangeSetNotFound(f"ChangeSet [{change_set_name}] does not exist")


def _kept_or_looked_up(self: Any, value: str, value_type: str) -> Any:
    """A parameter that keeps its value comes as what it was looked up to be the last time."""
    return _look_up(self, value, value_type) if value.startswith("/") else value


def _no_instance_is_asked(_definition: Any) -> dict[str, Any]:
    """What a task takes of an instance: nothing on Fargate, where memory is the task's and not its containers'."""
    return {"CPU": 0, "MEMORY": 0, "PORTS": [], "PORTS_UDP": []}


def _without_conditions(self: Any, action: str, resource: str) -> Any:
    """A bucket's statement with a condition, such as not by TLS, does not count: moto takes the condition for met."""
    if self.policy is None:
        return PermissionResult.NEUTRAL
    policy = json.loads(self.policy)
    policy["Statement"] = [s for s in policy["Statement"] if "Condition" not in s]
    return IAMPolicy(json.dumps(policy)).is_action_permitted(action, resource)


def _forget_change_set(self: Any, change_set_name: str) -> None:
    """To delete a change set that is not there is no error, as with AWS."""
    for key, change_set in list(self.change_sets.items()):
        if change_set_name in (change_set.change_set_id, change_set.change_set_name):
            del self.change_sets[key]


def _parse_change_set(self: Any) -> None:
    """As for a stack, but for the one template that is YAML: the CDK's own."""
    if self.template.lstrip().startswith("{"):
        self.template_dict = json.loads(self.template)
    else:
        _parse_yaml(self)


def _own_custom_resources(resource_type: str) -> Any:
    """Custom resources are types of the extension: their Lambda functions do not run."""
    own = parsing.get_model_map().get(resource_type)
    return own or _class_of(resource_type)


def _say_which(logical_id: str, resource_json: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
    """A failure names the resource."""
    try:
        return _create(logical_id, resource_json, *args, **kwargs)
    except ValidationError:
        raise
    except Exception as e:
        what = f"{logical_id} ({resource_json['Type']}): {type(e).__name__}: {e}"
        raise ValidationError(logical_id, what) from e


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
            if other in old and other not in modified and name in _references(body) and _is_ours(body["Type"]):
                modified.append(other)
    by_action["Modify"] = modified
    return by_action


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
    self.exports.update({export.name: export for export in stack.exports})
    return stack


def _channels_last(self: Any) -> list[str]:
    """Config's channel wants its recorder, which templates do not say: CloudFormation knows it."""
    return sorted(_order(self), key=lambda name: self._resource_json_map[name]["Type"] == "AWS::Config::DeliveryChannel")


def _references(value: Any) -> set[str]:
    """The logical ids that Ref and Fn::GetAtt name."""
    if isinstance(value, list):
        return set().union(*map(_references, value))
    if not isinstance(value, dict):
        return set()
    found = set().union(*map(_references, value.values()))
    if isinstance(value.get("Ref"), str):
        found.add(value["Ref"])
    if "Fn::GetAtt" in value:
        at = value["Fn::GetAtt"]
        found.add(at.split(".")[0] if isinstance(at, str) else at[0])
    return found


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
