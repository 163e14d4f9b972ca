"""Scenario 1 on real tools: the database comes back with every setting, the old one is kept."""

import unittest

from plan_support import PREFIX, PlanTest

DATABASE = f"{PREFIX}-db"
# What makes an instance this one and not that one.
OWN = {"DBInstanceIdentifier", "DBInstanceArn", "DbiResourceId", "InstanceCreateTime", "Endpoint"}
OWN |= {"LatestRestorableTime", "AvailabilityZone"}


class RdsRestoreTest(PlanTest):
    PLAN = "rds-restore"

    def test_the_restored_database_differs_in_nothing_and_the_old_one_is_kept(self):
        original = self.instances()[DATABASE]
        self.sandbox("fault", "rds", "RestoreDBInstanceFromDBSnapshot", "400", "StorageQuotaExceeded")
        result = self.run_plan(status=1)
        self.assertIn("Failed: restore (aws)", result.stdout)
        self.assertEqual(list(self.instances()), [DATABASE])
        self.sandbox("fault-clear")
        self.resume()

        instances = self.instances()
        kept = self.facts("database.kept")[0]["instance"]
        self.assertEqual(sorted(instances), sorted([DATABASE, kept]))
        self.assertEqual(instances[kept]["DbiResourceId"], original["DbiResourceId"])
        self.assertNotEqual(instances[DATABASE]["DbiResourceId"], original["DbiResourceId"])
        self.assertEqual(self.settings(instances[DATABASE]), self.settings(original))

    def instances(self) -> dict:
        found = self.aws("rds", "describe-db-instances")["DBInstances"]
        return {instance["DBInstanceIdentifier"]: instance for instance in found}

    def settings(self, instance: dict) -> dict:
        settings = {key: value for key, value in instance.items() if key not in OWN}
        # The password is managed as before, in a secret of its own.
        secret = settings.get("MasterUserSecret", {})
        settings["MasterUserSecret"] = {k: v for k, v in secret.items() if k != "SecretArn"}
        settings["TagList"] = sorted(settings["TagList"], key=lambda tag: tag["Key"])
        return settings


if __name__ == "__main__":
    unittest.main()
