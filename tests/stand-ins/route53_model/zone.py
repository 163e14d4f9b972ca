"""A hosted zone: batches that apply whole or not at all, and listings in Route 53's order."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field

from .batch import ROUTING, Change, RecordSet, faults, over_limits

Key = tuple[str, str, str]
NAME_SERVERS = ["ns-1.awsdns-01.com.", "ns-2.awsdns-02.net.", "ns-3.awsdns-03.org.",
                "ns-4.awsdns-04.co.uk."]


def order(name: str) -> list[str]:
    """Names sort by their labels from the right."""
    return name.rstrip(".").split(".")[::-1]


@dataclass
class Zone:
    """Records by (name, type, identifier)."""

    id: str
    name: str
    private: bool = False
    records: dict[Key, RecordSet] = field(default_factory=dict)

    def __post_init__(self) -> None:
        start = f"{NAME_SERVERS[0]} awsdns-hostmaster.amazon.com. 1 7200 900 1209600 86400"
        for kind, ttl, values in (("NS", "172800", list(NAME_SERVERS)), ("SOA", "900", [start])):
            record = RecordSet(self.name, kind, "", values, {}, {"TTL": ttl})
            self.records[record.key] = record

    def apply(self, changes: list[Change]) -> list[str]:
        """Applies a batch; any message means that nothing was changed."""
        messages = over_limits(changes)
        before = copy.deepcopy(self.records)
        for change in changes:
            messages += self._one(change)
        if not messages:
            messages = self._consistent({c.record.name for c in changes})
        if messages:
            self.records = before
        return messages

    def _one(self, change: Change) -> list[str]:
        record = change.record
        what = f"[name='{record.name}', type='{record.type}'" + \
            (f", set-identifier='{record.identifier}'" if record.identifier else "") + "]"
        if record.name != self.name and not record.name.endswith("." + self.name):
            return [f"RRSet with DNS name {record.name} is not permitted in zone {self.name}"]
        found = faults(record)
        if found:
            return found
        current = self.records.get(record.key)
        if change.action == "CREATE" and current:
            return [f"Tried to create resource record set {what} but it already exists"]
        if change.action == "DELETE":
            return self._delete(record, current, what)
        self.records[record.key] = record
        return []

    def _delete(self, record: RecordSet, current: RecordSet | None, what: str) -> list[str]:
        if current is None:
            return [f"Tried to delete resource record set {what} but it was not found"]
        if not current.same(record):
            return [f"Tried to delete resource record set {what} but the values provided do not "
                    "match the current values"]
        del self.records[record.key]
        return []

    def _consistent(self, names: set[str]) -> list[str]:
        """Rules about what stands together at one name."""
        messages = []
        for kind in ("SOA", "NS"):
            if (self.name, kind, "") not in self.records:
                messages.append(f"A HostedZone must contain at least one {kind} record for the "
                                "zone itself.")
        for name in sorted(names):
            here = [r for r in self.records.values() if r.name == name]
            kinds = {r.type for r in here}
            if "CNAME" in kinds and (len(kinds) > 1 or name == self.name):
                messages.append(f"RRSet of type CNAME with DNS name {name} is not permitted as it "
                                f"conflicts with other records with the same DNS name in zone "
                                f"{self.name}")
            for kind in sorted(kinds):
                messages += self._group([r for r in here if r.type == kind])
        return messages

    @staticmethod
    def _group(records: list[RecordSet]) -> list[str]:
        where = f"[name='{records[0].name}', type='{records[0].type}']"
        policies = {next((p for p in ROUTING if p in r.fields), "simple") for r in records}
        if len(policies) > 1:
            return [f"RRSets of different routing policies stand at {where}"]
        if len({r.fields["TTL"] for r in records if "TTL" in r.fields}) > 1:
            return [f"The TTL of all sets of a group must be the same {where}"]
        return []

    def listing(self, name: str = "", kind: str = "", identifier: str = "") -> list[RecordSet]:
        """Sets from a starting point on, in order."""
        def rank(key: Key) -> tuple[list[str], str, str]:
            return order(key[0]), key[1], key[2]
        found = [self.records[k] for k in sorted(self.records, key=rank)]
        if not name:
            return found
        start = rank((name, kind, identifier))
        return [r for r in found if rank(r.key) >= start]
