"""The proxy in front of moto: it cuts regions off, injects faults, and records every request.

Order for each request: read it whole, record it, refuse it if it depends on a region that is cut,
hold, slow or fail it by the rules, pass it to moto, adapt the answer. Requests of one service go to
moto one at a time: its backends are not safe for threads, and its interpreter lock makes that free.
"""

from __future__ import annotations

import gzip
import http.client
import re
import threading
import time
from collections import defaultdict
from typing import IO, Any, Callable

from . import awserror, awsrequest
from .awsrequest import AwsRequest
from .httpserver import CHUNK, MEMORY_LIMIT, Handler, Server
from .emulator import Moto
from .record import Record
from .replay import Recorder
from .rules import Rule, Rules

HOP_BY_HOP = {"connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding",
              "upgrade", "expect", "content-length", "date", "server"}
Adapter = Callable[[AwsRequest, int, bytes], bytes]
Substitute = Callable[[AwsRequest], tuple[int, bytes] | None]


class Buckets:
    """Where each bucket lives: moto shares them between regions, AWS does not."""

    def __init__(self, moto: Moto) -> None:
        self._moto = moto
        self._known: dict[str, str] = {}

    def region(self, name: str) -> str:
        """The bucket's region, or "" when there is no such bucket."""
        if name and name not in self._known:
            status, _, body = self._moto.request("s3", "us-east-1", "GET", f"/{name}?location")
            if status != 200:
                return ""
            found = re.search(rb">([a-z0-9-]+)</LocationConstraint>", body)
            self._known[name] = found.group(1).decode() if found else "us-east-1"
        return self._known.get(name, "")

    def forget(self, name: str) -> None:
        self._known.pop(name, None)


class Gateway:
    """State that all connections of the proxy share."""

    def __init__(self, moto: Moto, rules: Rules, record: Record) -> None:
        self.moto, self.rules, self.record = moto, rules, record
        self.buckets = Buckets(moto)
        self.recorder = Recorder()
        self.adapters: list[Adapter] = []
        self.substitutes: list[Substitute] = []
        self.before_change: list[Callable[[AwsRequest], None]] = []
        self._locks: dict[str, threading.Lock] = defaultdict(threading.Lock)
        gateway = self

        class GatewayHandler(_Handler):
            owner = gateway

        self.server = Server(("127.0.0.1", 0), GatewayHandler)

    @property
    def port(self) -> int:
        return self.server.server_port

    def add_bucket_regions(self, request: AwsRequest) -> None:
        """Completes request.regions by where the buckets that it touches live."""
        if request.service and request.service != "s3":
            return
        for name, where in ((request.bucket, "bucket"),
                            (awsrequest.copy_source_bucket(request), "copy source")):
            region = self.buckets.region(name) if name and name != "moto-api" else ""
            if region:
                request.regions.setdefault(region, where)

    def send_to_moto(self, request: AwsRequest, headers: list[tuple[str, str]], body: IO[bytes],
                     length: int) -> http.client.HTTPResponse:
        """Passes one request on; the caller reads and closes the answer."""
        connection = http.client.HTTPConnection(self.moto.host, self.moto.port, timeout=300)
        target = request.path + ("?" + request.query if request.query else "")
        with self._locks[request.service]:
            connection.putrequest(request.method, target, skip_host=True, skip_accept_encoding=True)
            for name, value in headers:
                if name.lower() not in HOP_BY_HOP:
                    connection.putheader(name, value)
            if length or request.method in ("PUT", "POST", "PATCH"):
                connection.putheader("Content-Length", str(length))
            connection.endheaders()
            while piece := body.read(CHUNK):
                connection.send(piece)
            return connection.getresponse()

    def adapt(self, request: AwsRequest, status: int, body: bytes) -> bytes:
        """Lets every adapter (EKS endpoints, rewrite rules) change an answer."""
        for adapter in self.adapters:
            body = adapter(request, status, body)
        rule = self.rules.take("rewrite", request)
        if rule:
            text = body.decode("utf-8", "surrogateescape")
            body = re.sub(rule.pattern, rule.replacement, text).encode("utf-8", "surrogateescape")
        return body

    def wants_body(self, request: AwsRequest) -> bool:
        """Whether the answer must be held in memory to be adapted (object data never is)."""
        return request.operation not in ("GetObject", "HeadObject")


