"""What the tests of plans share: a seeded sandbox whose home region still answers, and one plan."""

from __future__ import annotations

import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))

from sandbox_support import LOST as HOME, PREFIX, SandboxTest  # noqa: E402
from support import ROOT  # noqa: E402

__all__ = ["HOME", "PREFIX", "PlanTest"]


class PlanTest(SandboxTest):
    PLAN: str

    def setUp(self):
        super().setUp()
        # The lock of a target is in the sandbox, which the tests of a class share.
        self.addCleanup(self.drctl, "cancel", "last", "--yes", status=None)

    def run_plan(self, *more: str, status: int | None = 0) -> subprocess.CompletedProcess:
        plan = str(ROOT / "plans" / f"{self.PLAN}.yaml")
        return self.drctl(
            "run", plan, "--site", self.sandbox.site, "--yes", *more, status=status, timeout=900
        )

    def resume(self, status: int = 0) -> subprocess.CompletedProcess:
        return self.drctl("resume", "last", "--yes", status=status, timeout=900)

    def aws(self, *arguments: str):
        return self.sandbox.aws(*arguments, region=HOME)

    def started(self) -> list[str]:
        """Steps in the order in which their attempts began."""
        return [event["step"] for event in self.events() if event["type"] == "step_started"]

    def facts(self, kind: str) -> list[dict]:
        return [e["value"] for e in self.events() if e["type"] == "fact" and e["kind"] == kind]

    def calls(self, service: str, operation: str) -> int:
        """How many requests for an operation have reached the sandbox so far."""
        return sum(
            1
            for request in self.sandbox.requests_to(HOME)
            if request.get("service") == service and request.get("operation") == operation
        )
