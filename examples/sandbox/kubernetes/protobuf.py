"""Reads the protobuf bodies that `kubectl create` sends for a handful of built-in kinds.

Most of kubectl speaks JSON; its generators (create namespace, secret, configmap, job …) use the
typed clients and so protobuf. A message type is a table of `number:name:type`: `s` string, `i`
integer, `b` bool, `y` bytes (base64 in JSON), `m` map of strings, `n` map of bytes, `-` skipped,
else the name of a message; `*` marks a repeated field. A field that is in no table is refused
rather than lost.
"""

from __future__ import annotations

import base64
from typing import Any, Iterator

from .status import ApiError

MAGIC = b"k8s\0"
MESSAGES: dict[str, str] = {
    "Meta": "1:name:s 2:generateName:s 3:namespace:s 4:selfLink:- 5:uid:- 6:resourceVersion:s "
    "7:generation:- 8:creationTimestamp:- 11:labels:m 12:annotations:m 14:finalizers:s*",
    "Namespace": "1:metadata:Meta 2:spec:- 3:status:-",
    "ConfigMap": "1:metadata:Meta 2:data:m 3:binaryData:n 4:immutable:b",
    "Secret": "1:metadata:Meta 2:data:n 3:type:s 4:stringData:m 5:immutable:b",
    "ServiceAccount": "1:metadata:Meta 4:automountServiceAccountToken:b",
    "Service": "1:metadata:Meta 2:spec:ServiceSpec 3:status:-",
    "ServiceSpec": "1:ports:ServicePort* 2:selector:m 3:clusterIP:s 4:type:s 5:externalIPs:s* "
    "7:sessionAffinity:s 8:loadBalancerIP:s 10:externalName:s 11:externalTrafficPolicy:s "
    "12:healthCheckNodePort:i 13:publishNotReadyAddresses:b",
    "ServicePort": "1:name:s 2:protocol:s 3:port:i 4:targetPort:IntOrString 5:nodePort:i",
    "IntOrString": "1:type:i 2:intVal:i 3:strVal:s",
    "Job": "1:metadata:Meta 2:spec:JobSpec 3:status:-",
    "JobSpec": "1:parallelism:i 2:completions:i 3:activeDeadlineSeconds:i 4:selector:Selector "
    "5:manualSelector:b 6:template:Template 7:backoffLimit:i 8:ttlSecondsAfterFinished:i",
    "Deployment": "1:metadata:Meta 2:spec:DeploymentSpec 3:status:-",
    "DeploymentSpec": "1:replicas:i 2:selector:Selector 3:template:Template 4:strategy:Strategy "
    "5:minReadySeconds:i 6:revisionHistoryLimit:i 7:paused:b 9:progressDeadlineSeconds:i",
    "Strategy": "1:type:s",
    "Selector": "1:matchLabels:m",
    "Template": "1:metadata:Meta 2:spec:PodSpec",
    "Pod": "1:metadata:Meta 2:spec:PodSpec 3:status:-",
    "PodSpec": "2:containers:Container* 3:restartPolicy:s 4:terminationGracePeriodSeconds:i "
    "6:dnsPolicy:s 8:serviceAccountName:s 9:serviceAccount:s 10:nodeName:s 11:hostNetwork:b "
    "12:hostPID:b 13:hostIPC:b 14:securityContext:- 16:hostname:s 17:subdomain:s "
    "19:schedulerName:s 24:priorityClassName:s",
    "Container": "1:name:s 2:image:s 3:command:s* 4:args:s* 5:workingDir:s 6:ports:ContainerPort* "
    "7:env:Env* 8:resources:- 13:terminationMessagePath:s 14:imagePullPolicy:s 16:stdin:b "
    "17:stdinOnce:b 18:tty:b 20:terminationMessagePolicy:s",
    "ContainerPort": "1:name:s 2:hostPort:i 3:containerPort:i 4:protocol:s 5:hostIP:s",
    "Env": "1:name:s 2:value:s",
    "SelfSubjectAccessReview": "1:metadata:Meta 2:spec:AccessSpec 3:status:-",
    "AccessSpec": "1:resourceAttributes:Attributes 2:nonResourceAttributes:-",
    "Attributes": "1:namespace:s 2:verb:s 3:group:s 4:version:s 5:resource:s 6:subresource:s "
    "7:name:s",
    "SelfSubjectReview": "1:metadata:Meta 2:status:-",
    "Unknown": "1:typeMeta:TypeMeta 2:raw:y 3:contentEncoding:s 4:contentType:s",
    "TypeMeta": "1:apiVersion:s 2:kind:s",
}
ZERO_COUNTS = ("replicas", "backoffLimit")  # pointers in Go: their zero was said


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at


def _fields(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    """(number, integer or bytes) of every field of a message."""
    at = 0
    while at < len(data):
        key, at = _varint(data, at)
        if key & 7 == 0:
            value, at = _varint(data, at)
            yield key >> 3, value
        elif key & 7 == 2:
            length, at = _varint(data, at)
            if at + length > len(data):
                raise IndexError("the message ends early")
            yield key >> 3, data[at:at + length]
            at += length
        else:
            raise ValueError(f"wire type {key & 7}")


def _entry(data: bytes, binary: bool) -> tuple[str, str]:
    fields = dict(_fields(data))
    key, value = bytes(fields.get(1, b"")), bytes(fields.get(2, b""))
    return key.decode(), base64.b64encode(value).decode() if binary else value.decode()


def _value(kind: str, raw: int | bytes) -> Any:
    if isinstance(raw, int):
        signed = raw - (1 << 64) if raw >> 63 else raw
        return bool(raw) if kind == "b" else signed
    if kind == "s":
        return raw.decode()
    if kind == "y":
        return base64.b64encode(raw).decode()
    found = _message(kind, raw)
    if kind == "IntOrString":
        return found.get("strVal", "") if found.get("type") else found.get("intVal", 0)
    return found


def _message(name: str, data: bytes) -> dict[str, Any]:
    table = {int(n): (field, kind) for n, field, kind in
             (word.split(":") for word in MESSAGES[name].split())}
    found: dict[str, Any] = {}
    for number, raw in _fields(data):
        if number not in table:
            raise ApiError(415, "UnsupportedMediaType",
                           f"field {number} of {name} is not understood in protobuf: send JSON")
        field, kind = table[number]
        if kind in "mn" and isinstance(raw, bytes):
            key, value = _entry(raw, kind == "n")
            found.setdefault(field, {})[key] = value
        elif kind.endswith("*"):
            found.setdefault(field, []).append(_value(kind[:-1], raw))
        elif kind != "-":
            value = _value(kind, raw)
            if value not in ("", 0, False) or field in ZERO_COUNTS:
                found[field] = value
    return found


def decode(body: bytes) -> dict[str, Any]:
    """The object in a protobuf body, as its JSON would say it; ApiError 415 when it cannot."""
    try:
        envelope = _message("Unknown", body[len(MAGIC):])
        meta = envelope["typeMeta"]
        if meta["kind"] not in MESSAGES:
            raise ApiError(415, "UnsupportedMediaType",
                           f"{meta['kind']} is not understood in protobuf: send JSON")
        raw = base64.b64decode(envelope.get("raw", ""))
        return {"apiVersion": meta["apiVersion"], "kind": meta["kind"],
                **_message(meta["kind"], raw)}
    except (IndexError, KeyError, ValueError) as error:
        raise ApiError(400, "BadRequest", f"the protobuf body is malformed: {error}") from error
