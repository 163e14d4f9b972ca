"""What a seeded sandbox holds, the application on top of it, and replays that must be exact."""

import base64
import gzip
import json
import re
import tempfile
import threading
import unittest
from datetime import datetime, timezone
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import support
import test_dns
import test_kubernetes
from sandbox import replay
from sandbox.ages import Ages
from sandbox.awsrequest import AwsRequest
from sandbox.seed_base import read_facts

SITE = support.EXAMPLES / "maestrohwithit/site.yaml"


@unittest.skipUnless(SITE.is_file(), "the example is not here")
class Data(support.SandboxCase):
    seed = "data"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.facts = read_facts(SITE.read_text())
        cls.resolver = f"127.0.0.1:{cls.description['ports']['dns']}"

    def snapshots(self, region):
        _, body = self.query("rds", region, "Action=DescribeDBSnapshots&Version=2014-10-31")
        return dict(re.findall(r"<DBSnapshotIdentifier>([^<]+)</DBSnapshotIdentifier>.*?"
                               r"<SnapshotCreateTime>([^<]+)<", body.decode()))

    def test_snapshots_were_copied_to_the_dr_region_with_their_ages(self):
        found = self.snapshots(self.facts.dr)
        self.assertEqual(len(found), 3)
        newest = datetime.fromisoformat(max(found.values()))
        age_s = (datetime.now(timezone.utc) - newest).total_seconds()
        self.assertTrue(180 <= age_s < 300, age_s)

    def test_the_copies_outlive_the_home_region(self):
        self.admin("POST", f"/cut/{self.facts.home}")
        self.addCleanup(self.admin, "POST", f"/restore/{self.facts.home}")
        self.assertEqual(len(self.snapshots(self.facts.dr)), 3)
        self.assertEqual(self.refused(), [])

    def test_the_public_names_point_at_the_home_region(self):
        _, found = test_dns.ask(self.resolver, "app." + self.facts.zone, "A")
        self.assertEqual(found[-1][2], "127.0.1.2")

    def test_images_in_the_dr_region_carry_the_tag(self):
        _, body = self.query("ec2", self.facts.dr, "Action=DescribeImages&Version=2016-11-15"
                             "&Filter.1.Name=tag%3AEnvironment&Filter.1.Value.1=prod")
        self.assertEqual(body.count(b"<imageId>"), 2)

    def test_a_seeding_leaves_no_requests_on_record(self):
        self.assertEqual(self.admin("GET", "/requests"), [])

    def health(self, region_address):
        status, body = self.send(self.description["ports"]["app"], "GET", "/healthz",
                                 host=region_address)
        return status, json.loads(body)

    def test_the_application_is_healthy_where_deployment_and_database_are(self):
        status, body = self.aws("eks", "us-east-2", "POST", "/clusters",
                                json.dumps(test_kubernetes.CLUSTER).encode(),
                                {"Content-Type": "application/json"})
        self.assertEqual(status, 200, body)
        self.assertEqual(self.health("127.0.1.2")[1]["status"], "no deployment is available")
        api = test_kubernetes.Api("call")
        api.description = self.description
        cluster = json.loads(body)["cluster"]
        authority = base64.b64decode(cluster["certificateAuthority"]["data"]).decode()
        api.context = test_kubernetes.ssl.create_default_context(cadata=authority)
        api.base = "/" + cluster["endpoint"].split("/", 3)[3]
        name = f"db.us-east-2.prod.{self.facts.zone}"
        api.until(api.place(test_kubernetes.deployment(
            "app", 1, env=[{"name": "DB_HOST", "value": name}])),
            lambda d: d.get("status", {}).get("readyReplicas") == 1)
        status, facts = self.health("127.0.1.2")
        self.assertEqual((status, facts["region"], facts["instance"]),
                         (200, "us-east-2", f"{self.facts.prefix}-db"))
        self.assertEqual(self.health("127.0.1.4")[0], 503)


