"""Reads a ChangeResourceRecordSetsRequest: element order as the schema has it, values by type.

Order and unknown elements are InvalidInput (the schema validator's word); what is wrong with a
change itself is InvalidChangeBatch, collected by the caller for the whole batch.
"""

from __future__ import annotations

import ipaddress
import re
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass, field

NAMESPACE = "https://route53.amazonaws.com/doc/2013-04-01/"
TYPES = ("SOA", "A", "TXT", "NS", "CNAME", "MX", "NAPTR", "PTR", "SRV", "SPF", "AAAA", "CAA", "DS",
         "TLSA", "SSHFP", "SVCB", "HTTPS")
ORDER: dict[str, tuple[str, ...]] = {
    "ChangeResourceRecordSetsRequest": ("ChangeBatch",),
    "ChangeBatch": ("Comment", "Changes"),
    "Change": ("Action", "ResourceRecordSet"),
    "ResourceRecordSet": ("Name", "Type", "SetIdentifier", "Weight", "Region", "GeoLocation",
                          "Failover", "MultiValueAnswer", "TTL", "ResourceRecords", "AliasTarget",
                          "HealthCheckId", "TrafficPolicyInstanceId"),
    "AliasTarget": ("HostedZoneId", "DNSName", "EvaluateTargetHealth"),
    "GeoLocation": ("ContinentCode", "CountryCode", "SubdivisionCode"),
    "ResourceRecord": ("Value",),
}
REPEATED = {"Changes": "Change", "ResourceRecords": "ResourceRecord"}
REQUIRED: dict[str, tuple[str, ...]] = {
    "ChangeResourceRecordSetsRequest": ("ChangeBatch",), "ChangeBatch": ("Changes",),
    "Change": ("Action", "ResourceRecordSet"), "ResourceRecordSet": ("Name", "Type"),
    "AliasTarget": ("HostedZoneId", "DNSName", "EvaluateTargetHealth"),
    "ResourceRecord": ("Value",)}
ROUTING = ("Weight", "Region", "GeoLocation", "Failover", "MultiValueAnswer")
MAX_RECORDS, MAX_CHARACTERS = 1000, 32_000
QUOTED = re.compile(r'\s*(?:"(?:[^"\\]|\\.)*"\s*)+')


class InputError(Exception):
    """The document does not fit the schema; `code` is AWS's."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass
class RecordSet:
    """One set; `fields` holds every other element's text by name, in the order sent."""

    name: str
    type: str
    identifier: str = ""
    values: list[str] = field(default_factory=list)
    alias: dict[str, str] = field(default_factory=dict)
    fields: dict[str, str] = field(default_factory=dict)

    @property
    def key(self) -> tuple[str, str, str]:
        return self.name, self.type, self.identifier

    def same(self, other: "RecordSet") -> bool:
        """Whether every current value is the same; the order of the values does not count."""
        return (self.key, sorted(self.values), self.alias, self.fields) == \
            (other.key, sorted(other.values), other.alias, other.fields)


@dataclass
class Change:
    action: str
    record: RecordSet


def canonical(name: str) -> str:
    """A name as it is kept: lower case, final dot, `*` and others not escaped."""
    name = re.sub(r"\\(\d{3})", lambda m: chr(int(m.group(1), 8)), name.lower())
    return name if name.endswith(".") else name + "."


def escaped(name: str) -> str:
    """A name as listings show it: everything but letters, digits, `-_.` in octal."""
    return "".join(c if c.isascii() and (c.isalnum() or c in "-_.") else f"\\{ord(c):03o}"
                   for c in name)


def parse(body: bytes) -> list[Change]:
    """The changes of a request, checked against the schema."""
    try:
        root = ElementTree.fromstring(body)
    except ElementTree.ParseError as error:
        raise InputError("InvalidInput", f"Invalid XML ; {error}") from error
    if root.tag != f"{{{NAMESPACE}}}ChangeResourceRecordSetsRequest":
        raise InputError("InvalidInput", f"Invalid XML ; cvc-elt.1: Cannot find the declaration of "
                         f"element '{root.tag}'.")
    _check_order(root)
    changes = [_change(e) for e in root.iter(_tag("Change"))]
    if not changes:
        raise InputError("InvalidInput", "Invalid XML ; cvc-complex-type.2.4.b: The content of "
                         "element 'Changes' is not complete.")
    return changes


def _tag(name: str) -> str:
    return f"{{{NAMESPACE}}}{name}"


