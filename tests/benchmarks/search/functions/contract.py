"""What is searched."""

from __future__ import annotations

import enum
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from hrnn_tuner.domain.search_space import SearchSpace, Value

Configuration = Mapping[str, Value]


class Half(enum.Enum):
    """Choices are made on one half of the functions, and figures are reported on the other."""

    CHOICE = "choice"
    REPORT = "report"

    @classmethod
    def of(cls, position: int) -> Half:
        """Halves take turns."""
        return cls.CHOICE if position % 2 else cls.REPORT


@dataclass(frozen=True)
class BenchFunction:
    """A function to be minimised; the same configuration and seed give the same value.

    Attributes:
        name: Tells it from the others; starts with its family.
        family: Functions of one kind.
        half: To which half it belongs.
        space: Where it is searched.
        loss: Its value without noise.
        optimum: The lowest loss in the space; None when nobody knows.
        best: A configuration with that loss; None when nobody knows.
        noise: Standard deviation of the normal noise on every value that a strategy is told.
    """

    name: str
    family: str
    half: Half
    space: SearchSpace
    loss: Callable[[Configuration], float]
    optimum: float | None = None
    best: Configuration | None = None
    noise: float = 0.0

    def evaluate(self, configuration: Configuration, seed: int) -> float:
        """What a training job with this seed reports."""
        value = self.loss(configuration)
        if self.noise == 0:
            return value
        return value + random.Random(f"{self.name}/{sorted(configuration.items())}/{seed}").gauss(0.0, self.noise)
