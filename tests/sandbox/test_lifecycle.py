"""Coming up, going down, and leaving nothing behind."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import unittest
import unittest.mock
from pathlib import Path

import support
from sandbox import processes, site, terraform


@unittest.skipUnless(support.has_moto(), "moto_server is not here")
class UpAndDown(unittest.TestCase):
    def setUp(self):
        self.folder = Path(tempfile.mkdtemp(prefix="sandbox-test-"))
        self.addCleanup(shutil.rmtree, self.folder, True)
        self.addCleanup(support.run, "down", "--dir", str(self.folder), check=False)

    def pids(self):
        description = json.loads((self.folder / "sandbox.json").read_text())
        return [processes.Identity(p["pid"], p["start"])
                for p in description["processes"].values()]

    def test_down_stops_every_process(self):
        support.run("up", "--dir", str(self.folder))
        found = self.pids()
        self.assertTrue(all(map(processes.alive, found)))
        support.run("down", "--dir", str(self.folder))
        self.assertFalse(any(map(processes.alive, found)))
        self.assertEqual(support.run("status", "--dir", str(self.folder), check=False).returncode,
                         1)

    def test_moto_is_stopped_even_when_its_parent_was_killed(self):
        support.run("up", "--dir", str(self.folder))
        daemon, moto = self.pids()
        os.kill(daemon.pid, 9)
        time.sleep(0.2)
        self.assertTrue(processes.alive(moto))
        support.run("down", "--dir", str(self.folder))
        self.assertFalse(processes.alive(moto))

    def test_a_start_without_moto_fails_and_leaves_nothing(self):
        tools = self.folder / "bin"
        tools.mkdir()
        for name in ("git", "openssl"):
            (tools / name).symlink_to(shutil.which(name))
        script = tools / "moto_server"
        script.write_text("#!/bin/sh\necho broken\nexit 3\n")
        script.chmod(0o755)
        done = subprocess.run(
            [sys.executable, str(support.COMMAND), "up", "--dir", str(self.folder / "s")],
            env=os.environ | {"PATH": f"{tools}:/usr/bin:/bin"}, capture_output=True, text=True)
        self.assertEqual(done.returncode, 1)
        self.assertIn("ended with status 3", done.stderr)
        description = json.loads((self.folder / "s/sandbox.json").read_text())
        for process in description["processes"].values():
            self.assertFalse(processes.alive(processes.Identity(process["pid"], process["start"])))


class SideBySide(support.SandboxCase):
    def test_a_second_up_in_the_same_folder_is_refused(self):
        again = support.run("up", "--dir", str(self.folder), check=False)
        self.assertEqual(again.returncode, 1)
        self.assertIn("runs in", again.stderr)
        self.assertEqual(support.run("status", "--dir", str(self.folder)).returncode, 0)

    def test_two_sandboxes_share_nothing(self):
        other = self.folder / "other"
        self.addCleanup(support.run, "down", "--dir", str(other), check=False)
        support.run("up", "--dir", str(other))
        ports = json.loads((other / "sandbox.json").read_text())["ports"]
        self.assertFalse(set(ports.values()) & set(self.description["ports"].values()))
        support.run("down", "--dir", str(other))
        self.assertEqual(support.run("status", "--dir", str(self.folder)).returncode, 0)

    def test_the_environment_hides_the_users_own_accounts(self):
        lines = (self.folder / "env").read_text().splitlines()
        values = dict(line.split("=", 1) for line in lines)
        self.assertNotIn("AWS_REGION", values)
        self.assertTrue(values["AWS_CONFIG_FILE"].startswith(str(self.folder)))
        self.assertTrue(values["AWS_ENDPOINT_URL"].startswith("http://127.0.0.1:"))

    def test_a_dead_git_host_comes_back(self):
        def works(name):
            url = self.description["urls"]["git"][name]
            return subprocess.run(["git", "ls-remote", url], capture_output=True).returncode == 0
        self.assertTrue(all(map(works, ("primary", "primary_http", "mirror", "mirror_http"))))
        self.admin("POST", "/git/down")
        self.assertEqual([works(n) for n in ("primary", "primary_http", "mirror_http")],
                         [False, False, True])
        self.admin("POST", "/git/up")
        self.assertTrue(works("primary"))

    def test_a_branch_can_be_pushed_by_file_and_by_http(self):
        urls = self.description["urls"]["git"]
        for name in ("primary", "mirror_http"):
            with self.subTest(name), tempfile.TemporaryDirectory() as work:
                subprocess.run(["git", "clone", "-q", urls[name], work], check=True)
                subprocess.run(["git", "push", "-q", "origin", "HEAD:refs/heads/run"], cwd=work,
                               check=True)
                found = subprocess.run(["git", "ls-remote", urls[name], "refs/heads/run"],
                                       capture_output=True, text=True, check=True).stdout
                self.assertIn("refs/heads/run", found)


class Identities(unittest.TestCase):
    def test_a_recycled_pid_is_not_signalled(self):
        child = subprocess.Popen(["sleep", "30"])
        self.addCleanup(child.wait)
        self.addCleanup(child.kill)
        real = processes.identify(child.pid)
        self.assertFalse(processes.stop(processes.Identity(child.pid, real.start - 1)))
        self.assertIsNone(child.poll())


class SiteFile(unittest.TestCase):
    TEXT = ("# facts\nname: x\nrepo:\n  url: https://git.example.com/i.git # ours\n  mirrors:\n"
            "    - https://one\n    - https://two\n\n  # branch\n  ref: main\nenvironments:\n"
            "  prod:\n    health:\n      app: https://app.example.com/healthz\n")
    FACTS = {"urls": {"git": {"primary": "file:///p", "mirror": "file:///m"}}, "ports": {"app": 81}}

    def test_repository_and_health_become_local_and_comments_stay(self):
        found = site.localised(self.TEXT, self.FACTS)
        self.assertIn('  url: "file:///p"\n  mirrors: ["file:///m"]\n\n  # branch\n  ref: main\n',
                      found)
        self.assertIn("app: http://app.example.com:81/healthz\n", found)
        self.assertTrue(found.startswith("# facts\nname: x\n"))

    def test_a_missing_key_is_added_with_its_parents(self):
        lines = ["name: x"]
        site.set_key(lines, ["repo", "url"], "u")
        self.assertEqual(lines, ["repo:", '  url: "u"', "name: x"])


class Terraform(unittest.TestCase):
    def test_the_mirror_is_found_where_the_variable_points(self):
        with tempfile.TemporaryDirectory() as folder:
            tree = Path(folder) / terraform.PROVIDER
            tree.mkdir(parents=True)
            with unittest.mock.patch.dict(os.environ, {"TF_PLUGIN_MIRROR": folder}):
                self.assertEqual(terraform.find_mirror(), Path(folder).resolve())

    def test_what_the_mirror_has_is_not_asked_of_the_registry(self):
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "rc"
            terraform.write_config(file, Path("/m"))
            self.assertIn('path    = "/m"', file.read_text())
            self.assertIn('exclude = ["registry.terraform.io/hashicorp/aws"]', file.read_text())


if __name__ == "__main__":
    unittest.main()
