"""Registers the kinds and stubs as classes of moto's CloudFormation."""

import copy
import os
import uuid
from functools import lru_cache
from typing import Any

import boto3
import jmespath
import jmespath.functions
from botocore.config import Config
from moto.cloudformation import parsing
from moto.cloudformation.exceptions import ValidationError
from moto.core.common_models import CloudFormationModel

from moto_padron import kinds, stubs
from moto_padron.fit import fit
from moto_padron.kind import Call, Kind, Record, Step, Stub


class Functions(jmespath.functions.Functions):
    """What JMESPath lacks for the kinds."""

    @jmespath.functions.signature({"types": ["string"]})
    def _func_full_name(self, arn: str) -> str:
        """A load balancer's or target group's name in metrics: app/... or targetgroup/..."""
        return arn.split(":")[-1].removeprefix("loadbalancer/")

    @jmespath.functions.signature({"types": ["string"]})
    def _func_tail(self, path: str) -> str:
        """What stands behind the last slash."""
        return path.split("/")[-1]


OPTIONS = jmespath.Options(custom_functions=Functions())


@lru_cache
def client(service: str, region: str) -> Any:
    """A client of this very server."""
    return boto3.client(
        service,
        region_name=region,
        endpoint_url=f"http://127.0.0.1:{os.environ['MOTO_PORT']}",
        aws_access_key_id="emulated",
        aws_secret_access_key="emulated",  # noqa: S106 moto asks for no real one
        config=Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"}),
    )


class Resource:
    """What all registered classes share; moto finds it by its methods' names."""

    kind: Kind | Stub

    def __init__(self, name: str, properties: dict[str, Any], account: str, region: str):
        self.record: Record = {
            "name": name, "properties": properties, "old": {}, "account": account, "region": region, "id": "", "response": {},
        }
        self.given = copy.deepcopy(properties)

    @property
    def physical_resource_id(self) -> str:
        return self.record["id"]

    @property
    def type(self) -> str:
        return self.kind.type

    def is_created(self) -> bool:
        return True

    def get_cfn_attribute(self, attribute: str) -> Any:
        value = self.attribute(attribute)
        if value is None:
            raise ValidationError(self.record["id"], f"{self.type} has no attribute {attribute} in the extension: add it")
        return value

    @classmethod
    def has_cfn_attr(cls, attr: str) -> bool:
        return True

    @classmethod
    def cloudformation_type(cls) -> str:
        return cls.kind.type

    @classmethod
    def cloudformation_name_type(cls) -> str:
        return cls.kind.name

    @classmethod
    def create_from_cloudformation_json(
        cls, resource_name: str, cloudformation_json: dict[str, Any], account_id: str, region_name: str, **_: Any
    ) -> "Resource":
        properties = dict(cloudformation_json["Properties"])
        if cls.kind.name:
            properties.setdefault(cls.kind.name, resource_name)
        made = cls(resource_name, properties, account_id, region_name)
        made.create()
        return made

    @classmethod
    def update_from_cloudformation_json(
        cls, original_resource: "Resource", new_resource_name: str, cloudformation_json: dict[str, Any],
        account_id: str, region_name: str,
    ) -> "Resource":
        properties = dict(cloudformation_json["Properties"])
        if cls.kind.name:
            properties.setdefault(cls.kind.name, original_resource.record["properties"][cls.kind.name])
        if properties != original_resource.given:  # a resource that it refers to may have changed and kept its id
            original_resource.given = copy.deepcopy(properties)
            original_resource.change(properties)
        return original_resource

    @classmethod
    def delete_from_cloudformation_json(
        cls, resource_name: str, cloudformation_json: dict[str, Any], account_id: str, region_name: str
    ) -> None:
        raise RuntimeError(f"{cls.kind.type} {resource_name} is not known")


class Made(Resource):
    """A resource that is made by calls."""

    kind: Kind

    def create(self) -> None:
        if self.kind.before:
            self.kind.before(self.client, self.record)
        self.record["response"] = self.run(self.kind.create)
        self.record["id"] = self.search(self.kind.id)
        for step in self.kind.then:
            self.run(step)

    def change(self, properties: dict[str, Any]) -> None:
        old, self.record = self.record, {**self.record, "properties": properties, "old": self.record["properties"]}
        if not self.kind.update:
            self.create()
            self.take_away(old)
            return
        if self.kind.before:
            self.kind.before(self.client, self.record)
        for step in (*self.kind.update, *self.kind.then):
            self.run(step)

    def take_away(self, record: Record) -> None:
        new, self.record = self.record, record
        try:
            for step in self.kind.delete:
                self.run(step, fitted=False)
        finally:
            self.record = new

    def delete(self, account: str, region: str) -> None:
        try:
            self.take_away(self.record)
        except (AttributeError, TypeError) as e:  # moto takes these for "has no delete"
            raise RuntimeError(f"{self.type} {self.record['id']}: {e}") from e

    def attribute(self, name: str) -> Any:
        if name in self.kind.attributes:
            return self.search(self.kind.attributes[name])
        return self.record["properties"].get(name)

    def search(self, expression: str) -> Any:
        return jmespath.search(expression, self.record, options=OPTIONS)

    def client(self, service: str = "", region: str = "") -> Any:
        return client(service or self.kind.service, region or self.record["region"])

    def run(self, step: Step, fitted: bool = True) -> Any:
        if not isinstance(step, Call):
            return step(self.client, self.record)
        source = jmespath.search(step.source, self.record["properties"]) if fitted else {}
        if source in (None, False, "false", []):
            return None
        api = self.client(step.service)
        operation = api.meta.method_to_api_mapping[step.operation]
        request = fit(api.meta.service_model.operation_model(operation).input_shape, source)
        extra = {name: self.search(expression) for name, expression in step.extra.items()}
        request |= {name: value for name, value in extra.items() if value is not None}
        return getattr(api, step.operation)(**request)


class Stubbed(Resource):
    """A resource that nothing stands behind."""

    kind: Stub

    def create(self) -> None:
        self.token = uuid.uuid4().hex[:12]
        self.record["id"] = self.text(self.kind.id)

    def change(self, properties: dict[str, Any]) -> None:
        self.record["properties"] = properties

    def delete(self, account: str, region: str) -> None:
        pass

    def attribute(self, name: str) -> Any:
        if name in self.kind.attributes:
            return self.text(self.kind.attributes[name])
        return self.record["properties"].get(name)

    def text(self, template: str) -> str:
        r = self.record
        name = r["properties"].get(self.kind.name, r["name"])
        return template.format(name=name, account=r["account"], region=r["region"], token=self.token)


def register() -> dict[str, str]:
    """Add every kind and stub, and return what answers for each type.

    moto finds the direct subclasses of its model, takes the last of a type, and
    wants them in a module below its own.
    """
    types = {t: "moto" for t in parsing.get_model_map()}
    for entry in (*kinds.ALL, *stubs.ALL):
        base = Made if isinstance(entry, Kind) else Stubbed
        name = "Padron" + entry.type.replace("::", "")
        type(name, (base, CloudFormationModel), {"kind": entry, "__module__": "moto.padron"})
        types[entry.type] = "extension" if isinstance(entry, Kind) else "stub"
    parsing.get_model_list.cache_clear()
    parsing.get_model_map.cache_clear()
    parsing.get_name_type_map.cache_clear()
    return types
