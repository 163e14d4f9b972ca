"""The Kubernetes API: by HTTP for each rule, by the real kubectl for the whole."""

import base64
import http.client
import json
import os
import shutil
import ssl
import subprocess
import time
import unittest

import support
from sandbox.kubernetes import auth, ownership, patch, schema, selectors
from sandbox.kubernetes.status import ApiError

CLUSTER = {"name": "c1", "roleArn": "arn:aws:iam::123456789012:role/r",
           "resourcesVpcConfig": {"subnetIds": ["subnet-1", "subnet-2"]}}


def token(region="us-west-2", age_s=0):
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(time.time() - age_s))
    url = (f"https://sts.{region}.amazonaws.com/?Action=GetCallerIdentity&Version=2011-06-15"
           f"&X-Amz-Credential=AKIA%2F{stamp[:8]}%2F{region}%2Fsts%2Faws4_request"
           f"&X-Amz-Date={stamp}&X-Amz-SignedHeaders=host%3Bx-k8s-aws-id&X-Amz-Signature=00")
    return "k8s-aws-v1." + base64.urlsafe_b64encode(url.encode()).decode().rstrip("=")


def deployment(name="web", replicas=2, image="nginx:1.27", **container):
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name},
            "spec": {"replicas": replicas, "selector": {"matchLabels": {"app": name}},
                     "template": {"metadata": {"labels": {"app": name}},
                                  "spec": {"containers": [{"name": "web", "image": image,
                                                           **container}]}}}}


