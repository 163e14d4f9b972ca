"""Which loopback address stands for what: applications of a region, name servers of a zone.

All of 127.0.0.0/8 is this machine on Linux, so each region has an address of its own and a client
that follows DNS reaches the right one; ports differ between sandboxes, addresses do not.
"""

from __future__ import annotations

from .awsrequest import REGION

REGIONS = ("us-east-1", "us-east-2", "us-west-1", "us-west-2", "ca-central-1", "eu-west-1",
           "eu-central-1", "ap-southeast-2")
RESOLVER = "127.0.0.1"
NAME_SERVERS = ("127.0.0.2", "127.0.0.3", "127.0.0.4", "127.0.0.5")


def application(region: str) -> str:
    """The address at which a region's load balancers and databases are found ("" if unknown)."""
    return f"127.0.1.{REGIONS.index(region) + 1}" if region in REGIONS else ""


def region_of(address: str) -> str:
    """The region whose applications have this address, or ""."""
    prefix, _, last = address.rpartition(".")
    number = int(last) - 1
    return REGIONS[number] if prefix == "127.0.1" and 0 <= number < len(REGIONS) else ""


def region_in(name: str) -> str:
    """The region that a host name of AWS contains, or ""."""
    for label in name.split("."):
        if REGION.fullmatch(label):
            return label
    return ""
