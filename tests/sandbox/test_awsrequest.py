"""What a request is taken to say about itself."""

import unittest

import support
from sandbox import awserror, awsrequest


def parse(method, target, service="", region="", body=b"", **headers):
    found = {k.replace("_", "-"): v for k, v in headers.items()}
    if service:
        found |= {k.lower(): v for k, v in support.scope(service, region).items()}
    return awsrequest.parse(method, target, found, body)


class Regions(unittest.TestCase):
    def test_the_credential_scope_names_the_region(self):
        self.assertEqual(parse("POST", "/", "rds", "us-east-2").regions,
                         {"us-east-2": "credential scope"})

    def test_a_presigned_query_names_the_region(self):
        found = parse("GET", "/b/k?X-Amz-Credential=A%2F20260101%2Fus-east-2%2Fs3%2Faws4_request")
        self.assertEqual(list(found.regions), ["us-east-2"])
        self.assertEqual((found.service, found.bucket), ("s3", "b"))

    def test_the_host_names_the_region(self):
        self.assertIn("us-east-2", parse("GET", "/", host="b.s3.us-east-2.amazonaws.com").regions)

    def test_an_arn_in_the_path_names_the_region(self):
        found = parse("GET", "/tags/arn%3Aaws%3Aeks%3Aus-east-2%3A1%3Acluster%2Fc", "eks",
                      "us-west-2")
        self.assertEqual(found.regions["us-east-2"], "path")

    def test_a_snapshot_copied_from_another_region_depends_on_it(self):
        found = parse("POST", "/", "rds", "us-west-2",
                      b"Action=CopyDBSnapshot&SourceDBSnapshotIdentifier="
                      b"arn%3Aaws%3Ards%3Aus-east-2%3A1%3Asnapshot%3As",
                      content_type="application/x-www-form-urlencoded")
        self.assertEqual(set(found.regions), {"us-west-2", "us-east-2"})

    def test_a_region_in_an_object_key_does_not_count(self):
        found = parse("GET", "/bucket/backups/us-east-2/dump", "s3", "us-west-2")
        self.assertEqual(list(found.regions), ["us-west-2"])


class Operations(unittest.TestCase):
    def test_names_of_operations(self):
        cases = [
            (("POST", "/", "ec2", "x"), {"body": b"Action=RunInstances&Version=1",
             "content_type": "application/x-www-form-urlencoded"}, "RunInstances"),
            (("POST", "/", "dynamodb", "x"), {"x_amz_target": "DynamoDB_20120810.GetItem"},
             "GetItem"),
            (("POST", "/2013-04-01/hostedzone/Z1/rrset/", "route53", "x"), {},
             "ChangeResourceRecordSets"),
            (("GET", "/2013-04-01/hostedzonesbyname?dnsname=a", "route53", "x"), {},
             "ListHostedZonesByName"),
            (("GET", "/clusters/c", "eks", "x"), {}, "DescribeCluster"),
            (("PUT", "/b", "s3", "x"), {}, "CreateBucket"),
            (("PUT", "/b?versioning", "s3", "x"), {}, "PutBucketVersioning"),
            (("GET", "/b?versions&prefix=a", "s3", "x"), {}, "ListObjectVersions"),
            (("PUT", "/b/k", "s3", "x"), {"x_amz_copy_source": "/a/k"}, "CopyObject"),
            (("DELETE", "/b/k", "s3", "x"), {}, "DeleteObject"),
            (("GET", "/", "s3", "x"), {}, "ListBuckets"),
        ]
        for arguments, more, expected in cases:
            with self.subTest(expected):
                self.assertEqual(parse(*arguments, **more).operation, expected)


class Errors(unittest.TestCase):
    def test_each_protocol_has_its_shape(self):
        for service, part in (("ec2", b"<Response><Errors>"), ("s3", b"<Error><Code>Slow"),
                              ("rds", b"<ErrorResponse><Error><Type>Sender"),
                              ("eks", b'"__type": "SlowDown"')):
            with self.subTest(service):
                _, body = awserror.render(parse("GET", "/", service, "x"), "SlowDown", "m")
                self.assertIn(part, body)

    def test_route53_has_an_older_shape(self):
        _, body = awserror.render(parse("GET", "/", "route53", "x"), "InvalidChangeBatch", "<m>",
                                  "messages")
        self.assertIn(b"<Messages><Message>&lt;m&gt;</Message>", body)


if __name__ == "__main__":
    unittest.main()
