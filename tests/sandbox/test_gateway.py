"""The gateway: regions cut off, faults, holds, and bytes passed through as they are."""

import http.client
import json
import socket
import threading
import time
import unittest

import support

LOCATION = ("<CreateBucketConfiguration><LocationConstraint>{}</LocationConstraint>"
            "</CreateBucketConfiguration>")


class Gateway(support.SandboxCase):
    def tearDown(self):
        for region in self.admin("GET", "/cut"):
            self.admin("POST", f"/restore/{region}")
        for kind in ("fault", "hold", "slow", "rewrite"):
            self.admin("DELETE", f"/{kind}")

    def bucket(self, name, region):
        status, body = self.aws("s3", region, "PUT", f"/{name}", LOCATION.format(region).encode())
        self.assertEqual(status, 200, body)

    def test_a_cut_region_is_refused_and_recorded(self):
        self.admin("POST", "/cut/us-east-2")
        status, body = self.query("ec2", "us-east-2", "Action=DescribeVpcs&Version=2016-11-15")
        self.assertEqual(status, 503)
        self.assertIn(b"ServiceUnavailable", body)
        found = self.refused()
        self.assertEqual([(e["service"], e["operation"], e["region"]) for e in found],
                         [("ec2", "DescribeVpcs", "us-east-2")])

    def test_other_regions_go_on(self):
        self.admin("POST", "/cut/us-east-2")
        status, _ = self.query("ec2", "us-west-2", "Action=DescribeVpcs&Version=2016-11-15")
        self.assertEqual((status, self.refused()), (200, []))

    def test_a_restored_region_answers_again(self):
        self.admin("POST", "/cut/us-east-2")
        self.admin("POST", "/restore/us-east-2")
        self.assertEqual(self.query("sts", "us-east-2", "Action=GetCallerIdentity")[0], 200)

    def test_a_bucket_is_cut_off_with_its_region_whoever_asks(self):
        self.bucket("lives-east", "us-east-2")
        self.bucket("lives-west", "us-west-2")
        self.admin("POST", "/cut/us-east-2")
        self.assertEqual(self.aws("s3", "us-west-2", "GET", "/lives-east")[0], 503)
        self.assertEqual(self.aws("s3", "us-west-2", "GET", "/lives-west")[0], 200)

    def test_a_copy_from_a_bucket_that_is_cut_off_is_refused(self):
        self.bucket("source-east", "us-east-2")
        self.bucket("target-west", "us-west-2")
        self.aws("s3", "us-east-2", "PUT", "/source-east/k", b"x")
        self.admin("POST", "/cut/us-east-2")
        status, _ = self.aws("s3", "us-west-2", "PUT", "/target-west/k",
                             headers={"x-amz-copy-source": "/source-east/k"})
        self.assertEqual(status, 503)

    def test_a_reset_region_closes_the_connection(self):
        self.admin("POST", "/cut/us-east-2", {"how": "reset"})
        with self.assertRaises((http.client.RemoteDisconnected, ConnectionResetError)):
            self.query("sts", "us-east-2", "Action=GetCallerIdentity")
        self.assertEqual(len(self.refused()), 1)

    def test_a_fault_answers_so_many_times(self):
        self.admin("POST", "/fault", {"service": "route53", "operation": "List*", "status": 400,
                                      "code": "Throttling", "times": 2})
        answers = [self.aws("route53", "us-east-1", "GET", "/2013-04-01/hostedzone")
                   for _ in range(3)]
        self.assertEqual([status for status, _ in answers], [400, 400, 200])
        self.assertIn(b"<Code>Throttling</Code>", answers[0][1])

    def test_a_fault_afterwards_leaves_the_effect(self):
        self.admin("POST", "/fault", {"service": "s3", "operation": "CreateBucket", "status": 500,
                                      "code": "InternalError", "after": True})
        self.assertEqual(self.aws("s3", "us-east-1", "PUT", "/made-anyway")[0], 500)
        self.assertEqual(self.aws("s3", "us-east-1", "HEAD", "/made-anyway")[0], 200)

    def test_a_held_request_waits_for_its_release(self):
        self.admin("POST", "/hold", {"service": "sts", "operation": "*"})
        answers = []
        asker = threading.Thread(target=lambda: answers.append(
            self.query("sts", "us-west-2", "Action=GetCallerIdentity")[0]))
        asker.start()
        self.assertTrue(self.admin("GET", "/parked?count=1&timeout=5")["parked"])
        self.assertEqual(answers, [])
        self.admin("DELETE", "/hold")
        asker.join(5)
        self.assertEqual(answers, [200])

    def test_a_slow_request_takes_its_time(self):
        self.admin("POST", "/slow", {"service": "sts", "operation": "*", "seconds": 0.4})
        started = time.monotonic()
        self.query("sts", "us-west-2", "Action=GetCallerIdentity")
        self.assertGreaterEqual(time.monotonic() - started, 0.4)

    def test_an_answer_can_be_rewritten(self):
        self.admin("POST", "/rewrite", {"service": "sts", "operation": "GetCallerIdentity",
                                        "pattern": "<Account>\\d+", "replacement": "<Account>42",
                                        "times": 1})
        _, first = self.query("sts", "us-west-2", "Action=GetCallerIdentity")
        _, second = self.query("sts", "us-west-2", "Action=GetCallerIdentity")
        self.assertIn(b"<Account>42</Account>", first)
        self.assertNotIn(b"<Account>42</Account>", second)

    def test_large_bodies_come_back_byte_for_byte(self):
        self.bucket("large", "us-west-2")
        data = bytes(range(256)) * 20_000
        self.assertEqual(self.aws("s3", "us-west-2", "PUT", "/large/k", data)[0], 200)
        self.assertEqual(self.aws("s3", "us-west-2", "GET", "/large/k")[1], data)

    def test_chunked_bodies_and_expectations_are_understood(self):
        self.bucket("chunked", "us-west-2")
        head = "".join(f"{n}: {v}\r\n" for n, v in support.scope("s3", "us-west-2").items())
        with socket.create_connection(("127.0.0.1", self.description["ports"]["gateway"])) as s:
            s.settimeout(10)
            s.sendall(f"PUT /chunked/k HTTP/1.1\r\nHost: x\r\n{head}Expect: 100-continue\r\n"
                      "Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n".encode())
            self.assertIn(b"100 Continue", s.recv(1024))
            s.sendall(b"5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n")
            self.assertIn(b" 200 ", s.recv(4096))
        self.assertEqual(self.aws("s3", "us-west-2", "GET", "/chunked/k")[1], b"hello world")

    def test_a_connection_is_kept_for_the_next_request(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.description["ports"]["gateway"])
        for _ in range(3):
            connection.request("GET", "/", headers=support.scope("s3", "us-west-2"))
            reply = connection.getresponse()
            reply.read()
            self.assertFalse(reply.will_close)
        connection.close()

    def test_an_unknown_switch_is_an_error(self):
        status, body = self.send(self.description["ports"]["admin"], "POST", "/fault",
                                 json.dumps({"nonsense": 1}).encode())
        self.assertEqual(status, 400)
        self.assertIn("nonsense", json.loads(body)["error"])


if __name__ == "__main__":
    unittest.main()
