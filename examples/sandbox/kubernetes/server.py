"""The HTTPS face of the clusters: paths to operations, and the content types that kubectl speaks.

A cluster's base path is /ACCOUNT/REGION/NAME, so that one port serves them all and a request names
its region: one that is cut off is refused and recorded like any other of AWS.
"""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any, Iterator
from urllib.parse import parse_qsl, unquote

from ..httpserver import Handler, Server
from ..record import Record
from ..rules import Rules
from . import auth, certificates, discovery, openapi, protobuf, selectors, tables
from .cluster import Cluster, Options
from .controllers import Controllers
from .resources import lookup
from .status import ApiError, bad_request, not_found, success
from .store import Object
from .workloads import DEPLOYMENTS

PATCHES = {"application/json-patch+json": "json", "application/merge-patch+json": "merge",
           "application/strategic-merge-patch+json": "strategic",
           "application/apply-patch+yaml": "apply"}
WATCH_POLL_S = 0.5
DEFAULT_WATCH_S = 1800.0
Identity = tuple[str, str, str]


class Kubernetes:
    """All clusters of a sandbox behind one TLS port."""

    def __init__(self, folder: Path, rules: Rules, record: Record) -> None:
        certificates.create(folder)
        self._authority = certificates.authority(folder)
        self.rules, self.record = rules, record
        self._lock = threading.Lock()
        self._clusters: dict[Identity, tuple[Cluster, Controllers]] = {}
        self._stalled: set[str] = set()
        host = self

        class KubernetesHandler(_Handler):
            owner = host

        self._server = Server(("127.0.0.1", 0), KubernetesHandler, certificates.context(folder))
        self.port = self._server.server_port

    def start(self) -> None:
        self._server.start()

    def stop(self) -> None:
        with self._lock:
            for _, controllers in self._clusters.values():
                controllers.stop()
        self._server.stop()

    def endpoint(self, account: str, region: str, name: str) -> str:
        return f"https://127.0.0.1:{self.port}/{account}/{region}/{name}"

    def authority(self) -> str:
        return self._authority

    def create(self, account: str, region: str, name: str) -> None:
        """Makes an empty cluster unless it exists."""
        with self._lock:
            if (account, region, name) not in self._clusters:
                cluster = Cluster(account, region, name)
                self._clusters[account, region, name] = cluster, Controllers(
                    cluster, lambda workload: workload in self._stalled)

    def remove(self, account: str, region: str, name: str) -> None:
        with self._lock:
            found = self._clusters.pop((account, region, name), None)
        if found:
            found[1].stop()

    def cluster(self, account: str, region: str, name: str) -> Cluster | None:
        with self._lock:
            found = self._clusters.get((account, region, name))
        return found[0] if found else None

    def stall(self, workload: str, on: bool) -> None:
        """Keeps new pods of workloads of this name from becoming ready, or lets them."""
        with self._lock:
            (self._stalled.add if on else self._stalled.discard)(workload)
            for _, controllers in self._clusters.values():
                controllers.wake()

    def stalled(self) -> list[str]:
        return sorted(self._stalled)

    def _in_region(self, region: str) -> list[Cluster]:
        with self._lock:
            return [c for (_, r, _), (c, _) in self._clusters.items() if r == region]

    def available(self, region: str) -> list[Object]:
        """The Deployments of a region's clusters that are available."""
        return [d for c in self._in_region(region) for d in c.store.list(DEPLOYMENTS)
                if any(k["type"] == "Available" and k["status"] == "True"
                       for k in d.get("status", {}).get("conditions", []))
                and d["spec"].get("replicas", 1) > 0]

    def accounts(self, region: str) -> set[str]:
        """The accounts that have clusters in a region."""
        return {cluster.account for cluster in self._in_region(region)}

    def settings(self, region: str) -> dict[str, str]:
        """Environment values of available Deployments, and all ConfigMap entries beneath them."""
        found: dict[str, str] = {}
        for cluster in self._in_region(region):
            for config in cluster.store.list(("", "configmaps")):
                found |= config.get("data") or {}
        for deployment in self.available(region):
            for container in deployment["spec"]["template"]["spec"]["containers"]:
                found |= {e["name"]: e["value"] for e in container.get("env") or []
                          if e.get("value")}
        return found

    def summary(self) -> list[dict[str, Any]]:
        """Each cluster with the state of its Deployments."""
        with self._lock:
            clusters = [c for c, _ in self._clusters.values()]
        return [{"account": c.account, "region": c.region, "name": c.name,
                 "deployments": {d["metadata"]["name"]: d.get("status", {}).get("readyReplicas", 0)
                                 for d in c.store.list(DEPLOYMENTS)}} for c in clusters]


