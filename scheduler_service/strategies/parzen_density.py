"""A density over configurations: a mixture with one component per given configuration, and a uniform one."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from hrnn_tuner.domain.search_space import CategoricalRange, ParameterRange, SearchSpace
from scheduler_service.strategies.results import Configuration, Floats

#: Width of the kernel around a single configuration, in the scaled unit interval.
_WIDTH = 0.2
#: Redraws of coordinates that fell out of the unit interval; each time at most about half of them do.
_REDRAWS = 24


def unit_points(space: SearchSpace, configurations: Sequence[Configuration]) -> Floats:
    """Where configurations lie in the unit cube, shape (m, ranges); NaN where a range does not apply."""
    units = np.full((len(configurations), len(space.ranges)), np.nan)
    for axis, item in enumerate(space.ranges):
        for index, configuration in enumerate(configurations):
            if item.name in configuration:
                units[index, axis] = item.unit(configuration[item.name])
    return units


class ParzenDensity:
    """Products of a kernel per range: truncated normal for numbers, Aitchison and Aitken's for categories.

    Their width shrinks with the number of configurations by Scott's rule. Where a component's configuration lacks a
    range that a point has, the component is uniform in it; where a point lacks a range, that does not count.
    """

    def __init__(self, space: SearchSpace, units: Floats) -> None:
        """Takes the configurations as `unit_points`."""
        count, axes = units.shape
        self._ranges = space.ranges
        self._units = np.concatenate((units, np.full((1, axes), np.nan)))  # the last component is uniform
        self._width: float = _WIDTH * (1 + count) ** (-1.0 / (axes + 4))

    def draw(self, count: int, rng: np.random.Generator) -> Floats:
        """Independent points of the unit cube, shape (count, ranges), with a coordinate for every range."""
        centres = self._units[rng.integers(len(self._units), size=count)]
        uniform = rng.random(centres.shape)
        return np.stack(
            [self._draw_axis(axis, centres[:, axis], uniform[:, axis], rng) for axis in range(centres.shape[1])], axis=1
        )

    def log(self, points: Floats) -> Floats:
        """Logarithm of the density at points as `unit_points`, shape (m,)."""
        total = np.zeros((len(points), len(self._units)))
        for axis, item in enumerate(self._ranges):
            if item.cardinality != 1:
                total += self._log_kernels(axis, item, points[:, axis])
        top = total.max(axis=1)
        summed: Floats = top + np.log(np.exp(total - top[:, None]).sum(axis=1)) - math.log(len(self._units))
        return summed

    def _draw_axis(self, axis: int, centres: Floats, uniform: Floats, rng: np.random.Generator) -> Floats:
        """One coordinate of each point, near its centre; the uniform one where the centre lacks the range."""
        item = self._ranges[axis]
        if isinstance(item, CategoricalRange):
            drawn = np.where(rng.random(len(centres)) < self._spread(), uniform, centres)
        else:
            drawn = centres + self._width * rng.standard_normal(len(centres))
            for _ in range(_REDRAWS):
                outside = (drawn < 0.0) | (drawn > 1.0)
                drawn = np.where(outside, centres + self._width * rng.standard_normal(len(centres)), drawn)
            drawn = np.clip(drawn, 0.0, 1.0)
        return np.where(np.isnan(centres), uniform, drawn)

    def _log_kernels(self, axis: int, item: ParameterRange, places: Floats) -> Floats:
        """Logarithm of each component's kernel at each place, shape (places, components), against the uniform one."""
        centres = self._units[:, axis]
        if isinstance(item, CategoricalRange):
            count = len(item.choices)
            same = _choice(places, count)[:, None] == _choice(centres, count)[None, :]
            spread = self._spread()
            logs = np.where(same, math.log((1.0 - spread) * count + spread), math.log(spread))
        else:
            inside = np.array([_normal_share(centre, self._width) for centre in centres.tolist()])
            distance = (places[:, None] - centres[None, :]) / self._width
            logs = -0.5 * distance**2 - np.log(inside * self._width * math.sqrt(2.0 * math.pi))[None, :]
        lacking = np.isnan(places)[:, None] | np.isnan(centres)[None, :]
        return np.where(lacking, 0.0, logs)

    def _spread(self) -> float:
        """The share of a category's kernel that is spread over all of its choices."""
        return 2.0 * self._width


def _choice(places: Floats, count: int) -> NDArray[np.intp]:
    """The position of the choice at each place; of none where that is NaN."""
    return np.where(np.isnan(places), -1, np.minimum(np.nan_to_num(places) * count, count - 1)).astype(np.intp)


def _normal_share(centre: float, width: float) -> float:
    """How much of a normal distribution lies in the unit interval; 1 for a centre that is NaN."""
    if math.isnan(centre):
        return 1.0
    above, below = (1.0 - centre) / width, centre / width
    return 0.5 * (math.erf(above / math.sqrt(2.0)) + math.erf(below / math.sqrt(2.0)))
