"""Readiness of the DR region: what is missing there is copied once, whatever fails in between, and
a second run copies nothing."""

import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))

from sandbox_support import FOUND, LOST, SandboxTest
from support import ROOT

PLAN = str(ROOT / "plans" / "dr-readiness.yaml")
BUCKET = f"maestrohwithit-tfstate-123456789012-{FOUND}"


class DrReadinessTest(SandboxTest):
    def command(self) -> list[str]:
        # The lock of the site is in the very bucket that is missing.
        return ["run", PLAN, "--site", self.sandbox.site, "--no-remote-lock"]

    def here(self) -> dict[str, list]:
        """What the DR region has."""
        aws = self.sandbox.aws
        snapshots = aws("ec2", "describe-snapshots", "--owner-ids", "self")["Snapshots"]
        return {
            "images": [i["ImageId"] for i in
                       aws("ec2", "describe-images", "--owners", "self")["Images"]],
            "volumes": [s["SnapshotId"] for s in snapshots if "copy of" in s["Description"]],
            "databases": [s["DBSnapshotIdentifier"] for s in
                          aws("rds", "describe-db-snapshots")["DBSnapshots"]],
        }

    def empty_the_dr_region(self):
        aws, here = self.sandbox.aws, self.here()
        for image in here["images"]:
            aws("ec2", "deregister-image", "--image-id", image)
        for snapshot in here["volumes"]:
            aws("ec2", "delete-snapshot", "--snapshot-id", snapshot)
        for snapshot in here["databases"]:
            aws("rds", "delete-db-snapshot", "--db-snapshot-identifier", snapshot)
        aws("s3api", "delete-bucket", "--bucket", BUCKET)

    def ages(self) -> dict[str, list]:
        found: dict[str, list] = {}
        for event in self.events():
            if event["type"] == "fact" and event["kind"] == "data.age":
                found.setdefault(event["value"]["component"], []).append(event["value"]["age_s"])
        return found

    def test_what_is_missing_is_copied_once_though_a_copy_fails(self):
        self.empty_the_dr_region()
        self.sandbox("fault", "ec2", "CopySnapshot", "400", "SnapshotLimitExceeded")
        self.drctl(*self.command(), status=1, timeout=400)
        self.sandbox("fault-clear")
        self.drctl("resume", "last", timeout=400)
        self.assertEqual(self.outcome(), "succeeded")
        home = self.sandbox.aws("ec2", "describe-volumes", "--filters", "Name=tag:Backup,Values=true",
                                region=LOST)["Volumes"]
        there = self.here()
        self.assertEqual({k: len(v) for k, v in there.items()},
                         {"images": 1, "volumes": len(home), "databases": 1})
        self.assertGreater(len(home), 0)
        state = self.sandbox.aws("s3api", "get-bucket-versioning", "--bucket", BUCKET)
        self.assertEqual(state["Status"], "Enabled")
        self.assertEqual({k: len(v) for k, v in self.ages().items()},
                         {"RDS Database": 1, "EBS Volumes": len(home)})

        self.drctl(*self.command(), timeout=400)
        self.assertEqual(self.here(), there, "a second run copies nothing")

    def test_old_data_is_told_and_fails_the_run(self):
        result = self.drctl(*self.command(), "--input", "max_data_age=1s", status=1, timeout=400)
        self.assertIn("older than 1s", result.stdout)


if __name__ == "__main__":
    unittest.main()