class _Handler(Handler):
    owner: Kubernetes

    def handle_request(self) -> None:
        raw, _, query = self.path.partition("?")
        self.query = dict(parse_qsl(query, keep_blank_values=True))
        parts = [unquote(p) for p in raw.strip("/").split("/")]
        with self.read_body() as body:
            self.body = body.read()
        try:
            if self._refused(parts):
                self.drop()
                return
            cluster = self.owner.cluster(*parts[:3]) if len(parts) >= 3 else None
            if cluster is None:
                raise ApiError(404, "NotFound", "no such cluster")
            self.cluster = cluster
            self.base = "/" + "/".join(parts[:3])
            self._route(parts[3:])
        except ApiError as error:
            self.answer_json(error.code, error.as_status())
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            self.answer_json(400, bad_request(f"the request is malformed: {error!r}").as_status())

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = handle_request

    def _refused(self, parts: list[str]) -> bool:
        """Records the request; whether a region that it depends on is cut off. 401 raises."""
        caller = auth.authenticate(self.headers.get("Authorization", ""))
        regions = {parts[1]: "cluster"} if len(parts) > 2 else {}
        if caller:
            regions.setdefault(caller.region, "token")
        refusal = self.owner.rules.refusal(regions)
        self.owner.record.add(
            service="kubernetes", operation=self.command, region=parts[1] if regions else "",
            regions=regions, method=self.command, path="/" + "/".join(parts), query="",
            refused=bool(refusal), status=503 if refusal else 0 if caller else 401, ms=0.0,
            reason=f"{refusal[0]} is cut off ({refusal[2]})" if refusal else "",
            agent=self.headers.get("User-Agent", ""))
        if refusal:
            return True
        if not caller:
            raise ApiError(401, "Unauthorized", "Unauthorized")
        self.user = caller.user
        return False

    def _route(self, path: list[str]) -> None:
        document = self._document(path)
        if document is not None:
            kind = discovery.AGGREGATED if document.get("kind") == "APIGroupDiscoveryList" \
                else "application/json"
            self.answer(200, json.dumps(document).encode(), {"Content-Type": kind})
        elif path[0] in ("healthz", "livez", "readyz"):
            self.answer(200, b"ok", {"Content-Type": "text/plain"})
        elif path == ["openapi", "v2"]:
            self._openapi_v2()
        elif path[0] == "api" and len(path) > 2:
            self._resource("", path[1], path[2:])
        elif path[0] == "apis" and len(path) > 3:
            self._resource(path[1], path[2], path[3:])
        else:
            raise ApiError(404, "NotFound", "the server could not find the requested resource")

    def _document(self, path: list[str]) -> dict[str, Any] | None:
        """Discovery and OpenAPI version 3, or None when the path is something else."""
        resources = self.cluster.resources()
        aggregated = "as=APIGroupDiscoveryList" in self.headers.get("Accept", "") and \
            "v=v2;" in self.headers.get("Accept", "")
        if path == ["version"]:
            return discovery.VERSION
        if path in (["api"], ["apis"]) and aggregated:
            return discovery.aggregated(resources, core=path == ["api"])
        if path == ["api"]:
            return discovery.versions()
        if path == ["apis"]:
            return discovery.group_list(resources)
        if path[0] == "apis" and len(path) == 2:
            return discovery.group(resources, path[1])
        if len(path) == {"api": 2, "apis": 3}.get(path[0]):
            group = path[1] if path[0] == "apis" else ""
            return discovery.resource_list(resources, group, path[-1])
        if path[:2] == ["openapi", "v3"]:
            return openapi.v3(resources, "/".join(path[2:])) if path[2:] else \
                openapi.v3_index(resources, self.base)
        return None

    def _openapi_v2(self) -> None:
        if "protobuf" in self.headers.get("Accept", ""):
            self.answer(200, openapi.v2_protobuf(), {"Content-Type": openapi.PROTOBUF})
        else:
            self.answer_json(200, openapi.v2_json())

    def _resource(self, group: str, version: str, path: list[str]) -> None:
        namespace = ""
        if path[0] == "namespaces" and len(path) > 2 and path[2] not in ("status", "finalize"):
            namespace, path = path[1], path[2:]
        resource = lookup(self.cluster.store, group, version, path[0])
        if resource is None:
            raise ApiError(404, "NotFound", "the server could not find the requested resource")
        self.resource, self.namespace = resource, namespace
        name, subresource = (path + ["", ""])[1:3]
        if resource.verbs == ("create",):
            self._review()
        elif not name:
            self._collection()
        else:
            self._item(name, subresource)

    def _review(self) -> None:
        item = _decode(self.body)
        if self.resource.kind == "SelfSubjectReview":
            item["status"] = {"userInfo": {"username": self.user, "groups": ["system:masters"]}}
        else:
            item["status"] = {"allowed": True, "reason": "the sandbox allows everything"}
        self.answer_json(201, item)

    def _collection(self) -> None:
        if self.command == "POST":
            item = self.cluster.create(self.resource, self.namespace, self._object(),
                                       self._options())
            self._answer_object(201, item)
        elif self.command == "DELETE":
            for item in self._selected():
                self.cluster.delete(self.resource, item["metadata"].get("namespace", ""),
                                    item["metadata"]["name"], self._policy(), self._dry_run())
            self.answer_json(200, success(self.resource.plural, "", self.resource.group, ""))
        elif self.command != "GET":
            raise ApiError(405, "MethodNotAllowed", "the method is not allowed here")
        elif self.query.get("watch") in ("1", "true"):
            self._watch()
        else:
            self._list()

    def _selected(self) -> list[Object]:
        return [i for i in self.cluster.store.list(self.resource.type, self.namespace)
                if selectors.matches(self.query, self._stamped(i))]

    def _list(self) -> None:
        with self.cluster.store.changed:
            items, version = self._selected(), str(self.cluster.store.version)
        if self._wants_table():
            whole = self.query.get("includeObject") == "Object"
            self.answer_json(200, tables.table(self.resource.kind, items, version, whole))
            return
        self.answer_json(200, {"kind": self.resource.kind + "List",
                               "apiVersion": self.resource.api_version,
                               "metadata": {"resourceVersion": version}, "items": items})

    def _stamped(self, item: Object) -> Object:
        """The object in the version that was asked for (definitions may serve several)."""
        return item | {"apiVersion": self.resource.api_version, "kind": self.resource.kind}

    def _wants_table(self) -> bool:
        return "as=Table" in self.headers.get("Accept", "")

    def _object(self) -> Object:
        item = _decode(self.body)
        if not isinstance(item, dict):
            raise bad_request("the body is not an object")
        return item

    def _options(self) -> Options:
        agent = self.headers.get("User-Agent", "unknown").partition("/")[0]
        return Options(self.query.get("fieldManager") or agent, self._dry_run(),
                       self.query.get("fieldValidation", ""), self.query.get("force") == "true")

    def _dry_run(self) -> bool:
        return "All" in self.query.get("dryRun", "")

    def _policy(self) -> str:
        if self.body:
            given = _decode(self.body).get("propagationPolicy")
            if given:
                return str(given)
        return self.query.get("propagationPolicy", "Background")

    def _answer_object(self, status: int, item: Object) -> None:
        item = self._stamped(item)
        if self._wants_table():
            whole = self.query.get("includeObject") == "Object"
            item = tables.table(self.resource.kind, [item],
                                item["metadata"].get("resourceVersion", ""), whole)
        self.answer_json(status, item)

    def _item(self, name: str, subresource: str) -> None:
        if subresource == "scale" and self.resource.scale:
            self._scale(name)
            return
        if subresource == "log" and self.resource.kind == "Pod":
            self.cluster.store.get(self.resource.type, self.namespace, name)
            self.answer(200, f"{name}: started\n".encode(), {"Content-Type": "text/plain"})
            return
        if subresource not in ("", "status", "finalize"):
            raise not_found(self.resource.plural + "/" + subresource, name, self.resource.group)
        if self.command == "GET" and self.query.get("watch") in ("1", "true"):
            self.query["fieldSelector"] = f"metadata.name={name}"
            self._watch()
        elif self.command == "GET":
            self._answer_object(200, self.cluster.store.get(self.resource.type, self.namespace,
                                                            name))
        elif self.command == "PUT":
            self._answer_object(200, self.cluster.update(
                self.resource, self.namespace, name, self._object(), self._options(), subresource))
        elif self.command == "PATCH":
            self._patch(name, subresource)
        elif self.command == "DELETE":
            self._delete(name)
        else:
            raise ApiError(405, "MethodNotAllowed", "the method is not allowed here")

    def _patch(self, name: str, subresource: str) -> None:
        kind = PATCHES.get(self.headers.get("Content-Type", "").partition(";")[0])
        if kind is None:
            raise ApiError(415, "UnsupportedMediaType", "unknown patch type")
        existed = self.cluster.store.find(self.resource.type, self.namespace, name)
        item = self.cluster.patch(self.resource, self.namespace, name, kind, _decode(self.body),
                                  self._options(), subresource)
        self._answer_object(200 if existed else 201, item)

    def _delete(self, name: str) -> None:
        item, gone = self.cluster.delete(self.resource, self.namespace, name, self._policy(),
                                         self._dry_run())
        if gone:
            self.answer_json(200, success(self.resource.plural, name, self.resource.group,
                                          item["metadata"]["uid"]))
        else:
            self._answer_object(200, item)

    def _scale(self, name: str) -> None:
        if self.command == "GET":
            self.answer_json(200, self.cluster.scale(self.resource, self.namespace, name))
            return
        change = json.loads(self.body)
        if isinstance(change, list):
            raise ApiError(415, "UnsupportedMediaType", "scale takes merge patches alone")
        self.answer_json(200, self.cluster.set_scale(self.resource, self.namespace, name, change,
                                                     self._options()))

    def _watch(self) -> None:
        if self.query.get("sendInitialEvents"):
            raise ApiError(422, "Invalid", "sendInitialEvents is forbidden: watch-list is disabled")
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self.wfile.flush()
        self.answer_chunks(json.dumps(e).encode() + b"\n" for e in self._events())

    def _events(self) -> Iterator[dict[str, Any]]:
        """Watch events until the client's time is over or the cluster goes away."""
        store, kind = self.cluster.store, self.resource.type
        given = self.query.get("resourceVersion", "")
        with store.changed:
            version = int(given) if given not in ("", "0") else store.version
            first = self._selected() if given in ("", "0") else []
        for item in first:
            yield self._event("ADDED", item)
        shown = {i["metadata"]["uid"] for i in first}
        left = float(self.query.get("timeoutSeconds") or DEFAULT_WATCH_S)
        while left > 0:
            with store.changed:
                if store.version == version:
                    store.changed.wait(WATCH_POLL_S)
                    left -= WATCH_POLL_S
                try:
                    fresh = store.events_after(version, kind)
                except ApiError as error:
                    yield {"type": "ERROR", "object": error.as_status()}
                    return
                version = store.version
            yield from self._filtered(fresh, shown)
            if self.owner.rules.refusal({self.cluster.region: "cluster"}) or \
                    self.owner.cluster(self.cluster.account, self.cluster.region,
                                       self.cluster.name) is not self.cluster:
                return

    def _filtered(self, fresh: list[tuple[int, str, Object]],
                  shown: set[str]) -> Iterator[dict[str, Any]]:
        """Events as the selectors let them through: what stops matching is DELETED."""
        for _, event, item in fresh:
            uid = item["metadata"]["uid"]
            if self.namespace and item["metadata"].get("namespace", "") != self.namespace:
                continue
            if event != "DELETED" and selectors.matches(self.query, self._stamped(item)):
                new = uid not in shown and event == "ADDED"
                shown.add(uid)
                yield self._event("ADDED" if new else "MODIFIED", item)
            elif uid in shown or selectors.matches(self.query, self._stamped(item)):
                shown.discard(uid)
                yield self._event("DELETED", item)

    def _event(self, kind: str, item: Object) -> dict[str, Any]:
        item = self._stamped(item)
        if self._wants_table():
            whole = self.query.get("includeObject") == "Object"
            item = tables.table(self.resource.kind, [item], item["metadata"]["resourceVersion"],
                                whole)
        return {"type": kind, "object": item}


def _decode(body: bytes) -> Any:
    """JSON, which is what most of kubectl sends even as YAML; protobuf; YAML where PyYAML is."""
    if body.startswith(protobuf.MAGIC):
        return protobuf.decode(body)
    try:
        return json.loads(body)
    except ValueError as error:
        try:
            import yaml
        except ImportError:
            raise ApiError(415, "UnsupportedMediaType", "send JSON") from error
        try:
            return yaml.safe_load(body)
        except (yaml.YAMLError, ValueError) as problem:
            raise bad_request(f"the body is not YAML: {problem}") from problem
