"""Sobol search: a scrambled low-discrepancy sequence, which covers the space more evenly than independent draws do."""

from __future__ import annotations

from collections.abc import Sequence

from hrnn_tuner.domain.search_space import SearchSpace
from hrnn_tuner.domain.training_job import Proposal
from scheduler_service.strategies.contract import History, Reads, Strategy
from scheduler_service.strategies.sobol_sequence import sobol_point
from scheduler_service.strategies.untried import exhausted, new_configuration

#: Later points of the sequence that may replace one whose configuration was tried: it and every `_STRIDE`-th after it.
#: No tuning job gets as far as the first of them by itself.
_REPLACEMENTS = 64
_STRIDE = 1 << 20


class SobolStrategy(Strategy):
    """The n-th training job gets the n-th point of the sequence of the tuning job's seed.

    Several points may be the same configuration; a point that was tried is replaced by a later one. What is proposed
    depends on the seed, the number launched and, where configurations can repeat, those tried only.
    """

    def reads(self, space: SearchSpace) -> Reads:
        """What was tried, where a point can be the same configuration as another one."""
        return Reads.CONFIGURATIONS if space.can_repeat else Reads.NOTHING

    def propose(self, history: History, numbers: Sequence[int], seed: int) -> list[Proposal]:
        """See `Strategy.propose`."""
        space = history.space
        tried = history.tried
        proposals: list[Proposal] = []
        for launched in range(history.launched, history.launched + len(numbers)):
            if exhausted(space, tried):
                break
            positions = range(launched, launched + _STRIDE * _REPLACEMENTS, _STRIDE)
            points = (sobol_point(position, len(space.ranges), seed) for position in positions)
            configuration = new_configuration(space, tried, points)
            if space.can_repeat:
                tried.add(space.key(configuration))
            proposals.append(Proposal(configuration, "SOBOL", seed, f"point {launched + 1}, or the next new one"))
        return proposals
