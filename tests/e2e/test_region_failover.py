"""The failover of a region on real tools, on a night on which everything else goes wrong as well:
each stage fails once, drctl is killed at three moments of one apply, and the terminal goes away.
Afterwards everything is there once, and nobody has asked the region that failed."""

import os
import pty
import subprocess
import unittest

from sandbox_support import FOUND, LOST, PREFIX, SandboxTest
from support import program, wait_until


class RegionFailoverTest(SandboxTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.sandbox("cut", LOST)

    # --- the night ------------------------------------------------------------------------------

    def test_everything_goes_wrong_once_and_the_recovery_is_whole(self):
        self.old_data_is_refused_before_anything_changes()
        self.terraform_fails()
        self.drctl_is_killed_three_times_during_the_apply()
        self.applications_do_not_roll_out()
        self.route53_throttles_to_the_end()
        self.the_terminal_goes_away_and_the_run_ends()
        self.everything_is_there_once()

    def screen_of(self, output: str) -> str:
        screen = output[output.index("\nRun ") :]
        self.assertLessEqual(len(screen.splitlines()), 60, screen)
        self.assertIn("Go on with:  drctl resume", screen)
        self.assertIn("Not done:", screen)
        return screen

    def old_data_is_refused_before_anything_changes(self):
        result = self.drctl(*self.failover("--yes", "--input", "max_data_age=1s"), status=1)
        self.assertIn("older than 1s", self.screen_of(result.stdout))
        started = {event["step"] for event in self.events() if event["type"] == "step_started"}
        self.assertTrue(started <= {"identity", "checkout", "snapshot", "snapshot-is-usable"}, started)

    def terraform_fails(self):
        self.sandbox("fault", "rds", "RestoreDBInstanceFromDBSnapshot", "400", "StorageQuotaExceeded")
        result = self.drctl(
            *self.failover("--yes", "--input", "rollout_within=20s"), status=1, timeout=400
        )
        screen = self.screen_of(result.stdout)
        self.assertIn("Failed: apply (terraform.apply)", screen)
        self.assertIn("StorageQuotaExceeded", screen)
        self.sandbox("fault-clear")

    def drctl_is_killed_three_times_during_the_apply(self):
        self.sandbox("hold", "rds", "RestoreDBInstanceFromDBSnapshot")
        applies = len(self.applies())
        for moment in ("when the apply begins", "in its middle", "while it waits for the database"):
            child = self.start("resume", "last")
            if moment == "when the apply begins":
                wait_until(lambda: len(self.applies()) > applies, "the apply", 200)
            else:
                wait_until(lambda: "aws_db_instance" in self.output_of(child), moment, 200)
            self.assertIsNone(child.poll(), self.output_of(child))
            self.kill(child)
        self.assertEqual(len(self.applies()), applies + 1, "apply began once, for all the kills")
        self.sandbox("release")

    def applies(self) -> list[dict]:
        """The times that terraform apply was begun."""
        return [
            event
            for event in self.events()
            if event["type"] == "task_started" and event["argv"][1:2] == ["apply"]
        ]

    def applications_do_not_roll_out(self):
        self.sandbox("k8s-stall", "app", "on")
        result = self.drctl("resume", "last", "--yes", status=1, timeout=400)
        screen = self.screen_of(result.stdout)
        self.assertIn("Failed: rollout (kubectl.rollout)", screen)
        self.sandbox("k8s-stall", "app", "off")

    def route53_throttles_to_the_end(self):
        self.sandbox("fault", "route53", "ChangeResourceRecordSets", "400", "Throttling")
        result = self.drctl("resume", "last", "--yes", status=1, timeout=400)
        screen = self.screen_of(result.stdout)
        self.assertIn("Failed: cutover (route53.change)", screen)
        self.assertIn("Throttling", screen)
        self.sandbox("fault-clear")

    def the_terminal_goes_away_and_the_run_ends(self):
        known = len([event for event in self.events() if event["type"] == "run_resumed"])
        pid, terminal = pty.fork()
        if pid == 0:
            os.chdir(self.folder)
            os.execve(program("drctl"), ["drctl", "resume", "last", "--yes"], self.environment)
        wait_until(
            lambda: len([e for e in self.events() if e["type"] == "run_resumed"]) > known, "the resume"
        )
        os.close(terminal)
        wait_until(lambda: os.waitpid(pid, os.WNOHANG)[0] == pid, "drctl's end", 400)
        self.assertEqual(self.outcome(), "succeeded")

    # --- what has become of it ------------------------------------------------------------------

    def everything_is_there_once(self):
        aws = self.sandbox.aws
        stack = f"Name=tag:Stack,Values={PREFIX}/{FOUND}"
        self.assertEqual(self.sandbox.requests_to(LOST), [])
        self.assertEqual(len(aws("ec2", "describe-vpcs", "--filters", stack)["Vpcs"]), 1)
        databases = aws("rds", "describe-db-instances")["DBInstances"]
        self.assertEqual([d["DBInstanceIdentifier"] for d in databases], [f"{PREFIX}-db"])
        self.assertEqual(databases[0]["DBInstanceStatus"], "available")
        self.assertEqual(aws("eks", "list-clusters")["clusters"], [f"{PREFIX}-cluster"])
        balancers = aws("elbv2", "describe-load-balancers")["LoadBalancers"]
        self.assertEqual(len(balancers), 1)
        self.records_point_to_the_new_region()
        self.branch_holds_the_rewrite()

    def records_point_to_the_new_region(self):
        zones = self.sandbox.aws("route53", "list-hosted-zones")["HostedZones"]
        records = self.sandbox.aws(
            "route53", "list-resource-record-sets", "--hosted-zone-id", zones[0]["Id"]
        )["ResourceRecordSets"]
        by_name = {(r["Name"], r["Type"]): r for r in records}
        for name in ("app", "api", "db"):
            record = by_name[(f"{name}.maestrohwithit.com.", "CNAME")]
            value = record["ResourceRecords"][0]["Value"].rstrip(".")
            self.assertEqual(value, f"{name}.{FOUND}.prod.maestrohwithit.com")
            self.assertEqual(record["TTL"], 60)

    def branch_holds_the_rewrite(self):
        pushed = [e["value"] for e in self.events() if e["type"] == "fact" and e["kind"] == "git.push"]
        self.assertEqual(len(pushed), 1)
        repository = pushed[0]["url"].removeprefix("file://")
        log = subprocess.run(
            ["git", "-C", repository, "log", "--format=%H", f"main..{pushed[0]['branch']}"],
            capture_output=True,
            text=True,
            check=True,
        ).stdout.split()
        self.assertEqual(log, [pushed[0]["commit"]])
        diff = subprocess.run(
            ["git", "-C", repository, "diff", "--stat", f"main..{pushed[0]['branch']}"],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        self.assertRegex(diff, r"environments/prod/backend\.tf")
        self.assertRegex(diff, r"environments/prod/terraform\.tfvars")
        self.assertRegex(diff, r"2 files changed")


if __name__ == "__main__":
    unittest.main()
