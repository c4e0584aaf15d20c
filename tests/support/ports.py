"""TCP ports for servers of the tests, which may be down for a while and want their port back."""

from __future__ import annotations

import contextlib
import random
import socket

#: Below the ports that systems give to outgoing connections: one of those could take the port of a server that is down.
_PORTS = range(10_000, 32_768)


def free_ports(count: int) -> list[int]:
    """Different ports that nobody listens on."""
    ports: list[int] = []
    for port in random.SystemRandom().sample(_PORTS, len(_PORTS)):  # not seeded: test processes draw apart
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            ports.append(port)
        if len(ports) == count:
            return ports
    raise AssertionError(f"fewer than {count} free ports")


def free_port() -> int:
    """A port that nobody listens on."""
    return free_ports(1)[0]
