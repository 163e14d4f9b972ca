"""Looking at a run: live, attached from another terminal and afterwards show the same; logs; what is
seen when nobody works on the run."""

import json
import os
import pty
import signal
import subprocess
import time
import unittest

from support import DrctlTest, program, wait_until

SIDE_BY_SIDE = """
plan: side-by-side
summary: two that talk at the same time, and one behind them
steps:
  left:
    uses: exec
    needs: []
    with: {argv: [sh, -c, 'for i in 1 2 3 4 5 6 7 8; do echo "left $i"; sleep 0.11; done']}
  right:
    uses: exec
    needs: []
    with: {argv: [sh, -c, 'for i in 1 2 3 4 5 6 7; do echo "right $i" >&2; sleep 0.13; done; printf unfinished']}
  said:
    uses: note
    needs: [left, right]
    with: {text: both are through}
  last:
    uses: exec
    with: {argv: [echo, afterwards]}
"""

WAITING = """
plan: waiting
summary: talks until it is told to stop
steps:
  talk:
    uses: exec
    with: {argv: [sh, -c, 'i=0; while ! test -e "$0"; do i=$((i + 1)); echo "line $i"; sleep 0.1; done', '%s']}
"""

QUESTION = """
plan: question
summary: a person decides
steps:
  ask:
    uses: approval
    with: {text: Cut over?}
  after:
    uses: exec
    with: {argv: [echo, afterwards]}
"""


class Terminal:
    """A drctl at a terminal of its own; screen: all that it has printed."""

    def __init__(self, test: DrctlTest, *arguments: str, **environment: str):
        self.screen = ""
        self.status = None
        self.pid, self.descriptor = pty.fork()
        if self.pid == 0:
            os.chdir(test.folder)
            os.execve(program("drctl"), ["drctl", *arguments], {**test.environment, **environment})
        os.set_blocking(self.descriptor, False)

    def read(self):
        try:
            self.screen += os.read(self.descriptor, 65536).decode(errors="replace")
        except BlockingIOError:
            pass
        except OSError:
            if self.status is None:
                self.status = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])

    def wait_for(self, text: str):
        def there():
            self.read()
            return text in self.screen

        wait_until(there, f"{text!r} on the screen, which is:\n{self.screen}")

    def wait(self) -> int:
        def over():
            self.read()
            return self.status is not None

        wait_until(over, "the end of drctl")
        return self.status

    def type(self, text: str):
        os.write(self.descriptor, text.encode())

    def close(self):
        os.close(self.descriptor)


class SameStreamTest(DrctlTest):
    def test_live_attached_and_later_are_the_same(self):
        for form in ("plain", "json"):
            with self.subTest(form):
                plan = self.plan(SIDE_BY_SIDE)
                count = len(self.run_directories())
                live = self.start("run", plan, "--output", form)
                wait_until(lambda: len(self.run_directories()) > count, "the run")
                self.wait_for_event("task_started")
                attached = self.start("attach", "last", "--output", form)
                self.assertEqual((live.wait(60), attached.wait(60)), (0, 0))
                later = self.drctl("attach", "last", "--output", form).stdout
                self.assertIn("right 7", later)
                self.assertIn("unfinished", later)
                self.assertEqual(self.output_of(live), later)
                self.assertEqual(self.output_of(attached), later)

    def test_a_run_that_was_killed_and_resumed_is_one_stream(self):
        flag = self.folder / "flag"
        child = self.start("run", self.plan(WAITING % flag))
        self.wait_for_line("line 3")
        attached = self.start("attach", "last")
        wait_until(lambda: "line 3" in self.output_of(attached), "the history")
        self.kill(child)
        self.wait_for_line("line 8")
        resumed = self.start("resume", "last")
        self.wait_for_event("run_resumed")
        self.wait_for_line("line 12")
        flag.touch()
        self.assertEqual((resumed.wait(60), attached.wait(60)), (0, 0))
        later = self.drctl("attach", "last").stdout
        self.assertEqual(self.output_of(attached), later)
        shown = [line.split()[-1] for line in later.splitlines() if " | " in line]
        self.assertEqual(shown, [str(i + 1) for i in range(len(shown))])
        self.assertIn("line 1\n", self.output_of(resumed))

    def test_data_of_commands_is_not_shown_in_any_view(self):
        plan = self.plan(
            "plan: data\nsummary: data\nsteps:\n"
            "  a:\n    uses: exec\n    with: {argv: [echo, '{\"key\": \"value\"}'], output: json}\n"
        )
        live = self.drctl("run", plan, status=None).stdout
        self.assertEqual(live, self.drctl("attach", "last", status=None).stdout)

    def test_exit_status_is_the_runs(self):
        plan = self.plan("plan: f\nsummary: f\nsteps:\n  a:\n    uses: exec\n    with: {argv: ['false']}\n")
        self.drctl("run", plan, status=1)
        self.assertIn("Failed: a", self.drctl("attach", status=1).stdout)


