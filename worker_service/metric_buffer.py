"""Gathers metric points so that fast epochs do not flood the reports queue and slow ones are seen at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from worker_service.messages import Point

#: An epoch is reported at once when the last report is at least this old.
QUIET_S = 0.2
#: No point waits longer.
MAX_WAIT_S = 1.0
MAX_POINTS = 64


class MetricBuffer:
    """The points of one attempt that were not reported yet. Used by one thread."""

    def __init__(self, flush: Callable[[Sequence[Point]], None], clock: Callable[[], float]) -> None:
        """Takes what reports a batch, and a monotonic clock in seconds."""
        self._flush = flush
        self._clock = clock
        self._points: list[Point] = []
        self._flushed_at = float("-inf")
        self._deadline: float | None = None

    @property
    def deadline(self) -> float | None:
        """When `flush` must be called at the latest, by the clock; None with nothing to report."""
        return self._deadline

    def add(self, step: int, metrics: Mapping[str, float]) -> None:
        """Takes the metrics of one epoch and reports them when it is time."""
        self._points.extend((name, step, value) for name, value in metrics.items())
        now = self._clock()
        if now - self._flushed_at >= QUIET_S or len(self._points) >= MAX_POINTS:
            self.flush()
        elif self._deadline is None:
            self._deadline = now + MAX_WAIT_S

    def flush_if_due(self) -> None:
        """Reports what has waited long enough."""
        if self._deadline is not None and self._clock() >= self._deadline:
            self.flush()

    def flush(self) -> None:
        """Reports everything."""
        if not self._points:
            return
        points, self._points, self._deadline = self._points, [], None
        self._flushed_at = self._clock()
        self._flush(points)