class Facts(unittest.TestCase):
    @unittest.skipUnless(SITE.is_file(), "the example is not here")
    def test_the_site_file_gives_up_what_seeding_needs(self):
        facts = read_facts(SITE.read_text())
        self.assertEqual((facts.home, facts.dr, facts.account),
                         ("us-east-2", "us-west-2", "123456789012"))
        self.assertEqual(len(facts.state_buckets), 2)
        name, kind, alias, values = facts.records[0]
        self.assertEqual((name, kind, alias, sorted(values)),
                         (facts.zone, "A", True, ["us-east-2", "us-west-2"]))


class AgesOfThings(unittest.TestCase):
    def test_only_the_named_resource_gets_older(self):
        ages = Ages()
        ages.set("snap-1", 0)
        body = (b"<item><snapshotId>snap-1</snapshotId><startTime>now</startTime></item>"
                b"<item><snapshotId>snap-2</snapshotId><startTime>now</startTime></item>")
        found = ages.adapt(AwsRequest("POST", "/", operation="DescribeSnapshots"), 200, body)
        self.assertEqual(re.findall(rb"<startTime>([^<]*)", found),
                         [b"1970-01-01T00:00:00.000Z", b"now"])


class Replays(unittest.TestCase):
    """Against a tiny server whose answers the test decides."""

    def setUp(self):
        self.received, self.answers = [], []
        test = self

        class Answering(BaseHTTPRequestHandler):
            def do_POST(self):
                test.received.append(self.rfile.read(int(self.headers["Content-Length"])))
                body = test.answers.pop(0)
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                """Quiet."""

        self.server = HTTPServer(("127.0.0.1", 0), Answering)
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()
        self.addCleanup(self.server.server_close)
        self.addCleanup(self.server.shutdown)
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.file = Path(folder.name) / "r.jsonl.gz"

    def record(self, *exchanges):
        recorder = replay.Recorder()
        recorder.start()
        for sent, answered in exchanges:
            recorder.add(AwsRequest("POST", "/"), [], sent, 200, answered)
        recorder.stop(self.file, ["https://old"])

    def test_the_same_answers_are_a_replay(self):
        self.record((b"one", b"<id>vpc-0123456789</id>"), (b"see https://old", b""))
        self.answers = [b"<id>vpc-0123456789</id>", b""]
        self.assertEqual(replay.play(self.file, self.server.server_port, ["https://new"]), 2)
        self.assertEqual(self.received, [b"one", b"see https://new"])

    def test_another_identifier_is_a_mismatch(self):
        self.record((b"one", b"<id>vpc-0123456789</id>"))
        self.answers = [b"<id>vpc-9999999999</id>"]
        with self.assertRaisesRegex(replay.Mismatch, "vpc-"):
            replay.play(self.file, self.server.server_port, [])

    def test_a_drawn_name_is_carried_over(self):
        old, new = (f"arn:aws:secretsmanager:x:1:secret:rds!db-{c * 8}-1111-1111-1111-{c * 12}-ab"
                    for c in "ab")
        self.record((b"create", old.encode()), (old.encode(), b""))
        self.answers = [new.encode(), b""]
        replay.play(self.file, self.server.server_port, [])
        self.assertEqual(self.received[1], new.encode())

    def test_a_body_that_was_too_large_to_keep_voids_the_recording(self):
        recorder = replay.Recorder()
        recorder.start()
        recorder.add(AwsRequest("PUT", "/"), [], None, 200, b"")
        self.assertEqual(recorder.stop(self.file, []), 0)
        self.assertFalse(self.file.exists())

    def test_a_recording_can_be_read_line_by_line(self):
        self.record((b"one", b""))
        with gzip.open(self.file, "rt") as file:
            self.assertEqual(json.loads(file.readline()), ["https://old"])


if __name__ == "__main__":
    unittest.main()
