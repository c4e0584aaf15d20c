"""The first configurations, before there is anything to learn from: the centre, then Latin hypercubes.

Pure Python, because the first training jobs are launched by the scheduler itself, which imports neither torch nor
numpy for them.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass

#: Random points that may replace a start point whose configuration was tried.
_REPLACEMENTS = 32


@dataclass(frozen=True)
class StartDesign:
    """A design with a point for every training job number, as trials may go on failing.

    Attributes:
        block: Points of each Latin hypercube.
        centre: Whether the centre of the space comes before the first of them.
    """

    block: int
    centre: bool

    @property
    def count(self) -> int:
        """How many training jobs come before those that learn from results."""
        return self.block + int(self.centre)

    def points(self, dimensions: int, number: int, seed: int) -> Iterator[tuple[float, ...]]:
        """Points of the unit cube for a training job, best first; they depend on design and arguments only.

        In each block every coordinate falls once into each of ``block`` equal intervals (McKay, Beckman and Conover,
        A comparison of three methods for selecting values of input variables, Technometrics 21, 1979).
        """
        position = number - 1 - int(self.centre)
        if position < 0:
            yield (0.5,) * dimensions
        else:
            start, row = divmod(position, self.block)
            yield tuple(self._coordinate(f"{seed}/{start}/{axis}", row) for axis in range(dimensions))
        rng = random.Random(f"{seed}/{number}/replacements")
        for _ in range(_REPLACEMENTS):
            yield tuple(rng.random() for _ in range(dimensions))

    def _coordinate(self, stream: str, row: int) -> float:
        """One coordinate of one row of a Latin hypercube."""
        rng = random.Random(f"{stream}/latin hypercube")
        intervals = list(range(self.block))
        rng.shuffle(intervals)
        jitter = [rng.random() for _ in range(self.block)]
        return (intervals[row] + jitter[row]) / self.block