class Api(support.SandboxCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        status, body = cls.aws(cls(), "eks", "us-west-2", "POST", "/clusters",
                               json.dumps(CLUSTER).encode(), {"Content-Type": "application/json"})
        assert status == 200, body
        cls.cluster = json.loads(body)["cluster"]
        authority = base64.b64decode(cls.cluster["certificateAuthority"]["data"]).decode()
        cls.context = ssl.create_default_context(cadata=authority)
        cls.base = "/" + cls.cluster["endpoint"].split("/", 3)[3]

    def call(self, method, path, value=None, kind="application/json", bearer=None):
        connection = http.client.HTTPSConnection(
            "127.0.0.1", self.description["ports"]["kubernetes"], context=self.context, timeout=20)
        headers = {"Content-Type": kind}
        bearer = token() if bearer is None else bearer
        if bearer:
            headers["Authorization"] = "Bearer " + bearer
        try:
            connection.request(method, self.base + path,
                               None if value is None else json.dumps(value), headers)
            reply = connection.getresponse()
            return reply.status, json.loads(reply.read())
        finally:
            connection.close()

    def place(self, value, namespace="default"):
        self.call("DELETE", f"/apis/apps/v1/namespaces/{namespace}/deployments/"
                  + value["metadata"]["name"])
        status, answer = self.call("POST", f"/apis/apps/v1/namespaces/{namespace}/deployments",
                                   value)
        self.assertEqual(status, 201, answer)
        return f"/apis/apps/v1/namespaces/{namespace}/deployments/{value['metadata']['name']}"

    def until(self, path, good, timeout_s=10):
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            _, found = self.call("GET", path)
            if good(found):
                return found
            time.sleep(0.05)
        self.fail(f"{path} stayed {json.dumps(found.get('status'))}")

    def test_nobody_without_a_token_comes_in(self):
        self.assertEqual(self.call("GET", "/api", bearer="")[0], 401)
        self.assertEqual(self.call("GET", "/api", bearer="k8s-aws-v1.bm8")[0], 401)
        self.assertEqual(self.call("GET", "/api", bearer=token(age_s=3600))[0], 401)

    def test_a_cluster_in_a_region_that_is_cut_off_does_not_answer(self):
        self.admin("POST", "/cut/us-west-2")
        self.addCleanup(self.admin, "POST", "/restore/us-west-2")
        with self.assertRaises((http.client.RemoteDisconnected, ConnectionResetError,
                                ssl.SSLError)):
            self.call("GET", "/api", bearer=token("us-east-1"))
        self.assertEqual([e["service"] for e in self.refused()], ["kubernetes"])

    def test_a_token_of_a_region_that_is_cut_off_counts_as_a_request_to_it(self):
        self.admin("POST", "/cut/us-east-2")
        self.addCleanup(self.admin, "POST", "/restore/us-east-2")
        with self.assertRaises((http.client.RemoteDisconnected, ConnectionResetError,
                                ssl.SSLError)):
            self.call("GET", "/api", bearer=token("us-east-2"))
        self.assertEqual(len(self.refused()), 1)

    def test_a_deployment_becomes_ready(self):
        path = self.place(deployment("ready", 3))
        found = self.until(path, lambda d: d.get("status", {}).get("availableReplicas") == 3)
        reasons = {c["type"]: c["reason"] for c in found["status"]["conditions"]}
        self.assertEqual(reasons["Progressing"], "NewReplicaSetAvailable")

    def test_a_stalled_deployment_does_not_and_says_so_at_its_deadline(self):
        self.admin("POST", "/k8s/stall", {"deployment": "stuck", "on": "on"})
        self.addCleanup(self.admin, "POST", "/k8s/stall", {"deployment": "stuck", "on": "off"})
        value = deployment("stuck", 1)
        value["spec"]["progressDeadlineSeconds"] = 1
        path = self.place(value)
        found = self.until(path, lambda d: any(
            c["reason"] == "ProgressDeadlineExceeded"
            for c in d.get("status", {}).get("conditions", [])))
        self.assertEqual(found["status"]["readyReplicas"], 0)

    def test_a_pod_waits_for_its_config_map(self):
        path = self.place(deployment("waits", 1, envFrom=[{"configMapRef": {"name": "late"}}]))
        time.sleep(0.8)
        self.assertEqual(self.call("GET", path)[1]["status"]["readyReplicas"], 0)
        self.call("POST", "/api/v1/namespaces/default/configmaps",
                  {"metadata": {"name": "late"}, "data": {"a": "b"}})
        self.until(path, lambda d: d["status"]["readyReplicas"] == 1)

    def test_a_field_that_does_not_exist_is_refused_when_asked_to_be_strict(self):
        value = deployment("typo")
        value["spec"]["replcas"] = 2
        where = "/apis/apps/v1/namespaces/default/deployments"
        status, answer = self.call("POST", where + "?fieldValidation=Strict", value)
        self.assertEqual(status, 400)
        self.assertIn('unknown field "spec.replcas"', answer["message"])

    def test_a_dry_run_changes_nothing(self):
        where = "/api/v1/namespaces/default/configmaps"
        status, _ = self.call("POST", where + "?dryRun=All", {"metadata": {"name": "dry"}})
        self.assertEqual((status, self.call("GET", where + "/dry")[0]), (201, 404))

    def test_apply_conflicts_until_it_is_forced(self):
        path = self.place(deployment("owned", 1))

        def apply(manager, image, force=""):
            return self.call("PATCH", f"{path}?fieldManager={manager}{force}",
                             deployment("owned", 1, image), "application/apply-patch+yaml")
        self.assertEqual(apply("one", "nginx:1.28", "&force=true")[0], 200)
        status, answer = apply("two", "nginx:1.29")
        self.assertEqual((status, answer["reason"]), (409, "Conflict"))
        self.assertIn('containers[name="web"].image', answer["message"])
        self.assertEqual(apply("two", "nginx:1.29", "&force=true")[0], 200)

    def test_a_deleted_deployment_takes_its_pods_along(self):
        path = self.place(deployment("gone", 2))
        self.until(path, lambda d: d.get("status", {}).get("readyReplicas") == 2)
        self.call("DELETE", path)
        pods = "/api/v1/namespaces/default/pods?labelSelector=app%3Dgone"
        self.until(pods, lambda found: found["items"] == [])

    def test_a_watch_tells_what_happens(self):
        where = "/api/v1/namespaces/default/configmaps"
        version = self.call("GET", where)[1]["metadata"]["resourceVersion"]
        self.call("POST", where, {"metadata": {"name": "seen"}})
        self.call("DELETE", where + "/seen")
        connection = http.client.HTTPSConnection(
            "127.0.0.1", self.description["ports"]["kubernetes"], context=self.context, timeout=20)
        self.addCleanup(connection.close)
        connection.request("GET", f"{self.base}{where}?watch=1&resourceVersion={version}"
                           "&timeoutSeconds=1", headers={"Authorization": "Bearer " + token()})
        events = [json.loads(line) for line in connection.getresponse().read().splitlines()]
        self.assertEqual([(e["type"], e["object"]["metadata"]["name"]) for e in events],
                         [("ADDED", "seen"), ("DELETED", "seen")])

    def test_a_defined_resource_is_served_once_established(self):
        crd = {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
               "metadata": {"name": "widgets.example.com"},
               "spec": {"group": "example.com", "scope": "Namespaced",
                        "names": {"plural": "widgets", "kind": "Widget"},
                        "versions": [{"name": "v1", "served": True, "storage": True}]}}
        where = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
        self.assertEqual(self.call("POST", where, crd)[0], 201)
        self.until(where + "/widgets.example.com", lambda d: "status" in d)
        status, _ = self.call("POST", "/apis/example.com/v1/namespaces/default/widgets",
                              {"metadata": {"name": "w"}, "spec": {"size": 1}})
        self.assertEqual(status, 201)

    def test_a_cluster_that_is_made_again_is_empty(self):
        again = CLUSTER | {"name": "again"}
        for _ in range(2):
            status, body = self.aws("eks", "us-west-2", "POST", "/clusters",
                                    json.dumps(again).encode(),
                                    {"Content-Type": "application/json"})
            self.assertEqual(status, 200, body)
            base, self.base = self.base, self.base.rpartition("/")[0] + "/again"
            where = "/api/v1/namespaces/default/configmaps"
            self.assertEqual(self.call("POST", where, {"metadata": {"name": "x"}})[0], 201)
            self.base = base
            self.aws("eks", "us-west-2", "DELETE", "/clusters/again")

    @unittest.skipUnless(shutil.which("kubectl"), "kubectl is not here")
    def test_kubectl_applies_waits_and_sees_no_difference(self):
        config = self.folder / "kubeconfig"
        config.write_text(json.dumps({
            "apiVersion": "v1", "kind": "Config", "current-context": "x",
            "clusters": [{"name": "x", "cluster": {
                "server": self.cluster["endpoint"],
                "certificate-authority-data": self.cluster["certificateAuthority"]["data"]}}],
            "users": [{"name": "x", "user": {"token": token()}}],
            "contexts": [{"name": "x", "context": {"cluster": "x", "user": "x"}}]}))
        manifest = self.folder / "manifest.json"
        manifest.write_text(json.dumps(deployment("real", 2)))

        def kubectl(*arguments):
            return subprocess.run(
                ["kubectl", "--kubeconfig", str(config), "--cache-dir", str(self.folder / "cache"),
                 *arguments], capture_output=True, text=True, timeout=60,
                env={"PATH": os.environ["PATH"], "HOME": str(self.folder)})
        for arguments in (["apply", "-f", str(manifest)],
                          ["rollout", "status", "deployment/real", "--timeout=20s"],
                          ["diff", "-f", str(manifest)]):
            done = kubectl(*arguments)
            self.assertEqual(done.returncode, 0, f"{arguments}: {done.stdout}{done.stderr}")
        manifest.write_text(json.dumps(deployment("real", 1)))
        done = kubectl("diff", "-f", str(manifest))
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn("-  replicas: 2", done.stdout)
        self.assertEqual(kubectl("apply", "--server-side", "--force-conflicts", "-f",
                                 str(manifest)).returncode, 0)
        self.assertEqual(kubectl("get", "deployment", "real", "-o",
                                 "jsonpath={.spec.replicas}").stdout, "1")


class Patches(unittest.TestCase):
    def test_strategic_merge_joins_containers_by_name(self):
        before = {"containers": [{"name": "a", "image": "1"}, {"name": "b", "image": "1"}]}
        change = {"containers": [{"name": "b", "image": "2"}]}
        self.assertEqual(patch.strategic(before, change)["containers"],
                         [{"name": "a", "image": "1"}, {"name": "b", "image": "2"}])

    def test_strategic_merge_deletes_by_directive(self):
        before = {"env": [{"name": "a"}, {"name": "b"}], "finalizers": ["x", "y"]}
        change = {"env": [{"name": "a", "$patch": "delete"}],
                  "$deleteFromPrimitiveList/finalizers": ["x"]}
        self.assertEqual(patch.strategic(before, change),
                         {"env": [{"name": "b"}], "finalizers": ["y"]})

    def test_merge_patch_removes_by_null(self):
        self.assertEqual(patch.merge({"a": {"b": 1, "c": 2}}, {"a": {"b": None}}),
                         {"a": {"c": 2}})

    def test_json_patch_tests_before_it_changes(self):
        with self.assertRaises(ApiError):
            patch.json_patch({"a": 1}, [{"op": "test", "path": "/a", "value": 2}])
        self.assertEqual(patch.json_patch({"a": [1]}, [{"op": "add", "path": "/a/-", "value": 2}]),
                         {"a": [1, 2]})


class Ownership(unittest.TestCase):
    def config(self, **data):
        return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x"}, "data": data}

    def test_a_field_that_is_no_longer_applied_goes(self):
        live = ownership.apply(None, self.config(a="1", b="2"), "me", False)
        live = ownership.apply(live, self.config(a="1"), "me", False)
        self.assertEqual(live["data"], {"a": "1"})

    def test_a_field_that_another_manager_applies_too_stays(self):
        live = ownership.apply(None, self.config(a="1"), "me", False)
        live = ownership.apply(live, self.config(a="1", b="2"), "other", False)
        live = ownership.apply(live, self.config(b="2"), "other", False)
        self.assertEqual(live["data"], {"a": "1", "b": "2"})

    def test_the_same_value_is_no_conflict(self):
        live = ownership.apply(None, self.config(a="1"), "me", False)
        ownership.apply(live, self.config(a="1"), "other", False)
        with self.assertRaises(ApiError):
            ownership.apply(live, self.config(a="2"), "other", False)


class Rules(unittest.TestCase):
    def test_unknown_fields_are_found_deep_inside(self):
        value = deployment(imagePulPolicy="Always")
        self.assertEqual(schema.unknown_fields(value),
                         ["spec.template.spec.containers[0].imagePulPolicy"])

    def test_a_missing_field_is_named(self):
        value = deployment()
        del value["spec"]["selector"]
        self.assertIn("spec.selector: Required value", schema.faults(value))

    def test_label_selectors(self):
        labels = {"app": "web", "tier": "a"}
        for selector, expected in (("app=web", True), ("app!=web", False), ("tier in (a,b)", True),
                                   ("tier notin (a)", False), ("!old", True), ("app,old", False)):
            with self.subTest(selector):
                self.assertEqual(selectors.matches_labels(selector, labels), expected)

    def test_a_token_must_be_of_the_form_that_eks_knows(self):
        self.assertEqual(auth.authenticate("Bearer " + token()).region, "us-west-2")
        self.assertIsNone(auth.authenticate("Bearer abc"))
        self.assertIsNone(auth.authenticate("Basic abc"))


if __name__ == "__main__":
    unittest.main()
