"""Points at which a criterion is evaluated first."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from torch.quasirandom import SobolEngine

from hrnn_tuner.domain.search_space import CategoricalRange, SearchSpace
from scheduler_service.strategies.bayesian.encoding import Encoding, Points
from scheduler_service.strategies.results import Configuration, Floats

#: Standard deviations of the steps around the best points, in the scaled unit interval.
_STEPS = (0.3, 0.1, 0.03, 0.01)
#: Share of coordinates that such a step changes.
_CHANGED = 0.4

#: Whether a configuration may be proposed.
Allowed = Callable[[Configuration], bool]


def every_point(encoding: Encoding, allowed: Allowed) -> Points:
    """All configurations of a finite space that are allowed."""
    space = encoding.space
    points = (space.grid_point(index) for index in range(space.cardinality or 0))
    return encoding.of([point for point in points if allowed(point)])


def quasi_random(encoding: Encoding, allowed: Allowed, count: int, seed: int) -> Points:
    """Configurations at up to ``count`` points of a scrambled Sobol sequence."""
    return distinct(encoding.space, encoding.at(sobol_points(len(encoding.space.ranges), count, seed)), allowed)


def sobol_points(dimensions: int, count: int, seed: int) -> Floats:
    """The first points of a scrambled Sobol sequence, shape (count, dimensions)."""
    engine = SobolEngine(dimensions, scramble=True, seed=seed)  # type: ignore[no-untyped-call]  # not annotated
    points: Floats = engine.draw(count).double().numpy()
    return points


def around(encoding: Encoding, allowed: Allowed, centres: Points, count: int, rng: np.random.Generator) -> Points:
    """Up to ``count`` configurations near the centres: some coordinates take a step, categories any choice."""
    chosen = centres.units[np.arange(count) % len(centres)]
    axes = chosen.shape[1]
    changed = rng.random(chosen.shape) < _CHANGED
    changed[np.arange(count), rng.integers(axes, size=count)] = True  # at least one
    steps = rng.choice(_STEPS, size=(count, 1)) * rng.standard_normal(chosen.shape)
    moved = np.clip(chosen + steps, 0.0, 1.0)
    category = np.array([isinstance(item, CategoricalRange) for item in encoding.space.ranges], dtype=np.bool_)
    moved = np.where(category, rng.random(chosen.shape), moved)
    return distinct(encoding.space, encoding.at(np.where(changed, moved, chosen)), allowed)


def distinct(space: SearchSpace, points: Points, allowed: Allowed) -> Points:
    """The points that are allowed, each once."""
    first: dict[object, int] = {}
    for position, configuration in enumerate(points.configurations):
        first.setdefault(space.key(configuration), position)
    return points.take([position for position in first.values() if allowed(points.configurations[position])])
