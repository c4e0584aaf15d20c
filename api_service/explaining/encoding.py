"""Configurations as rows of numbers, whose distances a model can compare."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from hrnn_tuner.domain.parameter_range import identity
from hrnn_tuner.domain.search_space import CategoricalRange, ContinuousRange, ParameterRange, SearchSpace, Value

Floats: TypeAlias = NDArray[np.float64]

#: Where a range that does not apply is put: two configurations without it do not differ in it.
_ABSENT = 0.5
#: Two different choices of a category are then as far apart as the ends of a numeric range.
_ONE_HOT = 2.0**-0.5


class Encoding:
    """Places of a search space as points of the unit cube, shape (m, ranges), and as rows, shape (m, columns).

    A numeric range has one column, its place in the scaled unit interval; a category has one per choice.
    """

    def __init__(self, space: SearchSpace) -> None:
        """Takes the space."""
        self._space = space
        self._position = {item.name: axis for axis, item in enumerate(space.ranges)}
        widths = [len(item.choices) if isinstance(item, CategoricalRange) else 1 for item in space.ranges]
        #: The range that each column belongs to, shape (columns,).
        self.axes: NDArray[np.intp] = np.repeat(np.arange(len(widths)), widths)

    def units(self, configurations: Sequence[Mapping[str, Value]]) -> Floats:
        """Where configurations lie in the unit cube."""
        rows = [
            [_ABSENT if unit is None else unit for unit in self._space.units(configuration)]
            for configuration in configurations
        ]
        return np.array(rows, dtype=np.float64).reshape(len(rows), len(self._space.ranges))

    def rounded(self, units: Floats) -> Floats:
        """The points at which the values of discrete ranges lie that other points lead to."""
        found = units.copy()
        for axis, item in enumerate(self._space.ranges):
            if not isinstance(item, ContinuousRange):
                found[:, axis] = [item.unit(item.at(unit)) for unit in units[:, axis].tolist()]
        return found

    def rows(self, units: Floats) -> Floats:
        """What a model sees of points that are rounded."""
        columns = []
        for axis, item in enumerate(self._space.ranges):
            applies = self._applies(item, units)
            if isinstance(item, CategoricalRange):
                chosen = np.eye(len(item.choices))[_choice(item, units[:, axis])]
                columns.append(_ONE_HOT * chosen * applies[:, None])
            else:
                columns.append(np.where(applies, units[:, axis], _ABSENT)[:, None])
        return np.hstack(columns)

    def _applies(self, item: ParameterRange, units: Floats) -> NDArray[np.bool_]:
        """At which points a range applies, shape (m,)."""
        if item.condition is None:
            return np.ones(len(units), dtype=np.bool_)
        axis = self._position[item.condition.name]
        parent = self._space.ranges[axis]
        if not isinstance(parent, CategoricalRange):
            raise TypeError(f"{item.name!r} depends on {parent.name!r}, which is not categorical")
        wanted = {identity(value) for value in item.condition.values}
        places = [place for place, choice in enumerate(parent.choices) if identity(choice) in wanted]
        return np.isin(_choice(parent, units[:, axis]), places) & self._applies(parent, units)


def _choice(item: CategoricalRange, units: Floats) -> NDArray[np.intp]:
    """Positions of the choices at some coordinates."""
    return np.minimum((units * len(item.choices)).astype(np.intp), len(item.choices) - 1)
