"""OpenAPI documents: as much as kubectl reads to decide what to send.

Version 3 tells that every resource takes `fieldValidation`, so that kubectl leaves the checking of
manifests to the server (schema.py does it). Version 2 is asked for as protobuf by kubectl, and is
given as the smallest valid document: kubectl then merges by the types that it has compiled in.
"""

from __future__ import annotations

from typing import Any, Iterable

from .resources import Resource

PROTOBUF = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf"
PARAMETERS = ("dryRun", "fieldManager", "fieldValidation", "force")


def _bytes_field(number: int, value: bytes) -> bytes:
    return bytes([number << 3 | 2, len(value)]) + value


def v2_protobuf() -> bytes:
    """openapi.v2.Document{swagger, info{title, version}}."""
    info = _bytes_field(1, b"Kubernetes") + _bytes_field(2, b"v1.32.0")
    return _bytes_field(1, b"2.0") + _bytes_field(2, info)


def v2_json() -> dict[str, Any]:
    return {"swagger": "2.0", "info": {"title": "Kubernetes", "version": "v1.32.0"}, "paths": {}}


def _prefix(resource: Resource) -> str:
    return f"apis/{resource.api_version}" if resource.group else f"api/{resource.version}"


def v3_index(resources: Iterable[Resource], base: str) -> dict[str, Any]:
    """Where the document of each group and version is; `base` is the path of the cluster."""
    names = dict.fromkeys(_prefix(r) for r in resources)
    return {"paths": {name: {"serverRelativeURL": f"{base}/openapi/v3/{name}"} for name in names}}


def _operation(resource: Resource, action: str) -> dict[str, Any]:
    gvk = {"group": resource.group, "version": resource.version, "kind": resource.kind}
    return {"operationId": f"{action}{resource.kind}", "x-kubernetes-action": action,
            "x-kubernetes-group-version-kind": gvk,
            "parameters": [{"name": name, "in": "query",
                            "schema": {"type": "string", "uniqueItems": True}}
                           for name in PARAMETERS],
            "responses": {"200": {"description": "OK"}}}


def v3(resources: Iterable[Resource], name: str) -> dict[str, Any] | None:
    """The document of one group and version, for instance `apis/apps/v1`."""
    paths: dict[str, Any] = {}
    schemas: dict[str, Any] = {}
    for resource in resources:
        if _prefix(resource) != name:
            continue
        scope = "/namespaces/{namespace}" if resource.namespaced else ""
        whole = f"/{name}{scope}/{resource.plural}"
        paths[whole] = {"post": _operation(resource, "post"), "get": _operation(resource, "list")}
        paths[whole + "/{name}"] = {verb: _operation(resource, verb)
                                    for verb in ("get", "put", "patch", "delete")}
        schemas[f"{resource.group or 'core'}.{resource.version}.{resource.kind}"] = {
            "type": "object", "x-kubernetes-group-version-kind": [
                {"group": resource.group, "version": resource.version, "kind": resource.kind}]}
    if not paths:
        return None
    return {"openapi": "3.0.0", "info": {"title": "Kubernetes", "version": "v1.32.0"},
            "paths": paths, "components": {"schemas": schemas}}
