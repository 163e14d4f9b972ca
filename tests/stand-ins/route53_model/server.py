"""The HTTP face: signature, route, answer, log; and the admin calls below /-/.

GET  /-/log       every request: seq, method, path, query, status, code, changes
GET  /-/settings  the failure modes; POST changes them (JSON)
GET  /-/zones     zones with all their records
POST /-/records   {"zone": ID, "changes": [{"action", "name", "type", …}]}: changes past all limits
"""

from __future__ import annotations

import argparse
import json
import os
import re
import signal
import socket
import sys
import threading
import time
from dataclasses import asdict, fields
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from . import answers, batch, sigv4
from .service import Refusal, Service, Settings
from .zone import Zone

PREFIX = "/2013-04-01/"


class Server(ThreadingHTTPServer):
    """One stand-in on a port of 127.0.0.1."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, port: int, service: Service, credentials: sigv4.Credentials | None,
                 region: str) -> None:
        self.service, self.credentials, self.region = service, credentials, region
        self.log: list[dict[str, Any]] = []
        super().__init__(("127.0.0.1", port), _Handler)

    def server_bind(self) -> None:
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = self.server_address[:2]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1
    timeout = 60
    server: Server

    def log_message(self, *_: Any) -> None:
        """The log is asked for, not printed."""

    def date_time_string(self, timestamp: float | None = None) -> str:
        """The Date header follows the service's clock, so that clients can learn their skew."""
        return super().date_time_string(timestamp or self.server.service.now())

    def handle_request(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path, _, query = self.path.partition("?")
        if path.startswith("/-/"):
            self._admin(path[3:], body)
            return
        entry: dict[str, Any] = {"seq": len(self.server.log) + 1, "at": time.time(),
                                 "method": self.command, "path": path, "query": query, "code": "",
                                 "status": 0, "changes": []}
        self.server.log.append(entry)
        try:
            self._check_signature(body)
            self.server.service.admit()
            answer = self._route(path.removeprefix(PREFIX), query, body, entry)
            self._answer(200, answer, entry)
        except Refusal as refusal:
            entry["code"], entry["message"] = refusal.code, str(refusal)
            text = refusal.body or answers.error(refusal.code, str(refusal), refusal.status >= 500)
            self._answer(refusal.status, text, entry)

    do_GET = do_POST = do_DELETE = do_PUT = handle_request

    def _check_signature(self, body: bytes) -> None:
        if not self.server.credentials:
            return
        try:
            sigv4.check(self.command, self.path, self.headers.items(), body,
                        self.server.credentials, self.server.region, self.server.service.now())
        except sigv4.SignatureError as error:
            raise Refusal(403, error.code, str(error)) from error

    def _route(self, path: str, query: str, body: bytes, entry: dict[str, Any]) -> bytes:
        service = self.server.service
        found = re.fullmatch(r"hostedzone/([A-Z0-9]+)/rrset/?", path)
        if found and self.command == "POST":
            answer, entry["changes"] = service.change(found.group(1), body)
            return answer
        if self.command == "GET":
            if found:
                return service.list_records(found.group(1), query)
            if found := re.fullmatch(r"change/([A-Z0-9]+)", path):
                return service.get_change(found.group(1))
            if found := re.fullmatch(r"hostedzone/([A-Z0-9]+)", path):
                return answers.one_zone(service.zone(found.group(1)))
            if path in ("hostedzone", "hostedzonesbyname"):
                return service.list_zones(query, path == "hostedzonesbyname")
        raise Refusal(404, "UnknownOperationException", f"no operation {self.command} {path}")

    def _answer(self, status: int, text: bytes, entry: dict[str, Any]) -> None:
        entry["status"] = status
        if entry["changes"] and self.server.service.take_drop():
            entry["status"] = 0
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        self._send(status, text, "text/xml")

    def _send(self, status: int, text: bytes, kind: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)
        self.wfile.flush()

    def _admin(self, name: str, body: bytes) -> None:
        service = self.server.service
        status, value = 200, None
        if self.command == "POST" and name == "settings":
            status, value = _change_settings(service.settings, json.loads(body))
        elif self.command == "POST" and name == "records":
            value = _preload(service, json.loads(body))
        elif name == "settings":
            value = asdict(service.settings)
        elif name == "log":
            value = list(self.server.log)
        elif name == "zones":
            with service.lock:
                value = [{"id": z.id, "name": z.name, "private": z.private,
                          "records": [asdict(r) for r in z.listing()]}
                         for z in service.zones.values()]
        else:
            status, value = 404, {"error": f"no admin call {name}"}
        self._send(status, json.dumps(value).encode(), "application/json")


def _change_settings(settings: Settings, wanted: dict[str, Any]) -> tuple[int, Any]:
    known = {f.name for f in fields(Settings)}
    if set(wanted) - known:
        return 400, {"error": f"unknown: {sorted(set(wanted) - known)}"}
    for name, value in wanted.items():
        setattr(settings, name, value)
    return 200, asdict(settings)


def _preload(service: Service, wanted: dict[str, Any]) -> Any:
    """Puts records in place in the AWS CLI's field names, one value list for each."""
    zone = service.zones[wanted["zone"]]
    with service.lock:
        for change in wanted["changes"]:
            routing = {n: str(change[n]) for n in ("Weight", "Region", "Failover", "TTL")
                       if n in change}
            record = batch.RecordSet(batch.canonical(change["Name"]), change["Type"],
                                     change.get("SetIdentifier", ""), change.get("Values", []),
                                     change.get("AliasTarget", {}), routing)
            zone.records[record.key] = record
    return {"records": len(zone.records)}


def _parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(prog="route53", description="A strict stand-in for Route 53.")
    top.add_argument("--port", type=int, default=0)
    top.add_argument("--port-file", help="where to write the port once it listens")
    top.add_argument("--access-key", default="AKIDEXAMPLE")
    top.add_argument("--secret-key", default="wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
    top.add_argument("--session-token", default="")
    top.add_argument("--region", default="us-east-1", help="of the credential scope")
    top.add_argument("--unsigned", action="store_true", help="do not check signatures")
    top.add_argument("--zone", action="append", metavar="[ID=]NAME[:private]",
                     help="default Z1EXAMPLE=example.com; may be repeated")
    for setting in fields(Settings):
        name = "--" + setting.name.replace("_", "-")
        if isinstance(setting.default, bool):
            top.add_argument(name, action="store_true")
        else:
            top.add_argument(name, type=type(setting.default), default=setting.default)
    return top


def _zone(text: str, index: int) -> Zone:
    left, equals, right = text.partition("=")
    zone_id, name = (left, right) if equals else (f"Z{index}EXAMPLE", left)
    name, _, kind = name.partition(":")
    return Zone(zone_id, batch.canonical(name), kind == "private")


def main(arguments: list[str]) -> int:
    """Serves until TERM or INT."""
    options = _parser().parse_args(arguments)
    settings = Settings(**{f.name: getattr(options, f.name) for f in fields(Settings)})
    zones = [_zone(z, i + 1) for i, z in enumerate(options.zone or ["Z1EXAMPLE=example.com"])]
    credentials = None if options.unsigned else sigv4.Credentials(
        options.access_key, options.secret_key, options.session_token)
    server = Server(options.port, Service(settings, {z.id: z for z in zones}), credentials,
                    options.region)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: threading.Thread(target=server.shutdown).start())
    if options.port_file:
        temporary = Path(options.port_file + ".new")
        temporary.write_text(f"{server.server_port}\n")
        os.replace(temporary, options.port_file)
    else:
        print(server.server_port, flush=True)
    server.serve_forever(0.1)
    server.server_close()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
