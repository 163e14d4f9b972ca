"""DNS: wire format, answers from the emulated zone, name servers that lag."""

import os
import socket
import struct
import time
import unittest

import support
from sandbox import dns, zones

RECORD = ("<Change><Action>{action}</Action><ResourceRecordSet><Name>{name}</Name>"
          "<Type>{kind}</Type>{data}</ResourceRecordSet></Change>")


def values(ttl, *texts):
    listed = "".join(f"<ResourceRecord><Value>{t}</Value></ResourceRecord>" for t in texts)
    return f"<TTL>{ttl}</TTL><ResourceRecords>{listed}</ResourceRecords>"


def alias(target):
    return (f"<AliasTarget><HostedZoneId>Z</HostedZoneId><DNSName>{target}</DNSName>"
            "<EvaluateTargetHealth>false</EvaluateTargetHealth></AliasTarget>")


def ask(address, name, kind, tcp=False, size=None):
    """(header flags, [(name, type, value)]) of an answer; addresses and names as text."""
    host, _, port = address.partition(":")
    option = b"\0" + struct.pack("!HHIH", dns.OPT, size, 0, 0) if size else b""
    question = struct.pack("!6H", 7, 0x100, 1, 0, 0, int(bool(size))) + dns.encode_name(name) + \
        struct.pack("!HH", dns.TYPES[kind], 1) + option
    if tcp:
        with socket.create_connection((host, int(port)), 5) as s, s.makefile("rb") as reader:
            s.sendall(struct.pack("!H", len(question)) + question)
            data = reader.read(struct.unpack("!H", reader.read(2))[0])
    else:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.settimeout(5)
            s.sendto(question, (host, int(port)))
            data = s.recv(4096)
    number, flags, _, count, _, _ = struct.unpack("!6H", data[:12])
    assert number == 7
    _, at = dns.decode_name(data, 12)
    at, found = at + 4, []
    for _ in range(count):
        owner, at = dns.decode_name(data, at)
        record, _, _, length = struct.unpack("!HHIH", data[at:at + 10])
        at += 10
        raw = data[at:at + length]
        if record == dns.TYPES["A"]:
            value = socket.inet_ntoa(raw)
        elif record in (dns.TYPES["CNAME"], dns.TYPES["NS"]):
            value = dns.decode_name(data, at)[0]
        else:
            value = raw
        found.append((owner, dns.NAMES[record], value))
        at += length
    return flags, found


