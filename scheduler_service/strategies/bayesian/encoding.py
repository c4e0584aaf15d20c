"""Configurations as points that a Gaussian process can compare."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

import numpy as np
from numpy.typing import NDArray

from hrnn_tuner.domain.search_space import (
    CategoricalRange,
    ContinuousRange,
    IntegerRange,
    ParameterRange,
    SearchSpace,
    Value,
)
from scheduler_service.strategies.results import Configuration, Floats

#: Two different choices of a category are then as far apart as the two ends of a numeric range.
_ONE_HOT = 2.0**-0.5
#: Where a range that does not apply is put. No further column says so: that a range applies follows from the category
#: that it depends on, which has columns of its own, and two configurations without the range do not differ in it.
_ABSENT = 0.5


@dataclass(frozen=True)
class Points:
    """Points of a search space in three forms, each of length m.

    Attributes:
        units: Points of the unit cube, shape (m, ranges); coordinates of ranges that do not apply do not matter.
        configurations: What `SearchSpace.at` makes of them.
        rows: What the model sees, shape (m, columns).
    """

    units: Floats
    configurations: tuple[Configuration, ...]
    rows: Floats

    def __len__(self) -> int:
        return len(self.configurations)

    def take(self, positions: Sequence[int] | NDArray[np.intp]) -> Points:
        """Those at these positions, in their order."""
        chosen = [int(position) for position in positions]
        return Points(self.units[chosen], tuple(self.configurations[at] for at in chosen), self.rows[chosen])

    def and_then(self, others: Points) -> Points:
        """These and then others."""
        return Points(
            np.concatenate((self.units, others.units)),
            (*self.configurations, *others.configurations),
            np.concatenate((self.rows, others.rows)),
        )


class Encoding:
    """How the configurations of a space become rows.

    A numeric range has one column: the value's place in the scaled unit interval. A category of two choices has one
    too, larger ones have a column per choice. So one kernel serves all kinds of ranges, and its length scales tell
    which choices differ; a kernel that only counts equal choices (Hamming distance) cannot. Ranges of one value have
    none.
    """

    def __init__(self, space: SearchSpace, *, relaxed: bool = False, lengths: bool = False) -> None:
        """Takes the space.

        Args:
            space: The search space.
            relaxed: Whether integers keep the coordinates that they were rounded from.
            lengths: Whether a last column says how long was trained: 1 for a whole training.
        """
        self._space = space
        self._relaxed = relaxed
        widths = [_width(item) for item in space.ranges]
        ends = [0, *accumulate(widths)]
        self._columns = [range(start, end) for start, end in pairwise(ends)]
        self.width = ends[-1] + lengths
        self.lengths = lengths
        self._known: list[dict[tuple[bool, Value], float]] = [{} for _ in space.ranges]

    @property
    def space(self) -> SearchSpace:
        """The space."""
        return self._space

    def of(self, configurations: Sequence[Configuration], lengths: Floats | None = None) -> Points:
        """Points of given configurations, trained so long; None for whole trainings."""
        units = np.full((len(configurations), len(self._space.ranges)), _ABSENT)
        for axis, item in enumerate(self._space.ranges):
            for index, configuration in enumerate(configurations):
                if item.name in configuration:
                    units[index, axis] = self._unit(axis, configuration[item.name])
        points = self._points(units, tuple(configurations))
        if self.lengths and lengths is not None:
            points.rows[:, -1] = lengths
        return points

    def at(self, units: Floats) -> Points:
        """The configurations at points of the unit cube, shape (m, ranges), and the points that lead back to them."""
        configurations = tuple(self._space.at(tuple(unit)) for unit in units.tolist())
        moved = units.copy()
        for axis, item in enumerate(self._space.ranges):
            if self._relaxed or not isinstance(item, IntegerRange):
                continue  # a category's column is its choice's, wherever in its share the coordinate lies
            for index, configuration in enumerate(configurations):
                if item.name in configuration:
                    moved[index, axis] = self._unit(axis, configuration[item.name])
        return self._points(moved, configurations)

    def smooth(self, points: Points) -> NDArray[np.bool_]:
        """Which coordinates can be followed along a gradient, shape (m, ranges)."""
        mask = np.zeros(points.units.shape, dtype=np.bool_)
        for axis, item in enumerate(self._space.ranges):
            numeric = isinstance(item, ContinuousRange) or (self._relaxed and not isinstance(item, CategoricalRange))
            if numeric and len(self._columns[axis]) == 1:
                mask[:, axis] = [item.name in configuration for configuration in points.configurations]
        return mask

    def column(self, axis: int) -> int:
        """The column of a numeric range."""
        (column,) = self._columns[axis]
        return column

    def _unit(self, axis: int, value: Value) -> float:
        """Where a value lies in the unit interval; those of discrete ranges are worked out once."""
        item = self._space.ranges[axis]
        if isinstance(item, ContinuousRange):
            return item.unit(value)
        known, key = self._known[axis], (isinstance(value, bool), value)
        if key not in known:
            known[key] = item.unit(value)
        return known[key]

    def _points(self, units: Floats, configurations: tuple[Configuration, ...]) -> Points:
        """Adds the rows."""
        rows = np.zeros((len(configurations), self.width))
        for axis, item in enumerate(self._space.ranges):
            columns = self._columns[axis]
            if not columns:
                continue
            applies = np.array([item.name in configuration for configuration in configurations], dtype=np.bool_)
            if len(columns) == 1:
                place = units[:, axis]
                if isinstance(item, CategoricalRange):
                    place = np.where(place < 0.5, 0.0, 1.0)
                rows[:, columns[0]] = np.where(applies, place, _ABSENT)
            else:
                chosen = np.minimum((units[:, axis] * len(columns)).astype(np.intp), len(columns) - 1)
                where = np.flatnonzero(applies)
                rows[where, columns[0] + chosen[where]] = _ONE_HOT
        if self.lengths:
            rows[:, -1] = 1.0
        return Points(units, configurations, rows)


def _width(item: ParameterRange) -> int:
    """How many columns a range has."""
    if item.cardinality == 1:
        return 0
    if isinstance(item, CategoricalRange) and len(item.choices) > 2:
        return len(item.choices)
    return 1
