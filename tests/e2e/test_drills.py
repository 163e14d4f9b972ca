"""The calendar of drills: a drill that is run, by name or by hand, is on record and no longer due."""

import json
import unittest

from support import DrctlTest

SITE = """
name: example
environments:
  prod: {objectives: {db: {rto: 1h, rpo: 60s}}}
drills:
  - id: restore
    every: 3 months
    plan: restore
    inputs: {where: staging}
    environment: prod
    objective: db
"""
PLAN = """
plan: restore
inputs:
  where: {type: string}
  works: {type: boolean, default: true}
steps:
  data: {uses: note, with: {kind: data.age, text: it is old, values: {age_s: 90}}}
  check: {uses: assert, with: {that: "${{ inputs.works }}"}}
"""


class DrillsTest(DrctlTest):
    def setUp(self):
        super().setUp()
        self.plan(SITE, "site.yaml")
        (self.folder / "plans").mkdir()
        self.plan(PLAN, "plans/restore.yaml")

    def drill(self, status: int) -> dict:
        return json.loads(self.drctl("drills", "--output", "json", status=status).stdout)[0]

    def test_a_drill_that_was_never_done_is_overdue(self):
        self.assertEqual(self.drill(4)["status"], "overdue")

    def test_a_drill_that_was_done_is_on_record(self):
        self.drctl("drills", "run", "restore")
        row = self.drill(0)
        self.assertEqual((row["status"], row["done"], row["run"]),
                         ("ok", 1, self.run_directory().name))
        self.assertEqual((row["rto_met"], row["data_age_s"], row["rpo_met"]), (True, 90, False))

    def test_a_run_by_hand_counts_with_the_drills_inputs_only(self):
        self.drctl("run", "restore", "--input", "where=prod")
        self.assertEqual(self.drill(4)["done"], 0)
        self.drctl("run", "restore", "--input", "where=staging")
        self.assertEqual(self.drill(0)["done"], 1)

    def test_a_drill_that_failed_stays_due(self):
        self.drctl("drills", "run", "restore", "--input", "works=false", status=1)
        row = self.drill(4)
        self.assertEqual((row["done"], row["failed_since"]), (0, 1))

    def test_a_dry_run_is_no_drill(self):
        self.drctl("run", "restore", "--input", "where=staging", "--dry-run")
        self.assertEqual(self.drill(4)["done"], 0)

    def test_the_file_for_monitoring_is_whole(self):
        self.drctl("drills", "run", "restore")
        self.drctl("drills", "--prometheus", "drills.prom")
        text = (self.folder / "drills.prom").read_text()
        self.assertIn('drctl_drill_overdue{drill="restore"} 0\n', text)
        self.assertIn('drctl_drill_data_age_seconds{drill="restore"} 90\n', text)
        self.assertEqual([p.name for p in self.folder.glob("*drills.prom*")], ["drills.prom"])

    def test_a_drill_that_the_site_does_not_know_is_refused(self):
        result = self.drctl("drills", "run", "nothing", status=2)
        self.assertIn('no drill "nothing"', result.stderr)


if __name__ == "__main__":
    unittest.main()
