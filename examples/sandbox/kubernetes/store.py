"""The objects of one cluster, with resource versions and the events that watches read.

Every change happens under one lock and appends exactly one event, so a list at a resource version
followed by a watch from it misses nothing and repeats nothing. Objects never leave without a copy.
"""

from __future__ import annotations

import copy
import threading
import uuid
from collections import deque
from datetime import datetime, timezone
from typing import Any, Callable

from .status import ApiError, already_exists, conflict, not_found

Object = dict[str, Any]
Type = tuple[str, str]  # group, plural
EVENTS_KEPT = 20_000


def now() -> str:
    return datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


class Store:
    """Objects by type, then by (namespace, name)."""

    def __init__(self) -> None:
        self.changed = threading.Condition(threading.RLock())
        self._objects: dict[Type, dict[tuple[str, str], Object]] = {}
        self._events: deque[tuple[int, str, Type, Object]] = deque(maxlen=EVENTS_KEPT)
        self.version = 1

    def get(self, kind: Type, namespace: str, name: str) -> Object:
        with self.changed:
            found = self._objects.get(kind, {}).get((namespace, name))
            if found is None:
                raise not_found(kind[1], name, kind[0])
            return copy.deepcopy(found)

    def find(self, kind: Type, namespace: str, name: str) -> Object | None:
        """Like get(), with None for what is not there."""
        with self.changed:
            return copy.deepcopy(self._objects.get(kind, {}).get((namespace, name)))

    def list(self, kind: Type, namespace: str = "") -> list[Object]:
        """All objects of a type, in one namespace or ("") in all, ordered by name."""
        with self.changed:
            found = self._objects.get(kind, {})
            return [copy.deepcopy(found[key]) for key in sorted(found)
                    if not namespace or key[0] == namespace]

    def types(self) -> list[Type]:
        with self.changed:
            return list(self._objects)

    def create(self, kind: Type, item: Object) -> Object:
        """Adds an object; uid, creation time and version are given here."""
        metadata = item["metadata"]
        key = metadata.get("namespace", ""), metadata["name"]
        with self.changed:
            if key in self._objects.setdefault(kind, {}):
                raise already_exists(kind[1], key[1], kind[0])
            metadata |= {"uid": str(uuid.uuid4()), "creationTimestamp": now()}
            metadata.setdefault("generation", 1)
            return self._put("ADDED", kind, key, item)

    def replace(self, kind: Type, item: Object, checked: bool = False) -> Object:
        """Stores a changed object; with `checked` its resource version must be the current one."""
        metadata = item["metadata"]
        key = metadata.get("namespace", ""), metadata["name"]
        with self.changed:
            current = self._objects.get(kind, {}).get(key)
            if current is None:
                raise not_found(kind[1], key[1], kind[0])
            version = current["metadata"]["resourceVersion"]
            if checked and metadata.get("resourceVersion") != version:
                raise conflict(kind[1], key[1], kind[0])
            metadata["resourceVersion"] = version
            if item == current:
                return copy.deepcopy(current)
            return self._put("MODIFIED", kind, key, item)

    def change(self, kind: Type, namespace: str, name: str,
               edit: Callable[[Object], None]) -> Object | None:
        """Applies `edit` to the current object in place; None when it is gone."""
        with self.changed:
            item = self.find(kind, namespace, name)
            if item is None:
                return None
            edit(item)
            return self.replace(kind, item)

    def remove(self, kind: Type, namespace: str, name: str) -> Object:
        with self.changed:
            found = self._objects.get(kind, {}).pop((namespace, name), None)
            if found is None:
                raise not_found(kind[1], name, kind[0])
            self.version += 1
            found["metadata"]["resourceVersion"] = str(self.version)
            self._events.append((self.version, "DELETED", kind, copy.deepcopy(found)))
            self.changed.notify_all()
            return found

    def _put(self, event: str, kind: Type, key: tuple[str, str], item: Object) -> Object:
        self.version += 1
        item["metadata"]["resourceVersion"] = str(self.version)
        self._objects[kind][key] = copy.deepcopy(item)
        self._events.append((self.version, event, kind, copy.deepcopy(item)))
        self.changed.notify_all()
        return item

    def events_after(self, version: int, kind: Type) -> list[tuple[int, str, Object]]:
        """Events of one type after a version; 410 when that is too long ago."""
        with self.changed:
            if self._events and version + 1 < self._events[0][0] and \
                    len(self._events) == EVENTS_KEPT:
                raise ApiError(410, "Expired", "too old resource version")
            fresh: list[tuple[int, str, Object]] = []
            for number, event, type_of, item in reversed(self._events):
                if number <= version:
                    break
                if type_of == kind:
                    fresh.append((number, event, copy.deepcopy(item)))
            return fresh[::-1]
