"""Random search: independent uniform draws in the scaled coordinates, without repeats in a finite space."""

from __future__ import annotations

import random
from collections.abc import Sequence

from hrnn_tuner.domain.search_space import SearchSpace
from hrnn_tuner.domain.training_job import Proposal
from scheduler_service.strategies.contract import History, Reads, Strategy
from scheduler_service.strategies.untried import configuration_key, exhausted, new_configuration

#: Draws before the untried points are listed instead; with half the space untried, all of them fail once in 2^32 times.
_DRAWS = 32


class RandomStrategy(Strategy):
    """The draw for a number depends on the seed, that number and the configurations of lower numbers only."""

    def reads(self, space: SearchSpace) -> Reads:
        """Only a finite space can repeat itself."""
        return Reads.NOTHING if space.cardinality is None else Reads.CONFIGURATIONS

    def propose(self, history: History, numbers: Sequence[int], seed: int) -> list[Proposal]:
        """See `Strategy.propose`."""
        space = history.space
        tried = {configuration_key(trial.configuration) for trial in history.trials}
        proposals: list[Proposal] = []
        for number in numbers:
            if exhausted(space, tried):
                break
            rng = random.Random(f"{seed}/{number}")
            points = (tuple(rng.random() for _ in space.ranges) for _ in range(_DRAWS))
            configuration = new_configuration(space, tried, points)
            tried.add(configuration_key(configuration))
            proposals.append(Proposal(configuration, "RANDOM", seed, f"draw {number}"))
        return proposals
