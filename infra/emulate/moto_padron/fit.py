"""Turns a resource's properties into a request of AWS's own API.

Most properties carry the names of the API's parameters, but for the case of
letters. The API's own description, which boto3 holds, says the rest: what is a
number, a text, a map.
"""

import json
from typing import Any


def fit(shape: Any, value: Any, dropped: list[str], at: str = "") -> Any:
    """Return value as shape wants it; paths that it has no place for go to dropped."""
    match shape.type_name:
        case "structure":
            return _structure(shape, value, dropped, at)
        case "list":
            values = value if isinstance(value, list) else [value]
            return [fit(shape.member, v, dropped, at) for v in values]
        case "map":
            return {k: fit(shape.value, v, dropped, at) for k, v in _pairs(value)}
        case "boolean":
            return str(value).lower() == "true"
        case "integer" | "long":
            return int(value)
        case "float" | "double":
            return float(value)
        case "string":
            return _text(value)
    return value


def _structure(shape: Any, value: Any, dropped: list[str], at: str) -> dict[str, Any]:
    members = {name.lower(): name for name in shape.members}
    fitted = {}
    for key, v in value.items():
        if v is None:  # an expression found none
            continue
        name = members.get(key.lower())
        if name is None:
            dropped.append(f"{at}.{key}".lstrip("."))
            continue
        fitted[name] = fit(shape.members[name], v, dropped, f"{at}.{key}")
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