class AttachTest(DrctlTest):
    def test_no_follow_shows_what_is_there_and_ends(self):
        flag = self.folder / "flag"
        child = self.start("run", self.plan(WAITING % flag))
        self.wait_for_line("line 3")
        result = self.drctl("attach", "last", "--no-follow")
        self.assertIn("line 3", result.stdout)
        self.assertIn("running after", result.stdout)
        flag.touch()
        self.assertEqual(child.wait(60), 0)

    def test_output_is_followed_while_nobody_works_on_the_run(self):
        flag = self.folder / "flag"
        child = self.start("run", self.plan(WAITING % flag))
        self.wait_for_line("line 2")
        self.kill(child)
        attached = self.start("attach", "last")
        wait_until(lambda: "No drctl works on this run now" in self.output_of(attached), "the notice")
        seen = len(self.output_of(attached).splitlines())
        wait_until(lambda: len(self.output_of(attached).splitlines()) > seen + 5, "further lines")
        before = (self.run_directory() / "journal.jsonl").read_bytes()
        attached.send_signal(signal.SIGINT)
        self.assertEqual(attached.wait(30), 0)
        self.assertIn("the run goes on", self.output_of(attached))
        self.assertEqual((self.run_directory() / "journal.jsonl").read_bytes(), before)
        flag.touch()
        self.drctl("resume", "last")

    def test_answer_typed_at_an_attached_terminal(self):
        child = self.start("run", self.plan(QUESTION), "--stay")
        self.wait_for_event("asked", step="ask")
        terminal = Terminal(self, "attach", "last")
        terminal.wait_for("Cut over?")
        time.sleep(0.3)
        terminal.type("approve\n")
        self.assertEqual(child.wait(30), 0)
        self.assertEqual(terminal.wait(), 0)
        terminal.close()
        answered = [event for event in self.events() if event["type"] == "answered"]
        self.assertEqual([event["who"] for event in answered], ["tester@example"])

    def test_damaged_journal_is_exit_status_9(self):
        plan = self.plan("plan: p\nsummary: p\nsteps:\n  a:\n    uses: exec\n    with: {argv: ['true']}\n")
        self.drctl("run", plan)
        journal = self.run_directory() / "journal.jsonl"
        content = bytearray(journal.read_bytes())
        content[content.index(b"\n") + 40] ^= 1
        journal.write_bytes(content)
        for command in (["attach", "last"], ["logs", "last"]):
            self.assertIn("journal.jsonl:2", self.drctl(*command, status=9).stderr)


class TerminalTest(DrctlTest):
    PLAN = QUESTION.replace("summary: a person decides", "summary: a person decides\n"
                            "objectives:\n  - {component: Shop, rto: 2h}")

    def run_at_a_terminal(self, **environment: str) -> str:
        terminal = Terminal(self, "run", self.plan(self.PLAN), **environment)
        terminal.wait_for("Cut over?")
        time.sleep(1.3)
        terminal.type("approve\n")
        self.assertEqual(terminal.wait(), 0)
        terminal.close()
        self.assertIn("succeeded after", terminal.screen)
        return terminal.screen

    def test_block_says_where_the_run_stands_and_what_to_type(self):
        screen = self.run_at_a_terminal(TERM="xterm-256color")
        self.assertIn("== 0 of 2 steps done", screen)
        self.assertIn("type  reject | approve", screen)
        self.assertIn("Shop  RTO 2h00m: 1h59m left", screen)
        self.assertIn("\033[J", screen)
        summary = screen[screen.index("\r\nRun question-") :]
        self.assertNotIn("\033", summary)

    def test_no_color_means_no_colours(self):
        self.assertNotRegex(self.run_at_a_terminal(TERM="xterm-256color", NO_COLOR="1"), "\033\\[[0-9;]*m")

    def test_dumb_terminal_gets_plain_lines(self):
        self.assertNotIn("\033", self.run_at_a_terminal(TERM="dumb"))

    def test_terminal_that_takes_nothing_does_not_hold_up_the_run(self):
        plan = self.plan(
            "plan: much\nsummary: prints much\nsteps:\n  a:\n    uses: exec\n"
            "    with: {argv: [seq, '1', '300000']}\n"
        )
        terminal = Terminal(self, "run", plan, TERM="xterm-256color")
        self.wait_for_event("run_ended", timeout_s=60)
        terminal.wait_for("lines were not shown")
        self.assertEqual(terminal.wait(), 0)
        terminal.close()


