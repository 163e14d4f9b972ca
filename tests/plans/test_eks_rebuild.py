"""Scenario 5 on real tools: the cluster is deleted while other modules have drifted."""

import json
import subprocess
import unittest

from plan_support import HOME, PREFIX, PlanTest

CLUSTER = f"{PREFIX}-cluster"


class EksRebuildTest(PlanTest):
    PLAN = "eks-rebuild"

    def test_1_a_healthy_cluster_is_refused_and_left_alone(self):
        result = self.run_plan(status=None)
        self.assertIn(result.returncode, (1, 5))
        self.assertIn("are healthy; nothing was changed", result.stdout)
        self.assertNotIn("plan", self.started())

    def test_2_a_lost_cluster_comes_back_and_nothing_else_changes(self):
        self.lose_the_cluster()
        volume = self.data_volume()
        subnet = self.cluster_subnet()
        self.rename(volume, "by-hand")
        self.rename(subnet["SubnetId"], "by-hand")

        self.drift_that_the_cluster_stands_on_is_refused()
        self.rename(subnet["SubnetId"], self.name_of(subnet))
        self.node_group_fails_half_way()
        self.resume()

        self.cluster_serves()
        self.assertEqual(self.name_of(self.data_volume()), "by-hand", "drift elsewhere is left alone")
        self.assertEqual(len(self.facts("drift")), 1, "and it is said")
        self.volume_was_restored_once()

    # --- damage ---------------------------------------------------------------------------------

    def lose_the_cluster(self):
        self.aws(
            "eks", "delete-nodegroup", "--cluster-name", CLUSTER, "--nodegroup-name", f"{CLUSTER}-workers"
        )
        self.aws("eks", "delete-cluster", "--name", CLUSTER)

    def data_volume(self) -> dict:
        volumes = self.aws("ec2", "describe-volumes", "--filters", "Name=tag:ManagedBy,Values=terraform")
        return min(volumes["Volumes"], key=lambda volume: volume["VolumeId"])

    def cluster_subnet(self) -> dict:
        names = f"Name=tag:Name,Values={PREFIX}-private-*"
        return self.aws("ec2", "describe-subnets", "--filters", names)["Subnets"][0]

    def name_of(self, thing: dict) -> str:
        return next(tag["Value"] for tag in thing["Tags"] if tag["Key"] == "Name")

    def rename(self, thing, name: str):
        identifier = thing if isinstance(thing, str) else thing["VolumeId"]
        self.aws("ec2", "create-tags", "--resources", identifier, "--tags", f"Key=Name,Value={name}")

    # --- the run --------------------------------------------------------------------------------

    def drift_that_the_cluster_stands_on_is_refused(self):
        self.snapshot = self.aws("ec2", "describe-snapshots", "--owner-ids", "self")["Snapshots"][0]
        volumes = [
            {
                "snapshot": self.snapshot["SnapshotId"],
                "zone": f"{HOME}a",
                "namespace": "maestrohwithit",
                "claim": "uploads",
            }
        ]
        result = self.run_plan("--input", f"volumes={json.dumps(volumes)}", status=None)
        self.assertIn(result.returncode, (1, 5))
        self.assertIn("outside of `only`: module.network.aws_subnet", result.stdout)
        self.assertNotIn("apply", self.started())
        self.assertEqual(self.aws("eks", "list-clusters")["clusters"], [])

    def node_group_fails_half_way(self):
        self.sandbox("fault", "eks", "CreateNodegroup", "400", "ResourceLimitExceeded")
        result = self.resume(status=1)
        self.assertIn("Failed: apply (terraform.apply)", result.stdout)
        self.assertIn("ResourceLimitExceeded", result.stdout)
        self.assertEqual(self.aws("eks", "list-clusters")["clusters"], [CLUSTER], "half of it is there")
        self.sandbox("fault-clear")

    # --- what has become of it ------------------------------------------------------------------

    def cluster_serves(self):
        groups = self.aws("eks", "list-nodegroups", "--cluster-name", CLUSTER)["nodegroups"]
        self.assertEqual(groups, [f"{CLUSTER}-workers"])
        deployments = self.kubectl("get", "deployments", "--namespace", "maestrohwithit")
        ready = {d["metadata"]["name"]: d["status"]["readyReplicas"] for d in deployments["items"]}
        self.assertEqual(ready, {"app": 3, "api": 2})
        self.assertIn("site-answers", self.started())

    def volume_was_restored_once(self):
        restored = self.aws("ec2", "describe-volumes", "--filters", "Name=tag-key,Values=RestoredBy")
        self.assertEqual([v["SnapshotId"] for v in restored["Volumes"]], [self.snapshot["SnapshotId"]])
        volume = self.kubectl("get", "persistentvolumes")["items"][0]
        self.assertEqual(volume["spec"]["csi"]["volumeHandle"], restored["Volumes"][0]["VolumeId"])
        self.assertEqual(volume["spec"]["claimRef"]["name"], "uploads")

    def kubectl(self, *arguments: str) -> dict:
        kubeconfig = str(self.run_directory() / "work" / "kubeconfig")
        result = subprocess.run(
            ["kubectl", "--kubeconfig", kubeconfig, *arguments, "--output", "json"],
            capture_output=True,
            text=True,
            check=True,
            env=self.environment,
            timeout=60,
        )
        return json.loads(result.stdout)


if __name__ == "__main__":
    unittest.main()
