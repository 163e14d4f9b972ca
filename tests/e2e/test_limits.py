"""What happens at the limits: of output, of children, of the journal and of the disk."""

import os
import pathlib
import subprocess
import time
import unittest

from support import DrctlTest, wait_until

OUTPUT_BYTES = int(os.environ.get("DRCTL_OUTPUT_BYTES", str(200 * 2**20)))
SMALL_DISK = "drctl-small-disk"


def one_step(script: str, more: str = "") -> str:
    return (
        "plan: limits\nsummary: at the limits\nsteps:\n  a:\n    uses: exec\n    with:\n"
        f"      argv: [sh, -c, '{script}']\n{more}"
        "  b:\n    uses: exec\n    with: {argv: [echo, second]}\n"
    )


class OutputTest(DrctlTest):
    def test_output_without_a_newline_is_kept_and_shown(self):
        self.drctl("run", self.plan(one_step("printf no-newline-at-all")))
        self.assertIn("no-newline-at-all", self.lines())

    def test_a_line_without_an_end_is_cut_into_parts_and_takes_no_memory(self):
        plan = self.plan(one_step("head -c 50000000 /dev/zero | tr '\\\\\\\\000' x".replace("'", "")))
        result = self.drctl("run", plan)
        self.assertIn("succeeded", result.stdout)
        log = self.run_directory() / "steps" / "a" / "1" / "command" / "output.log"
        longest = max(len(line) for line in log.read_bytes().split(b"\n"))
        self.assertLess(longest, 17000)

    def test_more_output_than_is_kept_is_said(self):
        plan = self.plan(one_step(f"yes all work and no play | head -c {OUTPUT_BYTES}; echo the end"))
        result = self.drctl("run", plan, "--output", "json", timeout=600)
        self.assertEqual(self.lines().count("second"), 1)
        ended = [e for e in self.events() if e["type"] == "task_ended" and e["step"] == "a"]
        self.assertGreater(ended[0]["dropped_bytes"], 0)
        kept = sum(path.stat().st_size for path in self.run_directory().glob("steps/a/1/command/output*"))
        self.assertLess(kept, 120 * 2**20)
        texts = [line for line in result.stdout.splitlines() if 'the end"' in line and '"output"' in line]
        self.assertEqual(len(texts), 1)


class ChildTest(DrctlTest):
    def test_a_daemon_that_keeps_the_output_open_does_not_hold_the_run_up(self):
        start = time.monotonic()
        self.drctl("run", self.plan(one_step("sleep 30 & echo started")))
        self.assertLess(time.monotonic() - start, 10)
        self.assertIn("second", self.lines())

    def test_a_child_that_ignores_signals_is_killed_on_the_explicit_request(self):
        plan = self.plan(one_step('trap "" INT TERM; echo ready; while :; do sleep 0.1; done', "      grace: 1h\n"))
        child = self.start("run", plan)
        self.wait_for_line("ready")
        self.drctl("cancel", "last")
        time.sleep(0.5)
        self.assertIsNone(child.poll())
        self.drctl("cancel", "last", "--kill")
        self.assertEqual(child.wait(timeout=30), 7)
        wait_until(lambda: self.processes() == [], "the end of all processes")


class DiskTest(DrctlTest):
    def test_a_read_only_state_directory_is_said_before_anything_runs(self):
        self.state.mkdir(mode=0o700)
        target = self.small_disk("64k")
        self.drctl("runs", status=None)
        subprocess.run(["mount", "-o", "remount,ro", str(target)], check=True)
        effects = self.folder / "effects"
        result = self.drctl("run", self.plan(one_step(f"echo x >> {effects}")), status=None)
        self.assertNotEqual(result.returncode, 0)
        self.assertIn("Read-only file system", result.stderr)
        self.assertFalse(effects.exists())

    def small_disk(self, size: str) -> pathlib.Path:
        if os.geteuid() != 0:
            self.skipTest("mounting a small disk needs root")
        self.state.mkdir(mode=0o700, exist_ok=True)
        made = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={size},mode=0700", SMALL_DISK, str(self.state)],
            capture_output=True,
            check=False,
        )
        if made.returncode != 0:
            self.skipTest("this machine lets nobody mount a small disk")
        self.addCleanup(subprocess.run, ["umount", "-l", str(self.state)], check=False)
        return self.state

    def test_a_full_disk_stops_the_scheduling_and_space_lets_it_go_on(self):
        effects = self.folder / "effects"
        steps = "".join(
            f"  s{i}:\n    uses: exec\n    with: {{argv: [sh, -c, 'sleep 0.1; echo s{i} >> {effects}']}}\n"
            for i in range(20)
        )
        self.small_disk("2m")
        child = self.start("run", self.plan(f"plan: full\nsummary: full\nsteps:\n{steps}"))
        self.wait_for_event("step_succeeded", step="s2")
        ballast = self.state / "ballast"
        with open(ballast, "wb", buffering=0) as file:
            try:
                while True:
                    file.write(b"x" * 4096)
            except OSError:
                pass
        time.sleep(1)
        before = effects.read_text()
        time.sleep(1)
        self.assertEqual(effects.read_text(), before)
        self.assertLess(len(before.split()), 10)
        ballast.unlink()
        if child.wait(timeout=60) != 0:
            self.drctl("resume", "last")
        self.assertEqual(effects.read_text().split(), [f"s{i}" for i in range(20)])
        self.drctl("journal", "verify", "last")
        self.assertEqual(self.outcome(), "succeeded")


class JournalTest(DrctlTest):
    def test_time_of_status_is_linear_in_the_events(self):
        """Four times the events take about four times as long."""
        items = ", ".join(f"n{i}" for i in range(500))
        times = []
        for count in (1, 4):
            steps = "".join(
                f"  s{i}:\n    uses: note\n    for_each: [{items}]\n    with: {{text: \"${{{{ each.key }}}}\"}}\n"
                for i in range(count)
            )
            plan = self.plan(f"plan: many{count}\nsummary: many\nsteps:\n{steps}")
            self.drctl("run", plan, "--output", "json")
            start = time.monotonic()
            self.drctl("status", self.run_directories()[-1].name)
            times.append(time.monotonic() - start)
        self.assertLess(times[1], 2 * 4 * times[0] + 0.2)


if __name__ == "__main__":
    unittest.main()
