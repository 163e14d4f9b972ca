"""Pods: made from templates by the workloads, and run by nothing: time makes them ready.

A pod stays unready while its workload is stalled or while something that it refers to (ConfigMap,
Secret, claim) is missing, and its status says which.
"""

from __future__ import annotations

import copy
import hashlib
import json
import secrets
import time
from typing import Any, Callable, Iterator

from . import defaults
from .store import Object, Store, now

READY_AFTER_S = 0.4
FINISH_AFTER_S = 0.4
PODS = ("", "pods")
HASH_LABEL = "pod-template-hash"


def template_hash(template: Object) -> str:
    """A stable hash of a pod template, as names of ReplicaSets carry it."""
    text = json.dumps(template, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:10]


def owner_reference(owner: Object) -> dict[str, Any]:
    return {"apiVersion": owner["apiVersion"], "kind": owner["kind"],
            "name": owner["metadata"]["name"], "uid": owner["metadata"]["uid"],
            "controller": True, "blockOwnerDeletion": True}


def owned(items: list[Object], uid: str) -> list[Object]:
    """The objects that a uid owns."""
    return [i for i in items
            if any(o.get("uid") == uid for o in i["metadata"].get("ownerReferences") or [])]


def is_ready(pod: Object) -> bool:
    return any(c["type"] == "Ready" and c["status"] == "True"
               for c in pod.get("status", {}).get("conditions", []))


def create(store: Store, owner: Object, name: str, labels: dict[str, str]) -> None:
    """Creates one pod from the owner's template."""
    template = copy.deepcopy(owner["spec"]["template"])
    metadata = template.get("metadata") or {}
    item = {"apiVersion": "v1", "kind": "Pod", "spec": template["spec"],
            "metadata": {"name": name, "namespace": owner["metadata"]["namespace"],
                         "labels": (metadata.get("labels") or {}) | labels,
                         "annotations": metadata.get("annotations") or {},
                         "ownerReferences": [owner_reference(owner)]},
            "status": {"phase": "Pending"}}
    defaults.fill(item)
    store.create(PODS, item)


def keep_count(store: Store, owner: Object, count: int) -> list[Object]:
    """Creates or removes pods until `count` are there; unready ones go first."""
    mine = owned(store.list(PODS, owner["metadata"]["namespace"]), owner["metadata"]["uid"])
    mine.sort(key=lambda p: (not is_ready(p), p["metadata"]["name"]))
    for pod in mine[count:]:
        store.remove(PODS, pod["metadata"]["namespace"], pod["metadata"]["name"])
    for _ in range(count - len(mine)):
        create(store, owner, f"{owner['metadata']['name']}-{secrets.token_hex(3)[:5]}", {})
    return mine[:count]


def keep_named(store: Store, owner: Object, names: list[str]) -> list[Object]:
    """Pods with fixed names and the owner's current template (StatefulSet, DaemonSet)."""
    stamp = template_hash(owner["spec"]["template"])
    space = owner["metadata"]["namespace"]
    mine = {p["metadata"]["name"]: p
            for p in owned(store.list(PODS, space), owner["metadata"]["uid"])}
    for name, pod in list(mine.items()):
        if name not in names or pod["metadata"]["labels"].get("controller-revision-hash") != stamp:
            store.remove(PODS, space, name)
            del mine[name]
    for name in names:
        if name not in mine and store.find(PODS, space, name) is None:
            create(store, owner, name, {"controller-revision-hash": stamp})
    return list(mine.values())


def _references(spec: Object) -> Iterator[tuple[str, str]]:
    """(plural, name) of everything that must exist before the pod can start."""
    for container in [*spec.get("containers", []), *spec.get("initContainers", [])]:
        for source in container.get("envFrom") or []:
            for field, plural in (("configMapRef", "configmaps"), ("secretRef", "secrets")):
                yield from _one(source.get(field), plural)
        for variable in container.get("env") or []:
            origin = variable.get("valueFrom") or {}
            for field, plural in (("configMapKeyRef", "configmaps"), ("secretKeyRef", "secrets")):
                yield from _one(origin.get(field), plural)
    for volume in spec.get("volumes") or []:
        yield from _one(volume.get("configMap"), "configmaps")
        yield from _one(volume.get("secret"), "secrets", "secretName")
        yield from _one(volume.get("persistentVolumeClaim"), "persistentvolumeclaims", "claimName")


