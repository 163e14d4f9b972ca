"""Label and field selectors of list, watch and deletecollection."""

from __future__ import annotations

import re
from typing import Any

from .status import bad_request
from .store import Object

SET = re.compile(r"^\s*([^\s!=,()]+)\s+(in|notin)\s*\(([^)]*)\)\s*$")


def _split(text: str) -> list[str]:
    """Splits at commas outside brackets."""
    parts, depth, current = [], 0, ""
    for c in text:
        depth += (c == "(") - (c == ")")
        if c == "," and depth == 0:
            parts.append(current)
            current = ""
        else:
            current += c
    return [p.strip() for p in [*parts, current] if p.strip()]


def matches_labels(selector: str, labels: dict[str, str]) -> bool:
    """Whether labels satisfy a selector such as `app=web,tier in (a,b),!old`."""
    return all(_one_label(part, labels) for part in _split(selector))


def _one_label(part: str, labels: dict[str, str]) -> bool:
    found = SET.match(part)
    if found:
        name, operator, values = found.groups()
        inside = labels.get(name) in [v.strip() for v in values.split(",")]
        return inside if operator == "in" else not inside
    if "!=" in part:
        name, _, value = part.partition("!=")
        return labels.get(name.strip()) != value.strip()
    if "=" in part:
        name, _, value = part.replace("==", "=").partition("=")
        return labels.get(name.strip()) == value.strip()
    return part[1:].strip() not in labels if part.startswith("!") else part in labels


def matches_fields(selector: str, item: Object) -> bool:
    """Whether an object satisfies a field selector such as `metadata.name=web`."""
    for part in _split(selector):
        operator = "!=" if "!=" in part else "="
        path, _, value = part.replace("==", "=").partition(operator)
        if not path:
            raise bad_request(f"bad field selector {part!r}")
        node: Any = item
        for name in path.strip().split("."):
            node = node.get(name) if isinstance(node, dict) else None
        if (str(node if node is not None else "") == value) != (operator == "="):
            return False
    return True


def matches(query: dict[str, str], item: Object) -> bool:
    """Both selectors of a request's query."""
    labels = item["metadata"].get("labels") or {}
    return matches_labels(query.get("labelSelector", ""), labels) and \
        matches_fields(query.get("fieldSelector", ""), item)
