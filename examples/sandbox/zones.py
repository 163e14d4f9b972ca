"""The emulated Route 53 zones as name servers see them, live or as they were some seconds ago.

Moto is asked for the records; the answer is kept for CACHE_SECONDS at most and dropped before each
change. Before a change the state until then is kept too, so that a lagging server can answer from
the past exactly.
"""

from __future__ import annotations

import random
import threading
import time
from collections import deque
from dataclasses import dataclass, field
from typing import Iterable

from . import addresses
from .awsrequest import AwsRequest
from .emulator import Moto, parse_xml
from .gaps import plain_values

CACHE_SECONDS = 0.1
HISTORY = 256
MAX_CHAIN = 8
NO_ERROR, NAME_ERROR, REFUSED = 0, 3, 5


@dataclass
class RecordSet:
    """One resource record set; names are in lower case with a final dot."""

    name: str
    type: str
    ttl: int = 60
    values: list[str] = field(default_factory=list)
    alias: str = ""
    identifier: str = ""
    weight: int | None = None
    failover: str = ""


@dataclass
class Zone:
    name: str
    id: str
    records: list[RecordSet] = field(default_factory=list)


@dataclass
class Answer:
    """What a name server says; `records` are (name, type, ttl, value)."""

    status: int = NO_ERROR
    authoritative: bool = False
    records: list[tuple[str, str, int, str]] = field(default_factory=list)
    authority: list[tuple[str, str, int, str]] = field(default_factory=list)


def canonical(name: str) -> str:
    """Lower case, final dot, Route 53's octal escapes (`\\052` is *) undone."""
    name = name.lower().replace("\\052", "*")
    return name if name.endswith(".") else name + "."


class Zones:
    """Snapshots of all public zones."""

    def __init__(self, moto: Moto) -> None:
        self._moto = moto
        self._lock = threading.Lock()
        self._fresh: tuple[float, list[Zone]] | None = None
        self._history: deque[tuple[float, list[Zone]]] = deque(maxlen=HISTORY)

    def before_change(self, request: AwsRequest) -> None:
        """To be called before a request that may change a zone reaches moto."""
        if request.service == "route53" and request.method in ("POST", "DELETE"):
            with self._lock:
                self._history.append((time.monotonic(), self._load()))
                self._fresh = None

    def at(self, lag_s: float = 0.0) -> list[Zone]:
        """The zones as they were `lag_s` seconds ago."""
        now = time.monotonic()
        with self._lock:
            if lag_s > 0:
                for until, zones in self._history:
                    if until > now - lag_s:
                        return zones
            if not self._fresh or now - self._fresh[0] > CACHE_SECONDS:
                self._fresh = now, self._load()
            return self._fresh[1]

    def _load(self) -> list[Zone]:
        root = parse_xml(self._moto.checked("route53", "us-east-1", "GET",
                                            "/2013-04-01/hostedzone?maxitems=1000"))
        zones = []
        for element in root.iter("HostedZone"):
            if element.findtext("Config/PrivateZone") == "true":
                continue
            zone_id = (element.findtext("Id") or "").rpartition("/")[2]
            zones.append(Zone(canonical(element.findtext("Name") or ""), zone_id,
                              self._records(zone_id)))
        return zones

    def _records(self, zone_id: str) -> list[RecordSet]:
        root = parse_xml(plain_values(self._moto.checked(
            "route53", "us-east-1", "GET",
            f"/2013-04-01/hostedzone/{zone_id}/rrset?maxitems=100000")))
        records = []
        for element in root.iter("ResourceRecordSet"):
            weight = element.findtext("Weight")
            records.append(RecordSet(
                name=canonical(element.findtext("Name") or ""),
                type=element.findtext("Type") or "",
                ttl=int(element.findtext("TTL") or 0) or 60,
                values=[v.text or "" for v in element.iterfind("ResourceRecords/*/Value")],
                alias=canonical(element.findtext("AliasTarget/DNSName") or "")
                if element.find("AliasTarget") is not None else "",
                identifier=element.findtext("SetIdentifier") or "",
                weight=int(weight) if weight else None,
                failover=element.findtext("Failover") or ""))
        return records

    def name_servers(self) -> list[str]:
        """Names of the servers that the NS records at the zones' tops list, first seen first."""
        names: dict[str, None] = {}
        for zone in self.at():
            for record in zone.records:
                if record.type == "NS" and record.name == zone.name:
                    names |= dict.fromkeys(canonical(v) for v in record.values)
        return list(names)


