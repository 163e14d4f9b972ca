"""Discovery documents, aggregated (one answer for all) and plain; made from the catalogue."""

from __future__ import annotations

from typing import Any, Iterable

from .resources import Resource

AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
GIT_VERSION = "v1.32.0"
VERSION = {"major": "1", "minor": "32", "gitVersion": GIT_VERSION, "gitCommit": "sandbox",
           "gitTreeState": "clean", "buildDate": "2025-01-01T00:00:00Z", "goVersion": "none",
           "compiler": "none", "platform": "linux/amd64"}
SUBVERBS = ["get", "patch", "update"]


def _groups(resources: Iterable[Resource]) -> dict[str, dict[str, list[Resource]]]:
    groups: dict[str, dict[str, list[Resource]]] = {}
    for resource in resources:
        groups.setdefault(resource.group, {}).setdefault(resource.version, []).append(resource)
    return groups


def _kind(group: str, version: str, kind: str) -> dict[str, str]:
    return {"group": group, "version": version, "kind": kind}


def _scale_kind() -> dict[str, str]:
    return _kind("autoscaling", "v1", "Scale")


def _aggregated_resource(resource: Resource) -> dict[str, Any]:
    own = _kind(resource.group, resource.version, resource.kind)
    sub = []
    if resource.status:
        sub.append({"subresource": "status", "responseKind": own, "verbs": SUBVERBS})
    if resource.scale:
        sub.append({"subresource": "scale", "responseKind": _scale_kind(), "verbs": SUBVERBS})
    if resource.kind == "Pod":
        sub.append({"subresource": "log", "responseKind": own, "verbs": ["get"]})
    found: dict[str, Any] = {
        "resource": resource.plural, "responseKind": own,
        "scope": "Namespaced" if resource.namespaced else "Cluster",
        "singularResource": resource.singular, "verbs": list(resource.verbs)}
    for name, value in (("shortNames", resource.short), ("categories", resource.categories),
                        ("subresources", sub)):
        if value:
            found[name] = list(value)
    return found


def aggregated(resources: Iterable[Resource], core: bool) -> dict[str, Any]:
    """APIGroupDiscoveryList for /api (`core`) or /apis."""
    items = []
    for group, versions in _groups(resources).items():
        if (group == "") != core:
            continue
        items.append({"metadata": {"name": group, "creationTimestamp": None},
                      "versions": [{"version": v, "freshness": "Current",
                                    "resources": [_aggregated_resource(r) for r in members]}
                                   for v, members in versions.items()]})
    return {"kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2",
            "metadata": {}, "items": items}


def versions() -> dict[str, Any]:
    return {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": []}


def _group(name: str, members: Iterable[str]) -> dict[str, Any]:
    listed = [{"groupVersion": f"{name}/{v}", "version": v} for v in members]
    return {"name": name, "versions": listed, "preferredVersion": listed[0]}


def group_list(resources: Iterable[Resource]) -> dict[str, Any]:
    return {"kind": "APIGroupList", "apiVersion": "v1",
            "groups": [_group(g, v) for g, v in _groups(resources).items() if g]}


def group(resources: Iterable[Resource], name: str) -> dict[str, Any] | None:
    members = _groups(resources).get(name)
    return {"kind": "APIGroup", "apiVersion": "v1"} | _group(name, members) if members else None


def resource_list(resources: Iterable[Resource], name: str, version: str) -> dict[str, Any] | None:
    """APIResourceList of one group and version, subresources included."""
    members = _groups(resources).get(name, {}).get(version)
    if not members:
        return None
    listed: list[dict[str, Any]] = []
    for r in members:
        listed.append({"name": r.plural, "singularName": r.singular, "namespaced": r.namespaced,
                       "kind": r.kind, "verbs": list(r.verbs), "shortNames": list(r.short),
                       "categories": list(r.categories)})
        if r.status:
            listed.append({"name": r.plural + "/status", "singularName": "", "kind": r.kind,
                           "namespaced": r.namespaced, "verbs": SUBVERBS})
        if r.scale:
            listed.append({"name": r.plural + "/scale", "singularName": "", "verbs": SUBVERBS,
                           "namespaced": r.namespaced} | _scale_kind())
    return {"kind": "APIResourceList", "apiVersion": "v1", "resources": listed,
            "groupVersion": f"{name}/{version}" if name else version}
