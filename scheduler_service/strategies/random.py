"""Random search: independent uniform draws in the scaled coordinates, without repeats.

In an infinite space own draws do not repeat each other, but with a parent's seed they would repeat the parent's.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

from hrnn_tuner.domain.search_space import SearchSpace
from hrnn_tuner.domain.training_job import Proposal
from scheduler_service.strategies.contract import History, Reads, Strategy
from scheduler_service.strategies.untried import exhausted, new_configuration

#: Draws before the untried points are listed instead; with half the space untried, all of them fail once in 2^32 times.
_DRAWS = 32


class RandomStrategy(Strategy):
    """The draw for a number depends on the seed, that number and the configurations of lower numbers only.

    Args:
        name: Name of the strategy in proposals.
    """

    def __init__(self, name: str = "RANDOM") -> None:
        self._name = name

    def reads(self, space: SearchSpace) -> Reads:
        """What was tried, where a draw can repeat it."""
        return Reads.CONFIGURATIONS if space.can_repeat else Reads.NOTHING

    def propose(self, history: History, numbers: Sequence[int], seed: int) -> list[Proposal]:
        """See `Strategy.propose`."""
        space = history.space
        tried = history.tried
        proposals: list[Proposal] = []
        for number in numbers:
            if exhausted(space, tried):
                break
            rng = random.Random(f"{seed}/{number}")
            points = ([rng.random() for _ in space.ranges] for _ in range(_DRAWS))
            configuration = new_configuration(space, tried, points)
            if space.can_repeat:
                tried.add(space.key(configuration))
            proposals.append(Proposal(configuration, self._name, seed, f"draw {number}"))
        return proposals
