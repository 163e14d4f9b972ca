"""The example's site file with what must be local replaced: repository, resolver, application URLs.

The file is YAML for people, with comments; it is edited by line so that they stay, and no YAML
library is needed. Keys are addressed by path; only block mappings are understood, which is what
site files are made of.
"""

from __future__ import annotations

import json
import re
from typing import Any

KEY = re.compile(r"^(\s*)([A-Za-z_][\w.-]*)\s*:(?:\s+(.*))?$")


def localised(text: str, description: dict[str, Any]) -> str:
    """The site file for the sandbox that `description` (sandbox.json) tells of."""
    urls, port = description["urls"], description["ports"]["app"]
    lines = text.splitlines()
    set_key(lines, ["repo", "url"], urls["git"]["primary"])
    set_key(lines, ["repo", "mirrors"], [urls["git"]["mirror"]])
    return "\n".join(_with_port(line, port) for line in lines) + "\n"


def _with_port(line: str, port: int) -> str:
    """Health URLs keep their host name, which our DNS answers, and get our port by plain HTTP."""
    return re.sub(r"https?://([A-Za-z0-9.-]+)(?::\d+)?(/healthz)", rf"http://\1:{port}\2", line)


def set_key(lines: list[str], path: list[str], value: Any) -> None:
    """Sets a key, adding missing parents; the value is written as JSON, which is YAML."""
    start, end, indent = 0, len(lines), 0
    for depth, key in enumerate(path):
        found = _find(lines, start, end, key)
        last = depth == len(path) - 1
        if found is None:
            added = [f"{' ' * (indent + 2 * i)}{k}:" for i, k in enumerate(path[depth:])]
            added[-1] += " " + json.dumps(value)
            lines[start:start] = added
            return
        at, indent_here, block_end = found
        if last:
            lines[at:block_end] = [f"{' ' * indent_here}{key}: {json.dumps(value)}"]
            return
        start, end, indent = at + 1, block_end, indent_here + 2


def _find(lines: list[str], start: int, end: int, key: str) -> tuple[int, int, int] | None:
    """(line, indentation, end of its block) of a key among the siblings that begin at `start`."""
    siblings: int | None = None
    for at in range(start, end):
        match = KEY.match(lines[at])
        if not match:
            continue
        indent = len(match.group(1))
        siblings = indent if siblings is None else siblings
        if indent == siblings and match.group(2) == key:
            return at, indent, _block_end(lines, at, end, indent)
    return None


def _block_end(lines: list[str], at: int, end: int, indent: int) -> int:
    last = at + 1
    for number in range(at + 1, end):
        stripped = lines[number].lstrip()
        depth = len(lines[number]) - len(stripped)
        if stripped and not stripped.startswith("#"):
            if depth < indent or (depth == indent and not stripped.startswith("- ")):
                break
            last = number + 1
    return last