class LogsTest(DrctlTest):
    def setUp(self):
        super().setUp()
        self.drctl("run", self.plan(SIDE_BY_SIDE))

    def test_all_steps_merged_by_time(self):
        stamps = []
        for line in self.drctl("logs", "last", "--timestamps").stdout.splitlines():
            stamp, mark, _ = line.split(" ", 2)
            self.assertIn(mark, ("|", "-"))
            stamps.append(stamp)
        self.assertEqual(len(stamps), 8 + 8 + 1 + 1)
        self.assertEqual(stamps, sorted(stamps))

    def test_one_step_and_attempt(self):
        lines = self.drctl("logs", "last", "left").stdout.splitlines()
        self.assertEqual([line.split()[-1] for line in lines], list("12345678"))
        self.assertEqual(self.drctl("logs", "last", "left", "--attempt", "2").stdout, "")

    def test_json(self):
        lines = self.drctl("logs", "last", "right", "--output", "json").stdout.splitlines()
        first = json.loads(lines[0])["output"]
        self.assertEqual((first["step"], first["stream"], first["text"]), ("right", "stderr", "right 1"))

    def test_unknown_step_is_a_usage_error_with_the_likely_one(self):
        self.assertIn("did you mean right?", self.drctl("logs", "last", "rigth", status=2).stderr)

    def test_reader_that_goes_away_early_is_no_trouble(self):
        result = subprocess.run(
            f"{program('drctl')} logs last | head -1",
            shell=True, capture_output=True, text=True, env=self.environment, timeout=60,
        )
        self.assertEqual(len(result.stdout.splitlines()), 1)
        self.assertEqual(result.stderr, "")


class ReportTest(DrctlTest):
    PLAN = (
        "plan: shop\nsummary: bring the shop back\n"
        "objectives:\n  - {component: Shop, rto: 1h, rpo: 5m}\nsteps:\n"
        "  age:\n    uses: note\n    with: {kind: data.age, text: restored, values: {component: Shop, age_s: 60}}\n"
        "  ask:\n    uses: approval\n    with: {text: 'Open <the> shop?'}\n"
    )

    def setUp(self):
        super().setUp()
        self.drctl("run", self.plan(self.PLAN), "--approve", "ask")

    def test_markdown_from_the_journal_alone(self):
        review = self.drctl("report", "last").stdout
        self.assertRegex(review, r"\| Shop \| 1h00m \| \S+ \| met \| 5m00s \| 1m00s \| met \|")
        self.assertIn("tester@example", review)
        self.assertEqual(review.count("- ["), 5)

    def test_html_is_one_page_with_everything_escaped(self):
        page = self.drctl("report", "last", "--format", "html").stdout
        self.assertIn("Open &lt;the&gt; shop?", page)
        self.assertNotIn("<the>", page)

    def test_json(self):
        review = json.loads(self.drctl("report", "last", "--format", "json").stdout)
        self.assertEqual([entry["who"] for entry in review["decisions"]], ["tester@example"])

    def test_unknown_format_is_a_usage_error(self):
        self.drctl("report", "last", "--format", "pdf", status=2)


