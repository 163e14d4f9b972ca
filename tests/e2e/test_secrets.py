"""A canary for each way in which a secret can enter a run, and the search for it afterwards: in every
file of the state directory, in all that drctl printed, and in the command lines of all processes
while the run was under way."""

import base64
import os
import pathlib
import threading
import unittest
import urllib.parse

from support import DrctlTest

PLAN = """
plan: secretive
summary: it is told secrets in every way
inputs:
  by_file: {type: secret}
  by_variable: {type: secret, env: CANARY_INPUT}
env:
  FROM_FILE: "${{ inputs.by_file }}"
steps:
  prints:
    uses: exec
    with:
      argv: [sh, -c, 'echo "file $FROM_FILE"; echo "input $FROM_VARIABLE" >&2; echo "key $AWS_SECRET_ACCESS_KEY"; printf %s "$FROM_FILE" | base64; cat; sleep 1']
      env: {FROM_VARIABLE: "${{ inputs.by_variable }}"}
      stdin: "on stdin: ${{ inputs.by_file }}"
  splits:
    uses: exec
    with: {argv: [sh, -c, 'printf "%.9s" "$FROM_FILE"; sleep 0.4; printf "%s\\n" "${FROM_FILE#?????????}"']}
  captures:
    uses: exec
    with: {argv: [sh, -c, 'echo "{\\"password\\": \\"$FROM_FILE\\"}"'], capture: json}
  uses-captured:
    uses: exec
    with:
      argv: [sh, -c, 'echo "captured $CAPTURED"']
      env: {CAPTURED: "${{ steps.captures.outputs.stdout.password }}"}
  renders:
    uses: template.render
    with:
      inline: "password = $${{ password }}"
      values: {password: "${{ inputs.by_file }}"}
      to: settings.conf
  clones:
    uses: git.checkout
    on_failure: continue
    with: {url: "${{ default(env.REPO_URL, '') }}", ref: main}
  notifies:
    uses: notify
    on_failure: continue
    with: {webhook: "${{ default(env.WEBHOOK, '') }}", message: done}
  fails-until-mended:
    uses: exec
    with: {argv: [sh, -c, 'echo "failing with $FROM_FILE" >&2; test -e mended']}
"""


class SecretsTest(DrctlTest):
    def setUp(self):
        super().setUp()
        self.canaries = {
            name: f"canary-{name}-{os.urandom(6).hex()}"
            for name in ("file", "variable", "key", "token", "hook")
        }
        self.environment["CANARY_INPUT"] = self.canaries["variable"]
        self.environment["AWS_SECRET_ACCESS_KEY"] = self.canaries["key"]
        self.environment["WEBHOOK"] = f"http://127.0.0.1:1/{self.canaries['hook']}"
        self.environment["REPO_URL"] = f"http://user:{self.canaries['token']}@127.0.0.1:1/repo.git"
        secret = pathlib.Path(self.folder) / "secret"
        secret.write_text(self.canaries["file"] + "\n")
        self.argument = f"by_file={secret}"
        self.seen: set[str] = set()
        self.stop = threading.Event()
        self.watcher = threading.Thread(target=self.watch)
        self.watcher.start()
        self.addCleanup(self.end_watch)

    def watch(self):
        """Command lines of everything that runs; a few of the shortest-lived may be missed."""
        while not self.stop.wait(0.005):
            for entry in pathlib.Path("/proc").iterdir():
                if entry.name.isdigit():
                    try:
                        self.seen.add((entry / "cmdline").read_bytes().decode(errors="replace"))
                    except OSError:
                        pass

    def end_watch(self):
        self.stop.set()
        self.watcher.join()

    def forms(self, canary: str) -> list[str]:
        return [canary, base64.b64encode(canary.encode()).decode().rstrip("="), urllib.parse.quote(canary)]

    def assert_nowhere(self, texts: list[str], allowed: set[pathlib.Path]):
        forms = [(name, form) for name, value in self.canaries.items() for form in self.forms(value)]
        found = []
        for path in self.state.rglob("*"):
            if path.is_file() and path not in allowed:
                content = path.read_bytes().decode(errors="replace")
                found += [f"{name} in {path}" for name, form in forms if form in content]
        for text in [*texts, *self.seen]:
            found += [f"{name} in: {text[:3000]}" for name, form in forms if form in text]
        self.assertEqual(found, [])

    def test_no_canary_is_found_anywhere(self):
        plan = self.plan(PLAN)
        given = ("--secret-file", self.argument)
        results = [self.drctl("run", plan, *given, status=1)]
        self.assertIn("uses-captured", results[0].stdout)
        results.append(self.drctl("resume", "last", *given, "--output", "json", status=1))
        (self.run_directory() / "work" / "mended").touch()
        results.append(self.drctl("resume", "last", *given, status=None))
        results.append(self.drctl("status", "last"))
        results.append(self.drctl("status", "last", "--output", "json", status=None))
        results.append(self.drctl("logs", "last", status=None))
        results.append(self.drctl("journal", "verify", "last"))
        settings = self.run_directory() / "work" / "settings.conf"
        self.assertIn(self.canaries["file"], settings.read_text())
        texts = [result.stdout + result.stderr for result in results]
        self.assertIn("***", texts[0])
        self.assert_nowhere(texts, {settings})

    def test_a_secret_given_on_the_command_line_is_refused_or_hidden(self):
        plan = self.plan(
            "plan: given\nsummary: given\ninputs:\n  word: {type: secret}\nsteps:\n  a:\n    uses: exec\n"
            "    with: {argv: [sh, -c, 'echo \"$W\"'], env: {W: \"${{ inputs.word }}\"}}\n"
        )
        result = self.drctl("run", plan, "--input", f"word={self.canaries['file']}", status=None)
        self.end_watch()
        self.seen = {text for text in self.seen if "--input" not in text}
        self.assert_nowhere([result.stdout + result.stderr], set())

    def test_a_secret_in_an_argument_is_refused(self):
        plan = self.plan(
            "plan: argued\nsummary: argued\ninputs:\n  word: {type: secret, env: CANARY_INPUT}\nsteps:\n"
            "  a:\n    uses: exec\n    with: {argv: [echo, \"${{ inputs.word }}\"]}\n"
        )
        result = self.drctl("run", plan, status=None)
        self.assertNotEqual(result.returncode, 0)
        self.assert_nowhere([result.stdout + result.stderr], set())

    def test_a_secret_in_a_reason_is_hidden(self):
        plan = self.plan(
            "plan: reasons\nsummary: reasons\ninputs:\n  word: {type: secret, env: CANARY_INPUT}\nsteps:\n"
            "  a:\n    uses: approval\n    with: {text: go on?}\n"
        )
        self.drctl("run", plan, status=8)
        why = f"because of {self.canaries['variable']}"
        result = self.drctl("approve", "last", "a", "--why", why, status=None)
        later = self.drctl("resume", "last", status=None)
        self.end_watch()
        self.seen = {text for text in self.seen if "--why" not in text}
        self.assert_nowhere([result.stdout + result.stderr, later.stdout + later.stderr], set())


if __name__ == "__main__":
    unittest.main()
