"""The annual test in an account of its own: after success, after a failure, after a kill in the
middle of the apply, nothing is left, in that account or of what production lent to it."""

import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))

from sandbox_support import FOUND, PREFIX, SandboxTest
from support import ROOT, wait_until

ACCOUNT = "222222222222"
SECRET = "operator-secret-that-must-not-be-written-down"
# moto keeps the interfaces of gateways and instances that are gone, without their subnets, and tags
# AWS's own keys; docs/limits.md.
MOTO_LEAVES = "ec2:network-interface *,tagged * arn:aws:kms:*"
PLAN = str(ROOT / "plans" / "new-account-test.yaml")


class NewAccountTest(SandboxTest):
    def setUp(self):
        super().setUp()
        self.environment["AWS_SECRET_ACCESS_KEY"] = SECRET
        self.environment["HOME"] = str(self.folder)  # the CLI keeps sessions of roles there
        self.sandbox("fault-clear")

    def command(self, *more: str, account: str = ACCOUNT) -> list[str]:
        role = f"arn:aws:iam::{account}:role/Test"
        return ["run", PLAN, "--site", self.sandbox.site, "--input", f"role_arn={role}",
                "--input", f"region={FOUND}", "--input", f"ignore={MOTO_LEAVES}", "--yes", *more]

    # --- what is there afterwards ---------------------------------------------------------------

    def state_of(self, step: str) -> str | None:
        ends = [e["type"] for e in self.events()
                if e.get("step") == step and e["type"] in ("step_succeeded", "step_failed",
                                                           "step_skipped")]
        return ends[-1] if ends else None

    def inventory(self) -> dict:
        """The last one of the run."""
        return [e["value"] for e in self.events()
                if e["type"] == "fact" and e["kind"] == "inventory"][-1]

    def nothing_is_left(self):
        self.assertEqual(self.state_of("after"), "step_succeeded")
        self.assertEqual(self.inventory()["added"], [])
        aws = self.sandbox.aws
        mine = aws("rds", "describe-db-snapshots")["DBSnapshots"]
        self.assertEqual([s for s in mine if "drctl" in s["DBSnapshotIdentifier"]], [])
        for image in aws("ec2", "describe-images", "--owners", "self")["Images"]:
            lent = aws("ec2", "describe-image-attribute", "--image-id", image["ImageId"],
                       "--attribute", "launchPermission")
            self.assertEqual(lent.get("LaunchPermissions") or [], [])

    def no_secret_was_written(self):
        for path in self.state.rglob("*"):
            if path.is_file() and not path.is_symlink():
                self.assertNotIn(SECRET.encode(), path.read_bytes(), str(path))

    # --- the cases ------------------------------------------------------------------------------

    def test_an_account_of_the_site_is_refused_before_anything_happens(self):
        self.drctl(*self.command(account="123456789012"), status=1)
        self.assertEqual(self.state_of("identity"), "step_failed")
        started = {e["step"] for e in self.events() if e["type"] == "step_started"}
        self.assertEqual(started - {"credentials-helper", "profiles", "identity", "checkout"}, set())

    def test_success_leaves_times_on_record_and_nothing_else(self):
        result = self.drctl(*self.command(), timeout=1500)
        self.assertEqual(self.outcome(), "succeeded", result.stdout)
        self.nothing_is_left()
        self.no_secret_was_written()
        restored = [e for e in self.events() if e["type"] == "fact" and e["kind"] == "data.age"]
        self.assertEqual(len(restored), 1)
        self.assertIn("Complete stack", result.stdout)

    def test_a_failure_in_the_apply_leaves_nothing(self):
        self.sandbox("fault", "eks", "CreateCluster", "400", "ResourceLimitExceededException")
        result = self.drctl(*self.command(), status=1, timeout=1500)
        self.assertIn("ResourceLimitExceeded", result.stdout)
        self.assertEqual(self.state_of("apply"), "step_failed")
        self.nothing_is_left()

    def test_a_kill_in_the_apply_and_a_resume_leave_nothing(self):
        self.sandbox("hold", "eks", "CreateCluster")
        child = self.start(*self.command())
        wait_until(lambda: "aws_eks_cluster" in self.output_of(child), "the cluster's creation", 600)
        self.kill(child)
        self.sandbox("release")
        self.drctl("resume", "last", "--yes", timeout=1500)
        self.assertEqual(self.outcome(), "succeeded")
        self.nothing_is_left()
        clusters = self.sandbox.aws("eks", "list-clusters", region="us-east-2")["clusters"]
        self.assertEqual(clusters, [f"{PREFIX}-cluster"], "production's own still stands")


if __name__ == "__main__":
    unittest.main()
