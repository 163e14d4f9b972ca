"""A run from its beginning to its end, and everything that can come in between, with children that
need nothing but a shell."""

import json
import os
import pty
import signal
import subprocess
import time
import unittest

from support import DrctlTest, program, wait_until

COUNTING = """
plan: counting
summary: a child that takes its time
steps:
  count:
    uses: exec
    with:
      argv: [sh, -c, 'for i in 1 2 3 4 5 6 7 8 9 10; do echo "line $i"; sleep 0.2; done; echo x >> "$0"', '%s']
  after:
    uses: exec
    with: {argv: [echo, afterwards]}
"""

APPROVAL = """
plan: approval
summary: a person decides
steps:
  ask:
    uses: approval
    with: {text: Cut over?}
  after:
    uses: exec
    with: {argv: [echo, afterwards]}
"""


class RunTest(DrctlTest):
    def counting_plan(self) -> str:
        self.effects = self.folder / "effects"
        return self.plan(COUNTING % self.effects)

    def assert_counted_once(self):
        lines = [line for line in self.lines() if line.startswith("line ")]
        self.assertEqual(lines, [f"line {i}" for i in range(1, 11)])
        self.assertEqual(self.effects.read_text(), "x\n")

    def test_success_is_exit_status_0(self):
        result = self.drctl("run", self.counting_plan())
        self.assertIn("succeeded", result.stdout)
        self.assert_counted_once()

    def test_failure_names_step_reason_last_lines_and_the_way_on(self):
        plan = self.plan(
            "plan: bad\nsummary: fails\nsteps:\n"
            "  first:\n    uses: exec\n    with: {argv: [echo, fine]}\n"
            "  second:\n    uses: exec\n    with: {argv: [sh, -c, 'echo the disk is on fire >&2; exit 4']}\n"
            "  third:\n    uses: exec\n    with: {argv: [echo, never]}\n"
        )
        result = self.drctl("run", plan, status=1)
        screen = result.stdout[result.stdout.index("\nRun ") :]
        self.assertIn("Failed: second (exec)", screen)
        self.assertIn("exit status 4", screen)
        self.assertIn("the disk is on fire", screen)
        self.assertRegex(screen, r"Done: +first")
        self.assertRegex(screen, r"Not done: +third")
        self.assertIn(f"drctl resume {self.run_directory().name}", screen)
        self.assertLess(len(screen.splitlines()), 40)

    def test_kill_9_leaves_the_child_and_resume_follows_it_without_a_gap(self):
        child = self.start("run", self.counting_plan())
        self.wait_for_line("line 3")
        self.kill(child)
        self.assertFalse(self.effects.exists())
        result = self.drctl("resume", "last")
        self.assertIn("line 10", result.stdout)
        self.assert_counted_once()
        started = [event for event in self.events() if event["type"] == "task_started"]
        self.assertEqual([event["step"] for event in started], ["count", "after"])

    def test_what_finished_unseen_is_adopted(self):
        child = self.start("run", self.counting_plan())
        self.wait_for_line("line 2")
        self.kill(child)
        wait_until(self.effects.exists, "the child's end")
        self.drctl("resume", "last")
        self.assert_counted_once()

    def test_hang_up_does_not_stop_the_run(self):
        plan = self.counting_plan()
        pid, terminal = pty.fork()
        if pid == 0:
            os.chdir(self.folder)
            os.execve(program("drctl"), ["drctl", "run", plan], self.environment)
        self.wait_for_line("line 2")
        os.close(terminal)
        wait_until(lambda: os.waitpid(pid, os.WNOHANG)[0] == pid, "drctl's end")
        self.assertEqual(self.outcome(), "succeeded")
        self.assert_counted_once()

    def test_sigterm_leaves_the_run_to_the_next_drctl(self):
        child = self.start("run", self.counting_plan())
        self.wait_for_line("line 2")
        self.assertEqual(self.kill(child, signal.SIGTERM), 1)
        self.assertIn("drctl resume", self.output_of(child))
        self.drctl("resume", "last")
        self.assert_counted_once()

    def test_ctrl_c_asks_the_child_once_and_waits_for_it(self):
        plan = self.plan(
            "plan: patient\nsummary: takes its time to stop\nsteps:\n  a:\n    uses: exec\n    with:\n"
            "      grace: 60s\n"
            "      argv: [sh, -c, 'trap \"echo got INT\" INT; echo ready; for i in 1 2 3 4 5 6 7 8; do sleep 0.2; done; echo ended in order; exit 9']\n"
            "  b:\n    uses: exec\n    with: {argv: [echo, never]}\n"
        )
        child = self.start("run", plan)
        self.wait_for_line("ready")
        child.send_signal(signal.SIGINT)
        time.sleep(0.3)
        child.send_signal(signal.SIGINT)
        self.assertEqual(child.wait(timeout=60), 7)
        self.assertIn("ended in order", self.lines())
        self.assertEqual(self.lines().count("got INT"), 1)
        self.assertIn("Ctrl-C once more", self.output_of(child))
        self.assertEqual(self.outcome(), "cancelled")

    def test_third_ctrl_c_kills(self):
        plan = self.plan(
            "plan: deaf\nsummary: ignores signals\nsteps:\n  a:\n    uses: exec\n    with:\n"
            "      grace: 1h\n"
            "      argv: [sh, -c, 'trap \"\" INT TERM; echo ready; while true; do sleep 0.2; done']\n"
        )
        child = self.start("run", plan)
        self.wait_for_line("ready")
        for _ in range(3):
            child.send_signal(signal.SIGINT)
            time.sleep(0.2)
        self.assertEqual(child.wait(timeout=60), 7)
        wait_until(lambda: self.processes() == [], "the end of all processes")

    def test_timeout_stops_the_step_and_says_so(self):
        plan = self.plan(
            "plan: slow\nsummary: too slow\nsteps:\n  a:\n    uses: exec\n    timeout: 1s\n"
            "    with: {argv: [sleep, '60']}\n"
        )
        result = self.drctl("run", plan, status=1)
        self.assertIn("longer than its timeout of 1.0s", result.stdout)

    def test_retry_tries_again_and_keeps_both_attempts(self):
        flag = self.folder / "flag"
        plan = self.plan(
            "plan: flaky\nsummary: second time lucky\nsteps:\n  a:\n    uses: exec\n"
            "    retry: {attempts: 3, backoff: 100ms}\n"
            f"    with: {{argv: [sh, -c, 'test -e {flag} || {{ touch {flag}; exit 1; }}']}}\n"
        )
        self.drctl("run", plan)
        attempts = sorted(path.name for path in (self.run_directory() / "steps" / "a").iterdir())
        self.assertEqual(attempts, ["1", "2"])

    def test_resume_tries_again_what_failed_and_only_that(self):
        flag = self.folder / "flag"
        effects = self.folder / "effects"
        plan = self.plan(
            "plan: mended\nsummary: fails until mended\nsteps:\n"
            f"  first:\n    uses: exec\n    with: {{argv: [sh, -c, 'echo x >> {effects}']}}\n"
            f"  second:\n    uses: exec\n    with: {{argv: [test, -e, {flag}]}}\n"
        )
        self.drctl("run", plan, status=1)
        flag.touch()
        self.drctl("resume", "last")
        self.assertEqual(effects.read_text(), "x\n")
        self.assertEqual(self.outcome(), "succeeded")

    def test_changed_plan_file_does_not_change_a_run(self):
        flag = self.folder / "flag"
        text = (
            "plan: kept\nsummary: keeps to its plan\nsteps:\n"
            f"  a:\n    uses: exec\n    with: {{argv: [test, -e, {flag}]}}\n"
            "  b:\n    uses: exec\n    with: {argv: [echo, as it was]}\n"
        )
        self.drctl("run", self.plan(text), status=1)
        self.plan(text.replace("as it was", "changed"))
        flag.touch()
        result = self.drctl("resume", "last")
        self.assertIn("the run keeps to the plan as it was", result.stdout + result.stderr)
        self.assertIn("as it was", self.lines())


    def test_refusal_of_a_guard_is_exit_status_5(self):
        plan = self.plan(
            "plan: guarded\nsummary: refuses\nsteps:\n"
            "  a:\n    uses: fail\n    with: {message: no, refused: true}\n"
        )
        self.drctl("run", plan, status=5)

    def test_optional_secret_that_was_not_given_is_not_asked_for(self):
        plan = self.plan(
            "plan: optional\nsummary: an optional secret\n"
            "inputs:\n  token: {type: secret, required: false}\nsteps:\n"
            "  a:\n    uses: exec\n    with: {argv: ['false']}\n"
        )
        self.drctl("run", plan, status=1)
        self.drctl("resume", "last", status=1)

    def test_env_of_a_plan_may_use_when_the_run_started(self):
        plan = self.plan(
            "plan: stamped\nsummary: stamped\nenv:\n"
            "  STAMP: \"${{ formatDate(run.started_at, '%Y') }}\"\nsteps:\n"
            "  a:\n    uses: exec\n    with: {argv: [sh, -c, 'echo in $STAMP']}\n"
        )
        self.drctl("run", plan)
        self.assertRegex(self.lines()[0], r"^in 20\d\d$")


