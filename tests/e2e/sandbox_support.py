"""A sandbox for end-to-end tests: production stands in us-east-2, and us-east-2 is cut off."""

from __future__ import annotations

import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import urllib.request

from support import ROOT, DrctlTest

LOST = "us-east-2"
FOUND = "us-west-2"
PREFIX = "prod-maestrohwithit"
PROGRAM = ROOT / "examples" / "sandbox" / "sandbox"


class Sandbox:
    """One sandbox, seeded; `with` takes it down."""

    def __init__(self, seed: str = "full"):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="drctl-sandbox-"))
        try:
            self("up", "--seed", seed)
        except subprocess.CalledProcessError as problem:
            self.close()
            raise AssertionError(f"the sandbox does not start: {problem.stderr}") from problem
        self.environment = dict(
            line.split("=", 1)
            for line in (self.folder / "env").read_text().splitlines()
            if "=" in line
        )

    def __call__(self, verb: str, *arguments: str) -> str:
        return subprocess.run(
            [PROGRAM, verb, "--dir", str(self.folder), *arguments],
            check=True,
            capture_output=True,
            text=True,
            timeout=600,
        ).stdout

    def close(self):
        subprocess.run(
            [PROGRAM, "down", "--dir", str(self.folder)], capture_output=True, timeout=60
        )
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def site(self) -> str:
        return str(self.folder / "site.yaml")

    def requests_to(self, region: str) -> list[dict]:
        text = self("requests", "--region", region, "--json")
        return [json.loads(line) for line in text.splitlines() if line.startswith("{")]

    def aws(self, *arguments: str, region: str = FOUND):
        """What a call of the AWS CLI answers."""
        result = subprocess.run(
            ["aws", *arguments, "--region", region, "--output", "json"],
            capture_output=True,
            text=True,
            env={**os.environ, **self.environment},
            timeout=120,
        )
        if result.returncode != 0:
            raise AssertionError(f"aws {' '.join(arguments)}: {result.stderr}")
        return json.loads(result.stdout) if result.stdout.strip() else None


class SandboxTest(DrctlTest):
    """Tests that share a seeded sandbox; each class has its own."""

    sandbox: Sandbox

    @classmethod
    def setUpClass(cls):
        cls.sandbox = Sandbox()
        cls.addClassCleanup(cls.sandbox.close)

    def setUp(self):
        super().setUp()
        self.environment.update(self.sandbox.environment)

    def failover(self, *more: str) -> list[str]:
        """The command line of the failover."""
        return [
            "run",
            str(ROOT / "plans" / "region-failover.yaml"),
            "--site",
            self.sandbox.site,
            "--input",
            "environment=prod",
            *more,
        ]
