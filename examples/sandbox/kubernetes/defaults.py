"""What the API server fills in when a manifest is silent, as `diff` and `get` show it.

Only empty fields are filled, so that applying the same manifest again changes nothing.
"""

from __future__ import annotations

import base64
import ipaddress
import zlib
from typing import Any

from .store import Object

ROLLING = {"maxUnavailable": "25%", "maxSurge": "25%"}


def fill(item: Object) -> None:
    """Sets the defaults of the object's kind."""
    spec = item.get("spec")
    filler = _FILLERS.get(item["kind"])
    if filler and isinstance(spec, dict):
        filler(item, spec)
    if item["kind"] == "Secret":
        _secret(item)


def _set(target: dict[str, Any], **values: Any) -> None:
    for name, value in values.items():
        if target.get(name) is None:
            target[name] = value


def _pod(_: Object, spec: dict[str, Any]) -> None:
    _set(spec, restartPolicy="Always", terminationGracePeriodSeconds=30, dnsPolicy="ClusterFirst",
         schedulerName="default-scheduler", securityContext={})
    for container in [*spec.get("containers", []), *spec.get("initContainers", [])]:
        image = str(container.get("image", ""))
        latest = image.endswith(":latest") or ":" not in image.rpartition("/")[2]
        _set(container, imagePullPolicy="Always" if latest else "IfNotPresent", resources={},
             terminationMessagePath="/dev/termination-log", terminationMessagePolicy="File")
        for port in container.get("ports") or []:
            _set(port, protocol="TCP")
        for name in ("readinessProbe", "livenessProbe", "startupProbe"):
            if container.get(name):
                _probe(container[name])


def _probe(probe: dict[str, Any]) -> None:
    _set(probe, timeoutSeconds=1, periodSeconds=10, successThreshold=1, failureThreshold=3)
    if probe.get("httpGet"):
        _set(probe["httpGet"], scheme="HTTP", path="/")


def _template(item: Object, spec: dict[str, Any]) -> None:
    template = spec.get("template") or {}
    if isinstance(template.get("spec"), dict):
        _pod(item, template["spec"])


def _deployment(item: Object, spec: dict[str, Any]) -> None:
    _set(spec, replicas=1, revisionHistoryLimit=10, progressDeadlineSeconds=600, strategy={})
    _set(spec["strategy"], type="RollingUpdate")
    if spec["strategy"]["type"] == "RollingUpdate":
        _set(spec["strategy"], rollingUpdate={})
        _set(spec["strategy"]["rollingUpdate"], **ROLLING)
    _template(item, spec)


def _replica_set(item: Object, spec: dict[str, Any]) -> None:
    _set(spec, replicas=1)
    _template(item, spec)


def _stateful_set(item: Object, spec: dict[str, Any]) -> None:
    _set(spec, replicas=1, podManagementPolicy="OrderedReady", revisionHistoryLimit=10,
         serviceName="", updateStrategy={"type": "RollingUpdate",
                                         "rollingUpdate": {"partition": 0}})
    _template(item, spec)


def _daemon_set(item: Object, spec: dict[str, Any]) -> None:
    _set(spec, revisionHistoryLimit=10, updateStrategy={
        "type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 1, "maxSurge": 0}})
    _template(item, spec)


def _job(item: Object, spec: dict[str, Any]) -> None:
    _set(spec, completions=1, parallelism=1, backoffLimit=6, completionMode="NonIndexed",
         suspend=False)
    _template(item, spec)


def _cron_job(_: Object, spec: dict[str, Any]) -> None:
    _set(spec, concurrencyPolicy="Allow", suspend=False, successfulJobsHistoryLimit=3,
         failedJobsHistoryLimit=1)


def _service(item: Object, spec: dict[str, Any]) -> None:
    _set(spec, type="ClusterIP", sessionAffinity="None")
    for port in spec.get("ports") or []:
        _set(port, protocol="TCP", targetPort=port.get("port"))
    if spec["type"] == "ExternalName":
        return
    metadata = item["metadata"]
    number = zlib.crc32(f"{metadata.get('namespace')}/{metadata.get('name')}".encode()) % 65_000
    address = str(ipaddress.IPv4Address("172.20.1.0") + number)
    _set(spec, clusterIP=address, internalTrafficPolicy="Cluster", ipFamilies=["IPv4"],
         ipFamilyPolicy="SingleStack")
    _set(spec, clusterIPs=[spec["clusterIP"]])
    if spec["type"] in ("LoadBalancer", "NodePort"):
        _set(spec, externalTrafficPolicy="Cluster")
        for index, port in enumerate(spec.get("ports") or []):
            _set(port, nodePort=30_000 + (number + index) % 2768)
    if spec["type"] == "LoadBalancer":
        _set(spec, allocateLoadBalancerNodePorts=True)


def _claim(_: Object, spec: dict[str, Any]) -> None:
    _set(spec, volumeMode="Filesystem", storageClassName="gp3")


def _volume(_: Object, spec: dict[str, Any]) -> None:
    _set(spec, volumeMode="Filesystem", persistentVolumeReclaimPolicy="Retain")


def _namespace(_: Object, spec: dict[str, Any]) -> None:
    _set(spec, finalizers=["kubernetes"])


def _autoscaler(_: Object, spec: dict[str, Any]) -> None:
    _set(spec, minReplicas=1)


def _definition(_: Object, spec: dict[str, Any]) -> None:
    names = spec.get("names") or {}
    kind = str(names.get("kind", ""))
    _set(names, singular=kind.lower(), listKind=kind + "List")
    _set(spec, conversion={"strategy": "None"})


def _secret(item: Object) -> None:
    for name, value in (item.pop("stringData", None) or {}).items():
        data = item.setdefault("data", {})
        data[name] = base64.b64encode(str(value).encode()).decode()
    _set(item, type="Opaque")


_FILLERS = {"Pod": _pod, "Deployment": _deployment, "ReplicaSet": _replica_set,
            "StatefulSet": _stateful_set, "DaemonSet": _daemon_set, "Job": _job,
            "CronJob": _cron_job, "Service": _service, "PersistentVolumeClaim": _claim,
            "PersistentVolume": _volume, "HorizontalPodAutoscaler": _autoscaler,
            "Namespace": _namespace, "CustomResourceDefinition": _definition}
