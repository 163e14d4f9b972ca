"""The record of every request that reached the gateway or a cluster: in memory and in a file.

Tests and rehearsals count on it ("zero requests to the dead region"), so an entry is made before a
request is answered, and nothing but an explicit `clear` removes one.
"""

from __future__ import annotations

import json
import threading
import time
from datetime import datetime, timezone
from pathlib import Path
from typing import Any


class Record:
    """Append-only list of requests, safe to use from any thread."""

    def __init__(self, path: Path | None = None) -> None:
        self._lock = threading.Lock()
        self._entries: list[dict[str, Any]] = []
        self._sequence = 0
        self._file = open(path, "a", encoding="utf-8") if path else None

    def add(self, **facts: Any) -> dict[str, Any]:
        """Adds one entry; `regions` maps each region to where the request named it."""
        now = time.time()
        stamp = datetime.fromtimestamp(now, timezone.utc).isoformat(timespec="milliseconds")
        with self._lock:
            self._sequence += 1
            entry = {"seq": self._sequence, "at": now, "time": stamp.replace("+00:00", "Z")} | facts
            self._entries.append(entry)
            if self._file:
                self._file.write(json.dumps(entry) + "\n")
                self._file.flush()
        return entry

    def select(self, region: str = "", since: float = 0.0, refused: bool = False,
               service: str = "", operation: str = "") -> list[dict[str, Any]]:
        """The entries that match all of what is given, oldest first."""
        with self._lock:
            entries = list(self._entries)
        return [e for e in entries
                if e["at"] >= since and (not region or region in e["regions"])
                and (not refused or e["refused"]) and (not service or e["service"] == service)
                and (not operation or e["operation"] == operation)]

    def clear(self) -> None:
        with self._lock:
            self._entries.clear()

    def close(self) -> None:
        if self._file:
            self._file.close()
            self._file = None


def parse_since(text: str) -> float:
    """Seconds since the epoch from a number or an ISO 8601 time ("" is 0)."""
    if not text:
        return 0.0
    try:
        return float(text)
    except ValueError:
        return datetime.fromisoformat(text).timestamp()
