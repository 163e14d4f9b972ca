"""The service without HTTP: throttling, one change at a time for each zone, changes in progress."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from . import answers, batch
from .zone import Zone, order

MAX_LISTED_ZONES = 100


class Refusal(Exception):
    """An error answer; `body` overrides the usual XML."""

    def __init__(self, status: int, code: str, message: str, body: bytes | None = None) -> None:
        super().__init__(message)
        self.status, self.code, self.body = status, code, body


@dataclass
class Settings:
    """Failure modes and clocks; all can be changed while the stand-in runs."""

    rate: float = 5.0          # requests a second for the whole account; 0 is without limit
    burst: float = 50.0
    insync_after: float = 1.0  # seconds; below 0 is never
    change_time: float = 0.0   # seconds that one change occupies its zone
    busy: int = 0              # so many changes more are refused with PriorRequestNotComplete
    throttle: int = 0          # so many requests more are refused with Throttling
    errors: int = 0            # so many requests more fail with 500
    drop: int = 0              # so many changes more are carried out without an answer
    old_errors: bool = False   # InvalidChangeBatch in the older shape
    page: int = 300            # the most sets on one page
    skew: float = 0.0          # seconds that the service's clock is ahead


@dataclass
class Service:
    """Zones, changes and the bucket of tokens; `lock` guards them."""

    settings: Settings
    zones: dict[str, Zone] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.lock = threading.RLock()
        self._changes: dict[str, float] = {}
        self._busy: set[str] = set()
        self._tokens, self._refilled = self.settings.burst, time.monotonic()

    def now(self) -> float:
        return time.time() + self.settings.skew

    def admit(self) -> None:
        """Takes a token, or raises Throttling; injected failures come first."""
        with self.lock:
            if self._use("throttle"):
                raise Refusal(400, "Throttling", "Rate exceeded")
            if self._use("errors"):
                raise Refusal(500, "InternalFailure", "An internal error occurred.")
            if self.settings.rate <= 0:
                return
            now = time.monotonic()
            self._tokens = min(self.settings.burst,
                               self._tokens + (now - self._refilled) * self.settings.rate)
            self._refilled = now
            if self._tokens < 1:
                raise Refusal(400, "Throttling", "Rate exceeded")
            self._tokens -= 1

    def _use(self, name: str) -> bool:
        left = getattr(self.settings, name)
        if left > 0:
            setattr(self.settings, name, left - 1)
        return bool(left)

    def take_drop(self) -> bool:
        with self.lock:
            return self._use("drop")

    def zone(self, zone_id: str) -> Zone:
        found = self.zones.get(zone_id)
        if not found:
            raise Refusal(404, "NoSuchHostedZone", f"No hosted zone found with ID: {zone_id}")
        return found

    def change(self, zone_id: str, body: bytes) -> tuple[bytes, list[dict[str, Any]]]:
        """ChangeResourceRecordSets; returns the answer and what was changed, for the log."""
        zone = self.zone(zone_id)
        with self.lock:
            if self._use("busy") or zone_id in self._busy:
                raise Refusal(400, "PriorRequestNotComplete", "The request was rejected because "
                              "Route 53 was still processing a prior request.")
            self._busy.add(zone_id)
        try:
            time.sleep(self.settings.change_time)
            changes = self._parse(body)
            with self.lock:
                messages = zone.apply(changes)
        finally:
            with self.lock:
                self._busy.discard(zone_id)
        if messages:
            raise Refusal(400, "InvalidChangeBatch", "; ".join(messages),
                          answers.invalid_batch(messages, self.settings.old_errors))
        summary = [{"action": c.action, "name": c.record.name, "type": c.record.type,
                    "identifier": c.record.identifier, "values": c.record.values,
                    "alias": c.record.alias} for c in changes]
        return self._start_change(), summary

    @staticmethod
    def _parse(body: bytes) -> list[batch.Change]:
        try:
            return batch.parse(body)
        except batch.InputError as error:
            raise Refusal(400, error.code, str(error)) from error

    def _start_change(self) -> bytes:
        with self.lock:
            change_id = f"C{len(self._changes) + 1:013d}"
            self._changes[change_id] = time.time()
        return self._info("ChangeResourceRecordSetsResponse", change_id)

    def get_change(self, change_id: str) -> bytes:
        if change_id not in self._changes:
            raise Refusal(404, "NoSuchChange", f"Could not find resource with ID: {change_id}")
        return self._info("GetChangeResponse", change_id)

    def _info(self, root: str, change_id: str) -> bytes:
        submitted = self._changes[change_id]
        delay = self.settings.insync_after
        done = delay >= 0 and time.time() - submitted >= delay
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(submitted))
        return answers.change_info(root, change_id, "INSYNC" if done else "PENDING", stamp)

    def list_records(self, zone_id: str, query: str) -> bytes:
        """ListResourceRecordSets with its rules about what needs what."""
        given = dict(parse_qsl(query, keep_blank_values=True))
        name, kind = given.get("name", ""), given.get("type", "")
        identifier = given.get("identifier", "")
        if kind and not name:
            raise Refusal(400, "InvalidInput", "The type parameter needs the name parameter.")
        if identifier and not (name and kind):
            raise Refusal(400, "InvalidInput",
                          "The identifier parameter needs the name and type parameters.")
        most = min(_positive(given.get("maxitems", "300")), self.settings.page)
        with self.lock:
            found = self.zone(zone_id).listing(batch.canonical(name) if name else "", kind,
                                               identifier)
            return answers.record_sets(found[:most], found[most] if len(found) > most else None,
                                       most)

    def list_zones(self, query: str, by_name: bool) -> bytes:
        """ListHostedZones(ByName); `dnsname` is where the listing starts, not a filter."""
        given = dict(parse_qsl(query, keep_blank_values=True))
        most = min(_positive(given.get("maxitems", "100")), MAX_LISTED_ZONES)
        found = sorted(self.zones.values(), key=lambda z: (order(z.name), z.id))
        if by_name and given.get("dnsname"):
            start = order(batch.canonical(given["dnsname"])), given.get("hostedzoneid", "")
            found = [z for z in found if (order(z.name), z.id) >= start]
        elif given.get("marker"):
            ids = [z.id for z in found]
            if given["marker"] not in ids:
                raise Refusal(400, "InvalidInput", "The marker is not valid.")
            found = found[ids.index(given["marker"]):]
        root = "ListHostedZonesByNameResponse" if by_name else "ListHostedZonesResponse"
        return answers.zones(root, found[:most], found[most] if len(found) > most else None, most,
                             by_name)


def _positive(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise Refusal(400, "InvalidInput", f"maxitems '{text}' is not a positive number")
    return int(text)
