"""The small HTTP/1.1 server that all of the sandbox's interfaces share.

Threads, keep-alive, chunked request bodies and Expect: 100-continue come from here; a body larger
than MEMORY_LIMIT is spooled to a temporary file, so that a big upload does not grow the process.
"""

from __future__ import annotations

import json
import socket
import ssl
import sys
import tempfile
import threading
import traceback
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import IO, Any, Iterable

MEMORY_LIMIT = 1 << 20
CHUNK = 64 << 10


class Server(ThreadingHTTPServer):
    """A threaded server on (host, port); port 0 takes a free one."""

    daemon_threads = True
    block_on_close = False  # parked requests must not hold up `down`
    request_queue_size = 256
    allow_reuse_address = True

    def __init__(self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler],
                 context: ssl.SSLContext | None = None) -> None:
        super().__init__(address, handler)
        self.context = context
        self._thread: threading.Thread | None = None

    def server_bind(self) -> None:
        # HTTPServer.server_bind asks the resolver for a name, which can hang for seconds.
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = self.server_address[:2]

    def finish_request(self, request: Any, client_address: Any) -> None:
        # The handshake happens in the connection's own thread: a silent client blocks only itself.
        request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self.context:
            try:
                request = self.context.wrap_socket(request, server_side=True)
            except (ssl.SSLError, OSError):
                return
        try:
            super().finish_request(request, client_address)
        finally:
            if self.context:
                self._close_tls(request)

    @staticmethod
    def _close_tls(request: Any) -> None:
        try:
            request.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        request.close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away is everyday life; anything else belongs into the log."""
        if not isinstance(sys.exc_info()[1], (ConnectionError, TimeoutError, ssl.SSLError)):
            traceback.print_exc()

    def start(self) -> None:
        self._thread = threading.Thread(target=self.serve_forever, args=(0.1,), daemon=True)
        self._thread.start()

    def stop(self) -> None:
        if self._thread:
            self.shutdown()
            self._thread.join(2)
        self.server_close()


class Handler(BaseHTTPRequestHandler):
    """Base of the handlers: bodies in, answers out, each answer in one write."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1
    timeout = 120

    def log_message(self, *args: Any) -> None:
        """Requests are recorded by those who own them, not printed."""

    def handle_expect_100(self) -> bool:
        """The client waits for this before it sends its body, so it must not stay in a buffer."""
        self.send_response_only(100)
        self.end_headers()
        self.wfile.flush()
        return True

    def lower_headers(self) -> dict[str, str]:
        """Header names in lower case; repeated ones joined by a comma."""
        headers: dict[str, str] = {}
        for name, value in self.headers.items():
            name = name.lower()
            headers[name] = f"{headers[name]},{value}" if name in headers else value
        return headers

    def read_body(self) -> IO[bytes]:
        """The whole request body as a rewound file."""
        body = tempfile.SpooledTemporaryFile(max_size=MEMORY_LIMIT)
        if "chunked" in self.headers.get("Transfer-Encoding", "").lower():
            self._read_chunked(body)
        else:
            left = int(self.headers.get("Content-Length") or 0)
            while left > 0:
                piece = self.rfile.read(min(left, CHUNK))
                if not piece:
                    raise ConnectionError("the body ended early")
                body.write(piece)
                left -= len(piece)
        body.seek(0)
        return body

    def _read_chunked(self, body: IO[bytes]) -> None:
        while True:
            size = int(self.rfile.readline(1024).split(b";")[0], 16)
            if size == 0:
                while self.rfile.readline(65536).strip():
                    pass
                return
            while size > 0:
                piece = self.rfile.read(min(size, CHUNK))
                if not piece:
                    raise ConnectionError("the body ended early")
                body.write(piece)
                size -= len(piece)
            self.rfile.readline(16)

    def answer(self, status: int, body: bytes = b"", headers: dict[str, str] | None = None) -> None:
        """One complete answer."""
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
        self.wfile.flush()

    def answer_json(self, status: int, value: Any) -> None:
        body = json.dumps(value, separators=(",", ":")).encode()
        self.answer(status, body, {"Content-Type": "application/json"})

    def answer_chunks(self, pieces: Iterable[bytes]) -> None:
        """The body of an answer whose headers announced chunks; every piece is flushed."""
        for piece in pieces:
            if piece:
                self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
                self.wfile.flush()
        self.wfile.write(b"0\r\n\r\n")
        self.wfile.flush()

    def drop(self) -> None:
        """Closes the connection without an answer."""
        self.close_connection = True
        try:
            self.connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
