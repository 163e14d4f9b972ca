"""A DNS server for the emulated zones, by UDP and TCP: RFC 1035 with EDNS0 sizes (RFC 6891).

One port, five addresses: the resolver's, and one for each of a zone's four name servers, each of
which can be made to answer from the past ("lag").
"""

from __future__ import annotations

import socket
import socketserver
import struct
import threading
from typing import Any

from . import addresses, zones
from .emulator import MotoError

TYPES = {"A": 1, "NS": 2, "CNAME": 5, "SOA": 6, "PTR": 12, "MX": 15, "TXT": 16, "AAAA": 28,
         "SRV": 33, "CAA": 257, "ANY": 255}
NAMES = {number: name for name, number in TYPES.items()}
OPT = 41
UDP_LIMIT = 512
SERVER_FAILURE, FORMAT_ERROR, NOT_IMPLEMENTED = 2, 1, 4


def encode_name(name: str) -> bytes:
    """A name as labels, without compression."""
    labels = [label.encode("latin-1") for label in name.rstrip(".").split(".") if label]
    return b"".join(bytes([len(label)]) + label for label in labels) + b"\0"


def decode_name(data: bytes, offset: int) -> tuple[str, int]:
    """The name at an offset, and the offset behind it."""
    labels, end, hops = [], 0, 0
    while True:
        length = data[offset]
        if length & 0xC0 == 0xC0:
            end = end or offset + 2
            offset = (length & 0x3F) << 8 | data[offset + 1]
            hops += 1
            if hops > 64:
                raise ValueError("a loop of compressed names")
            continue
        offset += 1
        if length == 0:
            return ".".join(labels) + ".", end or offset
        labels.append(data[offset:offset + length].decode("latin-1"))
        offset += length


def encode_value(kind: str, value: str) -> bytes:
    """Record data from the text form that Route 53 keeps."""
    if kind == "A":
        return socket.inet_pton(socket.AF_INET, value)
    if kind == "AAAA":
        return socket.inet_pton(socket.AF_INET6, value)
    if kind in ("NS", "CNAME", "PTR"):
        return encode_name(value)
    words = value.split()
    if kind == "MX":
        return struct.pack("!H", int(words[0])) + encode_name(words[1])
    if kind == "SRV":
        return struct.pack("!HHH", *map(int, words[:3])) + encode_name(words[3])
    if kind == "SOA":
        return encode_name(words[0]) + encode_name(words[1]) + \
            struct.pack("!5I", *map(int, words[2:7]))
    if kind == "TXT":
        return b"".join(bytes([len(t)]) + t for t in _strings(value))
    raise ValueError(f"no encoding for {kind}")


def _strings(value: str) -> list[bytes]:
    """The quoted strings of a TXT value, each at most 255 bytes."""
    parts, current, inside, escaped = [], "", False, False
    for c in value:
        if escaped:
            current, escaped = current + c, False
        elif c == "\\":
            escaped = True
        elif c == '"':
            if inside:
                parts.append(current)
                current = ""
            inside = not inside
        elif inside:
            current += c
    raw = [p.encode() for p in parts] if parts else [value.encode()]
    return [p[i:i + 255] for p in raw for i in range(0, max(len(p), 1), 255)]


def _section(records: list[tuple[str, str, int, str]]) -> tuple[int, bytes]:
    count, out = 0, b""
    for name, kind, ttl, value in records:
        if kind not in TYPES:
            continue
        data = encode_value(kind, value)
        out += encode_name(name) + struct.pack("!HHIH", TYPES[kind], 1, ttl, len(data)) + data
        count += 1
    return count, out


