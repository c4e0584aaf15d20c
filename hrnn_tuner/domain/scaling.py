"""Scaling: how a numeric range is stretched to the unit interval in which strategies search."""

from __future__ import annotations

import enum
import math


class Scaling(enum.Enum):
    """How a range is stretched before a strategy searches it (AMT's ScalingType)."""

    AUTO = "AUTO"
    LINEAR = "LINEAR"
    LOGARITHMIC = "LOGARITHMIC"
    REVERSE_LOGARITHMIC = "REVERSE_LOGARITHMIC"


#: AUTO chooses the logarithm from this ratio of maximum to minimum on: three decades, where a linear draw would give
#: the lowest decade less than one draw in a hundred.
AUTO_LOGARITHMIC_RATIO = 1000.0


def resolve(scaling: Scaling, minimum: float, maximum: float) -> Scaling:
    """Replaces AUTO by the scaling that it stands for on this range."""
    if scaling is not Scaling.AUTO:
        return scaling
    if minimum > 0 and maximum / minimum >= AUTO_LOGARITHMIC_RATIO:
        return Scaling.LOGARITHMIC
    return Scaling.LINEAR


def unscale(scaling: Scaling, low: float, high: float, unit: float) -> float:
    """Maps ``unit`` in [0, 1] to [low, high], uniform in the scaled coordinate; the scaling is resolved."""
    if scaling is Scaling.LOGARITHMIC:
        value = math.exp(math.log(low) + unit * (math.log(high) - math.log(low)))
    elif scaling is Scaling.REVERSE_LOGARITHMIC:  # uniform in -log(1 - x): fine resolution near 1
        value = -math.expm1(math.log1p(-low) + unit * (math.log1p(-high) - math.log1p(-low)))
    elif math.isinf(high - low):  # wider than the largest double
        value = (1 - unit) * low + unit * high
    else:
        value = low + unit * (high - low)
    return min(max(value, low), high)


def scale(scaling: Scaling, low: float, high: float, value: float) -> float:
    """Inverse of `unscale`; 0.5 for a range of one point."""
    if low == high:
        return 0.5
    if scaling is Scaling.LOGARITHMIC:
        return (math.log(value) - math.log(low)) / (math.log(high) - math.log(low))
    if scaling is Scaling.REVERSE_LOGARITHMIC:
        return (math.log1p(-value) - math.log1p(-low)) / (math.log1p(-high) - math.log1p(-low))
    if math.isinf(high - low):
        return (value / 2 - low / 2) / (high / 2 - low / 2)
    return (value - low) / (high - low)
