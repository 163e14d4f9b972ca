"""The verbs of the `sandbox` command."""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any, Callable
from urllib.parse import quote, urlencode

from . import daemon, lifecycle, replay, seed
from .emulator import MotoError
from .lifecycle import SandboxError, admin
from .paths import Layout
from .processes import alive
from .rules import HOW

EXAMPLE = Path(__file__).resolve().parent.parent / "maestrohwithit"


def _layout(options: argparse.Namespace) -> Layout:
    folder = options.dir or os.environ.get("SANDBOX_DIR")
    if not folder:
        raise SandboxError("which sandbox? give --dir DIR or set SANDBOX_DIR")
    return Layout(Path(folder).resolve())


def up(options: argparse.Namespace) -> None:
    layout = _layout(options)
    site = Path(options.site).resolve()
    lifecycle.up(layout, site, site.parent)
    try:
        try:
            seed.seed(layout, options.seed, site.parent, not options.no_replay)
        except replay.Mismatch as difference:
            print(f"sandbox: not replayed, but really applied: {difference}", file=sys.stderr)
            lifecycle.down(layout)
            lifecycle.up(layout, site, site.parent)
            seed.seed(layout, options.seed, site.parent, replayed=False)
    except BaseException:
        if not options.keep:
            lifecycle.down(layout)
        raise
    print(f"set -a; . {layout.environment}; set +a")


def down(options: argparse.Namespace) -> None:
    stopped = lifecycle.down(_layout(options))
    print(f"{stopped} process{'' if stopped == 1 else 'es'} stopped")


def status(options: argparse.Namespace) -> None:
    layout = _layout(options)
    processes = {name: {"pid": identity.pid, "alive": alive(identity)}
                 for name, identity in lifecycle.identities(layout).items()}
    running = bool(processes) and all(p["alive"] for p in processes.values())
    result: dict[str, Any] = {"running": running, "processes": processes}
    if running:
        result |= admin(layout, "GET", "/status")
    print(json.dumps(result, indent=2))
    if not running:
        sys.exit(1)


def serve(options: argparse.Namespace) -> None:
    sys.exit(daemon.serve(_layout(options)))


def requests(options: argparse.Namespace) -> None:
    wanted = {"region": options.region, "since": options.since, "service": options.service,
              "refused": "1" if options.refused else ""}
    query = urlencode({k: v for k, v in wanted.items() if v})
    entries = admin(_layout(options), "GET", "/requests?" + query)
    if options.json:
        print(json.dumps(entries, indent=2))
        return
    for e in entries:
        mark = "REFUSED" if e["refused"] else str(e["status"])
        print(f"{e['time']} {mark:7} {','.join(e['regions']) or '-':12} {e['service'] or '-':10} "
              f"{e['operation']:32} {e['method']} {e['path']}")


def _call(method: str, path: Callable[[argparse.Namespace], str],
          *fields: str) -> Callable[[argparse.Namespace], None]:
    """A verb that is one call of the admin interface; its fields are the options of that name."""
    def verb(options: argparse.Namespace) -> None:
        given = {f: getattr(options, f) for f in fields if getattr(options, f) is not None}
        print(json.dumps(admin(_layout(options), method, path(options), given)))
    return verb


