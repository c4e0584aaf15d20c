"""Random search: independent uniform draws in the scaled coordinates, without repeats in a finite space."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence

from hrnn_tuner.domain.search_space import SearchSpace, Value
from hrnn_tuner.domain.training_job import Proposal
from scheduler_service.strategies.contract import History, Reads, Strategy

#: Draws before the untried points are listed instead; with half the space untried, all of them fail once in 2^32 times.
_DRAWS = 32

_Key = tuple[tuple[str, Value], ...]


def _key(configuration: Mapping[str, Value]) -> _Key:
    """A hashable form of a configuration."""
    return tuple(sorted(configuration.items()))


class RandomStrategy(Strategy):
    """The draw for a number depends on the seed, that number and the configurations of lower numbers only.

    Args:
        name: Name of the strategy in proposals.
    """

    def __init__(self, name: str = "RANDOM") -> None:
        self._name = name

    def reads(self, space: SearchSpace) -> Reads:
        """Only a finite space can repeat itself."""
        return Reads.NOTHING if space.cardinality is None else Reads.CONFIGURATIONS

    def propose(self, history: History, numbers: Sequence[int], seed: int) -> list[Proposal]:
        """See `Strategy.propose`."""
        tried = {_key(trial.configuration) for trial in history.trials}
        proposals: list[Proposal] = []
        for number in numbers:
            configuration = self._draw(history.space, random.Random(f"{seed}/{number}"), tried)
            if configuration is None:
                break
            tried.add(_key(configuration))
            proposals.append(Proposal(configuration, self._name, seed, f"draw {number}"))
        return proposals

    def _draw(self, space: SearchSpace, rng: random.Random, tried: set[_Key]) -> dict[str, Value] | None:
        """One configuration that was not tried, uniform among those; None when all were."""
        total = space.cardinality
        for _ in range(_DRAWS):
            candidate = space.at(tuple(rng.random() for _ in space.ranges))
            if total is None or _key(candidate) not in tried:
                return candidate
        if total is None or len(tried) >= total:
            return None
        # Few points are left: walk from a random position to the next untried one.
        start = rng.randrange(total)
        for offset in range(total):
            candidate = space.grid_point((start + offset) % total)
            if _key(candidate) not in tried:
                return candidate
        return None
