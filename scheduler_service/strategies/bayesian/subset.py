"""Which results a model is made of when there are more than it can take in the time."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from scheduler_service.strategies.results import Floats

Positions: TypeAlias = NDArray[np.intp]


def informative(rows: Floats, values: Floats, count: int) -> Positions:
    """Positions of ``count`` results, ascending: half the best, a quarter the latest, and others spread widely.

    The best say where to look next, the latest keep the model from proposing what has just been found useless, and
    the spread ones, each the farthest from those chosen before it, hold the model down everywhere else.

    Args:
        rows: Points, shape (n, columns), by number.
        values: Larger is better, shape (n,).
        count: How many; all when there are no more.
    """
    total = len(values)
    if total <= count:
        return np.arange(total)
    chosen = np.zeros(total, dtype=np.bool_)
    chosen[np.argsort(-values, kind="stable")[: count // 2]] = True
    chosen[np.flatnonzero(~chosen)[-(count // 4) :]] = True
    distance = np.full(total, np.inf)
    for position in np.flatnonzero(chosen).tolist():
        distance = np.minimum(distance, _squared_distances(rows, position))
    while chosen.sum() < count:
        position = int(np.argmax(np.where(chosen, -1.0, distance)))
        chosen[position] = True
        distance = np.minimum(distance, _squared_distances(rows, position))
    return np.flatnonzero(chosen)


def _squared_distances(rows: Floats, position: int) -> Floats:
    """Of all rows to one of them."""
    return np.asarray(((rows - rows[position]) ** 2).sum(axis=1), dtype=np.float64)
