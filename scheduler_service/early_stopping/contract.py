"""What a stopping rule is.

A stopping rule is pure: the same point and the same standings of the other training jobs give the same decision, in
whatever order they were reported. It keeps nothing between calls.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Point:
    """The objective value of a training job after an epoch; finite.

    Attributes:
        number: The training job's.
        epoch: The epoch, counting from 1.
        value: The value.
        until: The epoch after which the training job is to pause; None when it trains to its end.
    """

    number: int
    epoch: int
    value: float
    until: int | None = None


@dataclass(frozen=True)
class Decision:
    """What a rule says.

    Attributes:
        stop: Whether the training job is to be stopped.
        rule: Name of the rule.
        explanation: Why, for people.
        figures: The numbers that were compared.
    """

    stop: bool
    rule: str
    explanation: str
    figures: Mapping[str, float] = field(default_factory=dict)


class Peers(ABC):
    """The other training jobs of a point's pool that reached its level. Each question costs one look at an index."""

    @abstractmethod
    def count(self) -> int:
        """How many they are."""

    @abstractmethod
    def median(self) -> float:
        """The median of their scores; that of an even number lies halfway between the two in the middle.

        Raises:
            ValueError: When there are none.
        """

    @abstractmethod
    def better_than(self, score: float) -> int:
        """How many have a strictly better score."""


class StoppingRule(ABC):
    """Says which training jobs go on. A training job is judged once at each level."""

    #: Its name in the event log, at most 32 characters.
    name: str
    #: Whether the score at a level is the mean of all values up to it, in place of the value there.
    averages: bool

    @abstractmethod
    def pool(self, number: int) -> int:
        """The pool of a training job; only training jobs of one pool are compared."""

    @abstractmethod
    def level(self, number: int, epoch: int) -> int | None:
        """The level that a training job has reached with an epoch; None when it has reached none."""

    @abstractmethod
    def decide(self, point: Point, peers: Peers) -> Decision:
        """Decides about a training job that has just reached a level.

        Args:
            point: Its last objective value.
            peers: The others at this level.
        """
