"""Gives each RDS instance a resource id of its own; moto gives all of them the same.

Terraform keeps an instance under its resource id and looks it up by it, so two instances in one
region would be taken for each other. As in AWS, an id stays with its instance through a rename and
is not used again. Ids are derived from names, not drawn, so that a replayed seeding finds its own.
"""

from __future__ import annotations

import base64
import hashlib
import re
import threading

from .awsrequest import AwsRequest
from .emulator import Moto

INSTANCE = re.compile(rb"<DBInstance>.*?</DBInstance>", re.DOTALL)
ARN = re.compile(rb"<DBInstanceArn>([^<]+)</DBInstanceArn>")
RESOURCE_ID = re.compile(rb"<DbiResourceId>[^<]*</DbiResourceId>")
FILTER_NAME = re.compile(r"(Filters\.(?:Filter|member)\.\d+)\.Name")


class ResourceIds:
    """Which id each instance has, by its present ARN."""

    def __init__(self, moto: Moto) -> None:
        self._moto = moto
        self._lock = threading.Lock()
        self._ids: dict[str, str] = {}
        self._used: set[str] = set()

    def answer(self, request: AwsRequest) -> bytes | None:
        """The answer to a search by resource id, None for any other request."""
        wanted = _wanted(request)
        if wanted is None:
            return None
        headers = {"authorization": request.headers.get("authorization", ""),
                   "content-type": "application/x-www-form-urlencoded; charset=utf-8"}
        body = b"Action=DescribeDBInstances&Version=2014-10-31"
        status, _, everything = self._moto.request("rds", request.region, "POST", "/", body,
                                                   headers)
        if status != 200:
            return everything
        return INSTANCE.sub(lambda found: _if_wanted(found.group(0), wanted),
                            self._renumbered(everything))

    def adapt(self, request: AwsRequest, body: bytes) -> bytes:
        """An answer of RDS with the right ids; follows renames and deletions."""
        if request.operation == "ModifyDBInstance":
            self._follow_rename(request, body)
        body = self._renumbered(body)
        if request.operation == "DeleteDBInstance":
            for arn in ARN.findall(body):
                with self._lock:
                    self._ids.pop(arn.decode(), None)
        return body

    def _follow_rename(self, request: AwsRequest, body: bytes) -> None:
        old = request.form.get("DBInstanceIdentifier", [""])[0]
        new = request.form.get("NewDBInstanceIdentifier", [""])[0]
        arn = ARN.search(body)
        if not (new and new != old and arn):
            return
        prefix = arn.group(1).decode().rpartition(":")[0]
        with self._lock:
            self._ids[f"{prefix}:{new}"] = self._id(f"{prefix}:{old}")
            del self._ids[f"{prefix}:{old}"]

    def _renumbered(self, body: bytes) -> bytes:
        return INSTANCE.sub(lambda found: self._with_id(found.group(0)), body)

    def _with_id(self, instance: bytes) -> bytes:
        arn = ARN.search(instance)
        if not arn:
            return instance
        with self._lock:
            number = self._id(arn.group(1).decode()).encode()
        return RESOURCE_ID.sub(b"<DbiResourceId>" + number + b"</DbiResourceId>", instance)

    def _id(self, arn: str) -> str:
        """The id of the instance that has this ARN now; the lock is held."""
        generation = 0
        while arn not in self._ids:
            digest = hashlib.sha256(f"{arn} {generation}".encode()).digest()
            number = "db-" + base64.b32encode(digest).decode()[:26]
            if number not in self._used:
                self._used.add(number)
                self._ids[arn] = number
            generation += 1
        return self._ids[arn]


def _wanted(request: AwsRequest) -> set[str] | None:
    """The resource ids that a request filters by, None when it does not."""
    if request.service != "rds" or request.operation != "DescribeDBInstances":
        return None
    for name, values in request.form.items():
        found = FILTER_NAME.fullmatch(name)
        if found and values[0] == "dbi-resource-id":
            start = found.group(1) + ".Values."
            return {v[0] for n, v in request.form.items() if n.startswith(start)}
    return None


def _if_wanted(instance: bytes, wanted: set[str]) -> bytes:
    found = RESOURCE_ID.search(instance)
    number = found.group(0)[len(b"<DbiResourceId>"):-len(b"</DbiResourceId>")] if found else b""
    return instance if number.decode() in wanted else b""
