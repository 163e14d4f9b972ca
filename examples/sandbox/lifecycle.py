"""Bringing a sandbox up and down from a command that ends while the sandbox lives on."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from . import repository, site, terraform
from .paths import Layout, replace
from .processes import Identity, alive, identify, stop

START_TIMEOUT_S = 40.0
EXECUTABLE = Path(__file__).resolve().parent / "sandbox"
OURS = ("sandbox.json", "env", "site.yaml", "git", "log", "certificates", "terraform.rc", "aws",
        "seed")


class SandboxError(Exception):
    """Something that the user of the command should read in one line."""


def identities(layout: Layout) -> dict[str, Identity]:
    """The processes that sandbox.json names, whether alive or not."""
    processes = layout.read().get("processes", {})
    return {name: Identity(p["pid"], p["start"]) for name, p in processes.items()}


def up(layout: Layout, site_file: Path, source: Path) -> dict[str, Any]:
    """Starts an unseeded sandbox; on any failure nothing of it is left running."""
    if any(alive(identity) for identity in identities(layout).values()):
        raise SandboxError(f"a sandbox runs in {layout.root} already; take it down first")
    _clear(layout)
    child = None
    try:
        _prepare(layout)
        child = _start_daemon(layout)
        repository.create(layout.git, source)
        description = _wait_ready(layout, child)
        _describe(layout, description, site_file)
    except BaseException:
        if child and child.poll() is None:
            stop(identify(child.pid))  # it may not have got as far as sandbox.json
        down(layout)
        raise
    return description


def _clear(layout: Layout) -> None:
    layout.root.mkdir(parents=True, exist_ok=True)
    for name in OURS:
        path = layout.root / name
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def _prepare(layout: Layout) -> None:
    for folder in (layout.logs, layout.certificates, layout.aws):
        folder.mkdir(parents=True)
    terraform.write_config(layout.terraform_config, terraform.find_mirror())
    for name in ("config", "credentials"):
        (layout.aws / name).touch()


def _start_daemon(layout: Layout) -> subprocess.Popen[bytes]:
    with open(layout.logs / "sandbox.log", "wb") as output:
        return subprocess.Popen([sys.executable, str(EXECUTABLE), "serve", "--dir",
                                 str(layout.root)], stdin=subprocess.DEVNULL, stdout=output,
                                stderr=output, start_new_session=True, cwd="/")


def _wait_ready(layout: Layout, child: subprocess.Popen[bytes]) -> dict[str, Any]:
    log = layout.logs / "sandbox.log"
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline:
        description = layout.read()
        if description.get("ready"):
            return description
        if child.poll() is not None:
            break
        time.sleep(0.03)
    tail = log.read_text(errors="replace")[-3000:]
    raise SandboxError(f"the sandbox did not start; the end of {log}:\n{tail}")


def _describe(layout: Layout, description: dict[str, Any], site_file: Path) -> None:
    lines = [f"{name}={value}" for name, value in environment(layout, description).items()]
    replace(layout.environment, "\n".join(lines) + "\n")
    if site_file.is_file():
        replace(layout.site, site.localised(site_file.read_text(), description))


def environment(layout: Layout, description: dict[str, Any]) -> dict[str, str]:
    """What reaches the sandbox through ordinary settings; AWS_REGION is absent on purpose.

    The user's own AWS files are put out of sight: no rehearsal may touch a real account.
    """
    urls = description["urls"]
    return {
        "AWS_ENDPOINT_URL": urls["gateway"],
        # terraform's S3 backend asks AWS itself for a profile's role unless this is set.
        "AWS_ENDPOINT_URL_STS": urls["gateway"],
        "AWS_ACCESS_KEY_ID": "AKIASANDBOX000000000",
        "AWS_SECRET_ACCESS_KEY": "sandbox-secret-key-that-opens-nothing-00",
        "AWS_CONFIG_FILE": str(layout.aws / "config"),
        "AWS_SHARED_CREDENTIALS_FILE": str(layout.aws / "credentials"),
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_PAGER": "",
        "DRCTL_RESOLVER": f"127.0.0.1:{description['ports']['dns']}",
        "TF_CLI_CONFIG_FILE": str(layout.terraform_config),
        "CHECKPOINT_DISABLE": "1",
        "SANDBOX_DIR": str(layout.root),
        "SANDBOX_ADMIN_URL": urls["admin"],
        "SANDBOX_APP_PORT": str(description["ports"]["app"]),
    }


def down(layout: Layout) -> int:
    """Stops what belongs to this sandbox, moto last; returns how many processes ran."""
    stopped = 0
    known = identities(layout)
    for name in ("daemon", "moto"):
        if name in known:
            stopped += stop(known[name])
    description = layout.read()
    if description:
        layout.write(description | {"ready": False})
    return stopped


def admin(layout: Layout, method: str, path: str, parameters: dict[str, Any] | None = None) -> Any:
    """One call of the admin interface of a running sandbox."""
    description = layout.read()
    if not description.get("ready"):
        raise SandboxError(f"no sandbox runs in {layout.root}")
    body = json.dumps(parameters).encode() if parameters is not None else None
    request = urllib.request.Request(description["urls"]["admin"] + path, body, method=method,
                                     headers={"Content-Type": "application/json"})
    try:
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=700) as reply:
            return json.loads(reply.read())
    except urllib.error.HTTPError as error:
        raise SandboxError(json.loads(error.read()).get("error", str(error))) from error
    except OSError as error:
        raise SandboxError(f"the sandbox in {layout.root} does not answer: {error}") from error
