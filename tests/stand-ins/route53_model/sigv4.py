"""Checks AWS Signature Version 4, written from its specification and from nothing else.

The raw request line is what is signed, so it is taken as the client sent it.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from calendar import timegm
from dataclasses import dataclass
from time import strptime
from urllib.parse import quote, unquote

SAFE = "-_.~"
HEADER = re.compile(r"AWS4-HMAC-SHA256 Credential=([^/]+)/(\d{8})/([^/]+)/([^/]+)/aws4_request, ?"
                    r"SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})")
WINDOW_S = 300


@dataclass
class Credentials:
    access_key: str
    secret_key: str
    session_token: str = ""


class SignatureError(Exception):
    """Why a request is refused; `code` is AWS's."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def canonical_path(path: str) -> str:
    """Dot segments and doubled slashes removed, every segment encoded once more."""
    parts: list[str] = []
    for part in path.split("/"):
        if part == "..":
            parts[-1:] = []
        elif part not in ("", "."):
            parts.append(quote(part, safe=SAFE))
    tail = "/" if path.endswith("/") and parts else ""
    return "/" + "/".join(parts) + tail


def canonical_query(query: str) -> str:
    """Names and values encoded, then sorted by name and by value."""
    pairs = []
    for part in query.split("&"):
        if part:
            name, _, value = part.partition("=")
            pairs.append((quote(unquote(name), safe=SAFE), quote(unquote(value), safe=SAFE)))
    return "&".join(f"{n}={v}" for n, v in sorted(pairs))


def canonical_request(method: str, path: str, query: str, headers: list[tuple[str, str]],
                      signed: list[str], payload_hash: str) -> str:
    """The text whose hash is signed; header values are folded, repeated ones joined."""
    lines = []
    for name in signed:
        values = [" ".join(v.split()) for n, v in headers if n.lower() == name]
        lines.append(f"{name}:{','.join(values)}\n")
    return "\n".join([method, canonical_path(path), canonical_query(query), "".join(lines),
                      ";".join(signed), payload_hash])


def _hmac(key: bytes, text: str) -> bytes:
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


def signature(secret: str, date: str, region: str, service: str, stamp: str, request: str) -> str:
    """The signature of a canonical request."""
    key = ("AWS4" + secret).encode()
    for part in (date, region, service, "aws4_request"):
        key = _hmac(key, part)
    digest = hashlib.sha256(request.encode()).hexdigest()
    text = f"AWS4-HMAC-SHA256\n{stamp}\n{date}/{region}/{service}/aws4_request\n{digest}"
    return _hmac(key, text).hex()


def check(method: str, target: str, headers: list[tuple[str, str]], body: bytes,
          credentials: Credentials, region: str, now: float) -> None:
    """Raises SignatureError unless the request is signed for route53 by these credentials."""
    found = {n.lower(): v for n, v in headers}
    if "authorization" not in found:
        raise SignatureError("MissingAuthenticationToken",
                             "Request is missing Authentication Token")
    match = HEADER.fullmatch(found["authorization"])
    if not match:
        raise SignatureError("IncompleteSignature", "Authorization header is malformed")
    access_key, date, scope_region, service, signed_text, given = match.groups()
    _check_scope(credentials, access_key, scope_region, service, region, found)
    signed = signed_text.split(";")
    _check_signed(signed, found)
    stamp = found.get("x-amz-date", "")
    _check_time(stamp, date, now)
    path, _, query = target.partition("?")
    payload = hashlib.sha256(body).hexdigest()
    if found.get("x-amz-content-sha256", payload) != payload:
        raise SignatureError("SignatureDoesNotMatch", "x-amz-content-sha256 is not the body's hash")
    request = canonical_request(method, path, query, headers, signed, payload)
    expected = signature(credentials.secret_key, date, region, service, stamp, request)
    if not hmac.compare_digest(expected, given):
        raise SignatureError("SignatureDoesNotMatch", "The request signature we calculated does "
                             "not match the signature you provided. The Canonical String for this "
                             f"request should have been\n'{request}'")


def _check_scope(credentials: Credentials, access_key: str, scope_region: str, service: str,
                 region: str, found: dict[str, str]) -> None:
    if access_key != credentials.access_key or \
            found.get("x-amz-security-token", "") != credentials.session_token:
        raise SignatureError("InvalidClientTokenId",
                             "The security token included in the request is invalid")
    if scope_region != region:
        raise SignatureError("SignatureDoesNotMatch", "Credential should be scoped to a valid "
                             f"region, not '{scope_region}'.")
    if service != "route53":
        raise SignatureError("SignatureDoesNotMatch",
                             "Credential should be scoped to correct service: 'route53'.")


def _check_signed(signed: list[str], found: dict[str, str]) -> None:
    if signed != sorted(signed) or any(n != n.lower() for n in signed):
        raise SignatureError("SignatureDoesNotMatch", "SignedHeaders must be sorted, in lower case")
    missing = [n for n in found if (n == "host" or n.startswith("x-amz-")) and n not in signed]
    if missing:
        raise SignatureError("SignatureDoesNotMatch",
                             f"these headers must be signed: {', '.join(missing)}")


def _check_time(stamp: str, date: str, now: float) -> None:
    if not re.fullmatch(r"\d{8}T\d{6}Z", stamp) or not stamp.startswith(date):
        raise SignatureError("IncompleteSignature", "Date in Credential scope does not match "
                             "YYYYMMDD from X-Amz-Date")
    if abs(timegm(strptime(stamp, "%Y%m%dT%H%M%SZ")) - now) > WINDOW_S:
        raise SignatureError("SignatureDoesNotMatch", f"Signature expired: {stamp} is outside of "
                             f"the window of {WINDOW_S // 60} min.")
