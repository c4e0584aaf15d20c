"""What the services take of the machine with nothing to do."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.benchmarks.control_plane.setups import servers
from tests.benchmarks.results import Results
from tests.support.processes import cpu_seconds, resident_mib, with_children
from tests.support.stack import Stack

#: A trainer process loads its libraries meanwhile.
_SETTLE_S = 30.0
_WATCHED_S = 20.0


@contextmanager
def _services() -> Iterator[Mapping[str, int]]:
    """The three services as users start them; their processes by name."""
    with (
        tempfile.TemporaryDirectory() as name,
        servers(Path(name)) as (postgres, rabbitmq),
        Stack(Path(name), database_url=postgres.url, broker_url=rabbitmq.add_vhost("idle"), slots=1) as stack,
    ):
        yield {
            "API": stack.api.process.pid,
            "scheduler": stack.schedulers[0].process.pid,
            "worker, with its trainer process": stack.workers[0].process.pid,
        }


def measure() -> Results:
    """The table."""
    rows = []
    total = 0.0
    with _services() as services:
        time.sleep(_SETTLE_S)
        processes = {name: with_children(pid) for name, pid in services.items()}
        used = {name: cpu_seconds(pids) for name, pids in processes.items()}
        time.sleep(_WATCHED_S)
        for name, pids in processes.items():
            share = (cpu_seconds(pids) - used[name]) / _WATCHED_S
            total += share
            rows.append([name, f"{share:.2%}", f"{resident_mib(services[name]):.0f}"])
    rows.append(["together", f"{total:.2%}", ""])
    tick_ms = 1000 // os.sysconf("SC_CLK_TCK")
    notes = [
        f"No job, one slot, PostgreSQL and RabbitMQ, {_WATCHED_S:.0f} s; the clock ticks every {tick_ms} ms. Memory is "
        "that of the service's own process. Aim: together below 1% of a core, API and scheduler below 150 MiB each.",
    ]
    return Results("bench idle", "The services with nothing to do", ["service", "of a core", "MiB"], rows, notes)
