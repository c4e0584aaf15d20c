"""What followed the last item."""

from __future__ import annotations

import numpy as np
from scipy import sparse
from torch import Tensor

from worker_service.hrnn.data.queries import Queries
from worker_service.hrnn.evaluation.baselines.events import TrainingEvents
from worker_service.hrnn.evaluation.baselines.popularity import Popularity


class Markov:
    """Items by how often they came right after the query's last item in the training histories; then by popularity.

    Args:
        events: The training events.
    """

    def __init__(self, events: TrainingEvents) -> None:
        self._popularity = Popularity(events)
        followed = np.flatnonzero(~events.starts()) - 1
        before, after = events.item[followed] - 1, events.item[followed + 1] - 1
        counts = sparse.coo_array((np.ones(len(followed)), (before, after)), shape=(events.size, events.size))
        self._counts = counts.tocsr()  # adds up equal pairs

    def __call__(self, queries: Queries) -> Tensor:
        """Scores [Q, N]."""
        filled = np.flatnonzero([len(items) for items in queries.items])
        last = np.array([queries.items[row][-1] - 1 for row in filled], np.int64)
        own = np.zeros((len(queries), self._counts.shape[1]))
        own[filled] = self._counts[last].toarray()
        return self._popularity.below(own)
