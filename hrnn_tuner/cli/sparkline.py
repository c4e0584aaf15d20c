"""A line of characters that shows how a series of numbers goes."""

from __future__ import annotations

import math
from collections.abc import Sequence

_BARS = "▁▂▃▄▅▆▇█"
_NOT_FINITE = "!"


def sparkline(values: Sequence[float], width: int = 40) -> str:
    """Draws values from left to right, the lowest as the shortest bar.

    Args:
        values: The series; NaN and infinities are shown as '!'.
        width: Most characters; a longer series is shown by the last value of each of ``width`` equal stretches.
    """
    if len(values) > width:
        values = [values[(index + 1) * len(values) // width - 1] for index in range(width)]
    finite = [value for value in values if math.isfinite(value)]
    if not finite:
        return _NOT_FINITE * len(values)
    low, high = min(finite), max(finite)
    return "".join(_bar(value, low, high) for value in values)


def _bar(value: float, low: float, high: float) -> str:
    """One character; the middle one when all values are equal."""
    if not math.isfinite(value):
        return _NOT_FINITE
    if high == low:
        return _BARS[len(_BARS) // 2]
    return _BARS[min(int((value - low) / (high - low) * len(_BARS)), len(_BARS) - 1)]
