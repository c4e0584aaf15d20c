"""Cuts boxes, so that what is looked for lies nowhere special, least of all at the centre."""

from __future__ import annotations

import random

#: Where in a box the optimum may come to lie, as a share of its width, or one minus that.
_SHARES = (0.08, 0.4)
_WIDTHS = (0.5, 0.9)
_TRIES = 1000


def cut_around(low: float, high: float, optimum: float, rng: random.Random) -> tuple[float, float]:
    """Cuts a smaller interval out of one.

    Args:
        low: Lower end.
        high: Upper end.
        optimum: Must stay inside.
        rng: Makes the draws.

    Returns:
        The ends of an interval whose middle is not near the optimum. Where the optimum lies at an end, it stays there.
    """
    for _ in range(_TRIES):
        share, width = rng.uniform(*_SHARES), rng.uniform(*_WIDTHS) * (high - low)
        if rng.random() < 0.5:
            share = 1 - share
        if low <= optimum - share * width and optimum + (1 - share) * width <= high:
            return optimum - share * width, optimum + (1 - share) * width
    width = rng.uniform(*_WIDTHS) * (high - low)
    return (low, low + width) if optimum - low < high - optimum else (high - width, high)


def cut_one_end(low: float, high: float, rng: random.Random) -> tuple[float, float]:
    """Takes a tenth to a third of an interval away at one of its ends."""
    taken = rng.uniform(0.1, 0.34) * (high - low)
    return (low + taken, high) if rng.random() < 0.5 else (low, high - taken)
