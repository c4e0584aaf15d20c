"""Where the processor time of a cycle goes, and how long this machine takes to make data durable."""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.support.processes import cpu_seconds, with_children

_SYNCS = 100
_PAGE = b"x" * 8192


@dataclass(frozen=True)
class Profile:
    """What was used per cycle.

    Attributes:
        cpu_ms: Processor time by process, its children included, in milliseconds.
        busy_cores: Cores of the machine that were busy with anything.
    """

    cpu_ms: Mapping[str, float]
    busy_cores: float


class Profiler:
    """Measures from its making on."""

    def __init__(self, processes: Mapping[str, int]) -> None:
        """Takes the processes by name; servers with their children."""
        self._processes = processes
        self._began = time.monotonic()
        self._used = self._now()
        self._busy = _busy_seconds()

    def per_cycle(self, cycles: int) -> Profile:
        """What was used since then."""
        now = self._now()
        busy = (_busy_seconds() - self._busy) / (time.monotonic() - self._began)
        return Profile({name: 1000 * (now[name] - self._used[name]) / max(1, cycles) for name in now}, busy)

    def _now(self) -> dict[str, float]:
        """Processor time so far; a child that has ended in between is missing."""
        return {name: cpu_seconds(with_children(pid)) for name, pid in self._processes.items()}


def sync_ms() -> float:
    """How long a page takes to reach the disk, the median."""
    with tempfile.NamedTemporaryFile(dir=Path(tempfile.gettempdir())) as file:
        times = []
        for _ in range(_SYNCS):
            file.write(_PAGE)
            file.flush()
            began = time.perf_counter()
            os.fdatasync(file.fileno())
            times.append(time.perf_counter() - began)
    return 1000 * statistics.median(times)


def _busy_seconds() -> float:
    """Processor time of the whole machine that was not idle."""
    fields = [int(field) for field in Path("/proc/stat").read_text().splitlines()[0].split()[1:9]]
    idle = fields[3] + fields[4]
    return (sum(fields) - idle) / os.sysconf("SC_CLK_TCK")
