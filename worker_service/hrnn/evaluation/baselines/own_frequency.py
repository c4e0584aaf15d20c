"""What the user used most."""

from __future__ import annotations

import numpy as np
from torch import Tensor

from worker_service.hrnn.data.queries import Queries
from worker_service.hrnn.evaluation.baselines.events import TrainingEvents
from worker_service.hrnn.evaluation.baselines.popularity import Popularity


class OwnFrequency:
    """Items of the query's own history by how often they stand there, then by how late; all others by popularity.

    Args:
        events: The training events.
    """

    def __init__(self, events: TrainingEvents) -> None:
        self._popularity = Popularity(events)

    def __call__(self, queries: Queries) -> Tensor:
        """Scores [Q, N]."""
        own = np.zeros((len(queries), len(self._popularity.shares)))
        for row, items in enumerate(queries.items):
            distinct, from_end, counts = np.unique(items[::-1], return_index=True, return_counts=True)
            order = np.lexsort((-from_end, counts))
            own[row, distinct[order] - 1] = np.arange(1, len(order) + 1)
        return self._popularity.below(own)
