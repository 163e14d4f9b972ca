"""What can be done to the objects of one cluster: create, update, patch, apply, scale, delete.

Every writing operation goes through `_save`, which fills defaults, validates, keeps generation and
field ownership, and leaves the store alone on a dry run.
"""

from __future__ import annotations

import copy
import re
import secrets
import threading
from dataclasses import dataclass
from typing import Any

from . import defaults, ownership, patch, schema
from .resources import CRDS, Resource, served
from .status import ApiError, bad_request, invalid, not_found
from .store import Object, Store, now

NAME = re.compile(r"[a-z0-9]([-a-z0-9.]*[a-z0-9])?")
LOOSE_NAMES = ("rbac.authorization.k8s.io",)
NAMESPACES = ("", "namespaces")
IMMUTABLE = {"Deployment": ("selector",), "StatefulSet": ("selector", "serviceName"),
             "DaemonSet": ("selector",), "ReplicaSet": ("selector",),
             "Job": ("selector", "template", "completions"), "Service": ("clusterIP",)}


@dataclass
class Options:
    """The query parameters that writing operations share."""

    manager: str = "unknown"
    dry_run: bool = False
    validation: str = ""
    force: bool = False


class Cluster:
    """One cluster: its store and the rules for changing it."""

    def __init__(self, account: str, region: str, name: str) -> None:
        self.account, self.region, self.name = account, region, name
        self.store = Store()
        self.lock = threading.RLock()
        self._populate()

    def _populate(self) -> None:
        for name in ("default", "kube-system", "kube-public", "kube-node-lease"):
            self.create_plain("v1", "Namespace", NAMESPACES, name)
        for index in (1, 2):
            address = f"10.0.{index}.10"
            self.create_plain("v1", "Node", ("", "nodes"),
                              f"ip-10-0-{index}-10.{self.region}.compute.internal",
                              spec={"providerID": f"aws:///{self.region}{'ab'[index - 1]}/node"},
                              status={"conditions": [{"type": "Ready", "status": "True",
                                                      "reason": "KubeletReady"}],
                                      "addresses": [{"type": "InternalIP", "address": address}],
                                      "capacity": {"cpu": "2", "memory": "8Gi", "pods": "29"},
                                      "allocatable": {"cpu": "2", "memory": "7Gi", "pods": "29"},
                                      "nodeInfo": {"kubeletVersion": "v1.32.0-eks"}})
        self.create_plain("storage.k8s.io/v1", "StorageClass",
                          ("storage.k8s.io", "storageclasses"), "gp3",
                          provisioner="ebs.csi.aws.com")

    def create_plain(self, api_version: str, kind: str, type_of: tuple[str, str], name: str,
                     namespace: str = "", **fields: Any) -> Object:
        """Creates what the cluster itself needs, past validation."""
        metadata = {"name": name} | ({"namespace": namespace} if namespace else {})
        item = {"apiVersion": api_version, "kind": kind, "metadata": metadata} | fields
        defaults.fill(item)
        if kind == "Namespace":
            metadata["labels"] = {"kubernetes.io/metadata.name": name}
            item["status"] = {"phase": "Active"}
        return self.store.create(type_of, item)

    def resources(self) -> list[Resource]:
        return served(self.store)

    def create(self, resource: Resource, namespace: str, item: Object, options: Options) -> Object:
        """POST."""
        self._identify(resource, namespace, "", item)
        if "generateName" in item["metadata"] and "name" not in item["metadata"]:
            item["metadata"]["name"] = item["metadata"]["generateName"] + secrets.token_hex(3)[:5]
        item.pop("status", None)
        return self._save(resource, None, item, options)

    def update(self, resource: Resource, namespace: str, name: str, item: Object,
               options: Options, subresource: str = "") -> Object:
        """PUT of an object or of its status."""
        self._identify(resource, namespace, name, item)
        with self.lock:
            live = self.store.get(resource.type, namespace, name)
            if item["metadata"].get("resourceVersion", "") not in (
                    "", live["metadata"]["resourceVersion"]):
                raise ApiError(409, "Conflict", f'Operation cannot be fulfilled on '
                               f'{resource.plural} "{name}": the object has been modified')
            return self._save(resource, live, _choose(live, item, subresource), options)

    def patch(self, resource: Resource, namespace: str, name: str, kind: str, body: Any,
              options: Options, subresource: str = "") -> Object:
        """PATCH with one of the four content types."""
        with self.lock:
            if kind == "apply":
                return self._apply(resource, namespace, name, body, options, subresource)
            live = self.store.get(resource.type, namespace, name)
            if kind == "json":
                changed = patch.json_patch(live, body)
            elif kind == "strategic" and not resource.custom:
                changed = patch.strategic(live, body)
            elif kind == "merge":
                changed = patch.merge(live, body)
            else:
                raise ApiError(415, "UnsupportedMediaType", "the body of the request was in an "
                               f"unknown format for {resource.kind}")
            wanted = changed.get("metadata", {}).get("resourceVersion")
            if wanted != live["metadata"]["resourceVersion"]:
                raise ApiError(409, "Conflict", "the object has been modified")
            return self._save(resource, live, _choose(live, changed, subresource), options)

    def _apply(self, resource: Resource, namespace: str, name: str, body: Object,
               options: Options, subresource: str) -> Object:
        self._identify(resource, namespace, name, body)
        if body["metadata"].pop("managedFields", None):
            raise bad_request("metadata.managedFields must be nil")
        live = self.store.find(resource.type, namespace, name)
        merged = ownership.apply(live, body, options.manager, options.force)
        if live and subresource:
            merged = _choose(live, merged, subresource)
        return self._save(resource, live, merged, options, applied=True)

    def _identify(self, resource: Resource, namespace: str, name: str, item: Object) -> None:
        """Checks that a body is of the kind and place of its URL."""
        if not isinstance(item, dict) or not isinstance(item.get("metadata", {}), dict):
            raise bad_request("the body is not an object")
        item.setdefault("apiVersion", resource.api_version)
        item.setdefault("kind", resource.kind)
        if (item["apiVersion"], item["kind"]) != (resource.api_version, resource.kind):
            raise bad_request(f"the API version in the data ({item['apiVersion']}, {item['kind']}) "
                              f"does not match the expected ({resource.api_version}, "
                              f"{resource.kind})")
        metadata = item.setdefault("metadata", {})
        if resource.namespaced:
            if metadata.setdefault("namespace", namespace) != namespace:
                raise bad_request("the namespace of the provided object does not match the "
                                  "namespace sent on the request")
        else:
            metadata.pop("namespace", None)
        if name and metadata.setdefault("name", name) != name:
            raise bad_request("the name of the object does not match the name on the URL")

    def _save(self, resource: Resource, live: Object | None, item: Object, options: Options,
              applied: bool = False) -> Object:
        self._validate(resource, item, options)
        declared = copy.deepcopy(item)
        with self.lock:
            if live is None:
                self._check_place(resource, item)
            item.get("metadata", {}).pop("selfLink", None)
            defaults.fill(item)
            self._check_change(resource, live, item)
            if not applied:
                # Ownership is of what the manifest said, not of the defaults.
                ownership.note_update(live, declared, options.manager, resource.api_version)
                item["metadata"]["managedFields"] = declared["metadata"]["managedFields"]
            return self._write(resource, live, item, options)

    def _write(self, resource: Resource, live: Object | None, item: Object,
               options: Options) -> Object:
        if live is None:
            if options.dry_run:
                if self.store.find(resource.type, item["metadata"].get("namespace", ""),
                                   item["metadata"]["name"]):
                    self.store.create(resource.type, item)  # raises AlreadyExists
                return item | {"metadata": item["metadata"] | {
                    "uid": "00000000-0000-0000-0000-000000000000", "creationTimestamp": now(),
                    "generation": 1}}
            if resource.kind == "Namespace":
                item["status"] = {"phase": "Active"}
                labels = item["metadata"].setdefault("labels", {})
                labels["kubernetes.io/metadata.name"] = item["metadata"]["name"]
            return self.store.create(resource.type, item)
        for name in ("uid", "creationTimestamp", "generation", "deletionTimestamp"):
            if name in live["metadata"]:
                item["metadata"][name] = live["metadata"][name]
        if item.get("spec") != live.get("spec"):
            item["metadata"]["generation"] = live["metadata"].get("generation", 1) + 1
        if options.dry_run:
            return item
        if "deletionTimestamp" in item["metadata"] and not item["metadata"].get("finalizers"):
            return self.store.remove(resource.type, item["metadata"].get("namespace", ""),
                                     item["metadata"]["name"])
        return self.store.replace(resource.type, item)

    def _validate(self, resource: Resource, item: Object, options: Options) -> None:
        name = str(item["metadata"].get("name", ""))
        if resource.group not in LOOSE_NAMES and (not NAME.fullmatch(name) or len(name) > 253):
            raise invalid(resource.kind, name, f'metadata.name: Invalid value: "{name}": a '
                          "lowercase RFC 1123 subdomain must consist of lower case alphanumeric "
                          "characters, '-' or '.'")
        if options.validation == "Strict":
            unknown = schema.unknown_fields(item)
            if unknown:
                listed = ", ".join(f'unknown field "{field}"' for field in unknown)
                raise bad_request(f'{resource.kind} in version "{resource.version}" cannot be '
                                  f"handled as a {resource.kind}: strict decoding error: {listed}")
        found = schema.faults(item)
        if found:
            raise invalid(resource.kind, name, "; ".join(found))
        self._validate_selector(resource, name, item)

    @staticmethod
    def _validate_selector(resource: Resource, name: str, item: Object) -> None:
        spec = item.get("spec")
        if resource.group != "apps" or not isinstance(spec, dict):
            return
        wanted = (spec.get("selector") or {}).get("matchLabels") or {}
        labels = ((spec.get("template") or {}).get("metadata") or {}).get("labels") or {}
        if any(labels.get(k) != v for k, v in wanted.items()):
            raise invalid(resource.kind, name, "spec.template.metadata.labels: Invalid value: "
                          "`selector` does not match template `labels`")

    def _check_place(self, resource: Resource, item: Object) -> None:
        namespace = item["metadata"].get("namespace", "")
        if not resource.namespaced:
            return
        found = self.store.find(NAMESPACES, "", namespace)
        if not found:
            raise not_found("namespaces", namespace)
        if "deletionTimestamp" in found["metadata"]:
            raise ApiError(403, "Forbidden", f"unable to create new content in namespace "
                           f"{namespace} because it is being terminated")

    @staticmethod
    def _check_change(resource: Resource, live: Object | None, item: Object) -> None:
        if not live:
            return
        before, after = live.get("spec") or {}, item.get("spec") or {}
        for name in IMMUTABLE.get(resource.kind, ()):
            if name in before and before[name] != after.get(name):
                raise invalid(resource.kind, item["metadata"]["name"],
                              f"spec.{name}: Invalid value: field is immutable")

    def scale(self, resource: Resource, namespace: str, name: str) -> Object:
        """GET of the scale subresource."""
        live = self.store.get(resource.type, namespace, name)
        labels = (live["spec"].get("selector") or {}).get("matchLabels") or {}
        metadata = {k: live["metadata"][k] for k in ("name", "uid", "resourceVersion",
                                                     "creationTimestamp")}
        return {"apiVersion": "autoscaling/v1", "kind": "Scale",
                "metadata": metadata | {"namespace": namespace},
                "spec": {"replicas": live["spec"].get("replicas", 0)},
                "status": {"replicas": live.get("status", {}).get("replicas", 0),
                           "selector": ",".join(f"{k}={v}" for k, v in sorted(labels.items()))}}

    def set_scale(self, resource: Resource, namespace: str, name: str, scale: Object,
                  options: Options) -> Object:
        """PUT or PATCH of the scale subresource."""
        with self.lock:
            live = self.store.get(resource.type, namespace, name)
            wanted = (scale.get("metadata") or {}).get("resourceVersion")
            if wanted not in (None, "", live["metadata"]["resourceVersion"]):
                raise ApiError(409, "Conflict", "the object has been modified")
            live_before = copy.deepcopy(live)
            live["spec"]["replicas"] = int(scale["spec"].get("replicas", 0))
            self._save(resource, live_before, live, options)
        result = self.scale(resource, namespace, name)
        result["spec"]["replicas"] = live["spec"]["replicas"]
        return result

    def delete(self, resource: Resource, namespace: str, name: str, policy: str,
               dry_run: bool) -> tuple[Object, bool]:
        """DELETE; returns the object and whether it is gone (a finalizer or namespace stays)."""
        with self.lock:
            live = self.store.get(resource.type, namespace, name)
            if dry_run:
                return live, True
            if policy == "Orphan":
                self._orphan(live["metadata"]["uid"])
            if live["metadata"].get("finalizers") or resource.kind == "Namespace":
                live["metadata"].setdefault("deletionTimestamp", now())
                if resource.kind == "Namespace":
                    live["status"] = {"phase": "Terminating"}
                return self.store.replace(resource.type, live), False
            gone = self.store.remove(resource.type, namespace, name)
            if resource.type == CRDS:
                self._remove_custom(gone)
            return gone, True

    def _remove_custom(self, crd: Object) -> None:
        kind = crd["spec"]["group"], crd["spec"]["names"]["plural"]
        for item in self.store.list(kind):
            self.store.remove(kind, item["metadata"].get("namespace", ""), item["metadata"]["name"])

    def _orphan(self, uid: str) -> None:
        for kind in self.store.types():
            for item in self.store.list(kind):
                owners = item["metadata"].get("ownerReferences") or []
                kept = [o for o in owners if o.get("uid") != uid]
                if len(kept) != len(owners):
                    item["metadata"]["ownerReferences"] = kept
                    self.store.replace(kind, item)


def _choose(live: Object, changed: Object, subresource: str) -> Object:
    """The part of a change that a subresource lets through: status alone, or all but status."""
    if subresource == "status":
        result = copy.deepcopy(live)
        result["status"] = changed.get("status", {})
        return result
    if "status" in live:
        changed["status"] = copy.deepcopy(live["status"])
    else:
        changed.pop("status", None)
    return changed
