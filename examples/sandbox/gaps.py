"""Answers of AWS that moto does not give, or gives wrongly, and that terraform leans on.

Without them the example's second plan would never be empty, and AWS Backup could not be told what
to back up. Each gap names what moto 5.2 does; when moto learns it, the function here can go.
"""

from __future__ import annotations

import json
import re
import threading
import time
import uuid
from typing import Any
from urllib.parse import unquote

from .awsrequest import AwsRequest
from .databases import ResourceIds
from .emulator import Moto
from .shared_snapshots import SharedSnapshots

SELECTIONS = re.compile(r"/backup/plans/([^/]+)/selections/?([^/]*)/?")
RECOVERY_POINTS = re.compile(r"/backup-vaults/[^/]+/recovery-points/?")
NO_OPTION_GROUPS = (
    b'<DescribeOptionGroupsResponse xmlns="http://rds.amazonaws.com/doc/2014-10-31/">'
    b"<DescribeOptionGroupsResult><OptionGroupsList/></DescribeOptionGroupsResult>"
    b"<ResponseMetadata><RequestId>none</RequestId></ResponseMetadata>"
    b"</DescribeOptionGroupsResponse>")
Answer = tuple[int, bytes]


class Selections:
    """AWS Backup selections, which moto has not at all (it answers 500)."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: dict[tuple[str, str], dict[str, Any]] = {}

    def answer(self, request: AwsRequest) -> Answer | None:
        """The answer to a request about selections, None for any other request."""
        found = SELECTIONS.fullmatch(request.path) if request.service == "backup" else None
        if not found:
            return None
        plan, selection = unquote(found.group(1)), unquote(found.group(2))
        with self._lock:
            if request.method == "PUT":
                return 200, json.dumps(self._create(plan, json.loads(request.body))).encode()
            if not selection:
                return 200, json.dumps({"BackupSelectionsList": self._listed(plan)}).encode()
            return self._one(request.method, plan, selection)

    def _create(self, plan: str, body: dict[str, Any]) -> dict[str, Any]:
        # Not random: a replayed seeding must come to the same id.
        number = uuid.uuid5(uuid.NAMESPACE_OID, f"{plan}/{len(self._kept)}")
        made = {"BackupPlanId": plan, "SelectionId": str(number), "CreationDate": time.time()}
        self._kept[plan, made["SelectionId"]] = made | {
            "BackupSelection": body["BackupSelection"],
            "CreatorRequestId": body.get("CreatorRequestId") or made["SelectionId"]}
        return made

    def _listed(self, plan: str) -> list[dict[str, Any]]:
        return [{"BackupPlanId": plan, "SelectionId": kept["SelectionId"],
                 "CreationDate": kept["CreationDate"],
                 "SelectionName": kept["BackupSelection"]["SelectionName"],
                 "IamRoleArn": kept["BackupSelection"]["IamRoleArn"]}
                for (owner, _), kept in self._kept.items() if owner == plan]

    def _one(self, method: str, plan: str, selection: str) -> Answer:
        kept = self._kept.get((plan, selection))
        if kept is None:
            return 400, json.dumps({"__type": "InvalidParameterValueException",
                                    "Message": "Cannot find Backup plan with the given ID"}
                                   ).encode()
        if method == "DELETE":
            del self._kept[plan, selection]
            return 200, b"{}"
        return 200, json.dumps(kept).encode()


class Gaps:
    """What the gateway asks before and after it asks moto."""

    def __init__(self, moto: Moto) -> None:
        self._moto = moto
        self._selections = Selections()
        self._resource_ids = ResourceIds(moto)
        self._shared_snapshots = SharedSnapshots(moto)

    def answer(self, request: AwsRequest) -> Answer | None:
        """A whole answer in moto's place, or None."""
        found = self._resource_ids.answer(request)
        if found is not None:
            return 200, _zones_of(request.region, found)
        if request.service == "backup" and request.method == "GET" and \
                RECOVERY_POINTS.fullmatch(request.path):
            return 200, b'{"RecoveryPoints": []}'  # moto makes none, and cannot say so
        if request.operation == "DescribeOptionGroups" and "OptionGroupName" not in request.form:
            return 200, self._option_groups(request)
        return self._shared_snapshots.answer(request) or self._selections.answer(request)

    def adapt(self, request: AwsRequest, status: int, body: bytes) -> bytes:
        """Moto's answer, completed."""
        if status != 200:
            return body
        if request.service == "backup" and request.method == "GET" and \
                request.path.startswith("/tags/") and not request.path.endswith("/"):
            return self._backup_tags(request, body)
        if request.service == "rds" and request.operation == "DescribeDBParameters":
            return _parameter_sources(body)
        if request.service == "route53" and request.operation == "ListResourceRecordSets":
            return plain_values(body)
        if request.service == "rds":
            return _zones_of(request.region, self._resource_ids.adapt(request, body))
        return body

    def _option_groups(self, request: AwsRequest) -> bytes:
        """Moto answers 500 when no name is asked for, and an error when there is no group."""
        headers = {"authorization": request.headers.get("authorization", ""),
                   "content-type": "application/x-www-form-urlencoded; charset=utf-8"}
        body = request.body + b"&OptionGroupName="
        status, _, answer = self._moto.request("rds", request.region, "POST", "/", body, headers)
        return answer if status == 200 else NO_OPTION_GROUPS

    def _backup_tags(self, request: AwsRequest, body: bytes) -> bytes:
        """Moto finds the tags of vaults and plans only when the path ends in a slash."""
        headers = {"authorization": request.headers.get("authorization", "")}
        status, _, answer = self._moto.request("backup", request.region, "GET", request.path + "/",
                                               headers=headers)
        return answer if status == 200 else body


def _parameter_sources(body: bytes) -> bytes:
    """Moto returns the parameters that a user set, but not that a user set them."""
    if b"<Source>" in body:
        return body
    return body.replace(b"</ParameterValue>", b"</ParameterValue><Source>user</Source>")


def plain_values(body: bytes) -> bytes:
    """Record sets as AWS lists them.

    Moto gives the values of the records that it makes itself (SOA) as Python dictionaries, aliases
    a TTL of 0 and no final dot.
    """
    body = re.sub(rb"\{'Value': '([^']*)'\}", rb"\1", body)
    body = re.sub(rb"<TTL>0</TTL>(<AliasTarget>)", rb"\1", body)
    return re.sub(rb"(<DNSName>[^<]*[^.<])(</DNSName>)", rb"\1.\2", body)


def _zones_of(region: str, body: bytes) -> bytes:
    """Moto restores a copied snapshot into the zone, and so into the region, of its original."""
    return re.sub(rb"<AvailabilityZone>[a-z]+(?:-[a-z]+)+-\d([a-z])</AvailabilityZone>",
                  b"<AvailabilityZone>" + region.encode() + rb"\1</AvailabilityZone>", body)
