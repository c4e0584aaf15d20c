"""Grid search: every combination once, in lexicographic order of the ranges."""

from __future__ import annotations

from collections.abc import Sequence

from hrnn_tuner.domain.search_space import SearchSpace
from hrnn_tuner.domain.training_job import Proposal
from scheduler_service.strategies.contract import History, Strategy


class GridStrategy(Strategy):
    """Training job n gets the n-th point; the seed does not matter."""

    def reads_configurations(self, space: SearchSpace) -> bool:  # noqa: ARG002 - no space needs them
        """The number alone says which point is next."""
        return False

    def propose(self, history: History, numbers: Sequence[int], seed: int) -> list[Proposal]:
        """See `Strategy.propose`."""
        total = history.space.cardinality or 0
        return [
            Proposal(history.space.grid_point(number - 1), "GRID", seed, f"point {number} of {total}")
            for number in numbers
            if number <= total
        ]
