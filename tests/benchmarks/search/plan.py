"""What the searches of a table are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tests.benchmarks.search.methods import METHODS

#: After so many training jobs the best one is looked at.
CHECKPOINTS = (20, 40, 100)


@dataclass(frozen=True)
class Group:
    """Methods that all search the same functions, so that they can be compared.

    Attributes:
        title: Tells it from the other group; empty for that of all functions.
        methods: Compared ones.
        functions: Names.
    """

    title: str
    methods: tuple[str, ...]
    functions: tuple[str, ...]


@dataclass(frozen=True)
class Plan:
    """What is measured.

    Attributes:
        methods: Compared ones; the first is tested against the others.
        functions: Names.
        trials: Training jobs of each search, by how many of them run at a time.
        seeds: Searches of each function, from seed 1 on.
        half: How the functions were chosen, for the title.
        jobs: Searches at a time.
        minutes: After them no further search starts; None for no limit.
        costly_every: Methods whose proposals take seconds search one function in so many.
    """

    methods: tuple[str, ...]
    functions: tuple[str, ...]
    trials: Mapping[int, int]
    seeds: int
    half: str
    jobs: int
    minutes: float | None
    costly_every: int = 1

    @property
    def in_flight(self) -> tuple[int, ...]:
        """How many training jobs run at a time."""
        return tuple(self.trials)

    def checkpoints(self, in_flight: int) -> list[int]:
        """Those that the searches reach."""
        trials = self.trials[in_flight]
        return [count for count in CHECKPOINTS if count <= trials] or [trials]

    @property
    def groups(self) -> tuple[Group, ...]:
        """The quick methods on all functions; and all methods on those that the costly ones search, too."""
        quick = tuple(name for name in self.methods if not METHODS[name].costly)
        if quick == self.methods or self.costly_every == 1:
            return (Group("", self.methods, self.functions),)
        some = self.functions[:: self.costly_every]
        return Group("", quick, self.functions), Group(f", one in {self.costly_every}", self.methods, some)
