"""Deployments, ReplicaSets, StatefulSets, DaemonSets, Jobs: what keeps pods and reports on them."""

from __future__ import annotations

import copy
import time
from typing import Any

from . import pods
from .store import Object, Store, now

DEPLOYMENTS, REPLICA_SETS = ("apps", "deployments"), ("apps", "replicasets")
STATEFUL_SETS, DAEMON_SETS = ("apps", "statefulsets"), ("apps", "daemonsets")
JOBS, CLAIMS = ("batch", "jobs"), ("", "persistentvolumeclaims")
REVISION = "deployment.kubernetes.io/revision"


def set_status(store: Store, kind: tuple[str, str], item: Object, status: dict[str, Any]) -> None:
    """Writes a status, for the generation that it was made from."""
    def edit(current: Object) -> None:
        current["status"] = status | {"observedGeneration": item["metadata"].get("generation", 1)}
    store.change(kind, item["metadata"]["namespace"], item["metadata"]["name"], edit)


def condition(item: Object, kind: str, status: str, reason: str, message: str) -> dict[str, Any]:
    """A condition that keeps its times while nothing about it changes."""
    for old in item.get("status", {}).get("conditions", []):
        if (old["type"], old["status"], old.get("reason")) == (kind, status, reason):
            return old
    return {"type": kind, "status": status, "reason": reason, "message": message,
            "lastUpdateTime": now(), "lastTransitionTime": now()}


