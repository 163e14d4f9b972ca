"""One recovery at a time among machines: two state directories stand for two machines, the lock is an
object in S3 or an item in DynamoDB of the region that survives."""

import json
import unittest

from sandbox_support import FOUND, Sandbox
from support import DrctlTest, wait_until

PLAN = (
    "plan: locked\nsummary: one at a time\ntarget: ours/prod\nsteps:\n"
    "  a:\n    uses: exec\n    with: {argv: [sh, -c, 'echo ready; sleep 2']}\n"
    "  b:\n    uses: exec\n    with: {argv: [sh, -c, '%s']}\n"
)

LOCKS = {
    "s3": {"type": "s3", "bucket": "locks-of-ours", "prefix": "drctl/", "region": FOUND},
    "dynamodb": {"type": "dynamodb", "table": "locks-of-ours", "region": FOUND},
}


class RemoteLockTest(DrctlTest):
    @classmethod
    def setUpClass(cls):
        cls.sandbox = Sandbox(seed="none")
        cls.addClassCleanup(cls.sandbox.close)
        cls.sandbox.aws(
            "s3api", "create-bucket", "--bucket", "locks-of-ours",
            "--create-bucket-configuration", f"LocationConstraint={FOUND}",
        )
        cls.sandbox.aws(
            "dynamodb", "create-table", "--table-name", "locks-of-ours",
            "--attribute-definitions", "AttributeName=LockID,AttributeType=S",
            "--key-schema", "AttributeName=LockID,KeyType=HASH", "--billing-mode", "PAY_PER_REQUEST",
        )

    def setUp(self):
        super().setUp()
        self.environment.update(self.sandbox.environment)

    def command(self, kind: str, machine: str, last: str = "true") -> list[str]:
        site = self.folder / f"{kind}.yaml"
        site.write_text(json.dumps({"name": "ours", "lock": LOCKS[kind]}))
        return [
            "run", self.plan(PLAN % last), "--site", str(site),
            "--state-dir", str(self.folder / machine),
        ]

    def test_exactly_one_of_two_machines_goes_on(self):
        for kind in LOCKS:
            with self.subTest(kind):
                children = [self.start(*self.command(kind, f"machine-{i}-{kind}")) for i in range(2)]
                statuses = sorted(c.wait(timeout=60) for c in children)
                self.assertEqual(statuses, [0, 6], [self.output_of(c) for c in children])
                loser = next(c for c in children if c.returncode == 6)
                self.assertIn("is being recovered by the run locked-", self.output_of(loser))
                self.drctl(*self.command(kind, f"machine-2-{kind}"))

    def test_a_run_that_failed_gives_the_lock_up_and_takes_it_again_on_resume(self):
        for kind in LOCKS:
            with self.subTest(kind):
                self.drctl(*self.command(kind, f"a-{kind}", "test -e go"), status=1)
                self.drctl(*self.command(kind, f"b-{kind}"))
                child = self.start(*self.command(kind, f"b-{kind}"))
                wait_until(lambda: "ready" in self.output_of(child), "the other run")
                state = ["--state-dir", str(self.folder / f"a-{kind}")]
                self.drctl("resume", "last", *state, status=6)
                self.assertEqual(child.wait(timeout=60), 0)

    def test_a_lock_is_broken_only_with_the_name_of_its_run_and_that_is_kept(self):
        child = self.start(*self.command("s3", "dead"))
        wait_until(lambda: "ready" in self.output_of(child), "the run")
        self.kill(child)
        refused = self.drctl(*self.command("s3", "alive"), status=6)
        run = refused.stderr.split("by the run ")[1].split()[0]
        site = ["--site", str(self.folder / "s3.yaml")]
        self.drctl("unlock", "ours/prod", *site, "--run", "another", "--why", "x", status=5)
        self.drctl("unlock", "ours/prod", *site, "--run", run, "--why", "its machine burned down")
        self.drctl(*self.command("s3", "alive"))
        listing = self.sandbox.aws("s3api", "list-objects-v2", "--bucket", "locks-of-ours")
        self.assertEqual([".broken-" in entry["Key"] for entry in listing["Contents"]], [True])

    def test_a_lock_in_the_region_that_failed_is_refused(self):
        command = self.command("s3", "machine")
        plan = self.plan(PLAN.replace("target:", f"without: {FOUND}\ntarget:") % "true")
        result = self.drctl("run", plan, *command[2:], status=4)
        self.assertIn("--no-remote-lock", result.stderr)
        self.drctl("run", plan, *command[2:], "--no-remote-lock")


if __name__ == "__main__":
    unittest.main()
