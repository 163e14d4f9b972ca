"""What the gateway does to requests besides passing them on: the switches that tests turn.

A rule names a service and an operation (shell patterns, `*` for any) and, if wanted, a region.
Holds park a request until released, so that a test can keep terraform in mid-apply.
"""

from __future__ import annotations

import fnmatch
import itertools
import threading
import time
from dataclasses import asdict, dataclass
from typing import Any

from .awsrequest import AwsRequest

KINDS = ("fault", "hold", "slow", "rewrite")
HOW = ("error", "reset", "hang")
HANG_SECONDS = 900.0


@dataclass
class Rule:
    """One switch; `times` < 0 means without end, `hits` counts the requests it took."""

    id: int
    kind: str
    service: str = "*"
    operation: str = "*"
    region: str = ""
    times: int = -1
    hits: int = 0
    parked: int = 0
    status: int = 500
    code: str = "InternalFailure"
    message: str = "Injected by the sandbox"
    form: str = ""
    seconds: float = 0.0
    after: bool = False
    pattern: str = ""
    replacement: str = ""

    def matches(self, request: AwsRequest) -> bool:
        return (fnmatch.fnmatchcase(request.service, self.service)
                and fnmatch.fnmatchcase(request.operation, self.operation)
                and (not self.region or self.region in request.regions))


class Rules:
    """All switches of one sandbox."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._ids = itertools.count(1)
        self._rules: dict[int, Rule] = {}
        self._cut: dict[str, str] = {}
        self._closed = False

    def cut(self, region: str, how: str = "error") -> None:
        if how not in HOW:
            raise ValueError(f"how must be one of {', '.join(HOW)}")
        with self._changed:
            self._cut[region] = how
            self._changed.notify_all()

    def restore(self, region: str) -> None:
        with self._changed:
            self._cut.pop(region, None)
            self._changed.notify_all()

    def cut_regions(self) -> dict[str, str]:
        with self._changed:
            return dict(self._cut)

    def refusal(self, regions: dict[str, str]) -> tuple[str, str, str] | None:
        """(region, how, where it was named) when one of the regions is cut off."""
        with self._changed:
            for region, where in regions.items():
                if region in self._cut:
                    return region, self._cut[region], where
        return None

    def add(self, kind: str, **settings: Any) -> Rule:
        if kind not in KINDS:
            raise ValueError(f"no rule of kind {kind}")
        with self._changed:
            rule = Rule(next(self._ids), kind, **settings)
            self._rules[rule.id] = rule
            return rule

    def remove(self, kind: str, rule_id: int | None = None) -> int:
        """Removes one rule or all of a kind; requests parked by them go on. Returns how many."""
        with self._changed:
            gone = [r.id for r in self._rules.values()
                    if r.kind == kind and rule_id in (None, r.id)]
            for number in gone:
                del self._rules[number]
            self._changed.notify_all()
            return len(gone)

    def listing(self) -> list[dict[str, Any]]:
        with self._changed:
            return [asdict(rule) for rule in self._rules.values()]

    def take(self, kind: str, request: AwsRequest, after: bool = False) -> Rule | None:
        """The first rule of a kind for this request; uses up one of its times."""
        with self._changed:
            for rule in self._rules.values():
                if rule.kind == kind and rule.after == after and rule.times != 0 \
                        and rule.matches(request):
                    rule.hits += 1
                    rule.times -= rule.times > 0
                    return rule
        return None

    def wait_while_held(self, request: AwsRequest, after: bool = False) -> None:
        """Parks the caller until no hold matches its request any more."""
        rule = self.take("hold", request, after)
        if not rule:
            return
        with self._changed:
            rule.parked += 1
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._closed or rule.id not in self._rules)
            rule.parked -= 1

    def wait_parked(self, count: int, timeout_s: float) -> bool:
        """Whether at least `count` requests were parked by holds before the time was over."""
        with self._changed:
            return self._changed.wait_for(
                lambda: sum(r.parked for r in self._rules.values()) >= count, timeout_s)

    def hang(self, region: str) -> None:
        """Keeps the caller waiting like a region that does not answer."""
        deadline = time.monotonic() + HANG_SECONDS
        with self._changed:
            self._changed.wait_for(lambda: self._closed or region not in self._cut,
                                   max(0.0, deadline - time.monotonic()))

    def close(self) -> None:
        """Lets everything that waits go on; the sandbox is going down."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
