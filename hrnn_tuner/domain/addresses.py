"""Whether an address is this machine's own, so that what goes there passes no network."""

from __future__ import annotations

import ipaddress
import re

_SCHEME = re.compile(r"(?:dns:(?://[^/]*/)?|ipv4:|ipv6:)")


def is_loopback(address: str) -> bool:
    """Whether ``host:port``, or a target as gRPC writes it, is reached from this machine only."""
    if address.startswith(("unix:", "unix-abstract:")):
        return True
    target = _SCHEME.sub("", address, count=1)
    return all(_is_loopback_host(part.rpartition(":")[0]) for part in target.split(","))


def _is_loopback_host(host: str) -> bool:
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"
