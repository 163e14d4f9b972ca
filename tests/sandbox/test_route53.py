"""The strict stand-in for Route 53: what AWS enforces and moto does not."""

import hashlib
import http.client
import json
import subprocess
import tempfile
import threading
import time
import unittest
from pathlib import Path
from xml.etree import ElementTree

import support
from route53_model import batch, sigv4

SPACE = "https://route53.amazonaws.com/doc/2013-04-01/"
ACCESS, SECRET = "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"


def request_xml(*changes):
    return (f'<ChangeResourceRecordSetsRequest xmlns="{SPACE}"><ChangeBatch><Changes>'
            + "".join(changes) +
            "</Changes></ChangeBatch></ChangeResourceRecordSetsRequest>").encode()


def change(action, name, kind, *values, before="", ttl=60):
    listed = "".join(f"<ResourceRecord><Value>{v}</Value></ResourceRecord>" for v in values)
    return (f"<Change><Action>{action}</Action><ResourceRecordSet><Name>{name}</Name>"
            f"<Type>{kind}</Type>{before}<TTL>{ttl}</TTL><ResourceRecords>{listed}"
            "</ResourceRecords></ResourceRecordSet></Change>")


def weighted(identifier, weight):
    return f"<SetIdentifier>{identifier}</SetIdentifier><Weight>{weight}</Weight>"


class StandIn(unittest.TestCase):
    options: tuple = ()

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        port = Path(folder.name) / "port"
        self.child = subprocess.Popen([str(support.STAND_INS / "route53"), "--port-file",
                                       str(port), *self.options])
        self.addCleanup(self.child.wait, 5)
        self.addCleanup(self.child.terminate)
        deadline = time.monotonic() + 10
        while not port.exists() and time.monotonic() < deadline:
            time.sleep(0.02)
        self.port = int(port.read_text())

    def send(self, method, path, body=b"", headers=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        self.addCleanup(connection.close)
        connection.request(method, path, body, headers or {})
        reply = connection.getresponse()
        return reply.status, reply.read()

    def signed(self, method, path, body=b"", secret=SECRET, region="us-east-1", age_s=0,
               tail=""):
        """A signed request; `tail` is added to the body after it was signed."""
        stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(time.time() - age_s))
        headers = [("host", f"127.0.0.1:{self.port}"), ("x-amz-date", stamp)]
        target, _, query = path.partition("?")
        text = sigv4.canonical_request(method, target, query, headers, ["host", "x-amz-date"],
                                       hashlib.sha256(body).hexdigest())
        value = sigv4.signature(secret, stamp[:8], region, "route53", stamp, text)
        scope = f"{ACCESS}/{stamp[:8]}/{region}/route53/aws4_request"
        return self.send(method, path, body + tail.encode(), {
            "x-amz-date": stamp, "Authorization": f"AWS4-HMAC-SHA256 Credential={scope}, "
            f"SignedHeaders=host;x-amz-date, Signature={value}"})

    def change(self, *changes, zone="Z1EXAMPLE"):
        status, body = self.signed("POST", f"/2013-04-01/hostedzone/{zone}/rrset/",
                                   request_xml(*changes))
        return status, body.decode()

    def names(self, query=""):
        _, body = self.signed("GET", f"/2013-04-01/hostedzone/Z1EXAMPLE/rrset{query}")
        root = ElementTree.fromstring(body)
        return [e.text for e in root.iter(f"{{{SPACE}}}Name")], root

    def settings(self, **values):
        self.assertEqual(self.send("POST", "/-/settings", json.dumps(values).encode())[0], 200)


class Signatures(StandIn):
    def test_a_right_signature_comes_in_and_a_wrong_one_does_not(self):
        path = "/2013-04-01/hostedzone"
        self.assertEqual(self.signed("GET", path)[0], 200)
        for more in ({"secret": "x"}, {"region": "us-east-2"}, {"age_s": 3600}, {"tail": "x"}):
            with self.subTest(more):
                status, body = self.signed("GET", path, **more)
                self.assertEqual(status, 403)
                self.assertIn(b"SignatureDoesNotMatch", body)
        self.assertIn(b"MissingAuthenticationToken", self.send("GET", path)[1])

    def test_names_and_values_are_sorted_after_they_were_encoded(self):
        self.assertEqual(sigv4.canonical_query("b=2&a=%7e&a-=1&a=&c"), "a=&a=~&a-=1&b=2&c=")

    def test_the_example_of_the_specification(self):
        request = sigv4.canonical_request(
            "GET", "/", "Action=ListUsers&Version=2010-05-08",
            [("Content-Type", "application/x-www-form-urlencoded; charset=utf-8"),
             ("Host", "iam.amazonaws.com"), ("X-Amz-Date", "20150830T123600Z")],
            ["content-type", "host", "x-amz-date"], hashlib.sha256(b"").hexdigest())
        self.assertEqual(hashlib.sha256(request.encode()).hexdigest(),
                         "f536975d06c0309214f805bb90ccff089219ecd68b2577efef23edd43b7e1a59")
        self.assertEqual(
            sigv4.signature(SECRET, "20150830", "us-east-1", "iam", "20150830T123600Z", request),
            "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7")