class Workloads:
    """The controllers of one cluster's workloads."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._progress: dict[str, tuple[tuple[int, ...], float]] = {}

    def reconcile(self) -> bool:
        """One round over everything; True while a Deployment's progress deadline runs."""
        waiting = False
        for deployment in self._store.list(DEPLOYMENTS):
            waiting |= self._deployment(deployment)
        for kind, step in ((REPLICA_SETS, self._replica_set), (STATEFUL_SETS, self._stateful_set),
                           (DAEMON_SETS, self._daemon_set), (JOBS, self._job)):
            for item in self._store.list(kind):
                step(item)
        return waiting

    def _deployment(self, deployment: Object) -> bool:
        space, uid = deployment["metadata"]["namespace"], deployment["metadata"]["uid"]
        sets = pods.owned(self._store.list(REPLICA_SETS, space), uid)
        wanted = int(deployment["spec"].get("replicas", 1))
        current = self._current_set(deployment, sets)
        if current is None:
            return True  # paused before its first roll-out, or just created: next round
        old = [s for s in sets if s["metadata"]["uid"] != current["metadata"]["uid"]]
        ready = current.get("status", {}).get("readyReplicas", 0)
        recreate = deployment["spec"].get("strategy", {}).get("type") == "Recreate"
        for number, previous in enumerate(old):
            keep = 0 if recreate or number else max(0, wanted - ready)
            self._resize(previous, min(keep, previous["spec"].get("replicas", 0)))
        self._resize(current, wanted)
        return self._report(deployment, current, old, wanted)

    def _current_set(self, deployment: Object, sets: list[Object]) -> Object | None:
        template = deployment["spec"]["template"]
        stamp = pods.template_hash(template)
        revisions = [int(s["metadata"].get("annotations", {}).get(REVISION, 0)) for s in sets]
        newest = max(revisions, default=0)
        for found in sets:
            if found["metadata"]["labels"].get(pods.HASH_LABEL) == stamp:
                number = int(found["metadata"]["annotations"][REVISION])
                self._set_revision(deployment, found, max(number, newest if number == newest
                                                          else newest + 1))
                return found
        if deployment["spec"].get("paused"):
            return max(sets, key=lambda s: int(s["metadata"]["annotations"][REVISION]),
                       default=None)
        return self._new_set(deployment, stamp, newest + 1)

    def _new_set(self, deployment: Object, stamp: str, revision: int) -> Object:
        metadata, template = deployment["metadata"], copy.deepcopy(deployment["spec"]["template"])
        labels = template.setdefault("metadata", {}).setdefault("labels", {})
        labels[pods.HASH_LABEL] = stamp
        selector = copy.deepcopy(deployment["spec"]["selector"])
        selector.setdefault("matchLabels", {})[pods.HASH_LABEL] = stamp
        made = self._store.create(REPLICA_SETS, {
            "apiVersion": "apps/v1", "kind": "ReplicaSet",
            "metadata": {"name": f"{metadata['name']}-{stamp}", "namespace": metadata["namespace"],
                         "labels": dict(labels), "annotations": {REVISION: str(revision)},
                         "ownerReferences": [pods.owner_reference(deployment)]},
            "spec": {"replicas": int(deployment["spec"].get("replicas", 1)), "selector": selector,
                     "template": template}})
        self._set_revision(deployment, made, revision)
        return made

    def _set_revision(self, deployment: Object, replica_set: Object, revision: int) -> None:
        def edit(item: Object) -> None:
            item["metadata"].setdefault("annotations", {})[REVISION] = str(revision)
        for kind, item in ((DEPLOYMENTS, deployment), (REPLICA_SETS, replica_set)):
            self._store.change(kind, item["metadata"]["namespace"], item["metadata"]["name"], edit)

    def _resize(self, replica_set: Object, count: int) -> None:
        def edit(item: Object) -> None:
            item["spec"]["replicas"] = count
        metadata = replica_set["metadata"]
        self._store.change(REPLICA_SETS, metadata["namespace"], metadata["name"], edit)

    def _report(self, deployment: Object, current: Object, old: list[Object], wanted: int) -> bool:
        def count(items: list[Object], field: str) -> int:
            return sum(s.get("status", {}).get(field, 0) for s in items)
        updated, total = count([current], "replicas"), count([current, *old], "replicas")
        ready, fresh = count([current, *old], "readyReplicas"), count([current], "readyReplicas")
        enough = ready >= wanted - wanted // 4
        complete = updated == total == wanted and fresh == wanted
        name = current["metadata"]["name"]
        late = not complete and self._late(deployment, (updated, total, ready))
        progress = ("True", "NewReplicaSetAvailable", f'ReplicaSet "{name}" has successfully '
                    "progressed.") if complete else \
            ("False", "ProgressDeadlineExceeded", f'ReplicaSet "{name}" has timed out '
             "progressing.") if late else \
            ("True", "ReplicaSetUpdated", f'ReplicaSet "{name}" is progressing.')
        available = ("True", "MinimumReplicasAvailable", "Deployment has minimum availability.") \
            if enough else ("False", "MinimumReplicasUnavailable",
                            "Deployment does not have minimum availability.")
        set_status(self._store, DEPLOYMENTS, deployment, {
            "replicas": total, "updatedReplicas": updated, "readyReplicas": ready,
            "availableReplicas": ready, "unavailableReplicas": max(0, wanted - ready),
            "conditions": [condition(deployment, "Available", *available),
                           condition(deployment, "Progressing", *progress)]})
        return not complete and not late

    def _late(self, deployment: Object, state: tuple[int, ...]) -> bool:
        """Whether nothing moved for longer than the Deployment's progress deadline."""
        uid = deployment["metadata"]["uid"]
        state = (deployment["metadata"].get("generation", 1), *state)
        if self._progress.get(uid, ((), 0.0))[0] != state:
            self._progress[uid] = state, time.monotonic()
        limit = float(deployment["spec"].get("progressDeadlineSeconds", 600))
        return time.monotonic() - self._progress[uid][1] > limit

    def _replica_set(self, item: Object) -> None:
        mine = pods.keep_count(self._store, item, int(item["spec"].get("replicas", 1)))
        ready = sum(map(pods.is_ready, mine))
        set_status(self._store, REPLICA_SETS, item, {
            "replicas": len(mine), "readyReplicas": ready, "availableReplicas": ready,
            "fullyLabeledReplicas": len(mine)})

    def _stateful_set(self, item: Object) -> None:
        count, name = int(item["spec"].get("replicas", 1)), item["metadata"]["name"]
        for index in range(count):
            self._claims(item, index)
        mine = pods.keep_named(self._store, item, [f"{name}-{i}" for i in range(count)])
        ready = sum(map(pods.is_ready, mine))
        revision = f"{name}-{pods.template_hash(item['spec']['template'])}"
        set_status(self._store, STATEFUL_SETS, item, {
            "replicas": len(mine), "readyReplicas": ready, "availableReplicas": ready,
            "currentReplicas": len(mine), "updatedReplicas": len(mine),
            "currentRevision": revision, "updateRevision": revision, "collisionCount": 0})

    def _claims(self, item: Object, index: int) -> None:
        space = item["metadata"]["namespace"]
        for template in item["spec"].get("volumeClaimTemplates") or []:
            name = f"{template['metadata']['name']}-{item['metadata']['name']}-{index}"
            if not self._store.find(CLAIMS, space, name):
                self._store.create(CLAIMS, {
                    "apiVersion": "v1", "kind": "PersistentVolumeClaim",
                    "metadata": {"name": name, "namespace": space},
                    "spec": copy.deepcopy(template["spec"])})

    def _daemon_set(self, item: Object) -> None:
        nodes = self._store.list(("", "nodes"))
        names = [f"{item['metadata']['name']}-{i}" for i in range(len(nodes))]
        mine = pods.keep_named(self._store, item, names)
        ready = sum(map(pods.is_ready, mine))
        set_status(self._store, DAEMON_SETS, item, {
            "desiredNumberScheduled": len(nodes), "currentNumberScheduled": len(mine),
            "updatedNumberScheduled": len(mine), "numberReady": ready, "numberAvailable": ready,
            "numberUnavailable": len(nodes) - ready, "numberMisscheduled": 0})

    def _job(self, item: Object) -> None:
        done = [c["type"] for c in item.get("status", {}).get("conditions", [])]
        if "Complete" in done or item["spec"].get("suspend"):
            return
        wanted = int(item["spec"].get("completions") or 1)
        mine = pods.keep_count(self._store, item, wanted)
        finished = sum(p["status"].get("phase") == "Succeeded" for p in mine)
        status: dict[str, Any] = {"succeeded": finished, "active": len(mine) - finished,
                                  "ready": sum(map(pods.is_ready, mine)),
                                  "startTime": item.get("status", {}).get("startTime", now())}
        if finished == wanted:
            status["completionTime"] = now()
            status["conditions"] = [condition(item, "SuccessCriteriaMet", "True",
                                              "CompletionsReached", ""),
                                    condition(item, "Complete", "True", "CompletionsReached", "")]
        set_status(self._store, JOBS, item, status)
