"""The one long-lived process of a sandbox: moto's parent, and all servers in threads.

sandbox.json names this process as soon as it runs and moto as soon as that runs, so that `down`
finds both after a start that failed half-way. "ready" is set last.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

from . import emulator
from .admin import Admin
from .ages import Ages
from .app import Application
from .dns import DnsServer
from .eks import Clusters
from .gaps import Gaps
from .gateway import Gateway
from .kubernetes.server import Kubernetes
from .paths import Layout
from .processes import identify, start_time
from .record import Record
from .repository import GitHost
from .rules import Rules
from .zones import Zones


class Daemon:
    """All parts of one sandbox, in the order in which they need each other."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self._stop = threading.Event()
        self._description: dict[str, Any] = layout.read() | {
            "ready": False, "processes": {"daemon": identify(os.getpid()).as_json()}}
        layout.write(self._description)
        self.rules = Rules()
        self.record = Record(layout.requests)
        log = layout.logs / "moto.log"
        self._child = emulator.start(log)
        try:
            start = start_time(self._child.pid)
            if start is not None:  # else it ended at once, which _assemble explains
                self._description["processes"]["moto"] = {"pid": self._child.pid, "start": start}
                layout.write(self._description)
            self._assemble(log)
        except BaseException:
            self._child.kill()
            self._child.wait()
            raise

    def _assemble(self, log: Path) -> None:
        layout = self.layout
        self.kubernetes = Kubernetes(layout.certificates, self.rules, self.record)
        self.moto = emulator.Moto(emulator.wait_for_port(self._child, log))
        self.gateway = Gateway(self.moto, self.rules, self.record)
        self.clusters = Clusters(self.kubernetes)
        self.ages = Ages()
        self.gaps = Gaps(self.moto)
        self.gateway.adapters += [self.clusters.adapt, self.ages.adapt, self.gaps.adapt]
        self.gateway.substitutes.append(self.gaps.answer)
        self.zones = Zones(self.moto)
        self.gateway.before_change.append(self.zones.before_change)
        self.dns = DnsServer(self.zones)
        self.app = Application(self.moto, self.zones, self.kubernetes, self.rules, self.record)
        self.git = GitHost(layout.git)
        self.admin = Admin(self)

    def start(self) -> None:
        """Starts every server and tells the world where they are."""
        for part in (self.gateway.server, self.kubernetes, self.dns, self.app, self.git.server,
                     self.admin.server):
            part.start()
        self._description |= {"ready": True, "ports": self._ports(), "urls": self._urls()}
        self.layout.write(self._description)

    def _ports(self) -> dict[str, int]:
        return {"moto": self.moto.port, "gateway": self.gateway.port,
                "admin": self.admin.server.server_port, "kubernetes": self.kubernetes.port,
                "dns": self.dns.port, "app": self.app.port, "git": self.git.server.server_port}

    def _urls(self) -> dict[str, Any]:
        ports = self._ports()
        local = {name: f"http://127.0.0.1:{ports[name]}" for name in ("moto", "gateway", "admin")}
        return local | {"kubernetes": f"https://127.0.0.1:{ports['kubernetes']}",
                        "git": self.git.urls(), "app": self.app.urls(),
                        "name_servers": self.dns.addresses()}

    def status(self) -> dict[str, Any]:
        """What `status` shows beside the processes."""
        return {"requests": len(self.record.select()),
                "refused": len(self.record.select(refused=True)),
                "cut": self.rules.cut_regions(), "rules": self.rules.listing(),
                "git": {name: self.git.is_up(name) for name in ("primary", "mirror")},
                "clusters": self.kubernetes.summary(), "stalled": self.kubernetes.stalled(),
                "dns_lag": self.dns.lags()}

    def request_stop(self) -> None:
        self._stop.set()

    def run(self) -> int:
        """Serves until told to stop or until moto dies; returns the exit status."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self.request_stop())
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        while not self._stop.wait(0.5):
            if self._child.poll() is not None:
                return 1
        return 0

    def close(self) -> None:
        """Stops the servers and moto; safe to call at any time after __init__."""
        self.rules.close()
        for part in (self.admin.server, self.gateway.server, self.kubernetes, self.dns, self.app,
                     self.git.server):
            part.stop()
        self._child.terminate()
        try:
            self._child.wait(3)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()
        self.record.close()


def serve(layout: Layout) -> int:
    """The body of the hidden verb `serve`."""
    # A stop during the start unwinds it, so that moto does not stay behind.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    daemon = Daemon(layout)
    try:
        daemon.start()
        return daemon.run()
    finally:
        daemon.close()
