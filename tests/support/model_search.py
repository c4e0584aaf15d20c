"""A small model-based search on functions of the unit cube, to measure what parents are worth to one."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from hrnn_tuner.domain.objective import Objective, ObjectiveType
from hrnn_tuner.domain.search_space import ContinuousRange, SearchSpace
from hrnn_tuner.domain.trial import TrialStatus
from hrnn_tuner.domain.warm_start import WarmStartType
from scheduler_service.strategies.bayesian.encoding import Encoding
from scheduler_service.strategies.parents import ParentTrial, ParentTrials
from scheduler_service.strategies.transfer import starting_configurations, transfer_prior

Array = NDArray[np.float64]
Function = Callable[[Array], Array]
MAXIMIZE = Objective(ObjectiveType.MAXIMIZE, "score")
_LENGTHS = (0.1, 0.2, 0.4, 0.8)
_NOISE = 1e-3
_CANDIDATES = 400


def cube(dimension: int) -> SearchSpace:
    """The unit cube."""
    return SearchSpace(tuple(ContinuousRange(f"x{index}", 0.0, 1.0) for index in range(dimension)))


def bumps(rng: np.random.Generator, dimension: int) -> tuple[Function, float]:
    """A smooth function with three maxima, and about how large the largest is."""
    centres, heights = rng.random((3, dimension)), np.array([1.0, 0.7, 0.5])
    widths = 2.0 * dimension * np.square(0.25 + 0.25 * rng.random(3))

    def function(points: Array) -> Array:
        squares = np.square(points[:, None, :] - centres[None]).sum(2)
        return np.asarray((heights * np.exp(-squares / widths)).sum(1), dtype=np.float64)

    return function, float(function(np.vstack([centres, rng.random((4000, dimension))])).max())


def parent_of(function: Function, dimension: int, rng: np.random.Generator, count: int = 40) -> ParentTrials:
    """A parent that tried so many random points of a function."""
    points = rng.random((count, dimension))
    names = [item.name for item in cube(dimension).ranges]
    trials = [
        ParentTrial(number, dict(zip(names, map(float, point), strict=True)), TrialStatus.OBSERVED, float(value))
        for number, (point, value) in enumerate(zip(points, function(points), strict=True), start=1)
    ]
    return ParentTrials("parent", WarmStartType.TRANSFER_LEARNING, tuple(trials))


def search(function: Function, dimension: int, parents: Sequence[ParentTrials], *, budget: int, seed: int) -> Array:
    """The best value so far after each evaluation."""
    encoding, rng = Encoding(cube(dimension)), np.random.default_rng(seed)
    design = rng.random((budget // 4, dimension))
    if parents:
        starts = starting_configurations(MAXIMIZE, parents, budget)
        first = encoding.of([start.trial.configuration for start in starts]).rows
        design = np.vstack([first, design[: len(design) - len(first)]])
    values = function(design)
    while len(values) < budget:
        targets = (values - values.mean()) / (values.std() + 1e-12)
        prior = transfer_prior(encoding, MAXIMIZE, design, targets, parents)
        near = np.clip(design[values.argmax()] + 0.05 * rng.standard_normal((_CANDIDATES // 4, dimension)), 0.0, 1.0)
        candidates = np.vstack([rng.random((_CANDIDATES, dimension)), near])
        mean, deviation = _posterior(design, targets - prior.mean(design), candidates)
        best = candidates[(mean + prior.mean(candidates) + deviation).argmax()]
        design, values = np.vstack([design, best]), np.append(values, function(best[None]))
    return np.maximum.accumulate(values)


def _posterior(points: Array, targets: Array, candidates: Array) -> tuple[Array, Array]:
    """Mean and standard deviation of a Gaussian process whose length scale has the largest likelihood."""
    centre, spread = targets.mean(), max(float(targets.std()), 1e-3)
    scaled, fits = (targets - centre) / spread, []
    for length in (math.sqrt(points.shape[1]) * entry for entry in _LENGTHS):
        lower = np.linalg.cholesky(_kernel(points, points, length) + _NOISE * np.eye(len(points)))
        coefficients = np.linalg.solve(lower.T, np.linalg.solve(lower, scaled))
        fits.append((-0.5 * float(scaled @ coefficients) - float(np.log(np.diag(lower)).sum()), length))
    length = max(fits)[1]
    lower = np.linalg.cholesky(_kernel(points, points, length) + _NOISE * np.eye(len(points)))
    across = _kernel(candidates, points, length)
    mean = across @ np.linalg.solve(lower.T, np.linalg.solve(lower, scaled))
    explained = np.square(np.linalg.solve(lower, across.T)).sum(0)
    return centre + spread * mean, spread * np.sqrt(np.maximum(1.0 - explained, 0.0))


def _kernel(one: Array, other: Array, length: float) -> Array:
    """Squared exponential kernel."""
    squares = np.square(one[:, None, :] - other[None, :, :]).sum(2)
    return np.asarray(np.exp(-squares / (2.0 * length**2)), dtype=np.float64)
