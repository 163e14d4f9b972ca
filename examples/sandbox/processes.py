"""Processes by pid *and* start time: a recycled pid must never be signalled."""

from __future__ import annotations

import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Identity:
    """A process as the kernel knows it; `start` is in clock ticks since boot."""

    pid: int
    start: int

    def as_json(self) -> dict[str, int]:
        return {"pid": self.pid, "start": self.start}


def start_time(pid: int) -> int | None:
    """When the process started, or None when it is gone or a zombie."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    fields = text.rpartition(")")[2].split()  # the name before may hold spaces and brackets
    return None if fields[0] in ("Z", "X") else int(fields[19])


def identify(pid: int) -> Identity:
    """The identity of a process that runs now."""
    start = start_time(pid)
    if start is None:
        raise ProcessLookupError(f"no process {pid}")
    return Identity(pid, start)


def alive(identity: Identity) -> bool:
    return start_time(identity.pid) == identity.start


def stop(identity: Identity, grace_s: float = 5.0) -> bool:
    """TERM, then KILL after the grace period. False when it was not running."""
    if not alive(identity):
        return False
    for number, patience in ((signal.SIGTERM, grace_s), (signal.SIGKILL, 5.0)):
        try:
            os.kill(identity.pid, number)
        except ProcessLookupError:
            return True
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline:
            if not alive(identity):
                return True
            time.sleep(0.02)
    return True
