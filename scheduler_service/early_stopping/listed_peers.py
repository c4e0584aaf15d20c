"""The other training jobs as a list of their scores."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from hrnn_tuner.domain.objective import Objective
from scheduler_service.early_stopping.contract import Peers


@dataclass(frozen=True)
class ListedPeers(Peers):
    """Peers with these scores."""

    objective: Objective
    scores: Sequence[float]

    def count(self) -> int:
        """See `Peers.count`."""
        return len(self.scores)

    def median(self) -> float:
        """See `Peers.median`."""
        return median(self.scores)

    def better_than(self, score: float) -> int:
        """See `Peers.better_than`."""
        return sum(self.objective.is_better(other, score) for other in self.scores)
