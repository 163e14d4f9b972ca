"""Who asks: bearer tokens as `aws eks get-token` makes them, and nobody without one.

Such a token is a presigned STS request. EKS would send it to STS in the region that its credential
scope names, so a token made for a region that is cut off counts as a request to that region.
"""

from __future__ import annotations

import base64
import binascii
import re
import time
from calendar import timegm
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

PREFIX = "k8s-aws-v1."
MAX_AGE_S = 15 * 60
CLOCK_SKEW_S = 300


@dataclass
class Caller:
    """An authenticated caller; `region` is where its token was signed for."""

    user: str
    region: str


def authenticate(header: str) -> Caller | None:
    """The caller named by an Authorization header, or None for 401."""
    scheme, _, token = header.partition(" ")
    if scheme.lower() != "bearer" or not token.startswith(PREFIX):
        return None
    encoded = token[len(PREFIX):]
    try:
        url = base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)).decode()
    except (binascii.Error, UnicodeDecodeError):
        return None
    query = {k: v[0] for k, v in parse_qs(urlsplit(url).query).items()}
    scope = query.get("X-Amz-Credential", "").split("/")
    if query.get("Action") != "GetCallerIdentity" or len(scope) != 5 or not query.get(
            "X-Amz-Signature") or "x-k8s-aws-id" not in query.get("X-Amz-SignedHeaders", ""):
        return None
    if not _fresh(query.get("X-Amz-Date", "")):
        return None
    return Caller(scope[0], scope[2])


def _fresh(stamp: str) -> bool:
    if not re.fullmatch(r"\d{8}T\d{6}Z", stamp):
        return False
    age = time.time() - timegm(time.strptime(stamp, "%Y%m%dT%H%M%SZ"))
    return -CLOCK_SKEW_S <= age <= MAX_AGE_S
