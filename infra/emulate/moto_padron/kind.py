"""The table's words: a kind of resource, and the calls that make one."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

# Record is one resource as it is made: "properties" of the template, all
# references resolved; "old", the properties before a change, empty at first;
# "id"; "name", the physical name; "account", "region"; "response" of the first
# call.
Record = dict[str, Any]


@dataclass(frozen=True)
class Call:
    """One request to a service.

    Parameters are the properties that `source` picks, fitted to the request's
    shape by name, and those of `extra`; both are JMESPath, the first on the
    properties, the second on the record. A call whose source is absent or false
    is not made.
    """

    operation: str
    extra: Mapping[str, str] = field(default_factory=dict)
    source: str = "@"
    service: str = ""


# Clients makes the client of a service, of the record's region or another's.
Clients = Callable[..., Any]
# A step in Python is for what no single call does.
Step = Call | Callable[[Clients, Record], Any]


@dataclass(frozen=True)
class Kind:
    """A CloudFormation type, made by calls to `service`.

    `id` and `attributes` are JMESPath expressions on the record; attributes
    that are not named are looked up among the properties. `name` is the
    property that holds the physical name. `before` may change the properties
    first, and `then` follows the creation and each update. A kind without
    `update` is replaced when it changes, the new one made before the old is
    deleted, as CloudFormation does.
    """

    type: str
    service: str
    create: Step
    id: str
    attributes: Mapping[str, str] = field(default_factory=dict)
    name: str = ""
    before: Callable[[Clients, Record], None] | None = None
    then: Sequence[Step] = ()
    update: Sequence[Step] = ()
    delete: Sequence[Step] = ()


@dataclass(frozen=True)
class Stub:
    """A type that moto has no service for.

    `id` and `attributes` are texts in which {name}, {account}, {region} and
    {token}, twelve hexadecimal digits, are replaced.
    """

    type: str
    id: str = "{name}"
    attributes: Mapping[str, str] = field(default_factory=dict)
    name: str = ""


def only(*names: str) -> str:
    """The expression that picks these properties and no other."""
    return "{" + ", ".join(f"{name}: {name}" for name in names) + "}"


def given(name: str) -> str:
    """The expression that picks a property, and nothing where it is absent."""
    return f"{name} && {{{name}: {name}}}"
