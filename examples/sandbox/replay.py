"""Records a seeding at the gateway and plays it back, when that is exact.

Terraform waits out fixed delays of its provider (two minutes for production) that no emulator can
shorten. Moto's identifiers come from one seedable generator, so the same requests in the same order
after the same seed make the same world. Every recorded request, reads included, is sent again, and
each answer must have the recorded status and identifiers; the first difference raises Mismatch, and
the caller starts over with the real thing. One kind of name moto draws elsewhere (the secret of a
managed database password), and the address and authority of our Kubernetes API differ: they are
carried over into what is sent, the state included. Recordings stay in the user's cache folder of
this machine, under a hash of everything that shapes them.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import http.client
import json
import os
import re
import shutil
import subprocess
import threading
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any
from urllib.parse import quote

from . import terraform
from .awsrequest import AwsRequest

SEED = 20261122
IDENTIFIERS = re.compile(rb"\b[a-z]{1,12}-[0-9a-f]{8,17}\b|\bZ[A-Z0-9]{12,}\b|arn:aws:[^\"<\s]+")
MOMENT = re.compile(rb"\d{4}-\d{2}-\d{2}-\d{2}-\d{2}")  # in names of automated snapshots
DROPPED = {"host", "content-length", "connection", "transfer-encoding", "expect"}
DRAWN = re.compile(r"rds!db-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
CHECKSUMS = ("content-md5", "x-amz-checksum-", "x-amz-sdk-checksum-")
HERE = Path(__file__).resolve().parent


class Mismatch(Exception):
    """The replay went another way than the recording."""


def identifiers(body: bytes) -> list[str]:
    """All identifiers in an answer, sorted; moments and request ids do not count."""
    found = IDENTIFIERS.findall(MOMENT.sub(b"", body))
    return sorted({i.decode("ascii", "replace") for i in found})


class Recorder:
    """The gateway's side: while it records, requests take turns, so that their order is exact."""

    def __init__(self) -> None:
        self._turn = threading.RLock()
        self._entries: list[dict[str, Any]] | None = None
        self._complete = True

    @property
    def active(self) -> bool:
        return self._entries is not None

    def turn(self) -> AbstractContextManager[Any]:
        """To be held from before a request changes anything until its answer is known."""
        return self._turn if self._entries is not None else nullcontext()

    def start(self) -> None:
        self._entries, self._complete = [], True

    def add(self, request: AwsRequest, headers: list[tuple[str, str]], body: bytes | None,
            status: int, answer: bytes) -> None:
        """Keeps one request with what was answered; a no-op unless recording.

        A body that was too large to keep (None) makes the whole recording worthless.
        """
        if self._entries is None:
            return
        if body is None:
            self._complete = False
            return
        kept = [(n, v) for n, v in headers if n.lower() not in DROPPED]
        self._entries.append({
            "method": request.method, "headers": kept, "status": status,
            "target": request.path + ("?" + request.query if request.query else ""),
            "body": base64.b64encode(body).decode(), "answer": identifiers(answer)})

    def drop(self) -> None:
        self._entries = None

    def stop(self, path: Path, names: list[str]) -> int:
        """Writes the recording and ends it; returns how many requests it holds, 0 for none.

        `names` are strings of this sandbox that another one replaces by its own, in this order.
        """
        entries, self._entries = self._entries or [], None
        if not entries or not self._complete:
            return 0
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_suffix(".new")
        with gzip.open(temporary, "wt", encoding="utf-8", compresslevel=6) as file:
            file.write(json.dumps(names) + "\n")
            for entry in entries:
                file.write(json.dumps(entry) + "\n")
        os.replace(temporary, path)
        return len(entries)


