"""What an AWS request says about itself: service, region, operation, and the places it touches.

The gateway decides by this alone, so it errs on the side of naming a region: a request counts for
every region that its credential scope, host, path, copy source or cross-region source names.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from urllib.parse import parse_qs, unquote

REGION = re.compile(r"(?:us|eu|ap|sa|ca|af|me|il|mx|cn)(?:-gov|-iso[a-z]?)?-[a-z]+-\d")
SCOPE = re.compile(r"Credential=([^/,\s]+)/(\d{8})/([^/]+)/([^/]+)/aws4_request")
ARN_REGION = re.compile(r"arn:aws[a-z-]*:[a-z0-9-]+:(" + REGION.pattern + r"):")

# Form fields by which an operation asked in one region makes AWS read from another.
SOURCE_FIELDS = ("SourceRegion", "PreSignedUrl", "SourceDBSnapshotIdentifier",
                 "SourceDBClusterSnapshotIdentifier", "SourceDBInstanceIdentifier",
                 "SourceDBInstanceArn")

# (service, method, path pattern, operation) of the REST services that the runbook touches.
REST_OPERATIONS: tuple[tuple[str, str, str, str], ...] = (
    ("route53", "POST", r"/[^/]+/hostedzone/[^/]+/rrset/?", "ChangeResourceRecordSets"),
    ("route53", "GET", r"/[^/]+/hostedzone/[^/]+/rrset/?", "ListResourceRecordSets"),
    ("route53", "GET", r"/[^/]+/change/[^/]+", "GetChange"),
    ("route53", "GET", r"/[^/]+/hostedzonesbyname", "ListHostedZonesByName"),
    ("route53", "POST", r"/[^/]+/hostedzone/?", "CreateHostedZone"),
    ("route53", "GET", r"/[^/]+/hostedzone/?", "ListHostedZones"),
    ("route53", "GET", r"/[^/]+/hostedzone/[^/]+", "GetHostedZone"),
    ("route53", "DELETE", r"/[^/]+/hostedzone/[^/]+", "DeleteHostedZone"),
    ("route53", "POST", r"/[^/]+/healthcheck", "CreateHealthCheck"),
    ("route53", "GET", r"/[^/]+/healthcheck/[^/]+", "GetHealthCheck"),
    ("route53", "GET", r"/[^/]+/tags/.*", "ListTagsForResource"),
    ("route53", "POST", r"/[^/]+/tags/.*", "ChangeTagsForResource"),
    ("eks", "POST", r"/clusters", "CreateCluster"),
    ("eks", "GET", r"/clusters", "ListClusters"),
    ("eks", "GET", r"/clusters/[^/]+", "DescribeCluster"),
    ("eks", "DELETE", r"/clusters/[^/]+", "DeleteCluster"),
    ("eks", "POST", r"/clusters/[^/]+/node-groups", "CreateNodegroup"),
    ("eks", "GET", r"/clusters/[^/]+/node-groups", "ListNodegroups"),
    ("eks", "GET", r"/clusters/[^/]+/node-groups/[^/]+", "DescribeNodegroup"),
    ("eks", "DELETE", r"/clusters/[^/]+/node-groups/[^/]+", "DeleteNodegroup"),
    ("eks", "POST", r"/tags/.*", "TagResource"),
    ("eks", "GET", r"/tags/.*", "ListTagsForResource"),
    ("backup", "PUT", r"/backup-vaults/[^/]+", "CreateBackupVault"),
    ("backup", "GET", r"/backup-vaults/[^/]+", "DescribeBackupVault"),
    ("backup", "PUT", r"/backup/plans/?", "CreateBackupPlan"),
    ("backup", "GET", r"/backup/plans/[^/]+/?", "GetBackupPlan"),
    ("backup", "PUT", r"/backup/plans/[^/]+/selections/?", "CreateBackupSelection"),
    ("backup", "GET", r"/backup/plans/[^/]+/selections/?", "ListBackupSelections"),
    ("backup", "GET", r"/backup/plans/[^/]+/selections/[^/]+/?", "GetBackupSelection"),
    ("backup", "DELETE", r"/backup/plans/[^/]+/selections/[^/]+/?", "DeleteBackupSelection"),
    ("backup", "GET", r"/tags/.*", "ListTags"),
    ("backup", "GET", r"/backup-jobs/?", "ListBackupJobs"),
    ("backup", "GET", r"/backup-vaults/[^/]+/recovery-points/?", "ListRecoveryPointsByBackupVault"),
    ("backup", "PUT", r"/restore-jobs", "StartRestoreJob"),
)

S3_SUBRESOURCES = {
    "acl": "Acl", "versioning": "BucketVersioning", "location": "BucketLocation",
    "policy": "BucketPolicy", "encryption": "BucketEncryption", "tagging": "Tagging",
    "replication": "BucketReplication", "lifecycle": "BucketLifecycleConfiguration",
    "cors": "BucketCors", "website": "BucketWebsite", "logging": "BucketLogging",
    "versions": "ObjectVersions", "delete": "Objects", "uploads": "MultipartUploads",
    "publicAccessBlock": "PublicAccessBlock", "object-lock": "ObjectLockConfiguration",
}
S3_VERBS = {"GET": "Get", "HEAD": "Head", "PUT": "Put", "POST": "Post", "DELETE": "Delete"}
S3_SPECIAL = {("GET", "versions"): "ListObjectVersions", ("POST", "delete"): "DeleteObjects",
              ("GET", "location"): "GetBucketLocation",
              ("POST", "uploads"): "CreateMultipartUpload"}


@dataclass
class AwsRequest:
    """One request as the gateway sees it; `regions` is every region that it depends on."""

    method: str
    path: str
    query: str = ""
    headers: dict[str, str] = field(default_factory=dict)  # names in lower case
    body: bytes = b""
    service: str = ""
    region: str = ""
    access_key: str = ""
    operation: str = ""
    bucket: str = ""
    regions: dict[str, str] = field(default_factory=dict)  # region -> where it was named
    form: dict[str, list[str]] = field(default_factory=dict)


def parse(method: str, target: str, headers: dict[str, str], body: bytes) -> AwsRequest:
    """Reads a request; `headers` have lower-case names, `body` may be cut after its first MiB."""
    path, _, query = target.partition("?")
    request = AwsRequest(method, path, query, headers, body)
    _read_scope(request)
    if "x-www-form-urlencoded" in headers.get("content-type", ""):
        request.form = parse_qs(body.decode("utf-8", "replace"), keep_blank_values=True)
    if request.service == "s3" or (not request.service and not path.startswith("/moto-api")):
        request.bucket = _bucket(request)
    request.operation = _operation(request)
    _collect_regions(request)
    return request


def _read_scope(request: AwsRequest) -> None:
    found = SCOPE.search(request.headers.get("authorization", ""))
    where = "credential scope"
    if not found and "X-Amz-Credential=" in request.query:
        value = parse_qs(request.query)["X-Amz-Credential"][0]
        found = SCOPE.search("Credential=" + value)
        where = "presigned credential scope"
    if found:
        request.access_key, _, request.region, request.service = found.groups()
        request.regions[request.region] = where


def _bucket(request: AwsRequest) -> str:
    host = request.headers.get("host", "").split(":")[0]
    virtual = re.fullmatch(r"(.+?)\.s3[.-].*", host) or re.fullmatch(r"(.+)\.localhost", host)
    if virtual:
        return virtual.group(1)
    return unquote(request.path.lstrip("/").split("/")[0])


def _operation(request: AwsRequest) -> str:
    target = request.headers.get("x-amz-target", "")
    if target:
        return target.rpartition(".")[2]
    action = request.form.get("Action") or parse_qs(request.query).get("Action")
    if action:
        return action[0]
    if request.service == "s3" or request.bucket:
        return _s3_operation(request)
    for service, method, pattern, operation in REST_OPERATIONS:
        if (service, method) == (request.service, request.method) and \
                re.fullmatch(pattern, request.path):
            return operation
    return f"{request.method} {request.path}"


def _s3_operation(request: AwsRequest) -> str:
    names = [part.partition("=")[0] for part in request.query.split("&") if part]
    has_key = bool(s3_key(request))
    for name in names:
        if name in S3_SUBRESOURCES:
            special = S3_SPECIAL.get((request.method, name))
            return special or S3_VERBS.get(request.method, request.method) + S3_SUBRESOURCES[name]
    if has_key:
        if request.method == "PUT" and "x-amz-copy-source" in request.headers:
            return "CopyObject"
        return S3_VERBS.get(request.method, request.method) + "Object"
    if not request.bucket:
        return "ListBuckets"
    return {"GET": "ListObjectsV2" if "list-type" in names else "ListObjects",
            "PUT": "CreateBucket", "DELETE": "DeleteBucket", "HEAD": "HeadBucket",
            "POST": "PostObject"}.get(request.method, request.method)


def s3_key(request: AwsRequest) -> str:
    """The object key, or "" when the request is about a bucket or the service."""
    path = request.path.lstrip("/")
    host = request.headers.get("host", "")
    if request.bucket and host.startswith(request.bucket + "."):
        return unquote(path)
    return unquote(path.partition("/")[2])


def _collect_regions(request: AwsRequest) -> None:
    for label in request.headers.get("host", "").split(":")[0].split("."):
        for region in REGION.findall(label):
            request.regions.setdefault(region, "host")
    path = unquote(request.path)
    for region in ARN_REGION.findall(path):
        request.regions.setdefault(region, "path")
    if request.service != "s3":
        for segment in path.split("/"):
            if REGION.fullmatch(segment):
                request.regions.setdefault(segment, "path")
    for region in request.headers.get("x-amz-region-set", "").split(","):
        if REGION.fullmatch(region.strip()):
            request.regions.setdefault(region.strip(), "region set")
    for name in SOURCE_FIELDS:
        for value in request.form.get(name, []):
            for region in REGION.findall(value):
                request.regions.setdefault(region, f"source ({name})")


def copy_source_bucket(request: AwsRequest) -> str:
    """The bucket that an S3 copy reads from, or ""."""
    source = unquote(request.headers.get("x-amz-copy-source", "")).lstrip("/")
    return source.partition("/")[0]
