"""Parameter ranges: the values that one hyperparameter may take, and when it is tuned at all."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

from hrnn_tuner.domain.scaling import Scaling, resolve, scale, unscale

Value: TypeAlias = bool | int | float | str


def identity(value: Value) -> Hashable:
    """What makes two values the same: to Python, True equals 1; to a hyperparameter, only 1.0 does."""
    return isinstance(value, bool), value


@dataclass(frozen=True)
class Condition:
    """When a range applies: where the categorical range ``name`` applies and its value is one of ``values``."""

    name: str
    values: tuple[Value, ...]

    def holds(self, configuration: Mapping[str, Value]) -> bool:
        """Whether a configuration has one of the values; one without the name has none."""
        return self.name in configuration and identity(configuration[self.name]) in self._identities

    @cached_property
    def _identities(self) -> frozenset[Hashable]:
        """The values, for look-ups."""
        return frozenset(map(identity, self.values))


@dataclass(frozen=True)
class IntegerRange:
    """Integers from ``minimum`` to ``maximum``, both included; see `on_grid` for ``grid_points``."""

    name: str
    minimum: int
    maximum: int
    scaling: Scaling = Scaling.AUTO
    condition: Condition | None = None
    grid_points: int | None = None

    @property
    def cardinality(self) -> int:
        """Number of different values."""
        return self.maximum - self.minimum + 1

    def at(self, unit: float) -> int:
        """The value at ``unit`` in [0, 1); every integer owns an interval of its width in the scaled coordinate."""
        scaling = resolve(self.scaling, self.minimum, self.maximum)
        low, high = self.minimum - 0.5, self.maximum + 0.5  # each integer owns [i - 1/2, i + 1/2)
        return self._nearest(unscale(scaling, low, high, unit))

    def unit(self, value: Value) -> float:
        """Where in [0, 1] an integer of the range lies in the scaled coordinate; `at` leads back to it."""
        scaling = resolve(self.scaling, self.minimum, self.maximum)
        return scale(scaling, self.minimum - 0.5, self.maximum + 0.5, float(value))

    def value_at(self, position: int) -> int:
        """The value at a position in order."""
        return self.minimum + position

    def contains(self, value: Value) -> bool:
        """Whether ``value`` could have been drawn."""
        return isinstance(value, int) and not isinstance(value, bool) and self.minimum <= value <= self.maximum

    def on_grid(self) -> ParameterRange:
        """The values that a grid takes: all of them, or ``grid_points`` ones.

        Those are spaced equally in the scaled coordinate, ends included, rounded, and each taken once: there may be
        fewer.
        """
        if self.grid_points is None:
            return self
        inner = map(self._nearest, _between(self, self.grid_points))
        return CategoricalRange(self.name, _distinct([self.minimum, *inner, self.maximum]), self.condition)

    def _nearest(self, value: float) -> int:
        """The integer of the range that is nearest to a number."""
        return min(max(math.floor(value + 0.5), self.minimum), self.maximum)


@dataclass(frozen=True)
class ContinuousRange:
    """Real numbers from ``minimum`` to ``maximum``, both included; see `on_grid` for ``grid_points``."""

    name: str
    minimum: float
    maximum: float
    scaling: Scaling = Scaling.AUTO
    condition: Condition | None = None
    grid_points: int | None = None

    @property
    def cardinality(self) -> int | None:
        """None: uncountable, but for a range of one point."""
        return 1 if self.minimum == self.maximum else None

    def at(self, unit: float) -> float:
        """The value at ``unit`` in [0, 1)."""
        scaling = resolve(self.scaling, self.minimum, self.maximum)
        return unscale(scaling, self.minimum, self.maximum, unit)

    def unit(self, value: Value) -> float:
        """Where in [0, 1] a number of the range lies in the scaled coordinate; `at` leads back to it, if rounded."""
        scaling = resolve(self.scaling, self.minimum, self.maximum)
        return scale(scaling, self.minimum, self.maximum, float(value))

    def value_at(self, position: int) -> float:
        """The one value of a range of one point, at position 0."""
        return (self.minimum,)[position]

    def contains(self, value: Value) -> bool:
        """Whether ``value`` could have been drawn."""
        return isinstance(value, (int, float)) and not isinstance(value, bool) and self.minimum <= value <= self.maximum

    def on_grid(self) -> ParameterRange:
        """The values that a grid takes: ``grid_points`` ones, spaced equally in the scaled coordinate, ends included.

        Without ``grid_points`` it is the range itself, which has no grid but for a range of one point.
        """
        if self.grid_points is None:
            return self
        inner = _between(self, self.grid_points)
        return CategoricalRange(self.name, _distinct([self.minimum, *inner, self.maximum]), self.condition)


@dataclass(frozen=True)
class CategoricalRange:
    """A choice among values without order."""

    name: str
    choices: tuple[Value, ...]
    condition: Condition | None = None

    @property
    def cardinality(self) -> int:
        """Number of different values."""
        return len(self.choices)

    def at(self, unit: float) -> Value:
        """The value at ``unit`` in [0, 1)."""
        return self.choices[min(int(unit * len(self.choices)), len(self.choices) - 1)]

    def unit(self, value: Value) -> float:
        """The middle of a choice's share of [0, 1]; `at` leads back to it."""
        position = [identity(choice) for choice in self.choices].index(identity(value))
        return (position + 0.5) / len(self.choices)

    def value_at(self, position: int) -> Value:
        """The value at a position in the order given."""
        return self.choices[position]

    def contains(self, value: Value) -> bool:
        """Whether ``value`` could have been drawn."""
        return identity(value) in [identity(choice) for choice in self.choices]

    def on_grid(self) -> ParameterRange:
        """The values that a grid takes: all of them."""
        return self


ParameterRange: TypeAlias = IntegerRange | ContinuousRange | CategoricalRange


def _between(item: IntegerRange | ContinuousRange, count: int) -> list[float]:
    """What lies between the ends when so many numbers are spaced equally in the scaled coordinate."""
    scaling = resolve(item.scaling, item.minimum, item.maximum)
    return [unscale(scaling, item.minimum, item.maximum, step / (count - 1)) for step in range(1, count - 1)]


def _distinct(values: Iterable[Value]) -> tuple[Value, ...]:
    """The values in order, each once."""
    return tuple(dict.fromkeys(values))
