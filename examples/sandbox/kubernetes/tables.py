"""Objects as tables, which is how `kubectl get` asks for them."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any, Callable

from .store import Object

Row = list[Any]


def _age(item: Object) -> str:
    created = item["metadata"].get("creationTimestamp")
    if not created:
        return "<unknown>"
    then = datetime.strptime(created, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=timezone.utc)
    seconds = int((datetime.now(timezone.utc) - then).total_seconds())
    for size, unit in ((86400, "d"), (3600, "h"), (120, "m")):
        if seconds >= size:
            return f"{seconds // (60 if unit == 'm' else size)}{unit}"
    return f"{max(seconds, 0)}s"


def _spec(item: Object, name: str, default: Any = 0) -> Any:
    return (item.get("spec") or {}).get(name, default)


def _status(item: Object, name: str, default: Any = 0) -> Any:
    return (item.get("status") or {}).get(name, default)


def _deployment(i: Object) -> Row:
    return [f"{_status(i, 'readyReplicas')}/{_spec(i, 'replicas')}", _status(i, "updatedReplicas"),
            _status(i, "availableReplicas")]


def _replica_set(i: Object) -> Row:
    return [_spec(i, "replicas"), _status(i, "replicas"), _status(i, "readyReplicas")]


def _pod(i: Object) -> Row:
    statuses = _status(i, "containerStatuses", [])
    ready = sum(bool(s.get("ready")) for s in statuses)
    waiting = [s["state"]["waiting"]["reason"] for s in statuses if "waiting" in s.get("state", {})]
    done = {"Succeeded": "Completed"}.get(_status(i, "phase", ""), _status(i, "phase", ""))
    return [f"{ready}/{len(_spec(i, 'containers', []))}", waiting[0] if waiting else done, 0]


def _service(i: Object) -> Row:
    ingress = (_status(i, "loadBalancer", {}) or {}).get("ingress") or [{}]
    ports = ",".join(f"{p['port']}/{p.get('protocol', 'TCP')}" for p in _spec(i, "ports", []))
    return [_spec(i, "type", ""), _spec(i, "clusterIP", "<none>"),
            ingress[0].get("hostname", "<none>"), ports or "<none>"]


def _job(i: Object) -> Row:
    state = next((c["type"] for c in _status(i, "conditions", [])
                  if c["status"] == "True" and c["type"] in ("Complete", "Failed")), "Running")
    return [state, f"{_status(i, 'succeeded')}/{_spec(i, 'completions', 1)}"]


def _claim(i: Object) -> Row:
    return [_status(i, "phase", "Pending"), _spec(i, "volumeName", ""),
            (_status(i, "capacity", {}) or {}).get("storage", ""),
            ",".join(_spec(i, "accessModes", [])), _spec(i, "storageClassName", "")]


def _node(i: Object) -> Row:
    return ["Ready", "<none>", _status(i, "nodeInfo", {}).get("kubeletVersion", "")]


COLUMNS: dict[str, tuple[list[str], Callable[[Object], Row]]] = {
    "Deployment": (["Ready", "Up-to-date", "Available"], _deployment),
    "ReplicaSet": (["Desired", "Current", "Ready"], _replica_set),
    "StatefulSet": (["Ready"], lambda i: _deployment(i)[:1]),
    "DaemonSet": (["Desired", "Ready"], lambda i: [_status(i, "desiredNumberScheduled"),
                                                  _status(i, "numberReady")]),
    "Pod": (["Ready", "Status", "Restarts"], _pod),
    "Service": (["Type", "Cluster-IP", "External-IP", "Port(s)"], _service),
    "Job": (["Status", "Completions"], _job),
    "PersistentVolumeClaim": (["Status", "Volume", "Capacity", "Access Modes", "StorageClass"],
                              _claim),
    "Namespace": (["Status"], lambda i: [_status(i, "phase", "Active")]),
    "Node": (["Status", "Roles", "Version"], _node),
    "ConfigMap": (["Data"], lambda i: [len(i.get("data") or {})]),
    "Secret": (["Type", "Data"], lambda i: [i.get("type", ""), len(i.get("data") or {})]),
}


def _row(item: Object, cells: Callable[[Object], Row], whole: bool) -> dict[str, Any]:
    shown = item if whole else {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1",
                                "metadata": item["metadata"]}
    return {"cells": [item["metadata"]["name"], *cells(item), _age(item)], "object": shown}


def table(kind: str, items: list[Object], version: str, whole: bool,
          headed: bool = True) -> dict[str, Any]:
    """A Table of objects of one kind; watches send the columns only once (`headed`)."""
    names, cells = COLUMNS.get(kind, ([], lambda _: []))
    columns = [{"name": n, "type": "string", "format": "name" if n == "Name" else "",
                "description": "", "priority": 0} for n in ["Name", *names, "Age"]]
    return {"kind": "Table", "apiVersion": "meta.k8s.io/v1",
            "metadata": {"resourceVersion": version},
            "columnDefinitions": columns if headed else None,
            "rows": [_row(item, cells, whole) for item in items]}
