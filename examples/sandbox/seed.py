"""What is in a sandbox when it comes up.

`none`: nothing. `data`: what no Terraform makes (seed_base.py), with a database, its snapshots and
the public names. `full`: the same, with production really applied by terraform in the home region
and its applications deployed to the cluster there.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from . import lifecycle, replay
from .emulator import Moto, MotoError
from .kubernetes import certificates
from .paths import Layout
from .repository import git
from .seed_base import Base, Facts, read_facts

KINDS = ("none", "data", "full")
TERRAFORM_TIMEOUT_S = 600


class SeedError(Exception):
    """Seeding failed; the message says at what."""


def seed(layout: Layout, kind: str, example: Path, replayed: bool = True) -> None:
    """Fills a sandbox that is up; replay.Mismatch means: start over, with `replayed` False."""
    if kind == "none":
        return
    description = layout.read()
    moto = Moto(description["ports"]["moto"])
    try:
        facts = read_facts((example / "site.yaml").read_text())
        base = Base(moto, facts, lambda resource, made: lifecycle.admin(
            layout, "POST", "/age", {"resource": resource, "made": made}))
        moto.checked("", "", "POST", f"/moto-api/seed?a={replay.SEED}")
        base.everything()
        if kind == "full":
            Production(layout).build(example, replayed)
        else:
            base.database()
        base.snapshots()
        base.objects()
        base.point_dns(facts.home)
        if kind == "full":
            Production(layout).deploy(facts)
    except (MotoError, OSError, ValueError) as error:
        raise SeedError(f"seeding failed: {error}") from error
    lifecycle.admin(layout, "DELETE", "/requests")


class Production:
    """The example's production, applied and deployed with the real tools."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self.folder = layout.root / "seed"
        description = layout.read()
        self.environment = {k: v for k, v in os.environ.items()
                            if not k.startswith(("AWS_", "TF_", "KUBE"))}
        self.environment |= lifecycle.environment(layout, description)
        self.environment |= {"TF_IN_AUTOMATION": "1", "TF_INPUT": "0",
                             "KUBECONFIG": str(self.folder / "kubeconfig")}

    def build(self, example: Path, replayed: bool) -> None:
        """Production in the home region: from this machine's recording, else by terraform."""
        description = self.layout.read()
        cache = replay.cache_file(example, description["processes"]["moto"]["pid"])
        names = [description["urls"]["kubernetes"],
                 certificates.authority(self.layout.certificates)]
        if cache and replayed and cache.is_file():
            replay.play(cache, description["ports"]["gateway"], names)
            return
        lifecycle.admin(self.layout, "POST", "/record/start")
        self.apply()
        if cache:
            lifecycle.admin(self.layout, "POST", "/record/stop",
                            {"path": str(cache), "names": names})
            replay.prune(cache)
        else:
            lifecycle.admin(self.layout, "POST", "/record/drop")

    def _clone(self) -> None:
        if not self.folder.is_dir():
            git("clone", "-q", str(self.layout.git / "primary.git"), str(self.folder),
                folder=self.layout.root)

    def apply(self) -> None:
        """terraform init and apply of environments/prod in the home region."""
        self._clone()
        stack = self.folder / "environments/prod"
        self._run("terraform", "init", "-input=false", "-no-color", folder=stack)
        self._run("terraform", "apply", "-input=false", "-auto-approve", "-no-color",
                  "-parallelism=20", folder=stack)

    def deploy(self, facts: Facts) -> None:
        """The applications, by kubectl, as a release would do it."""
        self._clone()
        self._run("aws", "eks", "update-kubeconfig", "--name", f"{facts.prefix}-cluster",
                  "--region", facts.home, "--kubeconfig", self.environment["KUBECONFIG"],
                  folder=self.folder)
        manifests = self.folder / "k8s"
        first = [manifests / "deployments/00-namespaces.yaml", manifests / "crds",
                 manifests / "regions" / facts.home]
        for step in ([p for p in first if p.exists()], [manifests / "deployments"]):
            files = [word for path in step for word in ("-f", str(path))]
            self._run("kubectl", "apply", "--cache-dir", str(self.folder / "cache"), *files,
                      folder=self.folder)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _run(self, *command: str, folder: Path) -> None:
        log = self.layout.logs / f"{command[0]}.log"
        with open(log, "ab") as output:
            done = subprocess.run(command, cwd=folder, env=self.environment, check=False,
                                  stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                                  timeout=TERRAFORM_TIMEOUT_S)
        if done.returncode:
            tail = log.read_text(errors="replace")[-3000:]
            raise SeedError(f"{' '.join(command[:2])} ended with {done.returncode}; {log}:\n{tail}")
