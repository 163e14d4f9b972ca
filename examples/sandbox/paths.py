"""Where things are in a sandbox's folder, and the two files that tell others about it."""

from __future__ import annotations

import json
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Layout:
    """The files of one sandbox, below `root`."""

    root: Path

    @property
    def description(self) -> Path:
        return self.root / "sandbox.json"

    @property
    def environment(self) -> Path:
        return self.root / "env"

    @property
    def site(self) -> Path:
        return self.root / "site.yaml"

    @property
    def git(self) -> Path:
        return self.root / "git"

    @property
    def logs(self) -> Path:
        return self.root / "log"

    @property
    def requests(self) -> Path:
        return self.logs / "requests.jsonl"

    @property
    def certificates(self) -> Path:
        return self.root / "certificates"

    @property
    def terraform_config(self) -> Path:
        return self.root / "terraform.rc"

    @property
    def aws(self) -> Path:
        return self.root / "aws"

    def read(self) -> dict[str, Any]:
        """sandbox.json, or {} when there is none."""
        try:
            return json.loads(self.description.read_text())
        except FileNotFoundError:
            return {}

    def write(self, description: dict[str, Any]) -> None:
        """Replaces sandbox.json at once, so that a reader never sees half of it."""
        replace(self.description, json.dumps(description, indent=2) + "\n")


def replace(path: Path, text: str) -> None:
    """Writes a file by way of a temporary one and a rename."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=path.name)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
    os.replace(temporary, path)