def _check_order(element: ElementTree.Element) -> None:
    name = element.tag.rpartition("}")[2]
    allowed = list(ORDER.get(name, ()))
    children = [c.tag.rpartition("}")[2] for c in element]
    if any(not c.tag.startswith(f"{{{NAMESPACE}}}") for c in element):
        raise InputError("InvalidInput", f"Invalid XML ; an element of '{name}' has no namespace.")
    if name in REPEATED:
        wrong = [c for c in children if c != REPEATED[name]]
    else:
        wrong = _out_of_order(children, allowed)
    if wrong:
        raise InputError("InvalidInput", "Invalid XML ; cvc-complex-type.2.4.a: Invalid content "
                         f"was found starting with element '{wrong[0]}' in '{name}'.")
    missing = [c for c in REQUIRED.get(name, ()) if c not in children]
    if missing:
        raise InputError("InvalidInput", "Invalid XML ; cvc-complex-type.2.4.b: The content of "
                         f"element '{name}' is not complete: '{missing[0]}' is expected.")
    for child in element:
        _check_order(child)


def _out_of_order(children: list[str], allowed: list[str]) -> list[str]:
    at = 0
    for child in children:
        if child not in allowed[at:]:
            return [child]
        at = allowed.index(child, at) + 1
    return []


def _text(element: ElementTree.Element, name: str) -> str:
    return (element.findtext(_tag(name)) or "").strip()


def _change(element: ElementTree.Element) -> Change:
    action = _text(element, "Action")
    if action not in ("CREATE", "DELETE", "UPSERT"):
        raise InputError("InvalidInput", f"Invalid XML ; '{action}' is not a ChangeAction.")
    source = element.find(_tag("ResourceRecordSet"))
    assert source is not None  # _check_order has seen to it
    record = RecordSet(canonical(_text(source, "Name")), _text(source, "Type"),
                       _text(source, "SetIdentifier"))
    if record.type not in TYPES:
        raise InputError("InvalidInput", f"Invalid XML ; '{record.type}' is not an RRType.")
    for child in source:
        name = child.tag.rpartition("}")[2]
        if name == "ResourceRecords":
            record.values = [v.text or "" for v in child.iter(_tag("Value"))]
        elif name == "AliasTarget":
            record.alias = {c.tag.rpartition("}")[2]: (c.text or "").strip() for c in child}
            record.alias["DNSName"] = canonical(record.alias["DNSName"])
        elif name == "GeoLocation":
            record.fields[name] = "/".join((c.text or "") for c in child)
        elif name not in ("Name", "Type", "SetIdentifier"):
            record.fields[name] = (child.text or "").strip()
    return Change(action, record)


def over_limits(changes: list[Change]) -> list[str]:
    """Messages about the limits of one request; UPSERT counts double."""
    records = characters = 0
    for change in changes:
        factor = 2 if change.action == "UPSERT" else 1
        records += factor * len(change.record.values)
        characters += factor * sum(map(len, change.record.values))
    messages = []
    if records > MAX_RECORDS:
        messages.append(f"Number of records limit of {MAX_RECORDS} exceeded.")
    if characters > MAX_CHARACTERS:
        messages.append(f"Number of characters limit of {MAX_CHARACTERS} exceeded.")
    return messages


def faults(record: RecordSet) -> list[str]:
    """What is wrong with a set by itself, whatever the zone holds."""
    where = f"[name='{record.name}', type='{record.type}']"
    found = []
    if record.alias and ("TTL" in record.fields or record.values):
        found.append(f"Invalid request: an alias has neither TTL nor records {where}")
    if not record.alias and ("TTL" not in record.fields or not record.values):
        found.append(f"Invalid request: Missing field 'TTL' or 'ResourceRecords' in {where}")
    routing = [n for n in ROUTING if n in record.fields]
    if len(routing) > 1:
        found.append(f"Invalid request: more than one routing policy in {where}")
    if bool(routing) != bool(record.identifier):
        found.append(f"Invalid request: SetIdentifier and a routing policy belong together {where}")
    for name, most in (("TTL", 2**31 - 1), ("Weight", 255)):
        text = record.fields.get(name, "0")
        if not text.isdigit() or int(text) > most:
            found.append(f"Invalid request: {name} '{text}' in {where}")
    if record.type == "CNAME" and len(record.values) > 1:
        found.append(f"Invalid Resource Record: a CNAME has exactly one value {where}")
    if len(set(record.values)) != len(record.values):
        found.append(f"Duplicate Resource Record {where}")
    return found + [f"Invalid Resource Record: FATAL problem: {problem} encountered with '{value}'"
                    for value in record.values if (problem := _bad_value(record.type, value))]


def _bad_value(kind: str, value: str) -> str:
    try:
        if kind == "A":
            ipaddress.IPv4Address(value)
        elif kind == "AAAA":
            ipaddress.IPv6Address(value)
        elif kind in ("TXT", "SPF") and not QUOTED.fullmatch(value):
            return "InvalidCharacterString (Value should be enclosed in quotation marks)"
        elif kind == "MX" and not re.fullmatch(r"\d+ \S+", value):
            return "MXRRDATAIllegal"
        elif kind in ("CNAME", "NS", "PTR") and (not value or " " in value):
            return "DomainNameIllegal"
    except ValueError:
        return "ARRDATAIllegalIPv4Address" if kind == "A" else "AAAARRDATAIllegalIPv6Address"
    return ""
