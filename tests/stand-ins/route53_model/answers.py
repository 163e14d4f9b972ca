"""The XML that Route 53 answers with."""

from __future__ import annotations

import uuid
from xml.sax.saxutils import escape

from .batch import NAMESPACE, ORDER, RecordSet, escaped
from .zone import NAME_SERVERS, Zone

HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'


def _element(name: str, text: object) -> str:
    return f"<{name}>{escape(str(text))}</{name}>"


def document(name: str, inside: str) -> bytes:
    return f'{HEAD}<{name} xmlns="{NAMESPACE}">{inside}</{name}>'.encode()


def error(code: str, message: str, server_fault: bool = False) -> bytes:
    """The usual shape."""
    kind = "Receiver" if server_fault else "Sender"
    return document("ErrorResponse", f"<Error><Type>{kind}</Type>{_element('Code', code)}"
                    f"{_element('Message', message)}</Error>"
                    f"<RequestId>{uuid.uuid4()}</RequestId>")


def invalid_batch(messages: list[str], old: bool) -> bytes:
    """InvalidChangeBatch in the usual shape (one text) or in the older one (a list)."""
    if not old:
        return error("InvalidChangeBatch", "[" + ", ".join(messages) + "]")
    listed = "".join(_element("Message", m) for m in messages)
    return document("InvalidChangeBatch", f"<Messages>{listed}</Messages>"
                    f"<RequestId>{uuid.uuid4()}</RequestId>")


def change_info(root: str, change_id: str, status: str, submitted: str) -> bytes:
    return document(root, f"<ChangeInfo><Id>/change/{change_id}</Id><Status>{status}</Status>"
                    f"<SubmittedAt>{submitted}</SubmittedAt></ChangeInfo>")


def record_set(record: RecordSet) -> str:
    """One ResourceRecordSet, its elements in the schema's order."""
    parts = {"Name": _element("Name", escaped(record.name)), "Type": _element("Type", record.type)}
    if record.identifier:
        parts["SetIdentifier"] = _element("SetIdentifier", record.identifier)
    for name, text in record.fields.items():
        parts[name] = _geo(text) if name == "GeoLocation" else _element(name, text)
    if record.values:
        values = "".join(f"<ResourceRecord>{_element('Value', v)}</ResourceRecord>"
                         for v in record.values)
        parts["ResourceRecords"] = f"<ResourceRecords>{values}</ResourceRecords>"
    if record.alias:
        inner = "".join(_element(n, escaped(v) if n == "DNSName" else v)
                        for n, v in record.alias.items())
        parts["AliasTarget"] = f"<AliasTarget>{inner}</AliasTarget>"
    ordered = [parts[n] for n in ORDER["ResourceRecordSet"] if n in parts]
    return f"<ResourceRecordSet>{''.join(ordered)}</ResourceRecordSet>"


def _geo(text: str) -> str:
    names = ("CountryCode", "SubdivisionCode")
    inner = "".join(_element(n, v) for n, v in zip(names, text.split("/")))
    return f"<GeoLocation>{inner}</GeoLocation>"


def record_sets(page: list[RecordSet], following: RecordSet | None, most: int) -> bytes:
    """One page of a listing and, when there is more, the three values that lead on."""
    inside = "<ResourceRecordSets>" + "".join(map(record_set, page)) + "</ResourceRecordSets>"
    inside += _element("IsTruncated", "true" if following else "false")
    if following:
        inside += _element("NextRecordName", escaped(following.name))
        inside += _element("NextRecordType", following.type)
        if following.identifier:
            inside += _element("NextRecordIdentifier", following.identifier)
    return document("ListResourceRecordSetsResponse", inside + _element("MaxItems", most))


def zone(found: Zone) -> str:
    private = "true" if found.private else "false"
    return (f"<HostedZone><Id>/hostedzone/{found.id}</Id>{_element('Name', escaped(found.name))}"
            f"<CallerReference>stand-in</CallerReference><Config><PrivateZone>{private}"
            f"</PrivateZone></Config><ResourceRecordSetCount>{len(found.records)}"
            "</ResourceRecordSetCount></HostedZone>")


def one_zone(found: Zone) -> bytes:
    servers = "" if found.private else "<DelegationSet><NameServers>" + "".join(
        _element("NameServer", s.rstrip(".")) for s in NAME_SERVERS) + \
        "</NameServers></DelegationSet>"
    return document("GetHostedZoneResponse", zone(found) + servers)


def zones(root: str, page: list[Zone], following: Zone | None, most: int, by_name: bool) -> bytes:
    """ListHostedZones and ListHostedZonesByName."""
    inside = "<HostedZones>" + "".join(map(zone, page)) + "</HostedZones>"
    inside += _element("IsTruncated", "true" if following else "false")
    if following and by_name:
        inside += _element("NextDNSName", escaped(following.name))
        inside += _element("NextHostedZoneId", following.id)
    elif following:
        inside += _element("NextMarker", following.id)
    return document(root, inside + _element("MaxItems", most))
