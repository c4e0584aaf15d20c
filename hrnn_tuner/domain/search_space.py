"""The search space: parameter ranges, their scaling, and draws from them."""

from __future__ import annotations

import enum
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

Value: TypeAlias = bool | int | float | str


class Scaling(enum.Enum):
    """How a range is stretched before a strategy searches it (AMT's ScalingType)."""

    AUTO = "AUTO"
    LINEAR = "LINEAR"
    LOGARITHMIC = "LOGARITHMIC"
    REVERSE_LOGARITHMIC = "REVERSE_LOGARITHMIC"


#: AUTO chooses the logarithm from this ratio of maximum to minimum on: three decades, where a linear draw would give
#: the lowest decade less than one draw in a hundred.
AUTO_LOGARITHMIC_RATIO = 1000.0


def _resolve(scaling: Scaling, minimum: float, maximum: float) -> Scaling:
    """Replaces AUTO by the scaling that it stands for on this range."""
    if scaling is not Scaling.AUTO:
        return scaling
    if minimum > 0 and maximum / minimum >= AUTO_LOGARITHMIC_RATIO:
        return Scaling.LOGARITHMIC
    return Scaling.LINEAR


def _unscale(scaling: Scaling, low: float, high: float, unit: float) -> float:
    """Maps ``unit`` in [0, 1] to [low, high], uniform in the scaled coordinate."""
    if scaling is Scaling.LOGARITHMIC:
        value = math.exp(math.log(low) + unit * (math.log(high) - math.log(low)))
    elif scaling is Scaling.REVERSE_LOGARITHMIC:  # uniform in -log(1 - x): fine resolution near 1
        value = 1.0 - math.exp(math.log1p(-low) + unit * (math.log1p(-high) - math.log1p(-low)))
    else:
        value = low + unit * (high - low)
    return min(max(value, low), high)


def _scale(scaling: Scaling, low: float, high: float, value: float) -> float:
    """Inverse of `_unscale`; 0.5 for a range of one point."""
    if low == high:
        return 0.5
    if scaling is Scaling.LOGARITHMIC:
        return (math.log(value) - math.log(low)) / (math.log(high) - math.log(low))
    if scaling is Scaling.REVERSE_LOGARITHMIC:
        return (math.log1p(-value) - math.log1p(-low)) / (math.log1p(-high) - math.log1p(-low))
    return (value - low) / (high - low)


@dataclass(frozen=True)
class IntegerRange:
    """Integers from ``minimum`` to ``maximum``, both included."""

    name: str
    minimum: int
    maximum: int
    scaling: Scaling = Scaling.AUTO

    @property
    def cardinality(self) -> int:
        """Number of different values."""
        return self.maximum - self.minimum + 1

    def at(self, unit: float) -> int:
        """The value at ``unit`` in [0, 1); every integer owns an interval of its width in the scaled coordinate."""
        scaling = _resolve(self.scaling, self.minimum, self.maximum)
        low, high = self.minimum - 0.5, self.maximum + 0.5  # each integer owns [i - 1/2, i + 1/2)
        return min(max(math.floor(_unscale(scaling, low, high, unit) + 0.5), self.minimum), self.maximum)

    def unit(self, value: Value) -> float:
        """Where in [0, 1] an integer of the range lies in the scaled coordinate; `at` leads back to it."""
        scaling = _resolve(self.scaling, self.minimum, self.maximum)
        return _scale(scaling, self.minimum - 0.5, self.maximum + 0.5, float(value))

    def value_at(self, position: int) -> int:
        """The value at a position in order."""
        return self.minimum + position

    def contains(self, value: Value) -> bool:
        """Whether ``value`` could have been drawn."""
        return isinstance(value, int) and not isinstance(value, bool) and self.minimum <= value <= self.maximum


@dataclass(frozen=True)
class ContinuousRange:
    """Real numbers from ``minimum`` to ``maximum``, both included."""

    name: str
    minimum: float
    maximum: float
    scaling: Scaling = Scaling.AUTO

    @property
    def cardinality(self) -> int | None:
        """None: uncountable, but for a range of one point."""
        return 1 if self.minimum == self.maximum else None

    def at(self, unit: float) -> float:
        """The value at ``unit`` in [0, 1)."""
        scaling = _resolve(self.scaling, self.minimum, self.maximum)
        return _unscale(scaling, self.minimum, self.maximum, unit)

    def unit(self, value: Value) -> float:
        """Where in [0, 1] a number of the range lies in the scaled coordinate; `at` leads back to it, if rounded."""
        scaling = _resolve(self.scaling, self.minimum, self.maximum)
        return _scale(scaling, self.minimum, self.maximum, float(value))

    def value_at(self, position: int) -> float:
        """The one value of a range of one point, at position 0."""
        return (self.minimum,)[position]

    def contains(self, value: Value) -> bool:
        """Whether ``value`` could have been drawn."""
        return isinstance(value, (int, float)) and not isinstance(value, bool) and self.minimum <= value <= self.maximum


@dataclass(frozen=True)
class CategoricalRange:
    """A choice among values without order."""

    name: str
    choices: tuple[Value, ...]

    @property
    def cardinality(self) -> int:
        """Number of different values."""
        return len(self.choices)

    def at(self, unit: float) -> Value:
        """The value at ``unit`` in [0, 1)."""
        return self.choices[min(int(unit * len(self.choices)), len(self.choices) - 1)]

    def unit(self, value: Value) -> float:
        """The middle of a choice's share of [0, 1]; `at` leads back to it."""
        kinds = [(isinstance(choice, bool), choice) for choice in self.choices]  # to Python, True equals 1
        return (kinds.index((isinstance(value, bool), value)) + 0.5) / len(self.choices)

    def value_at(self, position: int) -> Value:
        """The value at a position in the order given."""
        return self.choices[position]

    def contains(self, value: Value) -> bool:
        """Whether ``value`` could have been drawn."""
        return value in self.choices


ParameterRange: TypeAlias = IntegerRange | ContinuousRange | CategoricalRange


@dataclass(frozen=True)
class SearchSpace:
    """The tunable hyperparameters of one tuning job, in a fixed order."""

    ranges: tuple[ParameterRange, ...]

    @property
    def cardinality(self) -> int | None:
        """Number of different configurations; None when it is infinite."""
        total = 1
        for item in self.ranges:
            if item.cardinality is None:
                return None
            total *= item.cardinality
        return total

    def at(self, units: tuple[float, ...]) -> dict[str, Value]:
        """The configuration at a point of the unit cube, one coordinate per range."""
        return {item.name: item.at(unit) for item, unit in zip(self.ranges, units, strict=True)}

    def grid_point(self, index: int) -> dict[str, Value]:
        """The configuration at a position in lexicographic order; the first range varies slowest.

        Raises:
            ValueError: When the space is infinite.
            IndexError: When the position is not below the cardinality.
        """
        total = self.cardinality
        if total is None:
            raise ValueError("a space with a continuous range has no grid")
        if not 0 <= index < total:
            raise IndexError(f"grid position {index} of {total}")
        point: dict[str, Value] = {}
        for item in reversed(self.ranges):
            index, position = divmod(index, item.cardinality or 1)
            point[item.name] = item.value_at(position)
        return {item.name: point[item.name] for item in self.ranges}

    def contains(self, configuration: Mapping[str, Value]) -> bool:
        """Whether a configuration has exactly these names and lies in their ranges."""
        return {item.name for item in self.ranges} == set(configuration) and all(
            item.contains(configuration[item.name]) for item in self.ranges
        )
