"""The manual backups: one call's answer is lost, another one is refused, and in the end there is
one backup of each thing."""

import json
import unittest
import urllib.request

from plan_support import PREFIX, PlanTest


class BackupNowTest(PlanTest):
    PLAN = "backup-now"

    def test_nothing_is_backed_up_twice_after_a_lost_answer_and_a_refusal(self):
        self.answer_is_lost("ec2", "CreateImage")
        self.sandbox("fault", "rds", "CreateDBSnapshot", "400", "SnapshotQuotaExceeded")
        result = self.run_plan(status=1)
        self.assertIn("Failed: db-snapshot (aws)", result.stdout)
        self.sandbox("fault-clear")
        self.resume()

        run = self.run_directory().name
        made = self.facts("backup.made")[0]
        self.assertEqual(len(made["images"]), 2)
        images = self.aws("ec2", "describe-images", "--filters", f"Name=tag:BackupRun,Values={run}")
        instances = [tag["Value"] for i in images["Images"] for tag in i["Tags"] if tag["Key"] == "Instance"]
        self.assertEqual(len(instances), 2)
        self.assertEqual(len(set(instances)), 2, "one image of each server")
        self.every_volume_has_one_snapshot(run)
        snapshots = self.aws(
            "rds", "describe-db-snapshots", "--db-snapshot-identifier", made["database"]
        )["DBSnapshots"]
        self.assertEqual(snapshots[0]["DBInstanceIdentifier"], f"{PREFIX}-db")
        self.assertEqual(snapshots[0]["Status"], "available")

    def every_volume_has_one_snapshot(self, run: str):
        snapshots = self.aws("ec2", "describe-snapshots", "--filters", f"Name=tag:BackupRun,Values={run}")
        volumes = sorted(snapshot["VolumeId"] for snapshot in snapshots["Snapshots"])
        tagged = self.aws("ec2", "describe-volumes", "--filters", "Name=tag:Environment,Values=prod")
        self.assertTrue({v["VolumeId"] for v in tagged["Volumes"]} <= set(volumes))
        self.assertEqual(len(volumes), len(set(volumes)), volumes)

    def answer_is_lost(self, service: str, operation: str):
        """The next such call takes effect, and the connection closes before its answer."""
        fault = {"service": service, "operation": operation, "status": 0, "after": True, "times": 1}
        request = urllib.request.Request(
            self.sandbox.environment["SANDBOX_ADMIN_URL"] + "/fault",
            data=json.dumps(fault).encode(),
            headers={"Content-Type": "application/json"},
            method="POST",
        )
        urllib.request.urlopen(request, timeout=10).close()


if __name__ == "__main__":
    unittest.main()
