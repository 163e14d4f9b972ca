#!/usr/bin/env python3
"""An HTTP server that misbehaves on request, and a few words of STS, SNS, container and instance
metadata; for the tests of net/ and of its actions. Prints its port, then serves on 127.0.0.1 until
its stdin closes. What each path does is in the table at the end."""
import json
import socket
import struct
import sys
import threading
import time
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

ERROR = b"<ErrorResponse><Error><Code>%s</Code><Message>%s</Message></Error></ErrorResponse>"
ROLE = ("<%sResponse><%sResult><Credentials><AccessKeyId>ROLE-%s</AccessKeyId><SecretAccessKey>s"
        "</SecretAccessKey><SessionToken>t</SessionToken><Expiration>2037-01-01T00:00:00Z"
        "</Expiration></Credentials></%sResult></%sResponse>")
IDENTITY = ("<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>arn:aws:iam::%s:user/x</Arn>"
            "<UserId>U</UserId><Account>%s</Account></GetCallerIdentityResult>"
            "</GetCallerIdentityResponse>")
requests = []
counts = {}
lock = threading.Lock()


def keys(name, token):
    return json.dumps({"Code": "Success", "AccessKeyId": name, "SecretAccessKey": "s", token: "t",
                       "Expiration": "2037-01-01T00:00:00Z"}).encode()


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

    def log(self):
        with lock:
            self.answer(200, json.dumps(requests).encode())

    def form(self):
        """One call of a query API; who signs is part of the answer, so that tests can see it."""
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        form = dict(urllib.parse.parse_qsl(body))
        signer = self.headers.get("Authorization", "")
        form["signer"] = signer.partition("Credential=")[2].partition(",")[0]
        with lock:
            requests.append(form)
        action = form.get("Action", "")
        role = form.get("RoleArn", "arn:aws:iam::000000000000:user/plain")
        if action == "ExpireOnce" and count_of("ExpireOnce") == 1:
            self.answer(400, ERROR % (b"ExpiredToken", b"too old"))
        elif action == "ExpireOnce":
            self.answer(200, b"<ok/>")
        elif "denied" in role:
            self.answer(403, ERROR % (b"AccessDenied", b"no"))
        elif action.startswith("AssumeRole"):
            name = role.rpartition("/")[2]
            self.answer(200, (ROLE % (action, action, name, action, action)).encode())
        elif action == "GetCallerIdentity":
            account = "222222222222" if form["signer"].startswith("ROLE") else "111111111111"
            self.answer(200, (IDENTITY % (account, account)).encode())
        elif action == "Publish":
            self.answer(200, b"<PublishResponse><PublishResult/></PublishResponse>")
        else:
            self.answer(400, ERROR % (b"InvalidAction", action.encode()))

    def metadata(self):
        token = self.headers.get("X-aws-ec2-metadata-token")
        if self.command == "PUT":
            self.answer(200, b"imds-token")
        elif token != "imds-token":
            self.answer(401)
        elif self.path.endswith("/"):
            self.answer(200, b"instance-role")
        else:
            self.answer(200, keys("IMDS", "Token"))

    def container(self):
        good = self.headers.get("Authorization") == "pod-token"
        self.answer(200 if good else 403, keys("POD", "Token") if good else b"")

    def handle_path(self):
        path = self.path.split("?")[0]
        if path.startswith("/latest/"):
            self.metadata()
            return
        if path in TABLE:
            TABLE[path](self)
        elif path.startswith("/status/"):
            self.answer(int(path.split("/")[2]), b"as asked")
        elif path.startswith("/flaky/"):
            # 503 as often as the path says, then 200
            self.answer(503 if count_of(path) <= int(path.split("/")[2]) else 200, b'{"ok": true}')
        else:
            self.echo()

    def do_any(self):
        try:
            self.handle_path()
        except (BrokenPipeError, ConnectionResetError, ValueError):
            self.close_connection = True

    do_GET = do_POST = do_PUT = do_HEAD = do_DELETE = do_any


TABLE = {
    "/": Handler.form,
    "/log": Handler.log,
    "/container": Handler.container,
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
