"""How long targets take to make progress again after a fault, while other faults go on."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from hrnn_tuner.domain.clock import Clock, utc_now
from tests.chaos.cluster import REAL_WORKER
from tests.chaos.findings import Findings
from tests.chaos.schedule import APIS, BROKER, DATABASE, SCHEDULERS, WORKERS, Fault

#: Those that most tuning jobs need.
SYNTHETIC_WORKERS = tuple(name for name in WORKERS if name != REAL_WORKER)


@dataclass
class Wait:
    """A target that should make progress again.

    Attributes:
        fault: What it should recover from.
        since: Progress after this time counts.
        began: From when on no other fault keeps it from making progress.
        beside: Other faults that began or ended meanwhile.
    """

    fault: Fault
    since: datetime
    began: float
    beside: list[str] = field(default_factory=list)


class Recoveries:
    """Keeps account of targets that recover. Thread-safe.

    Args:
        findings: What takes note of recoveries.
        clock: The time of day, with which progress is compared.
        timer: Seconds, for durations.
    """

    def __init__(
        self, findings: Findings, *, clock: Clock = utc_now, timer: Callable[[], float] = time.monotonic
    ) -> None:
        self._findings = findings
        self._clock = clock
        self._timer = timer
        self._waits: dict[str, Wait] = {}
        self._at_fault: set[str] = set()
        self._lock = threading.Lock()

    def begins(self, fault: Fault) -> None:
        """A target is hit: its recovery from an earlier fault cannot be told any more."""
        with self._lock:
            self._at_fault.add(fault.target)
            self._findings.superseded += self._waits.pop(fault.target, None) is not None
            for wait in self._waits.values():
                wait.beside.append(f"{fault.kind} {fault.target} began")

    def ended(self, fault: Fault) -> None:
        """A fault is over: its target should recover."""
        with self._lock:
            self._hold_up()  # nobody may have looked since it began: without a database nothing can be seen
            self._at_fault.discard(fault.target)
            for wait in self._waits.values():
                wait.beside.append(f"{fault.kind} {fault.target} ended")
            self._waits[fault.target] = Wait(fault, self._clock(), self._timer())

    def waits(self) -> dict[str, Wait]:
        """The targets that have not recovered; for what other faults hold up, the time begins anew."""
        with self._lock:
            self._hold_up()
            return dict(self._waits)

    def progressed(self, wait: Wait) -> None:
        """A target makes progress again, unless it was hit anew meanwhile."""
        target, seconds = wait.fault.target, self._timer() - wait.began
        with self._lock:
            if self._waits.get(target) is wait:
                del self._waits[target]
                beside = f" ({', '.join(wait.beside)})" if wait.beside else ""
                what = f"{wait.fault.kind} {target} {wait.fault.argument}".rstrip()
                self._findings.recoveries.append((seconds, what + beside))

    def overdue(self, seconds: float) -> Wait | None:
        """A target that has not recovered for longer than that, if there is one."""
        with self._lock:
            return next((wait for wait in self._waits.values() if self._timer() - wait.began > seconds), None)

    def _hold_up(self) -> None:
        """Those that other faults keep from progress begin anew; needs the lock."""
        for target, wait in self._waits.items():
            if self._held_up(target):
                wait.began = self._timer()

    def _held_up(self, target: str) -> bool:
        """Whether other faults keep a target from progress that can be seen.

        All need broker and database. A worker is heard of through a scheduler. For everything else, some tuning job has
        to go on: that takes a scheduler, a worker, and an API through which tuning jobs are created.
        """
        if self._at_fault & {BROKER, DATABASE}:
            return True
        if target in APIS:
            return False
        if self._at_fault.issuperset(SCHEDULERS):
            return True
        away = self._at_fault | (set(self._waits) - {target})
        return target not in WORKERS and (away.issuperset(APIS) or away.issuperset(SYNTHETIC_WORKERS))
