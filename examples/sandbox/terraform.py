"""Finds the AWS provider on this machine and tells terraform to take it from there.

Looked for in order: a `terraform-provider-aws` tree named by TF_PLUGIN_MIRROR, beside the terraform
of PATH, terraform's conventional plugin folders, any registry.terraform.io/hashicorp/aws tree under
the usual system folders. Without one, terraform's registry is used as usual.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Iterator

PROVIDER = Path("registry.terraform.io/hashicorp/aws")
SYSTEM_FOLDERS = ("/opt", "/usr/share", "/usr/local/share", "/usr/lib", "/usr/local/lib",
                  "/var/lib")
MAX_DEPTH = 4


def _conventional() -> Iterator[Path]:
    if os.environ.get("TF_PLUGIN_MIRROR"):
        yield Path(os.environ["TF_PLUGIN_MIRROR"])
    terraform = shutil.which("terraform")
    if terraform:
        yield Path(terraform).resolve().parent / "terraform.d/plugins"
    home = Path.home()
    data = Path(os.environ.get("XDG_DATA_HOME") or home / ".local/share")
    yield home / ".terraform.d/plugins"
    yield data / "terraform/plugins"
    for folder in (os.environ.get("XDG_DATA_DIRS") or "/usr/local/share:/usr/share").split(":"):
        yield Path(folder) / "terraform/plugins"
    if os.environ.get("TF_PLUGIN_CACHE_DIR"):
        yield Path(os.environ["TF_PLUGIN_CACHE_DIR"])
    yield home / ".terraform.d/plugin-cache"


def _below(folder: Path, depth: int) -> Iterator[Path]:
    if (folder / PROVIDER).is_dir():
        yield folder
    if depth == 0:
        return
    try:
        children = sorted(p for p in folder.iterdir() if p.is_dir() and not p.is_symlink())
    except OSError:
        return
    for child in children:
        yield from _below(child, depth - 1)


def find_mirror() -> Path | None:
    """The folder that holds a registry.terraform.io/hashicorp/aws tree, or None."""
    for folder in _conventional():
        if (folder / PROVIDER).is_dir():
            return folder.resolve()
    for system in SYSTEM_FOLDERS:
        for folder in _below(Path(system), MAX_DEPTH):
            return folder
    return None


def write_config(path: Path, mirror: Path | None) -> None:
    """Writes a CLI configuration file that takes from the mirror all that the mirror has."""
    if mirror is None:
        path.write_text("disable_checkpoint = true\n")
        return
    path.write_text(f'''disable_checkpoint = true

provider_installation {{
  filesystem_mirror {{
    path    = "{mirror}"
    include = ["registry.terraform.io/hashicorp/aws"]
  }}
  direct {{
    exclude = ["registry.terraform.io/hashicorp/aws"]
  }}
}}
''')
