"""The search space: parameter ranges, those that depend on others, and the configurations that they hold."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from hrnn_tuner.domain.conditions import condition_faults
from hrnn_tuner.domain.parameter_range import (
    CategoricalRange,
    Condition,
    ContinuousRange,
    IntegerRange,
    ParameterRange,
    Value,
    identity,
)
from hrnn_tuner.domain.scaling import AUTO_LOGARITHMIC_RATIO, Scaling

__all__ = [
    "AUTO_LOGARITHMIC_RATIO",
    "CategoricalRange",
    "Condition",
    "ContinuousRange",
    "IntegerRange",
    "ParameterRange",
    "Scaling",
    "SearchSpace",
    "Value",
]


@dataclass(frozen=True)
class SearchSpace:
    """The tunable hyperparameters of one tuning job, in a fixed order.

    A range with a condition applies to some configurations only, and is absent from the others. Conditions may form
    chains, in any order of the ranges. As each range has at most one, the ranges form a forest, whose inner nodes are
    categorical; counting and listing configurations walk it.

    Raises:
        ValueError: When a condition is not well-formed, see `condition_faults`.
    """

    ranges: tuple[ParameterRange, ...]

    def __post_init__(self) -> None:
        for fault in condition_faults(self.ranges):
            raise ValueError(f"condition of {self.ranges[fault.position].name!r}: {fault.field}: {fault.description}")

    @property
    def cardinality(self) -> int | None:
        """Number of different configurations; None when it is infinite."""
        return _product(self._sizes[item.name] for item in self._roots)

    @cached_property
    def can_repeat(self) -> bool:
        """Whether two draws can be the same configuration: whether no infinite range applies to one of them."""
        finite: dict[str, bool] = {}
        for item in self._dependants_first:
            if isinstance(item, CategoricalRange):
                finite[item.name] = any(
                    all(finite[child.name] for child in self._below(item, value)) for value in item.choices
                )
            else:
                finite[item.name] = item.cardinality is not None
        return all(finite[item.name] for item in self._roots)

    @cached_property
    def grid(self) -> SearchSpace:
        """The space that grid search walks: every range with the values that a grid takes of it, see `on_grid`."""
        return SearchSpace(tuple(item.on_grid() for item in self.ranges))

    def at(self, units: Sequence[float]) -> dict[str, Value]:
        """The configuration at a point of the unit cube, one coordinate per range; some may not matter."""
        values = {item.name: item.at(unit) for item, unit in zip(self.ranges, units, strict=True)}
        return {item.name: values[item.name] for item in self.active(values)}

    def units(self, configuration: Mapping[str, Value]) -> tuple[float | None, ...]:
        """Where a configuration lies in the unit cube; None where a range does not apply. `at` leads back to it."""
        return tuple(
            item.unit(configuration[item.name]) if self._applies(item, configuration) else None for item in self.ranges
        )

    def active(self, configuration: Mapping[str, Value]) -> tuple[ParameterRange, ...]:
        """The ranges that apply to a configuration, in order; it may hold values of others, which do not matter."""
        return tuple(item for item in self.ranges if self._applies(item, configuration))

    def key(self, configuration: Mapping[str, Value]) -> Hashable:
        """The same for two configurations that differ in ranges that do not apply only, and for no others."""
        return tuple(
            identity(configuration[item.name]) if item.condition is None or self._applies(item, configuration) else None
            for item in self.ranges
        )

    def contains(self, configuration: Mapping[str, Value]) -> bool:
        """Whether a configuration has exactly the names of the ranges that apply to it, and lies in them."""
        active = self.active(configuration)
        return {item.name for item in active} == set(configuration) and all(
            item.contains(configuration[item.name]) for item in active
        )

    def grid_point(self, index: int) -> dict[str, Value]:
        """The configuration at a position in lexicographic order.

        The first range varies slowest, and those that depend on a range vary before those that follow it.

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
        self._place(self._roots, index, point)
        return {item.name: point[item.name] for item in self.ranges if item.name in point}

    @cached_property
    def _by_name(self) -> dict[str, ParameterRange]:
        """The ranges by name."""
        return {item.name: item for item in self.ranges}

    @cached_property
    def _roots(self) -> tuple[ParameterRange, ...]:
        """The ranges that always apply."""
        return tuple(item for item in self.ranges if item.condition is None)

    @cached_property
    def _dependants(self) -> dict[str, tuple[tuple[Condition, ParameterRange], ...]]:
        """The ranges that depend on a range, with their conditions, by its name."""
        found: dict[str, tuple[tuple[Condition, ParameterRange], ...]] = {}
        for item in self.ranges:
            if item.condition is not None:
                found[item.condition.name] = (*found.get(item.condition.name, ()), (item.condition, item))
        return found

    @cached_property
    def _dependants_first(self) -> tuple[ParameterRange, ...]:
        """The ranges, each after those that depend on it."""
        ordered: list[ParameterRange] = list(self._roots)
        for item in ordered:  # it grows meanwhile
            ordered += [child for _, child in self._dependants.get(item.name, ())]
        return tuple(reversed(ordered))

    @cached_property
    def _sizes(self) -> dict[str, int | None]:
        """In how many ways a range's value and those of all that depend on it can be chosen, by name; None: infinite.

        Each is worked out once: a walk of the tree of choices would take exponential time in a chain of conditions.
        """
        sizes: dict[str, int | None] = {}
        for item in self._dependants_first:
            if isinstance(item, CategoricalRange):
                below = [_product(sizes[child.name] for child in self._below(item, value)) for value in item.choices]
                counted = [size for size in below if size is not None]
                sizes[item.name] = sum(counted) if len(counted) == len(below) else None
            else:
                sizes[item.name] = item.cardinality
        return sizes

    def _applies(self, item: ParameterRange, configuration: Mapping[str, Value]) -> bool:
        """Whether a range applies to a configuration."""
        condition = item.condition
        return condition is None or (
            condition.holds(configuration) and self._applies(self._by_name[condition.name], configuration)
        )

    def _below(self, item: CategoricalRange, value: Value) -> tuple[ParameterRange, ...]:
        """The ranges that depend on a range and apply when it has this value."""
        dependants = self._dependants.get(item.name, ())
        return tuple(child for condition, child in dependants if condition.holds({item.name: value}))

    def _place(self, items: Sequence[ParameterRange], index: int, point: dict[str, Value]) -> None:
        """Writes the configuration at a position in the order of these ranges and of those that depend on them."""
        for item in reversed(items):
            index, position = divmod(index, self._sizes[item.name] or 1)
            if not isinstance(item, CategoricalRange):
                point[item.name] = item.value_at(position)
                continue
            for value in item.choices:
                below = self._below(item, value)
                size = _product(self._sizes[child.name] for child in below) or 1
                if position < size:
                    point[item.name] = value
                    self._place(below, position, point)
                    break
                position -= size


def _product(sizes: Iterable[int | None]) -> int | None:
    """The product; None when one of them is infinite."""
    known: list[int] = []
    for size in sizes:
        if size is None:
            return None
        known.append(size)
    return math.prod(known)
