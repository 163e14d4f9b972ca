"""The patch types of the API: JSON patch, JSON merge patch, strategic merge patch."""

from __future__ import annotations

import copy
from typing import Any

from .schema import PRIMITIVE_SETS, merge_key
from .status import ApiError, bad_request

DIRECTIVES = ("$patch", "$retainKeys")


def merge(target: Any, change: Any) -> Any:
    """JSON merge patch (RFC 7386)."""
    if not isinstance(change, dict):
        return copy.deepcopy(change)
    result = dict(target) if isinstance(target, dict) else {}
    for key, value in change.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merge(result.get(key), value)
    return result


def _pointer(path: str) -> list[str]:
    if path and not path.startswith("/"):
        raise bad_request(f"bad JSON pointer {path!r}")
    return [p.replace("~1", "/").replace("~0", "~") for p in path.split("/")[1:]]


def _step(node: Any, token: str) -> Any:
    try:
        return node[int(token)] if isinstance(node, list) else node[token]
    except (KeyError, IndexError, ValueError, TypeError) as error:
        raise ApiError(422, "Invalid", f"the JSON patch path has no {token!r}") from error


def _resolve(document: Any, tokens: list[str]) -> Any:
    for token in tokens:
        document = _step(document, token)
    return document


def _add(document: Any, tokens: list[str], value: Any) -> None:
    parent = _resolve(document, tokens[:-1])
    if isinstance(parent, list):
        parent.insert(len(parent) if tokens[-1] == "-" else int(tokens[-1]), value)
    else:
        parent[tokens[-1]] = value


def _remove(document: Any, tokens: list[str]) -> Any:
    parent = _resolve(document, tokens[:-1])
    found = _step(parent, tokens[-1])
    del parent[int(tokens[-1]) if isinstance(parent, list) else tokens[-1]]
    return found


def json_patch(document: Any, operations: list[dict[str, Any]]) -> Any:
    """JSON patch (RFC 6902)."""
    document = copy.deepcopy(document)
    for operation in operations:
        kind, tokens = operation["op"], _pointer(operation["path"])
        if kind == "test":
            if _resolve(document, tokens) != operation["value"]:
                raise ApiError(422, "Invalid", f"test of {operation['path']} failed")
        elif kind == "remove":
            _remove(document, tokens)
        elif kind == "replace":
            _remove(document, tokens)
            _add(document, tokens, copy.deepcopy(operation["value"]))
        elif kind == "add":
            _add(document, tokens, copy.deepcopy(operation["value"]))
        elif kind in ("copy", "move"):
            source = _pointer(operation["from"])
            value = _remove(document, source) if kind == "move" else _resolve(document, source)
            _add(document, tokens, copy.deepcopy(value))
        else:
            raise bad_request(f"unknown JSON patch operation {kind!r}")
    return document


def strategic(target: Any, change: dict[str, Any]) -> Any:
    """Strategic merge patch: maps are merged, keyed lists by element, other lists replaced."""
    if change.get("$patch") == "replace":
        return {k: copy.deepcopy(v) for k, v in change.items() if k not in DIRECTIVES}
    if change.get("$patch") == "delete":
        return {}
    result = dict(target) if isinstance(target, dict) else {}
    if "$retainKeys" in change:
        result = {k: v for k, v in result.items() if k in change["$retainKeys"]}
    for key, value in change.items():
        if key.startswith("$"):
            continue
        if value is None:
            result.pop(key, None)
        elif isinstance(value, dict):
            result[key] = strategic(result.get(key), value)
        elif isinstance(value, list):
            result[key] = _list(key, result.get(key) or [], value)
        else:
            result[key] = value
    _lists_by_directive(result, change)
    return result


def _list(field: str, current: list[Any], change: list[Any]) -> list[Any]:
    key = merge_key(field, current + change)
    if field in PRIMITIVE_SETS:
        return current + [v for v in change if v not in current]
    if not key or not all(isinstance(e, dict) for e in current + change):
        return copy.deepcopy(change)
    if any(e.get("$patch") == "replace" for e in change):
        return [copy.deepcopy(e) for e in change if "$patch" not in e]
    merged = list(current)
    for element in change:
        at = next((i for i, e in enumerate(merged) if e.get(key) == element.get(key)), None)
        if element.get("$patch") == "delete":
            if at is not None:
                del merged[at]
        elif at is None:
            merged.append(strategic({}, element))
        else:
            merged[at] = strategic(merged[at], element)
    return merged


def _lists_by_directive(result: dict[str, Any], change: dict[str, Any]) -> None:
    for name, value in change.items():
        directive, _, field = name.partition("/")
        if directive == "$deleteFromPrimitiveList" and field in result:
            result[field] = [v for v in result[field] if v not in value]
        elif directive == "$setElementOrder" and isinstance(result.get(field), list):
            key = merge_key(field, result[field])

            def identity(element: Any, key: str = key) -> Any:
                return element.get(key) if isinstance(element, dict) else element
            order = [identity(e) for e in value]
            known = [e for e in result[field] if identity(e) in order]
            known.sort(key=lambda e: order.index(identity(e)))
            result[field] = known + [e for e in result[field] if identity(e) not in order]
