"""Grid search: every combination once, in lexicographic order of the ranges."""

from __future__ import annotations

from collections.abc import Sequence

from hrnn_tuner.domain.search_space import SearchSpace
from hrnn_tuner.domain.training_job import Proposal
from scheduler_service.strategies.contract import History, Reads, Strategy


class GridStrategy(Strategy):
    """The n-th training job gets the n-th point; the seed does not matter.

    Numeric ranges take the values of `SearchSpace.grid`. The API refuses a space whose grid is infinite.
    """

    def reads(self, space: SearchSpace) -> Reads:  # noqa: ARG002 - no space needs more
        """How many were launched says which point is next."""
        return Reads.NOTHING

    def propose(self, history: History, numbers: Sequence[int], seed: int) -> list[Proposal]:
        """See `Strategy.propose`."""
        grid = history.space.grid
        total = grid.cardinality or 0
        positions = range(history.launched, min(history.launched + len(numbers), total))
        return [
            Proposal(grid.grid_point(position), "GRID", seed, f"point {position + 1} of {total}")
            for position in positions
        ]
