#!/usr/bin/env python3
"""An HTTP server that misbehaves on request; for the tests of net/. Prints its port, then serves on
127.0.0.1 until its stdin closes. What each path does is in the table at the end."""
import json
import socket
import struct
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

counts = {}
lock = threading.Lock()


def count_of(path):
    with lock:
        counts[path] = counts.get(path, 0) + 1
        return counts[path]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, status, body=b"", **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def echo(self):
        size = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(size).decode("utf-8", "replace")
        seen = {"method": self.command, "path": self.path, "body": body,
                "headers": {name.lower(): value for name, value in self.headers.items()}}
        self.answer(200, json.dumps(seen).encode(), Content_Type="application/json")

    def reset(self):
        self.send_response(200)
        self.send_header("Content-Length", "1000")
        self.end_headers()
        self.wfile.write(b"x" * 10)
        self.wfile.flush()
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()
        self.close_connection = True

    def drip(self):
        self.send_response(200)
        self.send_header("Content-Length", "1000")
        self.end_headers()
        for _ in range(1000):
            self.wfile.write(b"x")
            self.wfile.flush()
            time.sleep(0.05)

    def endless(self):
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        while True:
            self.wfile.write(b"10000\r\n" + b"x" * 0x10000 + b"\r\n")

    def many_headers(self):
        self.send_response(200)
        for i in range(1000):
            self.send_header("X-Filler-%d" % i, "x" * 1000)
        self.end_headers()

    def handle_path(self):
        path = self.path.split("?")[0]
        if path in TABLE:
            TABLE[path](self)
        elif path.startswith("/status/"):
            self.answer(int(path.split("/")[2]), b"as asked")
        elif path.startswith("/count/"):
            self.answer(200, str(count_of(path)).encode())
        else:
            self.echo()

    def do_any(self):
        try:
            self.handle_path()
        except (BrokenPipeError, ConnectionResetError, ValueError):
            self.close_connection = True

    do_GET = do_POST = do_PUT = do_HEAD = do_DELETE = do_any


TABLE = {
    "/reset": Handler.reset,
    "/drip": Handler.drip,
    "/endless": Handler.endless,
    "/many-headers": Handler.many_headers,
    "/redirect": lambda self: self.answer(302, b"", Location="/status/200"),
    "/redirect-for-ever": lambda self: self.answer(302, b"", Location="/redirect-for-ever"),
    "/redirect-to-file": lambda self: self.answer(302, b"", Location="file:///etc/hostname"),
    "/hang": lambda self: time.sleep(3600),
}


def main():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.handle_error = lambda *_: None  # a client that hangs up is part of the tests
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(server.server_address[1], flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