class PeopleTest(DrctlTest):
    def test_a_question_without_a_person_is_exit_status_8_and_can_be_answered_later(self):
        plan = self.plan(APPROVAL)
        result = self.drctl("run", plan, status=8)
        run = self.run_directory().name
        self.assertIn(f"drctl answer {run} ask approve", result.stdout)
        self.drctl("resume", "last", status=8)
        self.drctl("approve", "last", "ask", "--why", "it looks good")
        self.drctl("resume", "last")
        answered = [event for event in self.events() if event["type"] == "answered"]
        self.assertEqual(
            [(event["who"], event["why"], event["answer"]) for event in answered],
            [("tester@example", "it looks good", "approve")],
        )

    def test_approval_beforehand(self):
        self.drctl("run", self.plan(APPROVAL), "--approve", "ask")
        self.assertEqual(self.outcome(), "succeeded")

    def test_rejection_fails_the_step(self):
        plan = self.plan(APPROVAL)
        self.drctl("run", plan, status=8)
        self.drctl("answer", "last", "ask", "reject")
        self.drctl("resume", "last", status=None)
        self.assertNotIn("afterwards", self.lines())

    def test_decision_from_another_terminal_while_the_run_waits(self):
        child = self.start("run", self.plan(APPROVAL), "--stay")
        self.wait_for_event("asked", step="ask")
        self.drctl("approve", "last", "ask")
        self.assertEqual(child.wait(timeout=30), 0)

    def test_pause_lets_running_steps_end_and_continue_goes_on(self):
        plan = self.plan(
            "plan: paused\nsummary: pauses\nsteps:\n"
            "  a:\n    uses: exec\n    with: {argv: [sh, -c, 'echo ready; sleep 1; echo ended']}\n"
            "  b:\n    uses: exec\n    with: {argv: [echo, second]}\n"
        )
        child = self.start("run", plan, "--stay")
        self.wait_for_line("ready")
        self.drctl("pause", "last")
        self.wait_for_event("step_succeeded", step="a")
        time.sleep(0.3)
        self.assertNotIn("second", self.lines())
        self.drctl("continue", "last")
        self.assertEqual(child.wait(timeout=30), 0)

    def test_skip_goes_on_without_a_step_that_failed(self):
        plan = self.plan(
            "plan: skipping\nsummary: skips\nsteps:\n"
            "  a:\n    uses: exec\n    with: {argv: ['false']}\n"
            "  b:\n    uses: exec\n    with: {argv: [echo, second]}\n"
        )
        self.drctl("run", plan, status=1)
        self.drctl("skip", "last", "a", "--why", "done by hand")
        self.drctl("resume", "last")
        self.assertIn("second", self.lines())

    def test_cancel_of_a_run_at_rest_stops_its_children(self):
        plan = self.plan(
            "plan: left\nsummary: left behind\nsteps:\n"
            "  a:\n    uses: exec\n    with: {argv: [sh, -c, 'echo ready; exec sleep 600']}\n"
        )
        child = self.start("run", plan)
        self.wait_for_line("ready")
        self.kill(child)
        self.drctl("cancel", "last")
        self.assertEqual(self.outcome(), "cancelled")
        wait_until(lambda: self.processes() == [], "the end of all processes")

    def test_cancel_ends_what_a_command_left_behind_when_it_was_interrupted(self):
        plan = self.plan(
            "plan: shell\nsummary: the shell gets the signal, its child does not\nsteps:\n"
            "  a:\n    uses: exec\n    with: {argv: [sh, -c, 'echo ready; sleep 600; echo never']}\n"
        )
        child = self.start("run", plan)
        self.wait_for_line("ready")
        self.drctl("cancel", "last")
        self.assertEqual(child.wait(timeout=30), 7)
        self.assertEqual(self.processes(), [])


