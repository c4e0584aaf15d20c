"""Scores items with a network."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from worker_service.hrnn.data.own_history import own_items
from worker_service.hrnn.data.queries import Queries
from worker_service.hrnn.data.sessions import FEATURES, FIRST, SessionRule
from worker_service.hrnn.network.cell import HrnnState
from worker_service.hrnn.network.model import HrnnModel

#: Steps per call of the model: bounds the memory that long histories take.
_STEPS_PER_CALL = 256


class ModelScorer:
    """Scores of all items after the histories of queries, with dropout off.

    Args:
        model: On its device.
        rule: The session rule of its training data.
    """

    def __init__(self, model: HrnnModel, rule: SessionRule) -> None:
        self._model = model
        self._rule = rule

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
        state = self._model.initial_state(len(queries))
        for start in range(0, longest, _STEPS_PER_CALL):
            steps = slice(start, start + _STEPS_PER_CALL)
            _, state = self._model.encode(
                torch.from_numpy(items[steps]).to(device), torch.from_numpy(features[steps]).to(device), state
            )
        kept = torch.from_numpy(known).to(device)
        state = HrnnState(state.hidden * kept, state.user * kept)
        asked = torch.from_numpy(queries.ask_features).to(device)
        own = None
        if self._model.shape.own_items:
            ask_times = queries.ask_times if self._model.shape.use_query_gap else None
            own = own_items(queries.items, queries.times, ask_times, self._rule, device)
        return self._model.scores(self._model.output(state), asked, own)
