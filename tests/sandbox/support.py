"""What the tests share: the path to the package, and one running sandbox for each seed."""

from __future__ import annotations

import atexit
import http.client
import json
import shutil
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent.parent
EXAMPLES = ROOT / "examples"
COMMAND = EXAMPLES / "sandbox" / "sandbox"
STAND_INS = ROOT / "tests" / "stand-ins"
for folder in (str(EXAMPLES), str(STAND_INS)):
    if folder not in sys.path:
        sys.path.insert(0, folder)


def has_moto() -> bool:
    from sandbox import emulator
    try:
        return bool(emulator.command())
    except emulator.MotoError:
        return False


def run(*arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    """The sandbox command."""
    return subprocess.run([str(COMMAND), *arguments], check=check, capture_output=True, text=True,
                          timeout=60)


def scope(service: str, region: str) -> dict[str, str]:
    """Headers that address a service in a region; moto does not check the signature."""
    date = time.strftime("%Y%m%d", time.gmtime())
    return {"Authorization": f"AWS4-HMAC-SHA256 Credential=AKIA/{date}/{region}/{service}/"
            "aws4_request, SignedHeaders=host, Signature=0"}


_running: dict[str, Path] = {}


def _shared(seed: str) -> Path:
    """The folder of the one sandbox with this seed; it goes down when the tests end."""
    if seed not in _running:
        folder = Path(tempfile.mkdtemp(prefix="sandbox-test-"))
        atexit.register(shutil.rmtree, folder, True)
        atexit.register(run, "down", "--dir", str(folder), check=False)
        run("up", "--dir", str(folder), "--seed", seed)
        _running[seed] = folder
    return _running[seed]


@unittest.skipUnless(has_moto(), "moto_server is not here")
class SandboxCase(unittest.TestCase):
    """A sandbox that all such classes share; a test leaves its switches as it found them."""

    seed = "none"
    folder: Path
    description: dict[str, Any]

    @classmethod
    def setUpClass(cls) -> None:
        cls.folder = _shared(cls.seed)
        cls.description = json.loads((cls.folder / "sandbox.json").read_text())

    def setUp(self) -> None:
        self.admin("DELETE", "/requests")

    def send(self, port: int, method: str, path: str, body: bytes = b"",
             headers: dict[str, str] | None = None,
             host: str = "127.0.0.1") -> tuple[int, bytes]:
        """One plain HTTP request."""
        connection = http.client.HTTPConnection(host, port, timeout=30)
        try:
            connection.request(method, path, body, headers or {})
            reply = connection.getresponse()
            return reply.status, reply.read()
        finally:
            connection.close()

    def aws(self, service: str, region: str, method: str, path: str, body: bytes = b"",
            headers: dict[str, str] | None = None) -> tuple[int, bytes]:
        """A request to the gateway."""
        return self.send(self.description["ports"]["gateway"], method, path, body,
                         scope(service, region) | (headers or {}))

    def query(self, service: str, region: str, form: str) -> tuple[int, bytes]:
        """A form request to the gateway."""
        return self.aws(service, region, "POST", "/", form.encode(),
                        {"Content-Type": "application/x-www-form-urlencoded"})

    def admin(self, method: str, path: str, value: Any = None) -> Any:
        """A call of the admin interface; an error status fails the test."""
        body = b"" if value is None else json.dumps(value).encode()
        status, answer = self.send(self.description["ports"]["admin"], method, path, body)
        self.assertEqual(status, 200, answer)
        return json.loads(answer)

    def refused(self) -> list[dict[str, Any]]:
        return self.admin("GET", "/requests?refused=1")