class LockTest(DrctlTest):
    PLAN = (
        "plan: locked\nsummary: one at a time\ntarget: prod\nsteps:\n"
        "  a:\n    uses: exec\n    with: {argv: [sh, -c, 'echo ready; sleep 2']}\n"
    )

    def test_second_run_of_a_target_is_refused_with_the_first_ones_name(self):
        child = self.start("run", self.plan(self.PLAN))
        self.wait_for_line("ready")
        result = self.drctl("run", self.plan(self.PLAN), status=6)
        self.assertIn(self.run_directories()[0].name, result.stderr)
        self.assertIn("tester@example", result.stderr)
        self.assertEqual(child.wait(timeout=30), 0)
        self.drctl("run", self.plan(self.PLAN))

    def test_a_target_stays_taken_while_its_run_is_left_behind(self):
        child = self.start("run", self.plan(self.PLAN))
        self.wait_for_line("ready")
        self.kill(child)
        self.drctl("run", self.plan(self.PLAN), status=6)
        self.drctl("resume", "last")
        self.drctl("run", self.plan(self.PLAN))

    def test_a_run_whose_drctl_was_killed_while_it_made_it_does_not_keep_its_target(self):
        self.drctl("run", self.plan(self.PLAN))
        directory = self.run_directory()
        (directory / "journal.jsonl").write_bytes(b"")
        lock = {"run": directory.name, "operator": "x", "since": "2026-01-01T00:00:00.000Z"}
        (self.state / "locks" / "prod.json").write_text(json.dumps(lock))
        result = self.drctl("resume", "last", status=None)
        self.assertIn("while it made the run", result.stderr)
        self.drctl("run", self.plan(self.PLAN))

    def test_of_ten_at_once_exactly_one_goes_on(self):
        plan = self.plan(self.PLAN)
        children = [self.start("run", plan) for _ in range(10)]
        statuses = sorted(child.wait(timeout=120) for child in children)
        self.assertEqual(statuses, [0] + [6] * 9)

    def test_two_drctl_cannot_work_on_one_run(self):
        child = self.start("run", self.plan(self.PLAN))
        self.wait_for_line("ready")
        self.drctl("resume", "last", status=6)
        self.assertEqual(child.wait(timeout=30), 0)


