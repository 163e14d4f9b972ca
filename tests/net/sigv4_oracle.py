#!/usr/bin/env python3
"""Signs a thousand random requests with botocore and with drctl's signer, and compares the canonical
request, the string to sign and the Authorization header of each.

Usage: sigv4_oracle.py DRIVER [COUNT [SEED]]. Exit status 77 (skipped) where no Python with botocore
is found: this one, or the one that `aws` or `moto_server` on PATH runs on.
"""
import datetime
import json
import os
import random
import shutil
import subprocess
import sys
import urllib.parse

SKIPPED = 77
METHODS = ["GET", "PUT", "POST", "DELETE", "HEAD", "PATCH"]
SERVICES = ["route53", "sts", "s3", "dynamodb", "sns", "ec2", "route53-recovery-cluster"]
REGIONS = ["us-east-1", "us-west-2", "eu-central-1", "cn-northwest-1", "us-gov-west-1"]
NAMES = ["Param", "Param-3", "Param.1", "param", "a b", "a+b", "Ü", "%41", "x=y", "list-type", "~", ""]
VALUES = ["", "value", "a b", "a+b", "a/b", "100%", "~-_.", "ä€😀", "k=v&l", "'\"<>", "*", "Z", "a"]
SEGMENTS = ["a", "..", ".", "", "b c", "ü", "x%2Fy", "k=v", "a+b", "~", "*", "2013-04-01", "!$'()"]
HEADER_NAMES = ["X-Amz-Meta-A", "x-amz-meta-b", "Content-Type", "X-Custom", "Accept", "User-Agent",
                "X-Amzn-Trace-Id", "Zebra", "Expect", "Content-MD5"]
HEADER_VALUES = ["value", "  padded  ", "a   b    c", "tab\there", "a,b", "\"quoted  text\"", "0"]


def find_botocore():
    """Runs this script again under a Python that has botocore, when this one has none."""
    try:
        import botocore  # noqa: F401
        return
    except ImportError:
        pass
    if os.environ.get("SIGV4_ORACLE_CHILD"):
        sys.exit(SKIPPED)
    for tool in ("aws", "moto_server"):
        python = interpreter_of(tool)
        if python:
            done = subprocess.run([python, *sys.argv], env={**os.environ, "SIGV4_ORACLE_CHILD": "1"},
                                  check=False)
            if done.returncode != SKIPPED:
                sys.exit(done.returncode)
    print("skipped: no Python with botocore; tried this one and those of aws and moto_server on PATH")
    sys.exit(SKIPPED)


def interpreter_of(tool):
    path = shutil.which(tool)
    if path and shutil.which("pyenv") and "/shims/" in path:
        found = subprocess.run(["pyenv", "which", tool], capture_output=True, text=True, check=False)
        path = found.stdout.strip() or None
    if not path:
        return None
    with open(path, "rb") as script:
        line = script.readline(256)
    if not line.startswith(b"#!"):
        return None
    words = line[2:].decode("utf-8", "replace").split()
    return words[0] if words and "python" in words[0] else None


def some(chance, low, high):
    return chance.randint(low, high)


def random_path(chance, service):
    parts = [chance.choice(SEGMENTS) for _ in range(some(chance, 0, 5))]
    # What drctl sends is encoded once; characters that RFC 3986 allows in a path may stay raw.
    safe = "%" if chance.random() < 0.5 else "%!$'()*+=~"
    path = "/" + "/".join(urllib.parse.quote(part, safe=safe) for part in parts)
    if chance.random() < 0.2:
        path += "/"
    return path if service == "s3" or chance.random() < 0.95 else ""


def random_case(chance):
    service = chance.choice(SERVICES)
    headers = [["Host", chance.choice(["example.amazonaws.com", "localhost:5000"])]]
    for _ in range(some(chance, 0, 5)):
        headers.append([chance.choice(HEADER_NAMES), chance.choice(HEADER_VALUES)])
    if service == "s3":
        headers = [pair for pair in headers if pair[0] != "Content-MD5"]
    return {
        "method": chance.choice(METHODS),
        "path": random_path(chance, service),
        "query": [[chance.choice(NAMES), chance.choice(VALUES)] for _ in range(some(chance, 0, 6))],
        "headers": headers,
        "body": chance.choice(["", "Action=GetCallerIdentity", "{\"a\": \"ü\"}", "x" * 5000]),
        "service": service,
        "region": chance.choice(REGIONS),
        "at_s": some(chance, 1_000_000_000, 4_000_000_000),
        "access_key": "AKID%08d" % some(chance, 0, 10**8 - 1),
        "secret_key": "".join(chance.choice("abcXYZ019/+=") for _ in range(40)),
        "token": chance.choice([None, "session/token+with=signs"]),
    }


def botocore_signs(case):
    from botocore.auth import S3SigV4Auth, SigV4Auth
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials

    host = case["headers"][0][1]
    request = AWSRequest(method=case["method"], url="https://" + host + case["path"],
                         data=case["body"].encode(),
                         params=[(name, value) for name, value in case["query"]])
    for name, value in case["headers"]:
        request.headers[name] = value
    signer = (S3SigV4Auth if case["service"] == "s3" else SigV4Auth)(
        Credentials(case["access_key"], case["secret_key"], case["token"]),
        case["service"], case["region"])
    at = datetime.datetime.fromtimestamp(case["at_s"], datetime.timezone.utc)
    request.context["timestamp"] = at.strftime("%Y%m%dT%H%M%SZ")
    signer._modify_request_before_signing(request)
    canonical = signer.canonical_request(request)
    to_sign = signer.string_to_sign(request, canonical)
    signer._inject_signature_to_request(request, signer.signature(to_sign, request))
    return {"canonical_request": canonical, "string_to_sign": to_sign,
            "authorization": request.headers["Authorization"]}


def main():
    find_botocore()
    driver = sys.argv[1]
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 1000
    seed = int(sys.argv[3]) if len(sys.argv) > 3 else 20261130
    chance = random.Random(seed)
    cases = [random_case(chance) for _ in range(count)]
    lines = "".join(json.dumps(case) + "\n" for case in cases)
    done = subprocess.run([driver], input=lines.encode(), capture_output=True, check=True)
    answers = [json.loads(line) for line in done.stdout.decode().splitlines()]
    if len(answers) != count:
        sys.exit(f"{count} requests were given and {len(answers)} signed")
    for case, answer in zip(cases, answers):
        expected = botocore_signs(case)
        if answer != expected:
            sys.exit("signatures differ for\n%s\nbotocore:\n%s\ndrctl:\n%s" % (
                json.dumps(case, indent=1), json.dumps(expected, indent=1),
                json.dumps(answer, indent=1)))
    print(f"{count} requests signed alike (seed {seed})")


if __name__ == "__main__":
    main()
