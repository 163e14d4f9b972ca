"""Who owns which field: managedFields, and server-side apply with its conflicts.

A field set is kept as the set of paths to its leaves. A path element is a field name ("f", name),
or an element of a keyed list ("k", its keys as JSON). Lists without keys belong to one owner whole.
The wire form is FieldsV1.
"""

from __future__ import annotations

import copy
import json
from typing import Any, Iterator

from .schema import apply_keys
from .status import ApiError
from .store import Object, now

Path = tuple[tuple[str, str], ...]
SELF = (".", "")
UNOWNED = {("apiVersion",), ("kind",), ("metadata", "name"), ("metadata", "namespace"),
           ("metadata", "uid"), ("metadata", "resourceVersion"), ("metadata", "generation"),
           ("metadata", "creationTimestamp"), ("metadata", "managedFields"),
           ("metadata", "deletionTimestamp"), ("metadata", "deletionGracePeriodSeconds"),
           ("metadata", "selfLink"), ("metadata", "generateName")}


def _key(element: dict[str, Any], keys: tuple[str, ...]) -> str:
    values = {k: element.get(k, "TCP" if k == "protocol" else None) for k in keys}
    return json.dumps(values, separators=(",", ":"), sort_keys=True)


def paths_of(value: Any, path: Path = (), field: str = "") -> Iterator[tuple[Path, Any]]:
    """All leaves of a value with their paths; an element of a keyed list also counts itself."""
    names = tuple(n for _, n in path)
    if names in UNOWNED:
        return
    if isinstance(value, dict) and value:
        for name, child in value.items():
            yield from paths_of(child, path + (("f", name),), name)
    elif isinstance(value, list) and apply_keys(field, value):
        keys = apply_keys(field, value)
        for element in value:
            inside = path + (("k", _key(element, keys)),)
            yield inside + (SELF,), None
            yield from paths_of(element, inside)
    elif path:
        yield path, value


def to_fields(paths: set[Path]) -> dict[str, Any]:
    """FieldsV1 of a set of paths."""
    root: dict[str, Any] = {}
    for path in sorted(paths):
        node = root
        for kind, name in path:
            node = node.setdefault("." if kind == "." else f"{kind}:{name}", {})
    return root


def from_fields(fields: dict[str, Any], path: Path = ()) -> set[Path]:
    """The set of paths that FieldsV1 stands for."""
    found: set[Path] = set()
    for name, child in fields.items():
        kind, _, rest = name.partition(":")
        step = path + ((SELF if name == "." else (kind, rest)),)
        found |= from_fields(child, step) if child else {step}
    return found


class Owners:
    """The managedFields of one object, by (manager, operation)."""

    def __init__(self, item: Object) -> None:
        self.sets: dict[tuple[str, str], set[Path]] = {}
        self.entries: dict[tuple[str, str], dict[str, Any]] = {}
        for entry in item.get("metadata", {}).get("managedFields") or []:
            name = entry.get("manager", ""), entry.get("operation", "Update")
            self.sets[name] = from_fields(entry.get("fieldsV1", {}))
            self.entries[name] = entry

    def assign(self, name: tuple[str, str], paths: set[Path], api_version: str) -> None:
        """Makes `name` the owner of exactly these paths."""
        if self.sets.get(name) != paths or name not in self.entries:
            self.entries[name] = {"manager": name[0], "operation": name[1], "time": now(),
                                  "apiVersion": api_version, "fieldsType": "FieldsV1"}
        self.sets[name] = paths

    def store(self, item: Object) -> None:
        """Writes the sets back into the object."""
        item["metadata"]["managedFields"] = [
            self.entries[name] | {"fieldsV1": to_fields(paths)}
            for name, paths in self.sets.items() if paths]

    def others(self, name: tuple[str, str]) -> dict[tuple[str, str], set[Path]]:
        return {n: paths for n, paths in self.sets.items() if n != name}


def note_update(old: Object | None, new: Object, manager: str, api_version: str) -> None:
    """Gives `manager` the fields that differ between old and new; whoever had them loses them."""
    before = dict(paths_of(old or {}))
    after = dict(paths_of(new))
    changed = {p for p, v in after.items() if p not in before or before[p] != v}
    changed = {p for p in changed if p[0] != ("f", "status")}
    gone = set(before) - set(after)
    owners = Owners(old or {})
    for name, paths in owners.sets.items():
        owners.sets[name] = paths - gone - (changed if name != (manager, "Update") else set())
    own = owners.sets.get((manager, "Update"), set()) | changed
    if own:
        owners.assign((manager, "Update"), own, api_version)
    owners.store(new)