class FormTest(DrctlTest):
    def test_json_output_is_one_object_a_line(self):
        plan = self.plan("plan: j\nsummary: j\nsteps:\n  a:\n    uses: exec\n    with: {argv: [echo, hello]}\n")
        result = self.drctl("run", plan, "--output", "json")
        objects = [json.loads(line) for line in result.stdout.splitlines()]
        self.assertIn("hello", [o["output"]["text"] for o in objects if "output" in o])
        self.assertEqual(objects[-1]["summary"]["status"], "succeeded")

    def test_escape_sequences_of_children_do_not_reach_the_terminal(self):
        plan = self.plan(
            "plan: esc\nsummary: esc\nsteps:\n  a:\n    uses: exec\n    with:\n"
            "      argv: [printf, 'before\\033]0;owned\\007\\033[2Jafter\\n']\n"
        )
        result = self.drctl("run", plan)
        self.assertNotIn("\033", result.stdout)
        self.assertIn("beforeafter", result.stdout)

    def test_directories_are_private(self):
        plan = self.plan("plan: p\nsummary: p\nsteps:\n  a:\n    uses: exec\n    with: {argv: ['true']}\n")
        self.drctl("run", plan)
        for path in [self.state, *self.state.rglob("*")]:
            self.assertEqual(path.stat().st_mode & 0o077, 0, path)

    def test_damaged_journal_is_exit_status_9_with_the_line(self):
        plan = self.plan("plan: p\nsummary: p\nsteps:\n  a:\n    uses: exec\n    with: {argv: ['false']}\n")
        self.drctl("run", plan, status=1)
        journal = self.run_directory() / "journal.jsonl"
        content = bytearray(journal.read_bytes())
        content[content.index(b"\n") + 40] ^= 1
        journal.write_bytes(content)
        for command in (["resume", "last"], ["status"], ["journal", "verify", "last"]):
            result = self.drctl(*command, status=9)
            self.assertIn("journal.jsonl:2", result.stderr)

    def test_missing_shim_is_said_before_anything_runs(self):
        plan = self.plan("plan: p\nsummary: p\nsteps:\n  a:\n    uses: exec\n    with: {argv: ['true']}\n")
        self.environment["DRCTL_SHIM"] = "/nonexistent/drctl-shim"
        result = self.drctl("run", plan, status=4)
        self.assertIn("shim", result.stderr)


if __name__ == "__main__":
    unittest.main()
