"""The application that a load balancer's name leads to, one address for each region.

It is healthy only where it really could run: the region is not cut off, a Deployment in one of the
region's clusters is available, and the database that its settings name is there: the name is
followed through the zone, as the application's own resolver would do. /healthz says which region
and which database served the answer.
"""

from __future__ import annotations

from typing import Any, Protocol

from . import addresses, zones
from .httpserver import Handler, Server
from .emulator import Moto, MotoError
from .record import Record
from .rules import Rules

DATABASE_NAMES = ("DATABASE_HOST", "DB_HOST", "MYSQL_HOST")


class Cluster(Protocol):
    """What this needs of the Kubernetes side."""

    def available(self, region: str) -> list[dict[str, Any]]: ...
    def accounts(self, region: str) -> set[str]: ...
    def settings(self, region: str) -> dict[str, str]: ...


class Application:
    """One small server for each region, all on the same port."""

    def __init__(self, moto: Moto, names: zones.Zones, kubernetes: Cluster, rules: Rules,
                 record: Record) -> None:
        self.moto, self.names, self.kubernetes = moto, names, kubernetes
        self.rules, self.record = rules, record
        application = self

        class ApplicationHandler(_Handler):
            owner = application

        self.port, self._servers = self._bind(ApplicationHandler)

    @staticmethod
    def _bind(handler: type[Handler]) -> tuple[int, list[Server]]:
        for _ in range(50):
            servers: list[Server] = []
            port = 0
            try:
                for region in addresses.REGIONS:
                    servers.append(Server((addresses.application(region), port), handler))
                    port = servers[0].server_port
                return port, servers
            except OSError:
                for server in servers:
                    server.server_close()
        raise OSError("no port is free for the application on all its addresses")

    def start(self) -> None:
        for server in self._servers:
            server.start()

    def stop(self) -> None:
        for server in self._servers:
            server.stop()

    def urls(self) -> dict[str, str]:
        return {region: f"http://{addresses.application(region)}:{self.port}/healthz"
                for region in addresses.REGIONS}

    def health(self, region: str) -> tuple[int, dict[str, Any]]:
        """Status and body of /healthz in one region."""
        deployments = self.kubernetes.available(region)
        facts: dict[str, Any] = {"region": region, "status": "ok", "database": "",
                                 "deployments": [d["metadata"]["name"] for d in deployments]}
        if not deployments:
            return 503, facts | {"status": "no deployment is available"}
        try:
            host = self._database_host(region)
            home = addresses.region_in(host) or region
            if home in self.rules.cut_regions():
                return 503, facts | {"database": host, "status": f"the database is in {home}, "
                                     "which is cut off"}
            instances = self._databases(home, self.kubernetes.accounts(region))
        except (MotoError, OSError) as error:
            return 503, facts | {"status": f"no database: {error}"}
        if host not in instances:
            return 503, facts | {"database": host, "status": "the database is not there"}
        return 200, facts | {"database": host, "instance": instances[host]}

    def _database_host(self, region: str) -> str:
        """Where the applications of a region look for their database, its aliases followed."""
        settings = self.kubernetes.settings(region)
        wanted = next((settings[name] for name in DATABASE_NAMES if settings.get(name)), "")
        host = wanted.partition(":")[0].rstrip(".")
        if host and not host.endswith(".amazonaws.com"):
            answer = zones.resolve(self.names.at(), [], host, "A")
            names = [v for _, kind, _, v in answer.records if kind == "CNAME"]
            host = names[-1].rstrip(".") if names else host
        return host

    def _databases(self, region: str, accounts: set[str]) -> dict[str, str]:
        """Endpoint address of each available instance of the accounts, with its identifier."""
        found = {}
        for account in accounts:
            moto = Moto(self.moto.port, self.moto.host, account=account)
            for instance in moto.query("rds", region, "DescribeDBInstances").iter("DBInstance"):
                if instance.findtext("DBInstanceStatus") == "available":
                    address = instance.findtext("Endpoint/Address") or ""
                    found[address] = instance.findtext("DBInstanceIdentifier") or ""
        return found


class _Handler(Handler):
    owner: Application

    def do_GET(self) -> None:
        region = addresses.region_of(self.connection.getsockname()[0])
        refused = region in self.owner.rules.cut_regions()
        entry = self.owner.record.add(
            service="app", operation="GET", region=region, regions={region: "address"},
            method="GET", path=self.path, query="", refused=refused, status=0, ms=0.0,
            reason=f"{region} is cut off (address)" if refused else "",
            agent=self.headers.get("User-Agent", ""))
        if refused:
            self.drop()
            return
        status, facts = self.owner.health(region)
        entry["status"] = status
        self.answer_json(status, facts)

    do_HEAD = do_GET