class DnsServer:
    """Answers on all addresses; questions are independent of each other."""

    def __init__(self, source: zones.Zones) -> None:
        self._zones = source
        self._lags = [0.0] * len(addresses.NAME_SERVERS)
        self._lock = threading.Lock()
        self.port, self._servers = self._bind()

    def _bind(self) -> tuple[int, list[socketserver.BaseServer]]:
        """One port that is free on every address, for UDP and TCP."""
        for _ in range(50):
            servers: list[socketserver.BaseServer] = []
            port = 0
            try:
                for index, address in enumerate((addresses.RESOLVER, *addresses.NAME_SERVERS)):
                    for kind in (_Tcp, _Udp):
                        server = kind((address, port), self, index)
                        servers.append(server)
                        port = server.server_address[1]
                return port, servers
            except OSError:
                for server in servers:
                    server.server_close()
        raise OSError("no port is free for DNS on all loopback addresses")

    def start(self) -> None:
        for server in self._servers:
            threading.Thread(target=server.serve_forever, args=(0.2,), daemon=True).start()

    def stop(self) -> None:
        stoppers = [threading.Thread(target=s.shutdown, daemon=True) for s in self._servers]
        for stopper in stoppers:
            stopper.start()
        for stopper in stoppers:
            stopper.join(1)
        for server in self._servers:
            server.server_close()

    def addresses(self) -> list[str]:
        return [f"{address}:{self.port}" for address in addresses.NAME_SERVERS]

    def lag(self, server: int, seconds: float) -> None:
        """Lets name server 1…4 answer with the zones as they were so many seconds ago."""
        if not 1 <= server <= len(self._lags):
            raise ValueError(f"name servers are 1 to {len(self._lags)}")
        with self._lock:
            self._lags[server - 1] = seconds

    def lags(self) -> list[float]:
        with self._lock:
            return list(self._lags)

    def reply(self, data: bytes, index: int, limit: int | None = None) -> bytes:
        """The answer to a message; `index` 0 is the resolver; too long ones are truncated."""
        if len(data) < 12:
            return b""
        number, flags, questions, _, _, additional = struct.unpack("!6H", data[:12])
        try:
            name, offset = decode_name(data, 12)
            kind, _ = struct.unpack("!HH", data[offset:offset + 4])
            question = data[12:offset + 4]
            size = self._edns_size(data, offset + 4) if additional else None
        except (IndexError, struct.error, ValueError):
            return struct.pack("!6H", number, 0x8000 | FORMAT_ERROR, 0, 0, 0, 0)
        if questions != 1 or flags & 0x7800:
            return struct.pack("!6H", number, 0x8000 | NOT_IMPLEMENTED, 0, 0, 0, 0)
        answer = self._ask(name, NAMES.get(kind, ""), index)
        try:
            out = self._message(number, flags, question, answer, size)
        except (ValueError, OSError, struct.error, IndexError):  # a value that no wire form has
            out = self._message(number, flags, question, zones.Answer(SERVER_FAILURE), size)
        if limit and len(out) > max(limit, size or 0):
            empty = zones.Answer(answer.status, answer.authoritative)
            out = self._message(number, flags | 0x0200, question, empty, size)
        return out

    @staticmethod
    def _edns_size(data: bytes, offset: int) -> int | None:
        _, offset = decode_name(data, offset)
        kind, size = struct.unpack("!HH", data[offset:offset + 4])
        return size if kind == OPT else None

    def _ask(self, name: str, kind: str, index: int) -> zones.Answer:
        lag = self.lags()[index - 1] if index else 0.0
        try:
            return zones.resolve(self._zones.at(lag), self._zones.name_servers(), name, kind)
        except (MotoError, OSError):
            return zones.Answer(SERVER_FAILURE)

    @staticmethod
    def _message(number: int, flags: int, question: bytes, answer: zones.Answer,
                 size: int | None) -> bytes:
        answers, first = _section(answer.records)
        authorities, second = _section(answer.authority)
        out_flags = 0x8000 | (flags & 0x0300) | (0x0400 if answer.authoritative else 0x0080)
        header = struct.pack("!6H", number, out_flags | answer.status, 1, answers, authorities,
                             int(size is not None))
        option = b"\0" + struct.pack("!HHIH", OPT, 1232, 0, 0) if size is not None else b""
        return header + question + first + second + option


class _Udp(socketserver.ThreadingUDPServer):
    daemon_threads = True

    def __init__(self, address: tuple[str, int], owner: DnsServer, index: int) -> None:
        self.owner, self.index = owner, index
        super().__init__(address, _UdpHandler)


class _Tcp(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, address: tuple[str, int], owner: DnsServer, index: int) -> None:
        self.owner, self.index = owner, index
        super().__init__(address, _TcpHandler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away half-way is everyday life."""


class _UdpHandler(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        data, sock = self.request
        server: Any = self.server
        out = server.owner.reply(data, server.index, UDP_LIMIT)
        if out:
            sock.sendto(out, self.client_address)


class _TcpHandler(socketserver.StreamRequestHandler):
    timeout = 20

    def handle(self) -> None:
        server: Any = self.server
        while True:
            head = self.rfile.read(2)
            if len(head) < 2:
                return
            data = self.rfile.read(struct.unpack("!H", head)[0])
            out = server.owner.reply(data, server.index)
            self.wfile.write(struct.pack("!H", len(out)) + out)
