"""Improves points step by step: moves between neighbouring values, gradients along continuous ranges."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from scipy.optimize import minimize

from hrnn_tuner.domain.search_space import CategoricalRange, IntegerRange
from scheduler_service.strategies.bayesian.candidates import Allowed
from scheduler_service.strategies.bayesian.encoding import Encoding, Points
from scheduler_service.strategies.results import Floats

#: Rounds of moves, then a gradient ascent, and the same again.
_PASSES = 2
_MOVE_ROUNDS = 3
_ASCENT_ITERATIONS = 15
#: Steps of an integer besides those to its neighbours, in the scaled unit interval.
_JUMPS = (-0.15, 0.15)
#: Choices of a category that are tried in one move; with more, those that follow the present one.
_MOST_CHOICES = 24


class Criterion(Protocol):
    """What is to be made large."""

    def values(self, rows: Floats) -> Floats:
        """Shape (m,) for rows of shape (m, columns)."""

    def gradients(self, rows: Floats) -> tuple[Floats, Floats]:
        """Values, and their gradients of shape (m, columns)."""


def improved(
    encoding: Encoding, criterion: Criterion, allowed: Allowed, starts: Points, values: Floats
) -> tuple[Points, Floats]:
    """Searches from every start at once, in few evaluations of many points each.

    Returns:
        The points that the starts became, in their order, and the criterion's values there: nowhere smaller.
    """
    for _ in range(_PASSES):
        before = values
        for _ in range(_MOVE_ROUNDS):
            moved, moved_values = _best_moves(encoding, criterion, allowed, starts, values)
            stuck = not (moved_values > values).any()
            starts, values = moved, moved_values
            if stuck:
                break
        starts, values = _ascended(encoding, criterion, allowed, starts, values)
        if not (values > before).any():
            break
    return starts, values


def _best_moves(
    encoding: Encoding, criterion: Criterion, allowed: Allowed, starts: Points, values: Floats
) -> tuple[Points, Floats]:
    """Every start at the best of its neighbours, or where it is if that is better."""
    owners: list[int] = []
    units: list[Floats] = []
    for owner in range(len(starts)):
        neighbours = _neighbours(encoding, starts, owner)
        owners += [owner] * len(neighbours)
        units += neighbours
    if not units:
        return starts, values
    points = encoding.at(np.stack(units))
    new = [position for position, configuration in enumerate(points.configurations) if allowed(configuration)]
    if not new:
        return starts, values
    points = points.take(new)
    return _better(starts, values, points, criterion.values(points.rows), [owners[position] for position in new])


def _neighbours(encoding: Encoding, starts: Points, owner: int) -> list[Floats]:
    """Points of the unit cube that differ from a start in one integer or category."""
    found: list[Floats] = []
    smooth = encoding.smooth(starts)[owner]
    configuration, here = starts.configurations[owner], starts.units[owner]
    for axis, item in enumerate(encoding.space.ranges):
        if smooth[axis] or item.cardinality == 1 or item.name not in configuration:
            continue
        value = configuration[item.name]
        places: list[float] = []
        if isinstance(item, CategoricalRange):
            count = len(item.choices)
            present = min(int(item.unit(value) * count), count - 1)
            others = range(1, min(count, _MOST_CHOICES + 1))
            places = [((present + offset) % count + 0.5) / count for offset in others]
        elif isinstance(item, IntegerRange):
            beside = [int(value) + step for step in (-1, 1)]
            places = [item.unit(number) for number in beside if item.minimum <= number <= item.maximum]
            places += [here[axis] + jump for jump in _JUMPS if 0.0 <= here[axis] + jump <= 1.0]
        for place in places:
            neighbour = here.copy()
            neighbour[axis] = place
            found.append(neighbour)
    return found


def _ascended(
    encoding: Encoding, criterion: Criterion, allowed: Allowed, starts: Points, values: Floats
) -> tuple[Points, Floats]:
    """Every start after some steps of L-BFGS-B in its continuous coordinates.

    The starts do not depend on each other, so one search maximises the sum of their values. It is that of their
    inverse hyperbolic sines, so that no start that is far below the others sets the step of all.
    """
    owners, axes = np.nonzero(encoding.smooth(starts))
    if not len(owners):
        return starts, values
    columns = np.array([encoding.column(int(axis)) for axis in axes])

    def negative(place: Floats) -> tuple[float, Floats]:
        rows = starts.rows.copy()
        rows[owners, columns] = place
        found, gradients = criterion.gradients(rows)
        slopes = gradients / np.sqrt(1.0 + found**2)[:, None]
        return -float(np.arcsinh(found).sum()), -slopes[owners, columns]

    place = minimize(
        negative,
        starts.units[owners, axes],
        jac=True,
        method="L-BFGS-B",
        bounds=[(0.0, 1.0)] * len(owners),
        options={"maxiter": _ASCENT_ITERATIONS},
    ).x
    units = starts.units.copy()
    units[owners, axes] = np.clip(place, 0.0, 1.0)
    points = encoding.at(units)
    new = [position for position, configuration in enumerate(points.configurations) if allowed(configuration)]
    if not new:
        return starts, values
    points = points.take(new)
    return _better(starts, values, points, criterion.values(points.rows), new)


def _better(starts: Points, values: Floats, points: Points, found: Floats, owners: list[int]) -> tuple[Points, Floats]:
    """Replaces each start by the best point that it owns, if that is better."""
    both = starts.and_then(points)
    best = np.concatenate((values, found))
    chosen = list(range(len(starts)))
    for position, owner in enumerate(owners, start=len(starts)):
        if best[position] > best[chosen[owner]]:
            chosen[owner] = position
    return both.take(chosen), best[chosen]
