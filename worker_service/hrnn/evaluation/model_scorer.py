"""Scores items with a network."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from worker_service.hrnn.data.own_history import own_items
from worker_service.hrnn.data.queries import Queries
from worker_service.hrnn.data.sessions import FEATURES, FIRST, SessionRule
from worker_service.hrnn.network.cell import HrnnState
from worker_service.hrnn.network.metadata_tensors import NOBODY, MetadataTensors
from worker_service.hrnn.network.model import HrnnModel

#: Steps per call of the model: bounds the memory that long histories take.
_STEPS_PER_CALL = 256


class ModelScorer:
    """Scores of all items after the histories of queries, with dropout off.

    Args:
        model: On its device.
        rule: The session rule of its training data.
        metadata: What else is known of those whom the queries are about, of what they used, and of the context they
            ask in; None for nothing.
        by_metadata: Whether items are scored as if all of them were new, for a model with metadata.
    """

    def __init__(
        self,
        model: HrnnModel,
        rule: SessionRule,
        metadata: MetadataTensors | None = None,
        *,
        by_metadata: bool = False,
    ) -> None:
        self._model = model
        self._rule = rule
        self._metadata = metadata
        with torch.no_grad():
            self._items = model.items(by_metadata=by_metadata)

    @torch.no_grad()
    def __call__(self, queries: Queries) -> Tensor:
        """Scores [Q, N]. Histories are moved to the right and padded on the left."""
        device = self._model.table.device
        longest = max(1, max(len(items) for items in queries.items))
        items = np.zeros((longest, len(queries)), np.int64)
        features = np.zeros((longest, len(queries), FEATURES), np.float32)
        features[..., FIRST] = 1.0  # padding counts as a first event, so that nothing is carried out of it
        known = np.zeros((len(queries), 1), np.float32)
        for column, history in enumerate(queries.items):
            if len(history):
                items[-len(history) :, column] = history
                features[-len(history) :, column] = queries.features[column]
                known[column] = 1.0
        metadata, whose = self._metadata, np.zeros((2, 0, 0), np.int64)
        if metadata is not None:
            whose = _whose(queries, longest)
        state = self._model.initial_state(len(queries))
        for start in range(0, longest, _STEPS_PER_CALL):
            steps = slice(start, start + _STEPS_PER_CALL)
            _, state = self._model.encode(
                torch.from_numpy(items[steps]).to(device),
                torch.from_numpy(features[steps]).to(device),
                state,
                vectors=self._items,
                events=None if metadata is None else metadata.events(*whose[:, steps]),
            )
        kept = torch.from_numpy(known).to(device)
        state = HrnnState(state.hidden * kept, state.user * kept)
        asked = torch.from_numpy(queries.ask_features).to(device)
        own = None
        if self._model.shape.own_items:
            ask_times = queries.ask_times if self._model.shape.use_query_gap else None
            own = own_items(queries.items, queries.times, ask_times, self._rule, device)
        asking = None if metadata is None else metadata.asking(queries.users, queries.ask_rows)
        return self._model.scores(self._model.output(state), asked, own, vectors=self._items, asking=asking)


def _whose(queries: Queries, longest: int) -> NDArray[np.int64]:
    """Row of each event, and user of each first event, `NOBODY` for all others, padded on the left [2, longest, Q]."""
    result = np.full((2, longest, len(queries)), NOBODY)
    for column, rows in enumerate(queries.rows):
        if len(rows):
            result[0, -len(rows) :, column] = rows
            result[1, -len(rows), column] = queries.users[column]
    return result
