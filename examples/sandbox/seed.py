"""What is in a sandbox when it comes up."""

from __future__ import annotations

from pathlib import Path

from .paths import Layout

KINDS = ("none",)


class SeedError(Exception):
    """Seeding failed; the message says at what."""


def seed(layout: Layout, kind: str, example: Path) -> None:
    """Fills the sandbox."""
