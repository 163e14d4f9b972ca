"""The admin interface: HTTP with JSON on a port of its own, so that tests in any language use it.

Parameters come from the query string or a JSON body; answers are JSON; an error is
{"error": "…"} with status 400 or 404. README.md lists the endpoints.
"""

from __future__ import annotations

import json
import threading
import time
from pathlib import Path
from typing import Any, Callable
from urllib.parse import parse_qsl, unquote

from .httpserver import Handler, Server
from .record import parse_since
from .rules import KINDS, Rule

Parameters = dict[str, Any]
TRUE = ("1", "true", "on", "yes", True, 1)


class Admin:
    """Routes admin calls to the parts of one daemon."""

    def __init__(self, daemon: Any) -> None:
        self.daemon = daemon
        self.routes: dict[tuple[str, str], Callable[[list[str], Parameters], Any]] = {
            ("GET", "status"): lambda _, __: daemon.status(),
            ("GET", "requests"): self._requests,
            ("DELETE", "requests"): lambda _, __: daemon.record.clear() or {},
            ("GET", "cut"): lambda _, __: daemon.rules.cut_regions(),
            ("POST", "cut"): self._cut,
            ("POST", "restore"): self._restore,
            ("GET", "rules"): lambda _, __: daemon.rules.listing(),
            ("GET", "parked"): self._parked,
            ("POST", "git"): self._git,
            ("POST", "k8s"): self._k8s,
            ("GET", "k8s"): lambda _, __: daemon.kubernetes.summary(),
            ("POST", "dns"): self._dns,
            ("POST", "age"): self._age,
            ("GET", "age"): lambda _, __: daemon.ages.listing(),
            ("POST", "record"): self._recording,
            ("POST", "shutdown"): self._shutdown,
        }
        for kind in KINDS:
            self.routes["POST", kind] = self._rule_adder(kind)
            self.routes["DELETE", kind] = self._rule_remover(kind)
        admin = self

        class AdminHandler(_Handler):
            owner = admin

        self.server = Server(("127.0.0.1", 0), AdminHandler)

    def call(self, method: str, path: str, parameters: Parameters) -> Any:
        """One call; KeyError for an unknown endpoint, ValueError for bad parameters."""
        name, *rest = [unquote(p) for p in path.strip("/").split("/")]
        if (method, name) not in self.routes:
            raise KeyError(f"no endpoint {method} /{name}")
        return self.routes[method, name](rest, parameters)

    def _requests(self, _: list[str], p: Parameters) -> Any:
        return self.daemon.record.select(
            region=p.get("region", ""), since=parse_since(str(p.get("since", ""))),
            refused=p.get("refused") in TRUE, service=p.get("service", ""),
            operation=p.get("operation", ""))

    def _cut(self, rest: list[str], p: Parameters) -> Any:
        self.daemon.rules.cut(_one(rest, "a region"), p.get("how", "error"))
        return self.daemon.rules.cut_regions()

    def _restore(self, rest: list[str], _: Parameters) -> Any:
        self.daemon.rules.restore(_one(rest, "a region"))
        return self.daemon.rules.cut_regions()

    def _parked(self, _: list[str], p: Parameters) -> Any:
        reached = self.daemon.rules.wait_parked(int(p.get("count", 1)), float(p.get("timeout", 0)))
        return {"parked": reached, "rules": self.daemon.rules.listing()}

    def _git(self, rest: list[str], p: Parameters) -> Any:
        switch = {"down": self.daemon.git.down, "up": self.daemon.git.up}.get(_one(rest, "down|up"))
        if switch is None:
            raise ValueError("git is switched down or up")
        switch(p.get("repository", "primary"))
        return {name: self.daemon.git.is_up(name) for name in ("primary", "mirror")}

    def _k8s(self, rest: list[str], p: Parameters) -> Any:
        if _one(rest, "stall") != "stall":
            raise ValueError("k8s knows stall alone")
        self.daemon.kubernetes.stall(p["deployment"], p.get("on", True) in TRUE)
        return {"stalled": self.daemon.kubernetes.stalled()}

    def _dns(self, rest: list[str], p: Parameters) -> Any:
        if _one(rest, "lag") != "lag":
            raise ValueError("dns knows lag alone")
        self.daemon.dns.lag(int(p["server"]), float(p.get("seconds", 0)))
        return self.daemon.dns.lags()

    def _age(self, _: list[str], p: Parameters) -> Any:
        """`made` in epoch seconds, or `seconds` before now."""
        made = float(p["made"]) if "made" in p else time.time() - float(p["seconds"])
        self.daemon.ages.set(p["resource"], made)
        return {p["resource"]: made}

    def _recording(self, rest: list[str], p: Parameters) -> Any:
        """start; stop writes to `path` (`names`: see Recorder.stop); drop forgets."""
        recorder = self.daemon.gateway.recorder
        what = _one(rest, "start|stop|drop")
        if what == "start":
            recorder.start()
        elif what == "stop":
            return {"requests": recorder.stop(Path(p["path"]), p["names"])}
        elif what == "drop":
            recorder.drop()
        else:
            raise ValueError("a recording is started, stopped or dropped")
        return {}

    def _shutdown(self, _: list[str], __: Parameters) -> Any:
        threading.Thread(target=self.daemon.request_stop, daemon=True).start()
        return {}

    def _rule_adder(self, kind: str) -> Callable[[list[str], Parameters], Any]:
        types = {"times": int, "status": int, "seconds": float,
                 "after": lambda value: value in TRUE}
        allowed = set(Rule.__dataclass_fields__) - {"id", "kind", "hits", "parked"}

        def add(_: list[str], p: Parameters) -> Any:
            unknown = sorted(set(p) - allowed)
            if unknown:
                raise ValueError(f"{kind} has no {', '.join(unknown)}")
            settings = {k: types.get(k, str)(v) for k, v in p.items()}
            return {"id": self.daemon.rules.add(kind, **settings).id}
        return add

    def _rule_remover(self, kind: str) -> Callable[[list[str], Parameters], Any]:
        def remove(rest: list[str], _: Parameters) -> Any:
            return {"removed": self.daemon.rules.remove(kind, int(rest[0]) if rest else None)}
        return remove


def _one(rest: list[str], what: str) -> str:
    if len(rest) != 1 or not rest[0]:
        raise ValueError(f"expected /{what} after the endpoint")
    return rest[0]


class _Handler(Handler):
    owner: Admin

    def handle_request(self) -> None:
        path, _, query = self.path.partition("?")
        parameters: Parameters = dict(parse_qsl(query, keep_blank_values=True))
        with self.read_body() as body:
            text = body.read()
        try:
            if text:
                parameters |= json.loads(text)
            self.answer_json(200, self.owner.call(self.command, path, parameters))
        except KeyError as error:
            self.answer_json(404, {"error": f"not found or missing: {error.args[0]}"})
        except (ValueError, TypeError) as error:
            self.answer_json(400, {"error": str(error)})

    do_GET = do_POST = do_DELETE = handle_request