class Batches(StandIn):
    def test_a_batch_is_all_or_nothing(self):
        self.change(change("CREATE", "a.example.com", "A", "192.0.2.1"))
        status, body = self.change(change("CREATE", "b.example.com", "A", "192.0.2.2"),
                                   change("CREATE", "a.example.com", "A", "192.0.2.1"))
        self.assertEqual(status, 400)
        self.assertIn("already exists", body)
        self.assertNotIn("b.example.com.", self.names()[0])

    def test_a_delete_must_match_every_current_value(self):
        self.change(change("CREATE", "a.example.com", "A", "192.0.2.1", "192.0.2.2"))
        for wrong in (change("DELETE", "a.example.com", "A", "192.0.2.1"),
                      change("DELETE", "a.example.com", "A", "192.0.2.1", "192.0.2.2", ttl=61)):
            self.assertIn("do not match the current values", self.change(wrong)[1])
        right = change("DELETE", "a.example.com", "A", "192.0.2.2", "192.0.2.1")
        self.assertEqual(self.change(right)[0], 200)

    def test_elements_out_of_order_are_refused(self):
        wrong = change("UPSERT", "a.example.com", "A", "192.0.2.1").replace(
            "</ResourceRecords>", "</ResourceRecords>" + weighted("x", 1))
        status, body = self.change(wrong)
        self.assertEqual(status, 400)
        self.assertIn("InvalidInput", body)
        self.assertIn("SetIdentifier", body)

    def test_limits_count_an_upsert_twice(self):
        values = [f"192.0.2.{i % 250}" for i in range(250)]
        exactly = [change("UPSERT", f"h{i}.example.com", "A", *values) for i in range(2)]
        self.assertEqual(self.change(*exactly)[0], 200)
        one_more = change("CREATE", "z.example.com", "A", "192.0.2.1")
        self.assertIn("Number of records limit of 1000", self.change(*exactly, one_more)[1])

    def test_texts_are_limited_in_characters(self):
        long = '"' + "x" * 200 + '"'
        many = [change("UPSERT", f"t{i}.example.com", "TXT", long) for i in range(80)]
        self.assertIn("Number of characters limit of 32000", self.change(*many)[1])

    def test_what_does_not_belong_together_is_refused(self):
        for reason, changes in (
                ("conflicts with other records",
                 [change("CREATE", "c.example.com", "A", "192.0.2.1"),
                  change("CREATE", "c.example.com", "CNAME", "x.")]),
                ("not permitted in zone", [change("CREATE", "a.example.org", "A", "192.0.2.1")]),
                ("quotation marks", [change("CREATE", "t.example.com", "TXT", "bare")]),
                ("IllegalIPv4Address", [change("CREATE", "i.example.com", "A", "300.1.1.1")]),
                ("belong together", [change("CREATE", "w.example.com", "A", "192.0.2.1",
                                            before="<Weight>1</Weight>")]),
                ("TTL of all sets", [change("CREATE", "w.example.com", "A", "192.0.2.1",
                                            before=weighted("a", 1)),
                                     change("CREATE", "w.example.com", "A", "192.0.2.1", ttl=30,
                                            before=weighted("b", 1))])):
            with self.subTest(reason):
                status, body = self.change(*changes)
                self.assertEqual(status, 400)
                self.assertIn(reason, body)

    def test_both_shapes_of_the_error_exist(self):
        missing = change("DELETE", "a.example.com", "A", "192.0.2.1")
        self.assertIn("<ErrorResponse", self.change(missing)[1])
        self.settings(old_errors=True)
        self.assertIn("<Messages><Message>Tried to delete", self.change(missing)[1])