class _Handler(Handler):
    owner: Gateway

    def handle_request(self) -> None:
        started = time.monotonic()
        with self.read_body() as body:
            head = body.read(MEMORY_LIMIT)
            length = body.seek(0, 2)
            body.seek(0)
            headers = self.lower_headers()
            self._sent = head if length == len(head) else None
            request = awsrequest.parse(self.command, self.path, headers, _plain(head, headers))
            with self.owner.recorder.turn():
                self.owner.add_bucket_regions(request)
                entry = self._record(request)
                if self._refuse(request, entry):
                    return
                self._pass(request, body, length, entry)
            entry["ms"] = round((time.monotonic() - started) * 1000, 1)

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = do_PATCH = do_OPTIONS = handle_request

    def _record(self, request: AwsRequest) -> dict[str, Any]:
        refusal = self.owner.rules.refusal(request.regions)
        reason = f"{refusal[0]} is cut off ({refusal[2]})" if refusal else ""
        return self.owner.record.add(
            service=request.service, operation=request.operation, region=request.region,
            regions=request.regions, method=request.method, path=request.path,
            query=request.query, refused=bool(refusal), reason=reason, status=0, ms=0.0,
            agent=request.headers.get("user-agent", ""))

    def _refuse(self, request: AwsRequest, entry: dict[str, Any]) -> bool:
        if not entry["refused"]:
            return False
        refusal = self.owner.rules.refusal(request.regions)
        region, how, _ = refusal or ("", "error", "")
        if how == "hang":
            self.owner.rules.hang(region)
        if how != "error":
            self.drop()
            return True
        entry["status"] = 503
        headers, body = awserror.render(request, "ServiceUnavailable",
                                        f"The sandbox has cut off {region}.")
        self.answer(503, body, headers)
        return True

    def _pass(self, request: AwsRequest, body: IO[bytes], length: int,
              entry: dict[str, Any]) -> None:
        rules = self.owner.rules
        rules.wait_while_held(request)
        slow = rules.take("slow", request)
        if slow:
            time.sleep(slow.seconds)
        fault = rules.take("fault", request)
        if fault:
            self._fail(request, fault, entry)
            return
        for callback in self.owner.before_change:
            callback(request)
        for substitute in self.owner.substitutes:
            instead = substitute(request)
            if instead:
                entry["status"] = instead[0]
                self._keep(request, instead[0], instead[1])
                kind = "text/xml" if instead[1].startswith(b"<") else "application/json"
                self.answer(instead[0], instead[1], {"Content-Type": kind})
                return
        try:
            reply = self.owner.send_to_moto(request, list(self.headers.items()), body, length)
        except OSError as error:
            entry["status"] = 502
            headers, text = awserror.render(request, "InternalFailure", f"moto: {error}")
            self.answer(502, text, headers)
            return
        self._after(request, reply, entry)

    def _after(self, request: AwsRequest, reply: http.client.HTTPResponse,
               entry: dict[str, Any]) -> None:
        with reply:
            entry["status"] = reply.status
            if request.operation == "DeleteBucket":
                self.owner.buckets.forget(request.bucket)
            rules = self.owner.rules
            rules.wait_while_held(request, after=True)
            fault = rules.take("fault", request, after=True)
            if fault:
                self._fail(request, fault, entry)
            else:
                self._return(request, reply)

    def _keep(self, request: AwsRequest, status: int, answer: bytes) -> None:
        self.owner.recorder.add(request, self.headers.items(), self._sent, status, answer)

    def _fail(self, request: AwsRequest, fault: Rule, entry: dict[str, Any]) -> None:
        entry["status"] = fault.status
        entry["fault"] = fault.id
        if fault.status == 0:
            self.drop()
            return
        headers, body = awserror.render(request, fault.code, fault.message, fault.form)
        self.answer(fault.status, body, headers)

    def _return(self, request: AwsRequest, reply: http.client.HTTPResponse) -> None:
        self.send_response(reply.status)
        for name, value in reply.getheaders():
            if name.lower() not in HOP_BY_HOP:
                self.send_header(name, value)
        length = reply.getheader("Content-Length")
        if self.command == "HEAD" or reply.status in (204, 304):
            self._keep(request, reply.status, b"")
            if length is not None and reply.status != 204:
                self.send_header("Content-Length", length)
            self.end_headers()
            self.wfile.flush()
        elif self.owner.wants_body(request) or self.owner.recorder.active:
            body = self.owner.adapt(request, reply.status, reply.read())
            self._keep(request, reply.status, body)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
            self.wfile.flush()
        elif length is not None:
            self.send_header("Content-Length", length)
            self.end_headers()
            while piece := reply.read(CHUNK):
                self.wfile.write(piece)
            self.wfile.flush()
        else:
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            self.answer_chunks(iter(lambda: reply.read(CHUNK), b""))


def _plain(head: bytes, headers: dict[str, str]) -> bytes:
    """The start of the body, unpacked if a client packed it (botocore packs large forms)."""
    if headers.get("content-encoding") == "gzip" and len(head) < MEMORY_LIMIT:
        return gzip.decompress(head)
    return head
