"""The fields of the built-in kinds, for strict validation and for merging lists by key.

A type is a string of `field:Type` words. A field without a type takes any value; `[]T` is a list,
`{}` a map with free keys, `str`, `int`, `bool` scalars, `qty` a number or string; a trailing `!`
makes it required.
"""

from __future__ import annotations

from typing import Any, Iterator

TEMPLATE = "metadata spec:PodSpec!"
TYPES: dict[str, str] = {
    "PodSpec": "containers:[]Container! initContainers:[]Container ephemeralContainers:[]Container "
    "volumes:[]Volume restartPolicy:str terminationGracePeriodSeconds:int nodeName:str "
    "activeDeadlineSeconds:int dnsPolicy:str nodeSelector:{} serviceAccountName:str "
    "serviceAccount:str automountServiceAccountToken:bool hostNetwork:bool hostPID:bool "
    "hostIPC:bool shareProcessNamespace:bool securityContext:{} imagePullSecrets:[]Reference "
    "hostname:str subdomain:str affinity:{} schedulerName:str tolerations:[] hostAliases:[] "
    "priorityClassName:str priority:int dnsConfig:{} readinessGates:[] runtimeClassName:str "
    "enableServiceLinks:bool preemptionPolicy:str overhead:{} topologySpreadConstraints:[] "
    "setHostnameAsFQDN:bool os:{} hostUsers:bool schedulingGates:[] resourceClaims:[] resources:{}",
    "Reference": "name:str",
    "Container": "name:str! image:str command:[]str args:[]str workingDir:str "
    "ports:[]ContainerPort envFrom:[]EnvFrom env:[]Env resources:Resources volumeMounts:[]Mount "
    "volumeDevices:[] livenessProbe:Probe readinessProbe:Probe startupProbe:Probe lifecycle:{} "
    "terminationMessagePath:str terminationMessagePolicy:str imagePullPolicy:str "
    "securityContext:{} stdin:bool stdinOnce:bool tty:bool restartPolicy:str resizePolicy:[] "
    "targetContainerName:str",
    "ContainerPort": "name:str hostPort:int containerPort:int! protocol:str hostIP:str",
    "EnvFrom": "prefix:str configMapRef:{} secretRef:{}",
    "Env": "name:str! value:str valueFrom:{}",
    "Resources": "limits:{} requests:{} claims:[]",
    "Mount": "name:str! readOnly:bool mountPath:str! subPath:str mountPropagation:str "
    "subPathExpr:str recursiveReadOnly:str",
    "Probe": "exec:{} httpGet:{} tcpSocket:{} grpc:{} initialDelaySeconds:int timeoutSeconds:int "
    "periodSeconds:int successThreshold:int failureThreshold:int terminationGracePeriodSeconds:int",
    "Volume": "name:str! hostPath:{} emptyDir:{} secret:{} configMap:{} projected:{} "
    "downwardAPI:{} "
    "persistentVolumeClaim:{} csi:{} nfs:{} ephemeral:{} awsElasticBlockStore:{} image:{}",
    "Template": TEMPLATE,
    "Selector": "matchLabels:{} matchExpressions:[]",
    "DeploymentSpec": "replicas:int selector:Selector! template:Template! strategy:Strategy "
    "minReadySeconds:int revisionHistoryLimit:int paused:bool progressDeadlineSeconds:int",
    "Strategy": "type:str rollingUpdate:Rolling",
    "Rolling": "maxUnavailable:qty maxSurge:qty partition:int",
    "ReplicaSetSpec": "replicas:int minReadySeconds:int selector:Selector! template:Template",
    "StatefulSetSpec": "replicas:int selector:Selector! template:Template! "
    "volumeClaimTemplates:[] serviceName:str podManagementPolicy:str updateStrategy:Strategy "
    "revisionHistoryLimit:int minReadySeconds:int persistentVolumeClaimRetentionPolicy:{} "
    "ordinals:{}",
    "DaemonSetSpec": "selector:Selector! template:Template! updateStrategy:Strategy "
    "minReadySeconds:int revisionHistoryLimit:int",
    "JobSpec": "parallelism:int completions:int activeDeadlineSeconds:int backoffLimit:int "
    "backoffLimitPerIndex:int maxFailedIndexes:int selector:Selector manualSelector:bool "
    "template:Template! ttlSecondsAfterFinished:int completionMode:str suspend:bool "
    "podFailurePolicy:{} successPolicy:{} podReplacementPolicy:str managedBy:str",
    "JobTemplate": "metadata spec:JobSpec",
    "CronJobSpec": "schedule:str! timeZone:str startingDeadlineSeconds:int concurrencyPolicy:str "
    "suspend:bool jobTemplate:JobTemplate! successfulJobsHistoryLimit:int "
    "failedJobsHistoryLimit:int",
    "ServiceSpec": "ports:[]ServicePort selector:{} clusterIP:str clusterIPs:[]str type:str "
    "externalIPs:[]str sessionAffinity:str loadBalancerIP:str loadBalancerSourceRanges:[]str "
    "externalName:str externalTrafficPolicy:str healthCheckNodePort:int "
    "publishNotReadyAddresses:bool sessionAffinityConfig:{} ipFamilies:[]str ipFamilyPolicy:str "
    "allocateLoadBalancerNodePorts:bool loadBalancerClass:str internalTrafficPolicy:str "
    "trafficDistribution:str",
    "ServicePort": "name:str protocol:str appProtocol:str port:int! targetPort:qty nodePort:int",
    "ClaimSpec": "accessModes:[]str selector:Selector resources:Resources volumeName:str "
    "storageClassName:str volumeMode:str dataSource:{} dataSourceRef:{} "
    "volumeAttributesClassName:str",
    "PersistentVolumeSpec": "capacity:{} accessModes:[]str claimRef:{} "
    "persistentVolumeReclaimPolicy:str storageClassName:str mountOptions:[]str volumeMode:str "
    "nodeAffinity:{} awsElasticBlockStore:{} csi:{} hostPath:{} nfs:{} local:{} "
    "volumeAttributesClassName:str",
    "IngressSpec": "ingressClassName:str defaultBackend:{} tls:[] rules:[]",
    "HorizontalPodAutoscalerSpec": "scaleTargetRef:{}! minReplicas:int maxReplicas:int! metrics:[] "
    "behavior:{}",
    "PodDisruptionBudgetSpec": "minAvailable:qty selector:Selector maxUnavailable:qty "
    "unhealthyPodEvictionPolicy:str",
    "NamespaceSpec": "finalizers:[]str",
    "CustomResourceDefinitionSpec": "group:str! names:{}! scope:str! versions:[]! conversion:{} "
    "preserveUnknownFields:bool",
    "Metadata": "name:str generateName:str namespace:str labels:{} annotations:{} "
    "ownerReferences:[] finalizers:[]str resourceVersion:str uid:str generation:int "
    "creationTimestamp deletionTimestamp deletionGracePeriodSeconds selfLink managedFields:[]",
}
# Top-level fields beside apiVersion, kind, metadata, status.
KINDS: dict[str, str] = {
    kind: f"spec:{kind}Spec" for kind in (
        "Deployment", "ReplicaSet", "StatefulSet", "DaemonSet", "Job", "CronJob", "Service",
        "Ingress", "HorizontalPodAutoscaler", "PodDisruptionBudget", "Namespace",
        "PersistentVolume", "CustomResourceDefinition")} | {
    "Pod": "spec:PodSpec", "PersistentVolumeClaim": "spec:ClaimSpec",
    "ConfigMap": "data:{} binaryData:{} immutable:bool",
    "Secret": "data:{} stringData:{} type:str immutable:bool",
    "ServiceAccount": "secrets:[] imagePullSecrets:[] automountServiceAccountToken:bool",
    "Role": "rules:[]", "ClusterRole": "rules:[] aggregationRule:{}",
    "RoleBinding": "subjects:[] roleRef:{}!", "ClusterRoleBinding": "subjects:[] roleRef:{}!",
    "StorageClass": "provisioner:str! parameters:{} reclaimPolicy:str mountOptions:[]str "
    "allowVolumeExpansion:bool volumeBindingMode:str allowedTopologies:[]",
}
SCALARS: dict[str, tuple[type, ...]] = {"str": (str,), "int": (int,), "bool": (bool,),
                                        "qty": (str, int, float)}


