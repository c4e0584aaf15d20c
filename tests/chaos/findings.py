"""What a run has seen: broken invariants, faults, recoveries."""

from __future__ import annotations

import threading
import time
from collections import Counter
from dataclasses import dataclass, field


@dataclass
class Findings:
    """Shared by all threads of a run.

    Attributes:
        broken: What must not be, in order; the first one ends the run.
        failed: Set with the first broken invariant.
        faults: Faults that were made, by kind and kind of target.
        fired: Failpoints that ended their process, by name.
        recoveries: (seconds, fault) of each recovery.
        superseded: Faults whose target was hit again before it had recovered.
        memory: (seconds since the start, kind of process, resident MiB), of each process every few seconds.
        errors_until: Until when an API may answer that it has an internal error, as it is made to raise one.
    """

    broken: list[str] = field(default_factory=list)
    failed: threading.Event = field(default_factory=threading.Event)
    faults: Counter[tuple[str, str]] = field(default_factory=Counter)
    fired: Counter[str] = field(default_factory=Counter)
    recoveries: list[tuple[float, str]] = field(default_factory=list)
    superseded: int = 0
    memory: list[tuple[float, str, float]] = field(default_factory=list)
    errors_until: float = 0.0
    _began: float = field(default_factory=time.monotonic)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def broke(self, what: str) -> None:
        """Notes a broken invariant."""
        with self._lock:
            self.broken.append(f"{time.monotonic() - self._began:.1f} s: {what}")
        self.failed.set()

    def resident(self, kind: str, mib: float) -> None:
        """Notes how much memory a process has."""
        with self._lock:
            self.memory.append((time.monotonic() - self._began, kind, mib))

    def made(self, kind: str, target: str) -> None:
        """Notes a fault."""
        with self._lock:
            self.faults[kind, target.partition("-")[0]] += 1