class RunbookTest(DrctlTest):
    PLAN = (
        "plan: move\nsummary: move it\ninputs:\n  to: {type: region}\n"
        "env: {AWS_REGION: '${{ inputs.to }}'}\nsteps:\n"
        "  look:\n    uses: aws\n    with: {service: ec2, operation: describe-vpcs, options: {vpc_ids: [vpc-1, vpc-2]}, region: '${{ inputs.to }}'}\n"
        "  tell:\n    uses: exec\n    with: {argv: [echo, 'it is ${{ steps.look.outputs.result }} in ${{ inputs.to }}']}\n"
    )

    def test_commands_are_spelled_out_with_what_inputs_settle(self):
        text = self.drctl("runbook", self.plan(self.PLAN), "--input", "to=us-west-2").stdout
        self.assertIn("export AWS_REGION='us-west-2'", text)
        self.assertIn("aws ec2 describe-vpcs --vpc-ids vpc-1 vpc-2 --region us-west-2", text)
        self.assertIn("echo 'it is <steps.look.outputs.result> in us-west-2'", text)

    def test_without_inputs_they_stay_open(self):
        text = self.drctl("runbook", self.plan(self.PLAN)).stdout
        self.assertIn("--region '<inputs.to>'", text)

    def test_invalid_plan_is_exit_status_3(self):
        self.drctl("runbook", self.plan("plan: x\nsteps: 5\n"), status=3)


class DoctorTest(DrctlTest):
    VERSIONS = {
        "terraform": "Terraform v1.11.4",
        "aws": "aws-cli/2.15.1 Python/3.11 Linux/6.1",
        "kubectl": "Client Version: v1.32.4",
        "git": "git version 2.39.5",
        "mysql": "mysql  Ver 8.0.36 for Linux",
    }

    def setUp(self):
        super().setUp()
        self.tools = self.folder / "tools"
        self.tools.mkdir()
        for name, version in self.VERSIONS.items():
            self.tool(name, f"echo '{version}'")
        self.environment.update(
            PATH=str(self.tools), HOME=str(self.folder), AWS_ACCESS_KEY_ID="AKIAEXAMPLE",
            AWS_SECRET_ACCESS_KEY="never-to-be-seen", DRCTL_SHIM=program("drctl-shim"),
        )

    def tool(self, name: str, script: str):
        (self.tools / name).write_text(f"#!/bin/sh\n{script}\n")
        (self.tools / name).chmod(0o755)

    def findings(self, status: int) -> dict[str, dict]:
        result = self.drctl("doctor", "--output", "json", status=status)
        self.assertNotIn("never-to-be-seen", result.stdout)
        report = json.loads(result.stdout)
        self.assertEqual(report["ready"], status == 0)
        return {finding["name"]: finding for finding in report["findings"]}

    def test_all_there_is_exit_status_0(self):
        found = self.findings(0)
        self.assertIn("1.11.4", found["terraform"]["detail"])
        self.assertEqual(found["AWS credentials"]["status"], "ok")
        self.assertRegex(found["libuv"]["detail"], r"^1\.")

    def test_missing_tool_is_exit_status_4_with_the_way_to_get_it(self):
        (self.tools / "kubectl").unlink()
        found = self.findings(4)
        self.assertEqual(found["kubectl"]["status"], "missing")
        self.assertIn("curl", found["kubectl"]["get"])
        self.assertIn("Not ready", self.drctl("doctor", status=4).stdout)

    def test_old_tool_says_which_version_is_wanted(self):
        self.tool("terraform", "echo 'Terraform v1.9.8'")
        found = self.findings(4)
        self.assertEqual(found["terraform"]["status"], "old")
        self.assertIn("at least 1.11.0", found["terraform"]["detail"])

    def test_optional_tool_does_not_matter(self):
        (self.tools / "mysql").unlink()
        self.assertEqual(self.findings(0)["mysql"]["status"], "missing")

    def test_without_credentials_nothing_can_be_done(self):
        del self.environment["AWS_ACCESS_KEY_ID"], self.environment["AWS_SECRET_ACCESS_KEY"]
        for name in ("AWS_PROFILE", "AWS_DEFAULT_PROFILE"):
            self.environment.pop(name, None)
        self.assertEqual(self.findings(4)["AWS credentials"]["status"], "missing")

    def test_missing_shim(self):
        self.environment["DRCTL_SHIM"] = "/nonexistent/drctl-shim"
        self.assertEqual(self.findings(4)["drctl-shim"]["status"], "missing")


if __name__ == "__main__":
    unittest.main()