class Server(support.SandboxCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.resolver = f"127.0.0.1:{cls.description['ports']['dns']}"
        body = ('<CreateHostedZoneRequest xmlns="https://route53.amazonaws.com/doc/2013-04-01/">'
                "<Name>example.com</Name><CallerReference>r</CallerReference>"
                "</CreateHostedZoneRequest>")
        _, answer = cls.aws(cls(), "route53", "us-east-1", "POST", "/2013-04-01/hostedzone",
                            body.encode())
        cls.zone = answer.split(b"/hostedzone/")[1].split(b"<")[0].decode()
        cls.change(cls(), ("UPSERT", "www.example.com", "A", values(60, "192.0.2.1")),
                   ("UPSERT", "app.example.com", "CNAME", values(60, "www.example.com")),
                   ("UPSERT", "text.example.com", "TXT", values(60, '"a b" "c"')),
                   ("UPSERT", "lb.example.com", "A", alias("x-1.us-west-2.elb.amazonaws.com")),
                   ("UPSERT", "*.wild.example.com", "A", values(60, "192.0.2.9")),
                   ("UPSERT", "many.example.com", "A",
                    values(60, *(f"192.0.2.{i}" for i in range(60)))))

    def change(self, *changes):
        inside = "".join(RECORD.format(action=a, name=n, kind=k, data=d) for a, n, k, d in changes)
        body = ('<ChangeResourceRecordSetsRequest xmlns="https://route53.amazonaws.com/doc/'
                f'2013-04-01/"><ChangeBatch><Changes>{inside}</Changes></ChangeBatch>'
                "</ChangeResourceRecordSetsRequest>")
        status, answer = self.aws("route53", "us-east-1", "POST",
                                  f"/2013-04-01/hostedzone/{self.zone}/rrset/", body.encode())
        assert status == 200, answer

    def test_a_cname_is_followed(self):
        flags, found = ask(self.resolver, "APP.example.com", "A")
        self.assertEqual(found, [("app.example.com.", "CNAME", "www.example.com."),
                                 ("www.example.com.", "A", "192.0.2.1")])
        self.assertTrue(flags & 0x0400, "authoritative")

    def test_tcp_answers_too(self):
        self.assertEqual(ask(self.resolver, "www.example.com", "A", tcp=True)[1],
                         [("www.example.com.", "A", "192.0.2.1")])

    def test_text_is_split_into_its_strings(self):
        self.assertEqual(ask(self.resolver, "text.example.com", "TXT")[1][0][2], b"\x03a b\x01c")

    def test_an_alias_leads_to_the_region_of_its_target(self):
        self.assertEqual(ask(self.resolver, "lb.example.com", "A")[1],
                         [("lb.example.com.", "A", "127.0.1.4")])

    def test_a_wildcard_answers_for_names_below_it(self):
        self.assertEqual(ask(self.resolver, "any.wild.example.com", "A")[1][0][2], "192.0.2.9")

    def test_a_missing_name_and_a_missing_type_differ(self):
        self.assertEqual(ask(self.resolver, "no.example.com", "A")[0] & 15, 3)
        flags, found = ask(self.resolver, "www.example.com", "TXT")
        self.assertEqual((flags & 15, found), (0, []))

    def test_names_of_other_worlds_are_refused(self):
        self.assertEqual(ask(self.resolver, "example.org", "A")[0] & 15, 5)

    def test_a_long_answer_is_truncated_unless_there_is_room(self):
        flags, found = ask(self.resolver, "many.example.com", "A")
        self.assertEqual((bool(flags & 0x0200), found), (True, []))
        flags, found = ask(self.resolver, "many.example.com", "A", size=4096)
        self.assertEqual((bool(flags & 0x0200), len(found)), (False, 60))

    def test_each_name_server_of_the_zone_has_an_address_and_answers(self):
        _, servers = ask(self.resolver, "example.com", "NS")
        self.assertEqual(len(servers), 4)
        port = self.description["ports"]["dns"]
        for _, _, name in servers:
            address = ask(self.resolver, name, "A")[1][0][2]
            self.assertEqual(ask(f"{address}:{port}", "www.example.com", "A")[1][0][2],
                             "192.0.2.1")

    def test_a_lagging_server_answers_from_before_the_change(self):
        servers = self.description["urls"]["name_servers"]
        self.change(("UPSERT", "moving.example.com", "A", values(60, "192.0.2.10")))
        time.sleep(0.3)
        self.admin("POST", "/dns/lag", {"server": 2, "seconds": 0.25})
        self.change(("UPSERT", "moving.example.com", "A", values(60, "192.0.2.20")))
        answers = [ask(s, "moving.example.com", "A")[1][0][2] for s in servers[:2]]
        self.assertEqual(answers, ["192.0.2.20", "192.0.2.10"])
        time.sleep(0.4)
        self.assertEqual(ask(servers[1], "moving.example.com", "A")[1][0][2], "192.0.2.20")

    def test_rubbish_does_not_stop_the_server(self):
        host, _, port = self.resolver.partition(":")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            for length in (0, 3, 12, 40, 200):
                s.sendto(os.urandom(length), (host, int(port)))
        self.assertEqual(len(ask(self.resolver, "www.example.com", "A")[1]), 1)


class Policies(unittest.TestCase):
    def resolve(self, *records):
        zone = zones.Zone("example.com.", "Z", list(records))
        return zones.resolve([zone], [], "w.example.com", "A").records[0][3]

    def weighted(self, identifier, weight, value):
        return zones.RecordSet("w.example.com.", "A", 60, [value], identifier=identifier,
                               weight=weight)

    def test_a_weight_of_zero_gets_nothing_beside_others(self):
        found = {self.resolve(self.weighted("a", 0, "192.0.2.1"),
                              self.weighted("b", 1, "192.0.2.2"))
                 for _ in range(50)}
        self.assertEqual(found, {"192.0.2.2"})

    def test_weights_that_are_all_zero_share(self):
        found = {self.resolve(self.weighted("a", 0, "192.0.2.1"),
                              self.weighted("b", 0, "192.0.2.2"))
                 for _ in range(200)}
        self.assertEqual(len(found), 2)

    def test_failover_answers_with_the_primary(self):
        def record(kind, value):
            return zones.RecordSet("w.example.com.", "A", 60, [value], identifier=kind,
                                   failover=kind)
        self.assertEqual(self.resolve(record("SECONDARY", "192.0.2.2"),
                                      record("PRIMARY", "192.0.2.1")), "192.0.2.1")


if __name__ == "__main__":
    unittest.main()