def _one(reference: Any, plural: str, field: str = "name") -> Iterator[tuple[str, str]]:
    if reference and not reference.get("optional") and reference.get(field):
        yield plural, reference[field]


class Kubelet:
    """Moves pods from Pending to Running to (in jobs) Succeeded."""

    def __init__(self, store: Store, stalled: Callable[[Object], bool]) -> None:
        self._store, self._stalled = store, stalled
        self._since: dict[str, float] = {}

    def reconcile(self) -> bool:
        """One round; True while some pod still waits for time to pass."""
        waiting = False
        pods = self._store.list(PODS)
        for pod in pods:
            waiting |= self._step(pod)
        alive = {p["metadata"]["uid"] for p in pods}
        self._since = {uid: t for uid, t in self._since.items() if uid.partition("/")[0] in alive}
        return waiting

    def _elapsed(self, key: str) -> float:
        return time.monotonic() - self._since.setdefault(key, time.monotonic())

    def _step(self, pod: Object) -> bool:
        uid, phase = pod["metadata"]["uid"], pod.get("status", {}).get("phase", "Pending")
        if phase == "Pending":
            blocked = self._blocked(pod)
            done = not blocked and self._elapsed(uid) >= READY_AFTER_S
            self._write(pod, "Running" if done else "Pending", blocked)
            return not blocked  # what is missing or stalled wakes the controllers when it changes
        finishes = pod["spec"].get("restartPolicy") in ("Never", "OnFailure")
        if phase == "Running" and finishes:
            if not self._stalled(pod) and self._elapsed(uid + "/run") >= FINISH_AFTER_S:
                self._write(pod, "Succeeded", None)
            return True
        return False

    def _blocked(self, pod: Object) -> tuple[str, str] | None:
        if self._stalled(pod):
            return "ImagePullBackOff", "kept from becoming ready by the sandbox"
        for plural, name in _references(pod["spec"]):
            if not self._store.find(("", plural), pod["metadata"]["namespace"], name):
                return "CreateContainerConfigError", f'{plural.rstrip("s")} "{name}" not found'
        return None

    def _node(self, uid: str) -> str:
        nodes = self._store.list(("", "nodes"))
        return nodes[int(uid[:4], 16) % len(nodes)]["metadata"]["name"] if nodes else ""

    def _write(self, pod: Object, phase: str, blocked: tuple[str, str] | None) -> None:
        reason, message = blocked or ("ContainerCreating", "")
        state = {"Running": {"running": {"startedAt": now()}},
                 "Succeeded": {"terminated": {"exitCode": 0, "reason": "Completed"}},
                 "Pending": {"waiting": {"reason": reason, "message": message}}}[phase]
        running = phase == "Running"
        statuses = [{"name": c["name"], "image": c.get("image", ""), "imageID": "",
                     "ready": running, "started": running, "restartCount": 0, "state": state}
                    for c in pod["spec"].get("containers", [])]

        def edit(item: Object) -> None:
            item["spec"].setdefault("nodeName", self._node(item["metadata"]["uid"]))
            status = item.setdefault("status", {})
            if status.get("phase") == phase and [s["state"] for s in statuses] == [
                    s.get("state") for s in status.get("containerStatuses", [])]:
                return
            value = "True" if running else "False"
            status |= {"phase": phase, "containerStatuses": statuses, "podIP": "10.0.1.20",
                       "hostIP": "10.0.1.10",
                       "conditions": [{"type": "PodScheduled", "status": "True"},
                                      {"type": "Initialized", "status": "True"},
                                      {"type": "ContainersReady", "status": value},
                                      {"type": "Ready", "status": value,
                                       "lastTransitionTime": now()}]}
            status.setdefault("startTime", now())
        self._store.change(PODS, pod["metadata"]["namespace"], pod["metadata"]["name"], edit)
