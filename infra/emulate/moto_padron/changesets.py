"""Change sets as AWS has them: described by property, executed once, rolled back where they fail."""

import json
from copy import copy
from functools import lru_cache
from importlib.resources import files
from typing import Any

from moto.cloudformation import models, parsing, responses
from moto.cloudformation.exceptions import AlreadyExistsException, CloudFormationError, ValidationError
from moto.core.responses import ActionResult
from moto.core.utils import utcnow

_make = models.CloudFormationBackend.create_change_set
_execute = models.CloudFormationBackend.execute_change_set
_parse_yaml = models.ChangeSet._parse_template
_template = responses.CloudFormationResponse.get_template
_create = parsing.parse_and_create_resource
_change = parsing.parse_and_update_resource


def repair() -> None:
    models.CloudFormationBackend.create_change_set = _create_change_set
    models.CloudFormationBackend.execute_change_set = _execute_change_set
    models.CloudFormationBackend.delete_change_set = _forget_change_set
    models.CloudFormationBackend.describe_change_set = _describe_change_set
    models.ChangeSet._parse_template = _parse_change_set
    models.ChangeSet.diff = _described
    responses.CloudFormationResponse.get_template = _get_template
    responses.CloudFormationResponse.describe_change_set = _tell_change_set
    parsing.parse_and_create_resource = _say_which(_create)
    parsing.parse_and_update_resource = _say_which(_change)


class ChangeSetNotFound(CloudFormationError):
    code = "ChangeSetNotFound"
    __module__ = "moto.cloudformation.exceptions"  # where moto looks for the service of an error


class InvalidChangeSetStatus(CloudFormationError):
    code = "InvalidChangeSetStatus"
    __module__ = "moto.cloudformation.exceptions"


class ResourceFailed(ValidationError):
    """A failure names the resource."""

    __module__ = "moto.cloudformation.exceptions"

    def __init__(self, logical_id: str, resource_type: str, cause: Exception):
        self.logical_id, self.resource_type = logical_id, resource_type
        self.reason = f"{type(cause).__name__}: {cause}"
        super().__init__(logical_id, f"{logical_id} ({resource_type}): {self.reason}")


