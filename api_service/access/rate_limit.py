"""A token bucket per caller: so many calls at once, and then so many per second."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable

from hrnn_tuner.domain.errors import TooFast

#: Callers whose buckets are kept; a bucket that was forgotten is full again.
_KEPT = 10_000


class RateLimiter:
    """Limits the calls of each caller at one replica. For one event loop.

    Args:
        per_s: Calls per second in the long run.
        burst: Calls that may come at once.
        clock: Monotonic seconds.
    """

    def __init__(self, per_s: float, burst: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._per_s = per_s
        self._burst = burst
        self._clock = clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, caller: str) -> None:
        """Counts a call.

        Raises:
            TooFast: When there were too many.
        """
        now = self._clock()
        level, then = self._buckets.pop(caller, (float(self._burst), now))
        level = min(float(self._burst), level + (now - then) * self._per_s)
        allowed = level >= 1.0
        self._buckets[caller] = (level - 1.0 if allowed else level, now)
        if len(self._buckets) > _KEPT:
            self._buckets.popitem(last=False)
        if not allowed:
            raise TooFast(
                f"too many calls; allowed: {self._per_s:g} per second, {self._burst} at once (rate_limit_per_s)",
                retry_after_s=(1.0 - level) / self._per_s,
                metadata={"limit": f"{self._per_s:g}", "burst": str(self._burst)},
            )
