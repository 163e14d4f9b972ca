"""The moto_server child process, and direct questions to it past the gateway.

Moto does not check signatures, so a scope with a made-up one is enough to address a region.
"""

from __future__ import annotations

import http.client
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

RUNNING = re.compile(r"Running on http://127\.0\.0\.1:(\d+)")
START_TIMEOUT_S = 30.0
API_VERSIONS = {"ec2": "2016-11-15", "rds": "2014-10-31", "sts": "2011-06-15", "iam": "2010-05-08",
                "elasticloadbalancing": "2015-12-01", "sns": "2010-03-31",
                "monitoring": "2010-08-01"}


class MotoError(Exception):
    """Moto could not be started, or answered with an error."""


def command() -> list[str]:
    """How to run moto_server here: from PATH, else as a module of this interpreter."""
    found = shutil.which("moto_server")
    if found:
        return [found]
    if importlib.util.find_spec("moto"):
        return [sys.executable, "-m", "moto.server"]
    raise MotoError("moto_server is not on PATH: pip install 'moto[server]'")


def start(log: Path) -> subprocess.Popen[bytes]:
    """Starts moto on a free port of its own choice; wait_for_port() tells which."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "MOTO_"))}
    environment |= {"MOTO_EC2_LOAD_DEFAULT_AMIS": "false", "PYTHONUNBUFFERED": "1",
                    "MOTO_IAM_LOAD_MANAGED_POLICIES": "true", "AWS_EC2_METADATA_DISABLED": "true"}
    with open(log, "wb") as output:
        return subprocess.Popen([*command(), "-H", "127.0.0.1", "-p", "0"],
                                stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                                env=environment, start_new_session=True)


def wait_for_port(child: subprocess.Popen[bytes], log: Path) -> int:
    """The port that moto listens on; it is killed when it does not in time."""
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline:
        text = log.read_text(errors="replace")
        found = RUNNING.search(text)
        if found:
            return int(found.group(1))
        if child.poll() is not None:
            raise MotoError(f"moto_server ended with status {child.returncode}:\n{text[-2000:]}")
        time.sleep(0.02)
    child.kill()
    raise MotoError(f"moto_server did not listen within {START_TIMEOUT_S:.0f} s")


class Moto:
    """Calls to one AWS-like endpoint (moto itself, or a gateway) at host:port."""

    def __init__(self, port: int, host: str = "127.0.0.1", access_key: str = "test",
                 account: str = "") -> None:
        self.host, self.port, self.access_key, self.account = host, port, access_key, account

    def request(self, service: str, region: str, method: str, path: str, body: bytes = b"",
                headers: dict[str, str] | None = None) -> tuple[int, dict[str, str], bytes]:
        """One request; returns (status, headers in lower case, body)."""
        connection = http.client.HTTPConnection(self.host, self.port, timeout=120)
        date = time.strftime("%Y%m%d", time.gmtime())
        scope = f"Credential={self.access_key}/{date}/{region}/{service}/aws4_request"
        sent = {"Authorization": f"AWS4-HMAC-SHA256 {scope}, SignedHeaders=host, Signature=0",
                "Accept": "*/*"} | (headers or {})
        if self.account:
            sent["x-moto-account-id"] = self.account
        try:
            connection.request(method, path, body, sent)
            reply = connection.getresponse()
            return reply.status, {k.lower(): v for k, v in reply.getheaders()}, reply.read()
        finally:
            connection.close()

    def checked(self, service: str, region: str, method: str, path: str, body: bytes = b"",
                headers: dict[str, str] | None = None) -> bytes:
        """Like request(), but an error status raises MotoError."""
        status, _, answer = self.request(service, region, method, path, body, headers)
        if status >= 300:
            raise MotoError(f"{service} {method} {path.partition('?')[0]} in {region}: {status} "
                            + answer.decode(errors="replace")[:500])
        return answer

    def query(self, service: str, region: str, action: str, **fields: str) -> ElementTree.Element:
        """An EC2- or query-protocol call; the answer as XML without name spaces."""
        form = {"Action": action, "Version": API_VERSIONS[service]} | fields
        headers = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}
        return parse_xml(self.checked(service, region, "POST", "/", urlencode(form).encode(),
                                      headers))

    def json(self, service: str, region: str, method: str, path: str, value: Any = None) -> Any:
        """A REST-JSON call."""
        body = b"" if value is None else json.dumps(value).encode()
        answer = self.checked(service, region, method, path, body,
                              {"Content-Type": "application/json"})
        return json.loads(answer) if answer.strip() else {}


def parse_xml(text: bytes) -> ElementTree.Element:
    """Parses XML and strips the name space from every tag."""
    root = ElementTree.fromstring(text)
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
    return root
