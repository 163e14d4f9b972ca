"""What the end-to-end tests share: a drctl of their own, with a state directory of its own, driven
as a person drives it.

DRCTL_BUILD_DIR names the build whose bin/drctl is tested.
"""

from __future__ import annotations

import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]


def program(name: str) -> str:
    """A program of the build under test."""
    build = os.environ.get("DRCTL_BUILD_DIR")
    if build is None:
        raise unittest.SkipTest("DRCTL_BUILD_DIR is not set")
    path = pathlib.Path(build) / "bin" / name
    if not path.exists():
        raise AssertionError(f"{path} was not built")
    return str(path)


def wait_until(condition, what: str, timeout_s: float = 30.0):
    """Waits for something that no event tells a test about; gives what condition() gave."""
    end = time.monotonic() + timeout_s
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"timed out: {what}")
        time.sleep(0.02)


def events_of(journal: pathlib.Path) -> list[dict]:
    """The whole events of a journal; a line that is being written is left out."""
    if not journal.exists():
        return []
    lines = journal.read_bytes().split(b"\n")
    return [json.loads(line) for line in lines[:-1]]


class DrctlTest(unittest.TestCase):
    """A test with a folder, a state directory and a drctl."""

    maxDiff = None

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="drctl-e2e-"))
        self.state = self.folder / "state"
        self.environment = dict(os.environ)
        self.environment.update(
            DRCTL_STATE_DIR=str(self.state),
            DRCTL_OPERATOR="tester@example",
            DRCTL_PLANS=str(ROOT / "plans"),
        )
        self.children: list[subprocess.Popen] = []
        self.addCleanup(self._clean_up)

    def _clean_up(self):
        for child in self.children:
            if child.poll() is None:
                child.kill()
            child.wait()
            for stream in (child.stdout, child.stderr, child.stdin):
                if stream is not None:
                    stream.close()
        self.kill_everything()
        shutil.rmtree(self.folder, ignore_errors=True)

    def plan(self, text: str, name: str = "plan.yaml") -> str:
        path = self.folder / name
        path.write_text(text)
        return str(path)

    def drctl(self, *arguments: str, status: int | None = 0, **options) -> subprocess.CompletedProcess:
        """Runs drctl to its end and checks its exit status (None: any)."""
        options.setdefault("timeout", 120)
        options.setdefault("stdin", subprocess.DEVNULL)
        result = subprocess.run(
            [program("drctl"), *arguments],
            capture_output=True,
            text=True,
            errors="replace",
            env=self.environment,
            cwd=self.folder,
            **options,
        )
        if status is not None and result.returncode != status:
            self.fail(
                f"drctl {' '.join(arguments)} ended with {result.returncode}, not {status}\n"
                f"--- stdout\n{result.stdout}\n--- stderr\n{result.stderr}"
            )
        return result

    def start(self, *arguments: str, **options) -> subprocess.Popen:
        """Starts drctl in a session of its own and goes on."""
        log = open(self.folder / f"drctl-{len(self.children)}.log", "wb")
        child = subprocess.Popen(
            [program("drctl"), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            env=self.environment,
            cwd=self.folder,
            start_new_session=True,
            **options,
        )
        log.close()
        self.children.append(child)
        return child

    def output_of(self, child: subprocess.Popen) -> str:
        return (self.folder / f"drctl-{self.children.index(child)}.log").read_text(errors="replace")

    # --- runs ---------------------------------------------------------------------------------

    def run_directories(self) -> list[pathlib.Path]:
        runs = self.state / "runs"
        return sorted(runs.iterdir(), key=lambda path: path.name[-20:]) if runs.exists() else []

    def run_directory(self) -> pathlib.Path:
        """The directory of the only run, or the latest."""
        return wait_until(self.run_directories, "a run directory")[-1]

    def events(self, directory: pathlib.Path | None = None) -> list[dict]:
        return events_of((directory or self.run_directory()) / "journal.jsonl")

    def wait_for_event(self, type_: str, timeout_s: float = 30.0, **fields) -> dict:
        def find():
            for event in self.events():
                if event["type"] == type_ and all(event.get(k) == v for k, v in fields.items()):
                    return event
            return None

        return wait_until(find, f"event {type_} {fields}", timeout_s)

    def wait_for_line(self, text: str, timeout_s: float = 30.0):
        """Waits until a line with the text stands in some output.log of the run."""
        return wait_until(lambda: any(text in line for line in self.lines()), f"output {text!r}", timeout_s)

    def lines(self, directory: pathlib.Path | None = None) -> list[str]:
        """The texts of all lines that the run's children printed."""
        texts = []
        for log in sorted((directory or self.run_directory()).glob("steps/**/output.log")):
            for record in log.read_text(errors="replace").splitlines():
                texts.append(record.split(" ", 3)[3] if record.count(" ") >= 3 else record)
        return texts

    def outcome(self) -> str | None:
        ends = [event for event in self.events() if event["type"] == "run_ended"]
        return ends[-1]["outcome"] if ends else None

    # --- processes ----------------------------------------------------------------------------

    def processes(self) -> list[tuple[int, str]]:
        """What runs now and belongs to this test's state directory: (pid, command line)."""
        marker = str(self.folder).encode()
        found = []
        for entry in pathlib.Path("/proc").iterdir():
            if not entry.name.isdigit() or int(entry.name) == os.getpid():
                continue
            try:
                command = (entry / "cmdline").read_bytes()
                environment = (entry / "environ").read_bytes()
                state = (entry / "stat").read_text().rsplit(")", 1)[1].split()[0]
            except OSError:
                continue
            if state != "Z" and (marker in command or marker in environment):
                found.append((int(entry.name), command.replace(b"\0", b" ").decode(errors="replace")))
        return found

    def kill_everything(self):
        for pid, _ in self.processes():
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass

    def kill(self, child: subprocess.Popen, signal_number: int = signal.SIGKILL) -> int:
        child.send_signal(signal_number)
        return child.wait(timeout=60)