def _fields(text: str) -> dict[str, tuple[str, bool]]:
    found = {}
    for word in text.split():
        name, _, kind = word.partition(":")
        found[name] = kind.rstrip("!"), word.endswith("!")
    return found


FIELDS = {name: _fields(text) for name, text in TYPES.items()}
ROOTS = {kind: _fields("apiVersion:str kind:str metadata:Metadata status:{} " + text)
         for kind, text in KINDS.items()}


def unknown_fields(item: dict[str, Any]) -> list[str]:
    """Paths of the fields that the object's kind does not have."""
    return [path for problem, path in _check(item) if problem == "unknown"]


def faults(item: dict[str, Any]) -> list[str]:
    """Sentences about missing and wrongly typed fields, in the words of the API."""
    return [text for problem, text in _check(item) if problem != "unknown"]


def _check(item: dict[str, Any]) -> Iterator[tuple[str, str]]:
    root = ROOTS.get(item.get("kind", ""))
    if root:
        yield from _check_fields(item, root, "")


def _check_fields(item: dict[str, Any], fields: dict[str, tuple[str, bool]],
                  path: str) -> Iterator[tuple[str, str]]:
    for name, value in item.items():
        where = f"{path}.{name}" if path else name
        if name not in fields:
            yield "unknown", where
        elif value is not None:
            yield from _check_value(value, fields[name][0], where)
    for name, (_, required) in fields.items():
        if required and item.get(name) is None:
            yield "missing", f"{path}.{name}: Required value".lstrip(".")


