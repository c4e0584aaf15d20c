"""Gathers the lines of an attempt's log and reports them a few at a time, whatever the trainer writes.

There is one report on its way at a time, and at most one a second. What comes faster than that is dropped, the oldest
first, and the positions of the lines show how much.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from hrnn_tuner.domain.clock import Clock, utc_now
from worker_service.log_lines import Source

#: Most that waits, and so the most that one report carries.
MAX_PENDING_BYTES = 64 * 1024
#: Seconds between two reports; no line waits longer while the broker takes them.
INTERVAL_S = 1.0


@dataclass(frozen=True)
class Line:
    """A line; ``position`` is the number of bytes of the attempt's log before it."""

    position: int
    at: datetime
    source: Source
    text: str

    @property
    def size(self) -> int:
        """Its length in bytes, with its end."""
        return len(self.text.encode()) + 1


class LogBuffer:
    """The lines of one attempt that were not reported yet. Thread-safe."""

    def __init__(
        self,
        report: Callable[[Sequence[Line]], None],
        *,
        wake: Callable[[], None],
        clock: Callable[[], float] = time.monotonic,
        now: Clock = utc_now,
    ) -> None:
        """Takes its surroundings.

        Args:
            report: Sends lines; `confirmed` follows.
            wake: Makes the thread that calls `flush_if_due` look at `deadline`.
            clock: Monotonic seconds.
            now: The time of day.
        """
        self._report = report
        self._wake = wake
        self._clock = clock
        self._now = now
        self._lock = threading.Lock()
        self._lines: deque[Line] = deque()
        self._bytes = 0
        self._position = 0
        self._under_way = 0
        self._next_at = float("-inf")

    @property
    def deadline(self) -> float | None:
        """When `flush_if_due` has something to do, by the clock; None for not until it is woken."""
        with self._lock:
            return self._next_at if self._lines and not self._under_way else None

    def add(self, source: Source, text: str) -> None:
        """Takes a line."""
        with self._lock:
            line = Line(self._position, self._now(), source, text)
            self._position += line.size
            self._lines.append(line)
            self._bytes += line.size
            while self._bytes > MAX_PENDING_BYTES:
                self._bytes -= self._lines.popleft().size
            first = len(self._lines) == 1
        if first:
            self._wake()

    def flush_if_due(self) -> None:
        """Reports what waits, when it is time."""
        deadline = self.deadline
        if deadline is not None and self._clock() >= deadline:
            self.flush()

    def flush(self) -> None:
        """Reports what waits."""
        with self._lock:
            lines = list(self._lines)
            self._lines.clear()
            self._bytes = 0
            self._next_at = self._clock() + INTERVAL_S
            self._under_way += bool(lines)
        if lines:
            self._report(lines)

    def confirmed(self) -> None:
        """A report has arrived."""
        with self._lock:
            self._under_way -= 1
            waiting = bool(self._lines)
        if waiting:
            self._wake()
