"""What an organisation has before and beside Terraform: state buckets, zone, images, topics.

All of it is made by direct calls of moto, which take milliseconds. Names come from the site file,
so that the example stays the one place where they stand.
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field
from typing import Callable

from . import addresses
from .emulator import Moto

DAY = 86_400.0
SetAge = Callable[[str, float], None]


@dataclass
class Facts:
    """What seeding must know of the site; read by line, as site.py explains."""

    home: str
    dr: str
    account: str
    zone: str
    prefix: str
    state_buckets: list[str] = field(default_factory=list)
    records: list[tuple[str, str, bool, dict[str, str]]] = field(default_factory=list)


def read_facts(text: str) -> Facts:
    """The facts of production from a site file."""
    def first(pattern: str) -> str:
        found = re.search(pattern, text, re.MULTILINE)
        if not found:
            raise ValueError(f"the site file has nothing like {pattern}")
        return found.group(1).strip('"')
    buckets = dict.fromkeys(re.findall(r"^\s+bucket: (\S+)", text, re.MULTILINE))
    facts = Facts(first(r"^region: (\S+)"), first(r"^dr_region: (\S+)"),
                  first(r"account_id: (\S+)"), first(r"^zone:\s*\n\s+name: (\S+)"),
                  first(r"prefix: (\S+)"), [b for b in buckets if _region(b)])
    facts.records = _records(text)
    return facts


def _region(name: str) -> str:
    return next((r for r in addresses.REGIONS if r in name), "")


def _records(text: str) -> list[tuple[str, str, bool, dict[str, str]]]:
    """(name, type, alias, value by region) of the public records in the zone section."""
    zone = text[text.index("\nzone:"):]
    found = []
    for block in re.split(r"^\s+- name: ", zone, flags=re.MULTILINE)[1:]:
        kind = re.search(r"^\s+type: (\w+)", block, re.MULTILINE)
        if kind:
            values = dict(re.findall(r"^\s+([a-z]+-[a-z]+-\d): (\S+)", block, re.MULTILINE))
            found.append((block.split("\n")[0].split("#")[0].strip(), kind.group(1),
                          "alias: true" in block, values))
    return found


class Base:
    """Seeds one emulator."""

    def __init__(self, moto: Moto, facts: Facts, set_age: SetAge) -> None:
        self.moto, self.facts, self.set_age = moto, facts, set_age

    def everything(self) -> None:
        for bucket in self.facts.state_buckets:
            self.bucket(bucket, _region(bucket))
        self.zone()
        for region in (self.facts.home, self.facts.dr):
            self.moto.query("sns", region, "CreateTopic", Name="pagerduty-oncall")
        self.images()
        self.vault()

    def bucket(self, name: str, region: str) -> None:
        """A versioned bucket."""
        body = "" if region == "us-east-1" else (
            "<CreateBucketConfiguration><LocationConstraint>" + region +
            "</LocationConstraint></CreateBucketConfiguration>")
        self.moto.checked("s3", region, "PUT", f"/{name}", body.encode())
        self.moto.checked("s3", region, "PUT", f"/{name}?versioning",
                          b"<VersioningConfiguration><Status>Enabled</Status>"
                          b"</VersioningConfiguration>")

    def zone(self) -> str:
        """The public zone; returns its id."""
        body = ('<CreateHostedZoneRequest xmlns="https://route53.amazonaws.com/doc/2013-04-01/">'
                f"<Name>{self.facts.zone}</Name><CallerReference>sandbox</CallerReference>"
                "</CreateHostedZoneRequest>")
        answer = self.moto.checked("route53", "us-east-1", "POST", "/2013-04-01/hostedzone",
                                   body.encode())
        found = re.search(rb"<Id>/hostedzone/([A-Z0-9]+)</Id>", answer)
        return found.group(1).decode() if found else ""

    def zone_id(self) -> str:
        """The zone that is there."""
        answer = self.moto.checked("route53", "us-east-1", "GET", "/2013-04-01/hostedzone")
        found = re.search(rb"<Id>/hostedzone/([A-Z0-9]+)</Id>\s*<Name>"
                          + self.facts.zone.encode() + rb"\.</Name>", answer)
        return found.group(1).decode() if found else self.zone()

    def images(self) -> None:
        """A weekly AMI of the application servers, tagged, copied to the DR region."""
        home, dr = self.facts.home, self.facts.dr
        base = self.moto.query("ec2", home, "RegisterImage", Name="debian-12",
                               RootDeviceName="/dev/xvda").findtext("imageId") or ""
        instance = self.moto.query("ec2", home, "RunInstances", ImageId=base, MinCount="1",
                                   MaxCount="1", InstanceType="t3.medium")
        instance_id = instance.findtext("instancesSet/item/instanceId") or ""
        for age in (8 * DAY, 1 * DAY):
            name = time.strftime("app-%Y%m%d", time.gmtime(time.time() - age))
            image = self.moto.query("ec2", home, "CreateImage", InstanceId=instance_id,
                                    Name=name).findtext("imageId") or ""
            copy = self.moto.query("ec2", dr, "CopyImage", SourceRegion=home, SourceImageId=image,
                                   Name=name).findtext("imageId") or ""
            for region, number in ((home, image), (dr, copy)):
                self.tag(region, number, Environment="prod", Name=name, Backup="true")
                self.set_age(number, time.time() - age)
        self.moto.query("ec2", home, "TerminateInstances", **{"InstanceId.1": instance_id})
        self.moto.query("ec2", home, "DeregisterImage", ImageId=base)

    def tag(self, region: str, resource: str, **tags: str) -> None:
        fields = {"ResourceId.1": resource}
        for index, (name, value) in enumerate(tags.items(), 1):
            fields |= {f"Tag.{index}.Key": name, f"Tag.{index}.Value": value}
        self.moto.query("ec2", region, "CreateTags", **fields)

    def vault(self) -> None:
        """The vault of the DR region, which receives the copies of the backups."""
        self.moto.json("backup", self.facts.dr, "PUT",
                       f"/backup-vaults/{self.facts.prefix}-dr-vault", {})

    def point_dns(self, region: str) -> None:
        """The public records point at one region's names."""
        self.change("".join(self._set(name, kind, alias, values[region])
                            for name, kind, alias, values in self.facts.records))

    def change(self, changes: str) -> None:
        """One batch of Change elements."""
        body = ('<ChangeResourceRecordSetsRequest xmlns="https://route53.amazonaws.com/doc/'
                f'2013-04-01/"><ChangeBatch><Changes>{changes}</Changes></ChangeBatch>'
                "</ChangeResourceRecordSetsRequest>")
        self.moto.checked("route53", "us-east-1", "POST",
                          f"/2013-04-01/hostedzone/{self.zone_id()}/rrset/", body.encode())

    def _set(self, name: str, kind: str, alias: bool, target: str) -> str:
        """An UPSERT of one record, an alias within the zone or to a load balancer."""
        data = (f"<AliasTarget><HostedZoneId>{self.zone_id()}</HostedZoneId><DNSName>{target}."
                "</DNSName><EvaluateTargetHealth>false</EvaluateTargetHealth></AliasTarget>"
                if alias else f"<TTL>60</TTL><ResourceRecords><ResourceRecord><Value>{target}"
                "</Value></ResourceRecord></ResourceRecords>")
        return (f"<Change><Action>UPSERT</Action><ResourceRecordSet><Name>{name}.</Name>"
                f"<Type>{kind}</Type>{data}</ResourceRecordSet></Change>")

    def database(self) -> None:
        """A database like production's, for sandboxes without Terraform's."""
        self.moto.query(
            "rds", self.facts.home, "CreateDBInstance", Engine="mysql", EngineVersion="8.0",
            DBInstanceIdentifier=f"{self.facts.prefix}-db", DBInstanceClass="db.t3.medium",
            AllocatedStorage="100", MasterUsername="admin", MasterUserPassword="not-a-secret-here",
            StorageEncrypted="true", BackupRetentionPeriod="14", MultiAZ="true",
            DBName="maestrohwithit")
        answer = self.moto.query("rds", self.facts.home, "DescribeDBInstances")
        self._regional_names(answer.findtext(".//Endpoint/Address") or "")

    def _regional_names(self, database: str) -> None:
        """The home region's own names, which Terraform's dns module would make."""
        home = self.facts.home
        balancer = f"{self.facts.prefix}-alb-1.{home}.elb.amazonaws.com"
        names = dict.fromkeys(values[home] for *_, values in self.facts.records)
        self.change("".join(
            self._set(name, "CNAME", False, database) if name.startswith("db.")
            else self._set(name, "A", True, balancer) for name in names))

    def snapshots(self) -> None:
        """Snapshots of the database as daily copies made them, and of every data volume."""
        home, dr = self.facts.home, self.facts.dr
        for age in (2 * DAY, 1 * DAY, 180.0):
            made = time.time() - age
            name = f"{self.facts.prefix}-db-" + time.strftime("%Y%m%d-%H%M%S", time.gmtime(made))
            self.moto.query("rds", home, "CreateDBSnapshot", DBSnapshotIdentifier=name,
                            DBInstanceIdentifier=f"{self.facts.prefix}-db")
            self.set_age(name, made)
            source = f"arn:aws:rds:{home}:{self.facts.account}:snapshot:{name}"
            self.moto.query("rds", dr, "CopyDBSnapshot", SourceDBSnapshotIdentifier=source,
                            TargetDBSnapshotIdentifier=name, SourceRegion=home,
                            **{"Tags.Tag.1.Key": "Environment", "Tags.Tag.1.Value": "prod"})
        volumes = self.moto.query("ec2", home, "DescribeVolumes")
        for volume in volumes.iterfind("volumeSet/item"):
            tags = {t.findtext("key") or "": t.findtext("value") or ""
                    for t in volume.iterfind("tagSet/item")}
            if tags.get("Backup") == "true":
                self._volume_snapshot(volume.findtext("volumeId") or "", tags)

    def _volume_snapshot(self, volume: str, tags: dict[str, str]) -> None:
        home, dr, made = self.facts.home, self.facts.dr, time.time() - 6 * 3600
        source = self.moto.query("ec2", home, "CreateSnapshot", VolumeId=volume,
                                 Description="daily").findtext("snapshotId") or ""
        copy = self.moto.query("ec2", dr, "CopySnapshot", SourceRegion=home,
                               SourceSnapshotId=source,
                               Description=f"daily copy of {source}").findtext("snapshotId") or ""
        for region, number in ((home, source), (dr, copy)):
            self.tag(region, number, **{k: v for k, v in tags.items() if not k.startswith("aws:")})
            self.set_age(number, made)

    def objects(self) -> None:
        """Files in production's buckets: versions, an overwritten one, a deleted one."""
        status, _, body = self.moto.request("s3", self.facts.home, "GET", "/")
        for name in re.findall(r"<Name>([^<]+)</Name>", body.decode() if status == 200 else ""):
            if not name.startswith(self.facts.prefix + "-"):
                continue
            for index in range(20):
                self._put(name, f"2026/report-{index:03d}.csv", f"id,total\n{index},{index * 7}\n")
            self._put(name, "exports/with space+plus%25.txt", "first\n")
            self._put(name, "exports/with space+plus%25.txt", "second\n")
            self.moto.checked("s3", self.facts.home, "DELETE", f"/{name}/2026/report-007.csv")

    def _put(self, bucket: str, key: str, text: str) -> None:
        path = key.replace("%", "%25").replace(" ", "%20").replace("+", "%2B")
        self.moto.checked("s3", self.facts.home, "PUT", f"/{bucket}/{path}", text.encode(),
                          {"Content-Type": "text/plain"})