def resolve(zones: list[Zone], servers: list[str], name: str, kind: str) -> Answer:
    """Answers one question; follows CNAMEs and aliases within what the sandbox knows."""
    name, answer = canonical(name), Answer()
    for _ in range(MAX_CHAIN):
        zone = _zone_of(zones, name)
        if zone is None:
            _outside(servers, name, kind, answer)
            return answer
        answer.authoritative = answer.authoritative or not answer.records
        found = _lookup(zone, name)
        if not found:
            answer.status = NAME_ERROR if not answer.records else NO_ERROR
            answer.authority = _start_of_authority(zone)
            return answer
        matching = [r for r in found if r.type == kind or kind == "ANY"]
        cname = [r for r in found if r.type == "CNAME"]
        if matching:
            _add(zones, servers, name, _choose(matching), answer)
            return answer
        if not cname:
            answer.authority = _start_of_authority(zone)
            return answer
        chosen = _choose(cname)[0]
        target = chosen.alias or canonical(chosen.values[0])
        answer.records.append((name, "CNAME", chosen.ttl, target))
        name = target
    answer.status = 2
    return answer


def _zone_of(zones: list[Zone], name: str) -> Zone | None:
    fitting = [z for z in zones if name == z.name or name.endswith("." + z.name)]
    return max(fitting, key=lambda z: len(z.name), default=None)


def _lookup(zone: Zone, name: str) -> list[RecordSet]:
    """Records of the name, or of the closest wildcard above it (an existing name hides it)."""
    found = [r for r in zone.records if r.name == name]
    rest = name
    while not found and rest != zone.name and "." in rest[:-1]:
        rest = rest.partition(".")[2]
        found = [r for r in zone.records if r.name == "*." + rest]
        if any(r.name == rest for r in zone.records):
            break
    return found


def _choose(records: list[RecordSet]) -> list[RecordSet]:
    """What a routing policy lets through: weights by chance, PRIMARY of a failover pair."""
    weighted = [r for r in records if r.weight is not None]
    if weighted:
        weights = [r.weight or 0 for r in weighted]
        return random.choices(weighted, weights if any(weights) else [1] * len(weights))
    primary = [r for r in records if r.failover == "PRIMARY"]
    return primary or ([records[0]] if records[0].identifier else records)


def _add(zones: list[Zone], servers: list[str], name: str, records: Iterable[RecordSet],
         answer: Answer) -> None:
    for record in records:
        values = record.values
        if record.alias:
            values = [v for _, kind, _, v in
                      resolve(zones, servers, record.alias, record.type).records
                      if kind == record.type]
        answer.records += [(name, record.type, record.ttl, value) for value in values]


def _start_of_authority(zone: Zone) -> list[tuple[str, str, int, str]]:
    return [(zone.name, "SOA", r.ttl, r.values[0]) for r in zone.records
            if r.type == "SOA" and r.values]


def _outside(servers: list[str], name: str, kind: str, answer: Answer) -> None:
    """Names of AWS that a zone points at: name servers, load balancers, databases."""
    address = ""
    if name in servers:
        address = addresses.NAME_SERVERS[servers.index(name) % len(addresses.NAME_SERVERS)]
    elif name.endswith(".amazonaws.com."):
        address = addresses.application(addresses.region_in(name))
    if not address:
        answer.status = NAME_ERROR if answer.records else REFUSED
    elif kind in ("A", "ANY"):
        answer.records.append((name, "A", 60, address))
