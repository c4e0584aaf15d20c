"""What the same users used: item-based nearest neighbours."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from torch import Tensor

from worker_service.hrnn.data.queries import Queries
from worker_service.hrnn.evaluation.baselines.events import TrainingEvents
from worker_service.hrnn.evaluation.baselines.popularity import Popularity

#: Items whose neighbours are looked for at once: bounds the memory.
_ITEMS_PER_BLOCK = 1024


class ItemKnn:
    """Items by their similarity to the latest items of the query, summed, the older ones counting less.

    The similarity of two items is the cosine of the sets of histories that hold them. An item is its own nearest
    neighbour, so the latest items come back where people do; `WithoutSeen` takes them out where they do not.

    Args:
        events: The training events.
        latest: Events of a query's history that are looked at.
        decay: How much less an event counts than the one after it.
        neighbours: Most similar items that are kept for each item.
    """

    def __init__(self, events: TrainingEvents, latest: int = 10, decay: float = 0.8, neighbours: int = 1000) -> None:
        self._popularity = Popularity(events)
        self._weights = decay ** np.arange(latest)
        self._similar = _similarities(events, neighbours)

    def __call__(self, queries: Queries) -> Tensor:
        """Scores [Q, N]."""
        latest = [items[: -len(self._weights) - 1 : -1] - 1 for items in queries.items]
        lengths = [len(items) for items in latest]
        weights = [self._weights[:length] for length in lengths]
        rows = np.repeat(np.arange(len(queries)), lengths)
        asked = sparse.coo_array(
            (np.concatenate(weights), (rows, np.concatenate(latest))), shape=(len(queries), self._similar.shape[0])
        )
        own: NDArray[np.float64] = (asked.tocsr() @ self._similar).toarray()
        return self._popularity.below(own)


def _similarities(events: TrainingEvents, neighbours: int) -> sparse.csr_array:
    """Cosines of each item with its nearest neighbours, 0 for all others [N, N]."""
    histories = len(events.offsets) - 1
    used = events.contents(np.repeat(np.arange(histories), np.diff(events.offsets)), histories)
    scale = 1.0 / np.sqrt(used.sum(axis=0))  # every item of the catalogue has events
    by_item = used.T.tocsr()
    blocks = []
    for start in range(0, events.size, _ITEMS_PER_BLOCK):
        block = (by_item[start : start + _ITEMS_PER_BLOCK] @ used).toarray()
        block *= scale * scale[start : start + len(block), None]
        if neighbours < events.size:
            far = np.argpartition(block, -neighbours, axis=1)[:, :-neighbours]
            np.put_along_axis(block, far, 0.0, axis=1)
        blocks.append(sparse.csr_array(block))
    return sparse.vstack(blocks, format="csr")