def play(path: Path, port: int, names: list[str]) -> int:
    """Sends a recording to the gateway at a port; Mismatch at the first difference."""
    with gzip.open(path, "rt", encoding="utf-8") as file:
        recorded, *entries = [json.loads(line) for line in file]
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    renamed = dict(zip(recorded, names))
    try:
        for number, entry in enumerate(entries, 1):
            target, headers, sent = _translated(entry, renamed)
            connection.request(entry["method"], target, sent, headers)
            reply = connection.getresponse()
            body = reply.read()
            _compare(f"request {number} of {len(entries)}", entry, reply.status, body,
                     renamed)
    except (OSError, http.client.HTTPException) as error:
        raise Mismatch(f"the gateway did not answer: {error}") from error
    finally:
        connection.close()
    return len(entries)


def _translated(entry: dict[str, Any],
                renamed: dict[str, str]) -> tuple[str, dict[str, str], bytes]:
    """Target, headers and body of a recorded request with this world's names."""
    target, headers = entry["target"], dict(entry["headers"])
    sent = original = base64.b64decode(entry["body"])
    for old, new in renamed.items():
        sent = sent.replace(old.encode(), new.encode())
        target = target.replace(old, new).replace(quote(old, safe=""), quote(new, safe=""))
    if sent != original:
        headers = {n: v for n, v in headers.items() if not n.lower().startswith(CHECKSUMS)}
    return target, headers, sent


def _compare(which: str, entry: dict[str, Any], status: int, body: bytes,
             renamed: dict[str, str]) -> None:
    found = [] if entry["method"] == "HEAD" else identifiers(body)
    drawn_then, drawn_now = (DRAWN.findall("\n".join(ids)) for ids in (entry["answer"], found))
    if len(drawn_then) == len(drawn_now) == 1:
        renamed.setdefault(drawn_then[0], drawn_now[0])
    expected = {DRAWN.sub(lambda m: renamed.get(m[0], m[0]), i) for i in entry["answer"]}
    other = sorted(set(found) ^ expected)
    if status == entry["status"] and not other:
        return
    sent = base64.b64decode(entry["body"])[:80].decode("utf-8", "replace")
    raise Mismatch(f"{which}, {entry['method']} {entry['target']} {sent}: {status} instead of "
                   f"{entry['status']}, {', '.join(other[:4])}")


def cache_file(example: Path, moto_pid: int) -> Path | None:
    """Where the recording for this example, sandbox, moto, terraform and provider is kept."""
    digest = hashlib.sha256()
    for folder in (example / "environments/prod", example / "modules", HERE):
        for file in sorted(folder.rglob("*")):
            if file.suffix in (".tf", ".tfvars", ".py"):
                digest.update(str(file.relative_to(folder)).encode() + file.read_bytes())
    digest.update((example / "site.yaml").read_bytes())
    version = _moto_version(moto_pid)
    if not version:
        return None
    digest.update(version.encode() + _terraform_version().encode())
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return base / "drctl-sandbox" / f"{digest.hexdigest()[:32]}.jsonl.gz"


def _moto_version(pid: int) -> str:
    interpreter = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[0].decode()
    code = "import importlib.metadata as m; print(m.version('moto'), m.version('werkzeug'))"
    done = subprocess.run([interpreter, "-c", code], capture_output=True, text=True, cwd="/",
                          check=False)
    return done.stdout.strip()


def _terraform_version() -> str:
    """Terraform and every provider build that it could take."""
    binary = shutil.which("terraform")
    facts = [str(os.stat(binary).st_size)] if binary else []
    mirror = terraform.find_mirror()
    if mirror:
        facts += sorted(str(p.relative_to(mirror)) for p in mirror.glob("*/*/*/*/*"))
    return "\n".join(facts)


def prune(keep: Path, most: int = 4) -> None:
    """Removes the oldest recordings beside `keep`; each is some hundred KiB."""
    others = sorted((p for p in keep.parent.glob("*.jsonl.gz") if p != keep),
                    key=lambda p: p.stat().st_mtime, reverse=True)
    for old in others[most - 1:]:
        old.unlink(missing_ok=True)
