"""Turns a resource's properties into a request of AWS's own API.

Most properties carry the names of the API's parameters, but for the case of
letters. The API's own description, which boto3 holds, says the rest: what is a
number, a text, a map.
"""

import json
from typing import Any


def fit(shape: Any, value: Any) -> Any:
    """Return value as shape wants it, without what it has no place for."""
    match shape.type_name:
        case "structure":
            return _structure(shape, value)
        case "list":
            values = value if isinstance(value, list) else [value]
            return [fit(shape.member, v) for v in values]
        case "map":
            return {k: fit(shape.value, v) for k, v in _pairs(value)}
        case "boolean":
            return str(value).lower() == "true"
        case "integer" | "long":
            return int(value)
        case "float" | "double":
            return float(value)
        case "string":
            return _text(value)
    return value


def _structure(shape: Any, value: Any) -> dict[str, Any]:
    members = {name.lower(): name for name in shape.members}
    fitted = {}
    for key, v in value.items():
        if v is None:  # an expression found none
            continue
        name = members.get(key.lower())
        if name is None:
            continue
        fitted[name] = fit(shape.members[name], v)
    return fitted


def _pairs(value: Any) -> list[tuple[str, Any]]:
    if isinstance(value, dict):
        return list(value.items())
    return [(tag["Key"], tag["Value"]) for tag in value]


def _text(value: Any) -> str:
    if isinstance(value, (dict, list)):
        return json.dumps(value)
    if isinstance(value, bool):
        return str(value).lower()
    return str(value)
