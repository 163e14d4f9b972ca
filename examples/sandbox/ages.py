"""Gives snapshots and images an age: moto stamps everything with the present.

A time is set by resource id and replaces the creation times that answers give for that id. Restore
points that are days old are what makes an RPO worth measuring.
"""

from __future__ import annotations

import re
import threading
from datetime import datetime, timezone

from .awsrequest import AwsRequest

# (operations, tag around one resource, tag with its id, tags with its times)
SHAPES: tuple[tuple[tuple[str, ...], str, str, tuple[str, ...]], ...] = (
    (("DescribeDBSnapshots", "CopyDBSnapshot", "CreateDBSnapshot"), "DBSnapshot",
     "DBSnapshotIdentifier", ("SnapshotCreateTime", "OriginalSnapshotCreateTime")),
    (("DescribeSnapshots",), "item", "snapshotId", ("startTime",)),
    (("DescribeImages",), "item", "imageId", ("creationDate",)),
)


class Ages:
    """Adapter for answers that tell when something was made."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._made: dict[str, float] = {}

    def set(self, resource: str, made: float) -> None:
        """From now on the resource was made at this time (epoch seconds)."""
        with self._lock:
            self._made[resource] = made

    def listing(self) -> dict[str, float]:
        with self._lock:
            return dict(self._made)

    def adapt(self, request: AwsRequest, status: int, body: bytes) -> bytes:
        """The answer with the times that were set."""
        made = self.listing()
        shape = next((s for s in SHAPES if request.operation in s[0]), None)
        if status != 200 or not made or not shape:
            return body
        _, _, id_tag, time_tags = shape
        text = body.decode()
        starts = [m for m in re.finditer(rf"<{id_tag}>([^<]+)</{id_tag}>", text)]
        out, done = [], 0
        for number, start in enumerate(starts):
            end = starts[number + 1].start() if number + 1 < len(starts) else len(text)
            piece = text[start.start():end]
            if start.group(1) in made:
                for tag in time_tags:
                    piece = re.sub(rf"(<{tag}>)[^<]*", rf"\g<1>{_stamp(made[start.group(1)])}",
                                   piece)
            out.append(text[done:start.start()] + piece)
            done = end
        return "".join(out + [text[done:]]).encode()


def _stamp(made: float) -> str:
    moment = datetime.fromtimestamp(made, timezone.utc)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.000Z")
