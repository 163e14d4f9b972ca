"""Objects of a bucket for the tests of s3.undelete.

    s3_objects.py seed BUCKET COUNT   fills a new bucket; prints {"since": …, "before": {…}}
    s3_objects.py damage BUCKET       deletes and overwrites; prints the keys that were new
    s3_objects.py list BUCKET         prints {key: content} of what is there
    s3_objects.py versions BUCKET     prints how many versions and markers there are

The endpoint and the keys come from the environment, as for any AWS client.
"""

import json
import sys
import time
from datetime import datetime, timezone

import boto3

ODD = ["plain", "with blank", "a+b", "50%", "100%25", "ü/ñ", "日本/語", "a//b", "x&y<z>\"'", " lead",
       "trail ", "q?x=1#y", "dot/./..", "~tilde*(!)"]


def client():
    return boto3.client("s3")


def keys(count):
    return ODD + [f"logs/{i:05}" for i in range(count - len(ODD))]


def listing(s3, bucket):
    found = {}
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket):
        for item in page.get("Contents", []):
            body = s3.get_object(Bucket=bucket, Key=item["Key"])["Body"].read()
            found[item["Key"]] = body.decode()
    return found


def seed(bucket, count):
    s3 = client()
    s3.create_bucket(Bucket=bucket,
                     CreateBucketConfiguration={"LocationConstraint": "us-west-2"})
    s3.put_bucket_versioning(Bucket=bucket,
                             VersioningConfiguration={"Status": "Enabled"})
    for number, key in enumerate(keys(int(count))):
        s3.put_object(Bucket=bucket, Key=key, Body=f"first {key}")
        if number % 5 == 0:
            s3.put_object(Bucket=bucket, Key=key, Body=f"second {key}")
    for name in ("gone/before", "gone/before+"):
        s3.put_object(Bucket=bucket, Key=name, Body="old")
        s3.delete_object(Bucket=bucket, Key=name)
    before = listing(s3, bucket)
    time.sleep(0.1)
    since = datetime.now(timezone.utc).isoformat(timespec="milliseconds")
    time.sleep(0.1)
    return {"since": since.replace("+00:00", "Z"), "before": before}


def damage(bucket):
    s3 = client()
    for number, key in enumerate(sorted(listing(s3, bucket))):
        kind = number % 4
        if kind in (1, 2):
            s3.put_object(Bucket=bucket, Key=key, Body=f"ruined {key}")
        if kind in (0, 2):
            s3.delete_object(Bucket=bucket, Key=key)
        if kind == 0 and number % 8 == 0:
            s3.delete_object(Bucket=bucket, Key=key)
    s3.put_object(Bucket=bucket, Key="new/since", Body="new")
    return {"new/since": "new"}


def versions(bucket):
    entries = 0
    for page in client().get_paginator("list_object_versions").paginate(Bucket=bucket):
        entries += len(page.get("Versions", [])) + len(page.get("DeleteMarkers", []))
    return entries


VERBS = {"seed": seed, "damage": damage, "versions": versions,
         "list": lambda bucket: listing(client(), bucket)}

if __name__ == "__main__":
    print(json.dumps(VERBS[sys.argv[1]](*sys.argv[2:])))
