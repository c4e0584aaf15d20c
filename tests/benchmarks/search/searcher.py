"""What the simulation asks of every method."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

from tests.benchmarks.search.functions.contract import Configuration


@dataclass(frozen=True)
class Cost:
    """What a method's work took.

    Attributes:
        cpu_s: Processor seconds of its process.
        wall_s: Seconds of the wall clock.
    """

    cpu_s: float = 0.0
    wall_s: float = 0.0

    def __add__(self, other: Cost) -> Cost:
        return Cost(self.cpu_s + other.cpu_s, self.wall_s + other.wall_s)


class Searcher(ABC):
    """One search in one space; values are minimised."""

    @abstractmethod
    def ask(self, number: int) -> tuple[Configuration | None, Cost]:
        """Proposes what a training job shall try.

        Args:
            number: Of the training job: 1, 2, 3, ...

        Returns:
            A configuration, or None when the space is exhausted; and what it took.
        """

    @abstractmethod
    def tell(self, number: int, value: float) -> Cost:
        """Takes the result of a training job that was asked for; returns what it took."""

    @abstractmethod
    def add(self, number: int, configuration: Configuration, value: float) -> None:
        """Takes a training job that was not asked for, with its result."""
