"""Warm start: which earlier tuning jobs a tuning job may learn from, and what differs between the two."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass

from hrnn_tuner.domain.search_space import CategoricalRange, ParameterRange, Value

#: Most tuning jobs that one can learn from, as in AMT.
MAX_PARENTS = 5
#: Most changes of `Change.weight` between a tuning job and one of its parents, as in AMT.
MAX_CHANGES = 10
#: A choice of so many values that becomes a fixed one counts as two changes.
_CHOICES_THAT_COUNT_TWICE = 2


class WarmStartType(enum.Enum):
    """How earlier tuning jobs relate to this one."""

    IDENTICAL_DATA_AND_ALGORITHM = "IDENTICAL_DATA_AND_ALGORITHM"
    TRANSFER_LEARNING = "TRANSFER_LEARNING"


@dataclass(frozen=True)
class Parent:
    """An earlier tuning job: its id, which is never used again, and the name that it had."""

    id: str
    name: str


@dataclass(frozen=True)
class WarmStart:
    """The tuning jobs to learn from, in the order given, and how they relate to this one."""

    type: WarmStartType
    parents: tuple[Parent, ...]


@dataclass(frozen=True)
class ParentResult:
    """What a parent found out about one hyperparameter set.

    Attributes:
        number: The training job's number in the parent.
        hyperparameters: All of them: tuned, static and defaults.
        value: Final value of the objective metric; None without one.
        whole: Whether the training did not pause; the value of one that did is not its last.
    """

    number: int
    hyperparameters: Mapping[str, Value]
    value: float | None
    whole: bool = True


@dataclass(frozen=True)
class Treatment:
    """What a tuning job does with each hyperparameter that it names.

    Attributes:
        static: Fixed values.
        ranges: Those that are tuned, by name.
    """

    static: Mapping[str, Value]
    ranges: Mapping[str, ParameterRange]

    @property
    def names(self) -> frozenset[str]:
        """Every hyperparameter that is named."""
        return frozenset(self.static) | frozenset(self.ranges)


@dataclass(frozen=True)
class Change:
    """A hyperparameter that a tuning job treats differently than a parent, and how much that counts."""

    name: str
    description: str
    weight: int


def changes(parent: Treatment, child: Treatment) -> list[Change]:
    """What differs between a parent and its child, by name; other bounds of a range are no change.

    A hyperparameter that only one of the two names is left out: the sets of names must be the same anyway.
    """
    found = []
    for name in sorted(parent.names & child.names):
        if name in parent.ranges and name in child.static:
            before = parent.ranges[name]
            two = isinstance(before, CategoricalRange) and len(before.choices) == _CHOICES_THAT_COUNT_TWICE
            found.append(Change(name, "tuned there and static here", 2 if two else 1))
        elif name in parent.static and name in child.ranges:
            found.append(Change(name, "static there and tuned here", 1))
        elif name in parent.static and not _same(parent.static[name], child.static[name]):
            text = f"static, {parent.static[name]!r} there and {child.static[name]!r} here"
            found.append(Change(name, text, 2))
    return found


def changed_kinds(parent: Treatment, child: Treatment) -> list[str]:
    """The hyperparameters, by name, that both tune, but by ranges of different kinds."""
    both = sorted(set(parent.ranges) & set(child.ranges))
    return [name for name in both if type(parent.ranges[name]) is not type(child.ranges[name])]


def _same(one: Value, other: Value) -> bool:
    """Whether two fixed values are the same; to Python, True equals 1."""
    return isinstance(one, bool) is isinstance(other, bool) and one == other
