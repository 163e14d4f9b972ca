"""The catalogue of built-in resources, and the ones that CustomResourceDefinitions add."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .store import Object, Store

VERBS = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"]
CRDS = ("apiextensions.k8s.io", "customresourcedefinitions")


@dataclass(frozen=True)
class Resource:
    """One served resource in one version."""

    group: str
    version: str
    plural: str
    kind: str
    namespaced: bool
    short: tuple[str, ...] = ()
    scale: bool = False
    status: bool = True
    verbs: tuple[str, ...] = tuple(VERBS)
    categories: tuple[str, ...] = ()
    custom: bool = False

    @property
    def type(self) -> tuple[str, str]:
        return self.group, self.plural

    @property
    def api_version(self) -> str:
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def singular(self) -> str:
        return self.kind.lower()


ALL = ("all",)
CREATE = ("create",)
BUILT_IN: tuple[Resource, ...] = (
    Resource("", "v1", "namespaces", "Namespace", False, ("ns",)),
    Resource("", "v1", "pods", "Pod", True, ("po",), categories=ALL),
    Resource("", "v1", "services", "Service", True, ("svc",), categories=ALL),
    Resource("", "v1", "configmaps", "ConfigMap", True, ("cm",), status=False),
    Resource("", "v1", "secrets", "Secret", True, status=False),
    Resource("", "v1", "serviceaccounts", "ServiceAccount", True, ("sa",), status=False),
    Resource("", "v1", "endpoints", "Endpoints", True, ("ep",), status=False),
    Resource("", "v1", "events", "Event", True, ("ev",), status=False),
    Resource("", "v1", "nodes", "Node", False, ("no",)),
    Resource("", "v1", "persistentvolumes", "PersistentVolume", False, ("pv",)),
    Resource("", "v1", "persistentvolumeclaims", "PersistentVolumeClaim", True, ("pvc",)),
    Resource("", "v1", "limitranges", "LimitRange", True, ("limits",), status=False),
    Resource("", "v1", "resourcequotas", "ResourceQuota", True, ("quota",)),
    Resource("apps", "v1", "deployments", "Deployment", True, ("deploy",), True, categories=ALL),
    Resource("apps", "v1", "replicasets", "ReplicaSet", True, ("rs",), True, categories=ALL),
    Resource("apps", "v1", "statefulsets", "StatefulSet", True, ("sts",), True, categories=ALL),
    Resource("apps", "v1", "daemonsets", "DaemonSet", True, ("ds",), categories=ALL),
    Resource("batch", "v1", "jobs", "Job", True, categories=ALL),
    Resource("batch", "v1", "cronjobs", "CronJob", True, ("cj",), categories=ALL),
    Resource("autoscaling", "v2", "horizontalpodautoscalers", "HorizontalPodAutoscaler", True,
             ("hpa",), categories=ALL),
    Resource("policy", "v1", "poddisruptionbudgets", "PodDisruptionBudget", True, ("pdb",)),
    Resource("networking.k8s.io", "v1", "ingresses", "Ingress", True, ("ing",)),
    Resource("networking.k8s.io", "v1", "ingressclasses", "IngressClass", False, status=False),
    Resource("networking.k8s.io", "v1", "networkpolicies", "NetworkPolicy", True, ("netpol",),
             status=False),
    Resource("storage.k8s.io", "v1", "storageclasses", "StorageClass", False, ("sc",),
             status=False),
    Resource("scheduling.k8s.io", "v1", "priorityclasses", "PriorityClass", False, ("pc",),
             status=False),
    Resource("rbac.authorization.k8s.io", "v1", "roles", "Role", True, status=False),
    Resource("rbac.authorization.k8s.io", "v1", "rolebindings", "RoleBinding", True, status=False),
    Resource("rbac.authorization.k8s.io", "v1", "clusterroles", "ClusterRole", False,
             status=False),
    Resource("rbac.authorization.k8s.io", "v1", "clusterrolebindings", "ClusterRoleBinding", False,
             status=False),
    Resource("coordination.k8s.io", "v1", "leases", "Lease", True, status=False),
    Resource("apiextensions.k8s.io", "v1", "customresourcedefinitions",
             "CustomResourceDefinition", False, ("crd", "crds")),
    Resource("authorization.k8s.io", "v1", "selfsubjectaccessreviews", "SelfSubjectAccessReview",
             False, status=False, verbs=CREATE),
    Resource("authorization.k8s.io", "v1", "selfsubjectrulesreviews", "SelfSubjectRulesReview",
             False, status=False, verbs=CREATE),
    Resource("authentication.k8s.io", "v1", "selfsubjectreviews", "SelfSubjectReview", False,
             status=False, verbs=CREATE),
)


def _custom(crd: Object) -> list[Resource]:
    spec = crd["spec"]
    names = spec["names"]
    return [Resource(spec["group"], version["name"], names["plural"], names["kind"],
                     spec.get("scope") == "Namespaced", tuple(names.get("shortNames") or ()),
                     scale="scale" in (version.get("subresources") or {}),
                     status="status" in (version.get("subresources") or {}),
                     categories=tuple(names.get("categories") or ()), custom=True)
            for version in spec.get("versions", []) if version.get("served", True)]


def served(store: Store) -> list[Resource]:
    """All resources of a cluster now: built in, and of every established definition."""
    found = list(BUILT_IN)
    for crd in store.list(CRDS):
        conditions: list[dict[str, Any]] = crd.get("status", {}).get("conditions", [])
        if any(c["type"] == "Established" and c["status"] == "True" for c in conditions):
            found += _custom(crd)
    return found


def lookup(store: Store, group: str, version: str, plural: str) -> Resource | None:
    """The resource at a path, or None."""
    for resource in served(store):
        if (resource.group, resource.version, resource.plural) == (group, version, plural):
            return resource
    return None