def _rule_arguments(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("service", help="signing name, e.g. route53; * for any")
    verb.add_argument("operation", help="e.g. ChangeResourceRecordSets; patterns allowed")
    verb.add_argument("--region", help="only requests that depend on this region")
    verb.add_argument("--times", type=int, help="how often (default: without end)")
    verb.add_argument("--after", action="store_true", default=None,
                      help="once moto has carried the request out, before its answer goes back")


def _lifecycle_verbs(add: Callable[..., argparse.ArgumentParser]) -> None:
    verb = add("up", up, "start a sandbox")
    verb.add_argument("--seed", choices=seed.KINDS, default="none")
    verb.add_argument("--site", default=str(EXAMPLE / "site.yaml"),
                      help="site file; its folder becomes the git repository")
    verb.add_argument("--no-replay", action="store_true",
                      help="apply production with terraform even if this machine has a recording")
    verb.add_argument("--keep", action="store_true", help="stay up when seeding fails")
    add("down", down, "stop it")
    add("status", status, "processes, rules, counts as JSON; exit 1 when it does not run")
    add("serve", serve, argparse.SUPPRESS)
    verb = add("requests", requests, "what reached the gateway")
    verb.add_argument("--region", help="that depend on this region")
    verb.add_argument("--since", help="epoch seconds or ISO time")
    verb.add_argument("--service")
    verb.add_argument("--refused", action="store_true")
    verb.add_argument("--json", action="store_true")


def _switch_verbs(add: Callable[..., argparse.ArgumentParser]) -> None:
    verb = add("cut", _call("POST", lambda o: f"/cut/{quote(o.region)}", "how"), "cut a region off")
    verb.add_argument("region")
    verb.add_argument("--how", choices=HOW, help="503, connection reset, or no answer")
    verb = add("restore", _call("POST", lambda o: f"/restore/{quote(o.region)}"), "give it back")
    verb.add_argument("region")
    for name, state in (("git-down", "down"), ("git-up", "up")):
        verb = add(name, _call("POST", lambda o, s=state: f"/git/{s}", "repository"),
                   f"take the git host {state}")
        verb.add_argument("repository", nargs="?", choices=("primary", "mirror"))
    verb = add("k8s-stall", _call("POST", lambda _: "/k8s/stall", "deployment", "on"),
               "keep a Deployment from becoming ready")
    verb.add_argument("deployment")
    verb.add_argument("on", choices=("on", "off"))
    verb = add("dns-lag", _call("POST", lambda _: "/dns/lag", "server", "seconds"),
               "let a name server answer from the past")
    verb.add_argument("server", type=int, help="1 to 4")
    verb.add_argument("seconds", type=float, help="0 ends the lag")
    verb = add("age", _call("POST", lambda _: "/age", "resource", "seconds"),
               "make a snapshot or image look so many seconds old")
    verb.add_argument("resource")
    verb.add_argument("seconds", type=float)


def _rule_verbs(add: Callable[..., argparse.ArgumentParser]) -> None:
    common = ("service", "operation", "region", "times", "after")
    verb = add("fault", _call("POST", lambda _: "/fault", *common, "status", "code", "message",
                              "form"), "answer an error to matching requests")
    _rule_arguments(verb)
    verb.add_argument("status", type=int, help="0 closes the connection without an answer")
    verb.add_argument("code", help="e.g. Throttling")
    verb.add_argument("--message")
    verb.add_argument("--form", choices=("messages",), help="Route 53's older error XML")
    add("fault-clear", _call("DELETE", lambda _: "/fault"), "end all faults")
    verb = add("hold", _call("POST", lambda _: "/hold", *common), "park matching requests")
    _rule_arguments(verb)
    add("release", _call("DELETE", lambda _: "/hold"), "let parked requests go on, end all holds")
    verb = add("slow", _call("POST", lambda _: "/slow", *common, "seconds"), "delay requests")
    _rule_arguments(verb)
    verb.add_argument("seconds", type=float)
    add("slow-clear", _call("DELETE", lambda _: "/slow"), "end all delays")
    verb = add("rewrite", _call("POST", lambda _: "/rewrite", *common, "pattern", "replacement"),
               "change answers by a regular expression")
    _rule_arguments(verb)
    verb.add_argument("pattern")
    verb.add_argument("replacement")
    add("rewrite-clear", _call("DELETE", lambda _: "/rewrite"), "end all rewriting")


def parser() -> argparse.ArgumentParser:
    """The command line."""
    top = argparse.ArgumentParser(prog="sandbox", description="AWS, EKS, DNS and git, all local.")
    verbs = top.add_subparsers(required=True, metavar="VERB")

    def add(name: str, function: Callable[[argparse.Namespace], None],
            text: str) -> argparse.ArgumentParser:
        settings = {} if text == argparse.SUPPRESS else {"help": text}
        verb = verbs.add_parser(name, **settings)
        verb.add_argument("--dir", help="the sandbox's folder (default: $SANDBOX_DIR)")
        verb.set_defaults(function=function)
        return verb

    _lifecycle_verbs(add)
    _switch_verbs(add)
    _rule_verbs(add)
    return top


def main(arguments: list[str]) -> int:
    """Runs one verb; what went wrong is one message and status 1."""
    options = parser().parse_args(arguments)
    try:
        options.function(options)
    except (SandboxError, seed.SeedError, MotoError, OSError) as error:
        print(f"sandbox: {error}", file=sys.stderr)
        return 1
    return 0
