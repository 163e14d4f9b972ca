"""The controllers of one cluster: a thread that brings statuses in line with what was asked for.

It reconciles after every change of the store, every TICK_S while a pod waits for time to pass, and
every DEADLINE_TICK_S while a progress deadline runs. A round that changes nothing writes nothing,
so it comes to rest by itself.
"""

from __future__ import annotations

import sys
import threading
import traceback
import zlib
from typing import Callable

from . import pods, workloads
from .cluster import NAMESPACES, Cluster
from .resources import CRDS
from .status import ApiError
from .store import Object, now

TICK_S, DEADLINE_TICK_S = 0.1, 1.0
SERVICES, INGRESSES = ("", "services"), ("networking.k8s.io", "ingresses")
CLAIMS, VOLUMES = ("", "persistentvolumeclaims"), ("", "persistentvolumes")
ACCOUNTS, MAPS = ("", "serviceaccounts"), ("", "configmaps")


class Controllers:
    """Runs until stopped; `is_stalled` tells whether a workload of this name may become ready."""

    def __init__(self, cluster: Cluster, is_stalled: Callable[[str], bool]) -> None:
        self._cluster, self._store = cluster, cluster.store
        self._is_stalled = is_stalled
        self._workloads = workloads.Workloads(self._store)
        self._kubelet = pods.Kubelet(self._store, self._stalled)
        self._stopped = False
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        with self._store.changed:
            self._stopped = True
            self._store.changed.notify_all()

    def wake(self) -> None:
        """Makes it look again after a switch outside the store was turned."""
        with self._store.changed:
            self._store.version += 1
            self._store.changed.notify_all()

    def _run(self) -> None:
        seen: int = -1
        wait_s: float | None = 0.0
        while not self._stopped:
            with self._store.changed:
                self._store.changed.wait_for(
                    lambda: self._stopped or self._store.version != seen, wait_s)
                seen = self._store.version
            try:
                wait_s = self._round()
            except ApiError:
                wait_s = TICK_S  # an object went away under the round; the next one sees it gone
            except Exception:  # noqa: BLE001 - the cluster must live on, and the log must tell
                traceback.print_exc(file=sys.stderr)
                wait_s = DEADLINE_TICK_S

    def _round(self) -> float | None:
        """One round; how long to wait for the next when the store does not change."""
        deadlines = self._workloads.reconcile()
        starting = self._kubelet.reconcile()
        for crd in self._store.list(CRDS):
            self._definition(crd)
        for claim in self._store.list(CLAIMS):
            self._claim(claim)
        for kind in (SERVICES, INGRESSES):
            for item in self._store.list(kind):
                self._balancer(kind, item)
        for namespace in self._store.list(NAMESPACES):
            self._namespace(namespace)
        self._collect()
        return TICK_S if starting else DEADLINE_TICK_S if deadlines else None

    def _stalled(self, pod: Object) -> bool:
        for owner in pod["metadata"].get("ownerReferences") or []:
            if self._is_stalled(owner["name"]):
                return True
            found = self._store.find(workloads.REPLICA_SETS, pod["metadata"]["namespace"],
                                     owner["name"]) if owner["kind"] == "ReplicaSet" else None
            if found and any(self._is_stalled(o["name"])
                             for o in found["metadata"].get("ownerReferences") or []):
                return True
        return False

    def _definition(self, crd: Object) -> None:
        if crd.get("status", {}).get("conditions"):
            return

        def edit(item: Object) -> None:
            item["status"] = {
                "acceptedNames": item["spec"]["names"],
                "storedVersions": [v["name"] for v in item["spec"]["versions"] if v.get("storage")],
                "conditions": [
                    {"type": "NamesAccepted", "status": "True", "reason": "NoConflicts",
                     "message": "no conflicts found", "lastTransitionTime": now()},
                    {"type": "Established", "status": "True", "reason": "InitialNamesAccepted",
                     "message": "the initial names have been accepted",
                     "lastTransitionTime": now()}]}
        self._store.change(CRDS, "", crd["metadata"]["name"], edit)

    def _claim(self, claim: Object) -> None:
        if claim.get("status", {}).get("phase") == "Bound":
            return
        metadata, spec = claim["metadata"], claim["spec"]
        volume = spec.get("volumeName") or "pvc-" + metadata["uid"]
        size = ((spec.get("resources") or {}).get("requests") or {}).get("storage", "1Gi")
        if not spec.get("volumeName"):
            self._cluster.create_plain(
                "v1", "PersistentVolume", VOLUMES, volume, status={"phase": "Bound"},
                spec={"capacity": {"storage": size}, "accessModes": spec.get("accessModes", []),
                      "storageClassName": spec.get("storageClassName", "gp3"),
                      "persistentVolumeReclaimPolicy": "Delete",
                      "csi": {"driver": "ebs.csi.aws.com", "volumeHandle": "vol-" +
                              metadata["uid"].replace("-", "")[:17]},
                      "claimRef": {"kind": "PersistentVolumeClaim", "name": metadata["name"],
                                   "namespace": metadata["namespace"], "uid": metadata["uid"]}})
        elif not self._store.find(VOLUMES, "", volume):
            return

        def edit(item: Object) -> None:
            item["spec"]["volumeName"] = volume
            item["status"] = {"phase": "Bound", "capacity": {"storage": size},
                              "accessModes": spec.get("accessModes", [])}
        self._store.change(CLAIMS, metadata["namespace"], metadata["name"], edit)

    def _balancer(self, kind: tuple[str, str], item: Object) -> None:
        if item.get("status", {}).get("loadBalancer", {}).get("ingress"):
            return
        if kind == SERVICES and item["spec"].get("type") != "LoadBalancer":
            return
        metadata = item["metadata"]
        stamp = zlib.crc32(metadata["uid"].encode())
        host = f"k8s-{metadata['namespace']}-{metadata['name']}-{stamp:08x}." \
               f"{self._cluster.region}.elb.amazonaws.com"

        def edit(current: Object) -> None:
            current["status"] = {"loadBalancer": {"ingress": [{"hostname": host}]}}
        self._store.change(kind, metadata["namespace"], metadata["name"], edit)

    def _namespace(self, namespace: Object) -> None:
        name = namespace["metadata"]["name"]
        if "deletionTimestamp" not in namespace["metadata"]:
            if not self._store.find(ACCOUNTS, name, "default"):
                self._cluster.create_plain("v1", "ServiceAccount", ACCOUNTS, "default", name)
                self._cluster.create_plain("v1", "ConfigMap", MAPS, "kube-root-ca.crt", name,
                                           data={"ca.crt": ""})
            return
        for kind in self._store.types():
            for item in self._store.list(kind, name):
                self._store.remove(kind, name, item["metadata"]["name"])
        self._store.remove(NAMESPACES, "", name)

    def _collect(self) -> None:
        """Removes what belonged to an owner that is gone."""
        items = [(kind, item) for kind in self._store.types() for item in self._store.list(kind)]
        living = {item["metadata"]["uid"] for _, item in items}
        for kind, item in items:
            owners = item["metadata"].get("ownerReferences") or []
            if owners and not any(o.get("uid") in living for o in owners):
                self._store.remove(kind, item["metadata"].get("namespace", ""),
                                   item["metadata"]["name"])