def _check_value(value: Any, kind: str, where: str) -> Iterator[tuple[str, str]]:
    if not kind:
        return
    if kind.startswith("[]"):
        if not isinstance(value, list):
            yield "type", f"{where}: Invalid value: expected a list"
            return
        for index, element in enumerate(value):
            yield from _check_value(element, kind[2:], f"{where}[{index}]")
    elif kind in SCALARS:
        wrong_bool = isinstance(value, bool) and kind != "bool"
        if wrong_bool or not isinstance(value, SCALARS[kind]):
            yield "type", f"{where}: Invalid value: {value!r}: expected {kind}"
    elif not isinstance(value, dict):
        yield "type", f"{where}: Invalid value: expected a map"
    elif kind in FIELDS:
        yield from _check_fields(value, FIELDS[kind], where)


# Lists that are merged element by element, by the field that identifies an element.
MERGE_KEYS: dict[str, str] = {
    "containers": "name", "initContainers": "name", "ephemeralContainers": "name", "env": "name",
    "volumes": "name", "volumeMounts": "mountPath", "volumeDevices": "devicePath",
    "imagePullSecrets": "name", "hostAliases": "ip", "conditions": "type", "ownerReferences": "uid",
    "topologySpreadConstraints": "topologyKey", "secrets": "name", "addresses": "type",
    "schedulingGates": "name", "resourceClaims": "name",
}
APPLY_KEYS: dict[str, tuple[str, ...]] = {
    "topologySpreadConstraints": ("topologyKey", "whenUnsatisfiable")}
PRIMITIVE_SETS = ("finalizers",)


def merge_key(field: str, elements: list[Any]) -> str:
    """The key by which strategic merge joins a list, or "" when the list is replaced whole."""
    if field == "ports":
        named = any(isinstance(e, dict) and "containerPort" in e for e in elements)
        return "containerPort" if named else "port"
    return MERGE_KEYS.get(field, "")


def apply_keys(field: str, elements: list[Any]) -> tuple[str, ...]:
    """The keys by which server-side apply tells elements apart, () for a list owned whole."""
    if not elements or not all(isinstance(e, dict) for e in elements):
        return ()
    if field == "ports":
        key = merge_key(field, elements)
        return (key, "protocol") if all(key in e for e in elements) else ()
    keys = APPLY_KEYS.get(field) or tuple(k for k in [merge_key(field, elements)] if k)
    return keys if keys and all(keys[0] in e for e in elements) else ()