class Listings(StandIn):
    options = ("--page", "2", "--zone", "Z1EXAMPLE=example.com", "--zone", "Z2=example.com:private",
               "--zone", "Z3=example.net")

    def test_pages_lead_on_by_three_values(self):
        self.change(change("CREATE", "w.example.com", "A", "192.0.2.1", before=weighted("a", 1)),
                    change("CREATE", "w.example.com", "A", "192.0.2.1", before=weighted("b", 1)),
                    change("CREATE", "*.example.com", "A", "192.0.2.1"))
        seen, query = [], ""
        for _ in range(10):
            names, root = self.names(query)
            seen += names
            following = {k: root.findtext(f"{{{SPACE}}}NextRecord{k}") or ""
                         for k in ("Name", "Type", "Identifier")}
            if not following["Name"]:
                break
            query = (f"?name={following['Name'].replace(chr(92), '%5C')}&type={following['Type']}"
                     f"&identifier={following['Identifier']}")
        self.assertEqual(seen, ["example.com.", "example.com.", "\\052.example.com.",
                                "w.example.com.", "w.example.com."])

    def test_a_name_is_where_the_zones_begin_not_a_filter(self):
        _, body = self.signed("GET", "/2013-04-01/hostedzonesbyname?dnsname=example.com")
        ids = [e.text for e in ElementTree.fromstring(body).iter(f"{{{SPACE}}}Id")]
        self.assertEqual(ids, ["/hostedzone/Z1EXAMPLE", "/hostedzone/Z2", "/hostedzone/Z3"])

    def test_a_type_needs_a_name(self):
        self.assertEqual(self.signed("GET", "/2013-04-01/hostedzone/Z1EXAMPLE/rrset?type=A")[0],
                         400)


class Time(StandIn):
    options = ("--burst", "3", "--rate", "1", "--insync-after", "0.4")

    def test_a_change_is_pending_before_it_is_in_sync(self):
        _, body = self.change(change("UPSERT", "a.example.com", "A", "192.0.2.1"))
        self.assertIn("PENDING", body)
        number = body.split("/change/")[1].split("<")[0]
        time.sleep(0.5)
        self.assertIn(b"INSYNC", self.signed("GET", f"/2013-04-01/change/{number}")[1])

    def test_the_bucket_empties_and_fills(self):
        codes = [self.signed("GET", "/2013-04-01/hostedzone")[0] for _ in range(5)]
        self.assertEqual(codes[:3], [200, 200, 200])
        self.assertIn(400, codes[3:])
        time.sleep(1.2)
        self.assertEqual(self.signed("GET", "/2013-04-01/hostedzone")[0], 200)


class Trouble(StandIn):
    def test_one_change_at_a_time_for_each_zone(self):
        self.settings(change_time=0.6)
        answers = []
        first = threading.Thread(target=lambda: answers.append(
            self.change(change("UPSERT", "a.example.com", "A", "192.0.2.1"))[0]))
        first.start()
        time.sleep(0.2)
        status, body = self.change(change("UPSERT", "b.example.com", "A", "192.0.2.1"))
        first.join()
        self.assertEqual((status, answers), (400, [200]))
        self.assertIn("PriorRequestNotComplete", body)

    def test_a_dropped_answer_leaves_the_change_made(self):
        self.settings(drop=1)
        with self.assertRaises((http.client.RemoteDisconnected, ConnectionResetError)):
            self.change(change("UPSERT", "a.example.com", "A", "192.0.2.1"))
        self.assertIn("a.example.com.", self.names()[0])

    def test_the_log_tells_what_was_asked(self):
        self.change(change("UPSERT", "a.example.com", "A", "192.0.2.1"))
        entry = json.loads(self.send("GET", "/-/log")[1])[-1]
        self.assertEqual((entry["status"], entry["changes"][0]["values"]), (200, ["192.0.2.1"]))

    def test_rubbish_is_bad_input_not_a_crash(self):
        for body in (b"", b"<", b"<a/>", request_xml(), request_xml("<Change/>")):
            status, answer = self.signed("POST", "/2013-04-01/hostedzone/Z1EXAMPLE/rrset/", body)
            self.assertEqual(status, 400)
            self.assertIn(b"InvalidInput", answer)


class Names(unittest.TestCase):
    def test_wildcards_are_shown_in_octal(self):
        self.assertEqual(batch.escaped("*.example.com."), "\\052.example.com.")
        self.assertEqual(batch.canonical("\\052.Example.com"), "*.example.com.")


if __name__ == "__main__":
    unittest.main()
