"""Makes the clusters that moto invents real: each gets a Kubernetes API of its own.

Moto reports a made-up endpoint and certificate; in answers to DescribeCluster and CreateCluster
they become those of our API. A cluster that is deleted takes its objects with it.
"""

from __future__ import annotations

import json
from typing import Any, Protocol

from .awsrequest import AwsRequest


class Host(Protocol):
    """What this needs of the Kubernetes side."""

    def endpoint(self, account: str, region: str, name: str) -> str: ...
    def authority(self) -> str: ...
    def create(self, account: str, region: str, name: str) -> None: ...
    def remove(self, account: str, region: str, name: str) -> None: ...


class Clusters:
    """Adapter for answers of the EKS API."""

    def __init__(self, host: Host) -> None:
        self._host = host

    def adapt(self, request: AwsRequest, status: int, body: bytes) -> bytes:
        """The answer with endpoint and certificate authority of the real stand-in."""
        if request.service != "eks" or status != 200 or \
                request.operation not in ("DescribeCluster", "CreateCluster", "DeleteCluster"):
            return body
        answer = json.loads(body)
        cluster = answer.get("cluster", {})
        if "arn" not in cluster:
            return body
        account, region, name = self._identity(cluster)
        if request.operation == "DeleteCluster":
            self._host.remove(account, region, name)
            return body
        self._host.create(account, region, name)
        cluster["endpoint"] = self._host.endpoint(account, region, name)
        cluster["certificateAuthority"] = {"data": self._host.authority()}
        return json.dumps(answer).encode()

    @staticmethod
    def _identity(cluster: dict[str, Any]) -> tuple[str, str, str]:
        _, _, _, region, account, rest = cluster["arn"].split(":", 5)
        return account, region, rest.partition("/")[2]
