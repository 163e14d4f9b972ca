"""Copies of RDS snapshots that moto does not find: those that another account shares (it looks in
the caller's own alone), and automated ones in another region (their names have a colon).

As in AWS, a snapshot that is not shared with the caller is not there for it. The copy is made of
what moto keeps of any snapshot: a description of its instance.
"""

from __future__ import annotations

import re
from urllib.parse import urlencode
from xml.etree import ElementTree

from . import awserror
from .awsrequest import AwsRequest
from .emulator import API_VERSIONS, Moto, MotoError

SNAPSHOT = re.compile(r"arn:aws[a-z-]*:rds:([a-z0-9-]+):(\d{12}):snapshot:(.+)")
KEPT = ("DBInstanceIdentifier", "Engine", "EngineVersion", "AllocatedStorage", "MasterUsername",
        "StorageType")


class SharedSnapshots:
    """Answers CopyDBSnapshot where moto cannot."""

    def __init__(self, moto: Moto) -> None:
        self._moto = moto

    def answer(self, request: AwsRequest) -> tuple[int, bytes] | None:
        """The whole answer, None for any other request."""
        if request.service != "rds" or request.operation != "CopyDBSnapshot":
            return None
        source = request.form.get("SourceDBSnapshotIdentifier", [""])[0]
        found = SNAPSHOT.fullmatch(source)
        caller = self._caller(request) if found else ""
        if not found:
            return None
        region, owner, name = found.groups()
        if owner == caller and not name.startswith("rds:"):
            return None
        target = request.form.get("TargetDBSnapshotIdentifier", [""])[0]
        snapshot = self._shared(Moto(self._moto.port, account=owner), region, name, caller)
        if snapshot is None:
            return 404, awserror.render(request, "DBSnapshotNotFound",
                                        f"DBSnapshot {source} not found.")[1]
        return 200, self._copy(Moto(self._moto.port, account=caller), request.region, snapshot,
                               target)

    def _caller(self, request: AwsRequest) -> str:
        headers = {"authorization": request.headers.get("authorization", ""),
                   "content-type": "application/x-www-form-urlencoded; charset=utf-8"}
        form = urlencode({"Action": "GetCallerIdentity", "Version": API_VERSIONS["sts"]}).encode()
        _, _, body = self._moto.request("sts", request.region, "POST", "/", form, headers)
        found = re.search(rb"<Account>(\d+)</Account>", body)
        return found.group(1).decode() if found else ""

    @staticmethod
    def _shared(owner: Moto, region: str, name: str, caller: str) -> ElementTree.Element | None:
        try:
            if caller != owner.account:
                attributes = owner.query("rds", region, "DescribeDBSnapshotAttributes",
                                         DBSnapshotIdentifier=name)
                shared = {value.text for value in attributes.iter("AttributeValue")}
                if caller not in shared and "all" not in shared:
                    return None
            snapshots = owner.query("rds", region, "DescribeDBSnapshots",
                                    DBSnapshotIdentifier=name)
        except MotoError:
            return None
        return snapshots.find(".//DBSnapshot")

    @staticmethod
    def _copy(caller: Moto, region: str, snapshot: ElementTree.Element, target: str) -> bytes:
        fields = {name: snapshot.findtext(name) or "" for name in KEPT}
        caller.query("rds", region, "CreateDBInstance", DBInstanceClass="db.t3.medium",
                     MasterUserPassword="from-the-snapshot",
                     StorageEncrypted=snapshot.findtext("Encrypted") or "false", **fields)
        instance = fields["DBInstanceIdentifier"]
        form = {"Action": "CreateDBSnapshot", "Version": API_VERSIONS["rds"],
                "DBInstanceIdentifier": instance, "DBSnapshotIdentifier": target}
        headers = {"content-type": "application/x-www-form-urlencoded; charset=utf-8"}
        answer = caller.checked("rds", region, "POST", "/", urlencode(form).encode(), headers)
        caller.query("rds", region, "DeleteDBInstance", DBInstanceIdentifier=instance,
                     SkipFinalSnapshot="true")
        return answer.replace(b"CreateDBSnapshot", b"CopyDBSnapshot")