def apply(live: Object | None, applied: Object, manager: str, force: bool) -> Object:
    """Server-side apply; ApiError 409 lists the fields that others own with another value."""
    name = manager, "Apply"
    wanted = dict(paths_of(applied))
    result = copy.deepcopy(live) if live else {
        "apiVersion": applied["apiVersion"], "kind": applied["kind"], "metadata": {}}
    owners = Owners(result)
    current = dict(paths_of(result))
    disputed = _disputed(owners, name, wanted, current)
    if disputed and not force:
        raise _conflict(disputed)
    for other, paths in disputed.items():
        owners.sets[other] -= paths
    kept = set().union(*owners.others(name).values()) if owners.others(name) else set()
    for path in sorted(owners.sets.get(name, set()) - set(wanted) - kept, key=len, reverse=True):
        shared = path[-1] == SELF and any(p[:len(path) - 1] == path[:-1] for p in kept)
        if not shared:
            _delete(result, path)
    _overlay(result, applied)
    owners.assign(name, set(wanted), applied["apiVersion"])
    owners.store(result)
    return result


def _disputed(owners: Owners, name: tuple[str, str], wanted: dict[Path, Any],
              current: dict[Path, Any]) -> dict[tuple[str, str], set[Path]]:
    found = {}
    for other, paths in owners.others(name).items():
        different = {p for p in paths & set(wanted)
                     if p[-1] != SELF and p in current and current[p] != wanted[p]}
        if different:
            found[other] = different
    return found


def _text(path: Path) -> str:
    out = ""
    for kind, name in path:
        if kind == "k":
            pairs = ",".join(f"{k}={json.dumps(v)}" for k, v in json.loads(name).items())
            out += f"[{pairs}]"
        elif kind == "f":
            out += "." + name
    return out


def _conflict(disputed: dict[tuple[str, str], set[Path]]) -> ApiError:
    causes, lines = [], []
    for (manager, operation), paths in disputed.items():
        using = "" if operation == "Apply" else " using v1"
        lines.append(f'conflicts with "{manager}"{using}:')
        for path in sorted(paths):
            lines.append(f"- {_text(path)}")
            causes.append({"reason": "FieldManagerConflict", "field": _text(path),
                           "message": f'conflict with "{manager}"{using}'})
    count = len(causes)
    text = f"Apply failed with {count} conflict{'s' if count != 1 else ''}: " + "\n".join(lines)
    return ApiError(409, "Conflict", text, {"causes": causes})


def _delete(node: Any, path: Path) -> None:
    """Removes what a path leads to; containers that become empty go with it."""
    (kind, name), rest = path[0], path[1:]
    if kind == "f" and isinstance(node, dict) and name in node:
        if not rest:
            del node[name]
            return
        _delete(node[name], rest)
        if node[name] in ({}, []):
            del node[name]
    elif kind == "k" and isinstance(node, list):
        keys = json.loads(name)
        for index, element in enumerate(node):
            if _key(element, tuple(keys)) == name:
                if rest == (SELF,):
                    del node[index]
                else:
                    _delete(element, rest)
                return


def _overlay(target: dict[str, Any], change: dict[str, Any]) -> None:
    """Writes every value of `change` into `target`, joining keyed lists by element."""
    for name, value in change.items():
        if name == "managedFields":
            continue
        if isinstance(value, dict) and isinstance(target.get(name), dict):
            _overlay(target[name], value)
        elif isinstance(value, list) and isinstance(target.get(name), list) and \
                apply_keys(name, value):
            _overlay_list(target[name], value, apply_keys(name, value))
        else:
            target[name] = copy.deepcopy(value)


def _overlay_list(target: list[Any], change: list[Any], keys: tuple[str, ...]) -> None:
    for element in change:
        same = [e for e in target if isinstance(e, dict) and _key(e, keys) == _key(element, keys)]
        if same:
            _overlay(same[0], element)
        else:
            target.append(copy.deepcopy(element))