def _say_which(act: Any) -> Any:
    def named(logical_id: str, resource_json: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        try:
            return act(logical_id, resource_json, *args, **kwargs)
        except ResourceFailed:
            raise
        except Exception as e:
            raise ResourceFailed(logical_id, resource_json["Type"], e) from e

    return named


def _create_change_set(self: Any, stack_name: str, *args: Any, **kwargs: Any) -> tuple[str, str]:
    """A stack that was only announced takes another change set; imports must be there."""
    announced = None
    if kwargs["change_set_type"] == "CREATE":
        announced = next((s for s in self.stacks.values() if s.name == stack_name), None)
        if announced and announced.status != "REVIEW_IN_PROGRESS":
            raise AlreadyExistsException(f"Stack [{stack_name}] already exists and cannot be created again with the changeSet.")
    made, stack_id = _make(self, stack_name, *args, **kwargs)
    change_set = self.change_sets[made]
    if announced:
        del self.stacks[stack_id]
        change_set.stack, change_set.stack_id = announced, announced.stack_id
    missing = sorted(_imports(change_set.template_dict) - set(self.exports))
    if missing:
        change_set.status, change_set.execution_status = "FAILED", "UNAVAILABLE"
        change_set.status_reason = f"No export named {missing[0]} found."
    return made, change_set.stack_id


def _imports(value: Any) -> set[str]:
    """The names that Fn::ImportValue asks for."""
    if isinstance(value, list):
        return set().union(*map(_imports, value))
    if not isinstance(value, dict):
        return set()
    found = set().union(*map(_imports, value.values()))
    if isinstance(value.get("Fn::ImportValue"), str):
        found.add(value["Fn::ImportValue"])
    return found


def _execute_change_set(self: Any, change_set_name: str, stack_name: str | None = None) -> None:
    """What a change set makes may import, and has outputs and exports, as with CreateStack."""
    change_set = _describe_change_set(self, change_set_name)
    if change_set.execution_status != "AVAILABLE":
        raise InvalidChangeSetStatus(f"ChangeSet [{change_set.change_set_id}] cannot be executed in its current status of [{change_set.status}]")
    stack = self.stacks[change_set.stack_id]
    stack.cross_stack_resources = self.exports
    stack.resource_map.cross_stack_resources = self.exports
    try:
        _execute(self, change_set.change_set_id, stack_name)
    except Exception as e:
        change_set.execution_status = "EXECUTE_FAILED"
        _roll_back(stack, change_set.change_set_type, e)
        return
    if change_set.change_set_type == "UPDATE":
        stack.last_updated_time = utcnow()
    stack.template_dict = change_set.template_dict
    stack.output_map = stack._create_output_map()
    for export in stack.exports:
        self.exports[export.name] = export
    # moto looks for a name in all stacks, and the cdk gives every change set
    # the same: one that was executed is known by its ARN alone.
    change_set.change_set_name = change_set.change_set_id
    for key, other in list(self.change_sets.items()):
        if other.stack_id == stack.stack_id and other is not change_set:
            del self.change_sets[key]


def _roll_back(stack: Any, kind: str, cause: Exception) -> None:
    """Bring the stack back to what it was, and say in its events why."""
    if isinstance(cause, ResourceFailed):
        where = (cause.logical_id, "", cause.resource_type, f"{kind}_FAILED", cause.reason, "{}")
        stack.events.append(models.Event(stack.stack_id, stack.name, *where))
    status = "UPDATE_ROLLBACK" if kind == "UPDATE" else "ROLLBACK"
    stack._add_stack_event(f"{status}_IN_PROGRESS", resource_status_reason=str(cause))
    if kind == "UPDATE":
        stack.resource_map.update(stack.template_dict)
    else:
        stack.resource_map.delete()
    stack.status = f"{status}_COMPLETE"
    stack._add_stack_event(stack.status)


def _get_template(self: Any) -> Any:
    """A change set has a template of its own."""
    name = self._get_param("ChangeSetName")
    if not name:
        return _template(self)
    return ActionResult({"TemplateBody": self.cloudformation_backend.describe_change_set(name).template})


def _tell_change_set(self: Any) -> Any:
    """Tags are told as a list, which moto keeps as a map."""
    told = copy(self.cloudformation_backend.describe_change_set(self._get_param("ChangeSetName")))
    told.tags = [{"Key": key, "Value": value} for key, value in (told.tags or {}).items()]
    return ActionResult(told)


def _describe_change_set(self: Any, change_set_name: str) -> Any:
    """A change set that is not there has an error of its own, which the cdk waits for."""
    for change_set in self.change_sets.values():
        if change_set_name in (change_set.change_set_id, change_set.change_set_name):
            return change_set
    raise ChangeSetNotFound(f"ChangeSet [{change_set_name}] does not exist")


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


def _described(self: Any) -> list[Any]:
    """What changes, property by property, and whether the resource is made anew."""
    there = self.stack.resource_map
    old, new = there._resource_json_map, self.template_dict["Resources"]
    changes = {name: _one("Add", name, body) for name, body in new.items() if name not in old}
    changes |= {name: _one("Remove", name, body, there) for name, body in old.items() if name not in new}
    for name in old.keys() & new.keys():
        details = _details(old[name], new[name])
        if details:
            changes[name] = _modify(name, new[name], there, details)
    replaced = {name for name, c in changes.items() if getattr(c, "replacement", "") == "True"}
    for name in old.keys() & new.keys():
        behind = [d for p, v in new[name].get("Properties", {}).items() if references(v) & replaced
                  for d in [_detail("Properties", p, _recreation(new[name]["Type"], p, None, v), "ResourceReference")]]
        if behind and name not in changes:
            changes[name] = _modify(name, new[name], there, behind, certain=False)
    return [changes[name] for name in sorted(changes)]


def _one(action: str, name: str, body: dict[str, Any], there: Any = None) -> Any:
    change = models.Change(action, name, body["Type"])
    resource = there._parsed_resources.get(name) if there else None
    if resource is not None:
        change.physical_resource_id = resource.physical_resource_id
    return change


def _modify(name: str, body: dict[str, Any], there: Any, details: list[dict[str, Any]], certain: bool = True) -> Any:
    change = _one("Modify", name, body, there)
    change.details = details
    change.scope = sorted({d["Target"]["Attribute"] for d in details})
    needs = {d["Target"].get("RequiresRecreation") for d in details}
    change.replacement = "False"
    if "Always" in needs:
        change.replacement = "True" if certain else "Conditional"
    elif "Conditionally" in needs:
        change.replacement = "Conditional"
    return change


def _details(old: dict[str, Any], new: dict[str, Any]) -> list[dict[str, Any]]:
    before, after = old.get("Properties", {}), new.get("Properties", {})
    details = [
        _detail("Properties", name, _recreation(new["Type"], name, before.get(name), after.get(name)))
        for name in sorted(before.keys() | after.keys()) if before.get(name) != after.get(name)
    ]
    for attribute in ("Metadata", "CreationPolicy", "UpdatePolicy", "DeletionPolicy", "UpdateReplacePolicy"):
        if old.get(attribute) != new.get(attribute):
            details.append(_detail(attribute))
    return details


def _detail(attribute: str, name: str = "", recreation: str = "Never", source: str = "DirectModification") -> dict[str, Any]:
    target = {"Attribute": attribute} | ({"Name": name, "RequiresRecreation": recreation} if name else {})
    return {"Target": target, "Evaluation": "Static" if source == "DirectModification" else "Dynamic", "ChangeSource": source}


def _recreation(resource_type: str, name: str, old: Any, new: Any) -> str:
    """Whether another value of the property makes the resource anew, by AWS's own schema of the type."""
    schema = _schema(resource_type)
    for answer, which in (("Always", "createOnlyProperties"), ("Conditionally", "conditionalCreateOnlyProperties")):
        for path in schema.get(which, []):
            _, _, top, *rest = path.split("/")
            if top == name and _at(old, rest) != _at(new, rest):
                return answer
    return "Never"


def _at(value: Any, path: list[str]) -> Any:
    for name in path:
        if not isinstance(value, dict):
            break
        value = value.get(name)
    return value


@lru_cache
def _schema(resource_type: str) -> dict[str, Any]:
    """The type's schema as AWS publishes it and cfn-lint, which is installed beside moto, keeps it."""
    folder = files("cfnlint.data.schemas")
    known = _all_schemas()
    if resource_type not in known:
        return {}
    return json.loads((folder / "resources" / f"{known[resource_type]}.json").read_text())


@lru_cache
def _all_schemas() -> dict[str, str]:
    return json.loads((files("cfnlint.data.schemas") / "providers" / "us-east-1.json").read_text())


def references(value: Any) -> set[str]:
    """The logical ids that Ref and Fn::GetAtt name."""
    if isinstance(value, list):
        return set().union(*map(references, value))
    if not isinstance(value, dict):
        return set()
    found = set().union(*map(references, value.values()))
    if isinstance(value.get("Ref"), str):
        found.add(value["Ref"])
    if "Fn::GetAtt" in value:
        at = value["Fn::GetAtt"]
        found.add(at.split(".")[0] if isinstance(at, str) else at[0])
    return found
