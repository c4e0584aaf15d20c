"""Measures a model, or anything else that scores items, on held-out users."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from hrnn_tuner.algorithms.contract import InvalidObjectiveError
from worker_service.hrnn.cell import HrnnState
from worker_service.hrnn.metrics import LIST_LENGTH, ranking_metrics, relevance_of_lists
from worker_service.hrnn.model import HrnnModel
from worker_service.hrnn.queries import Queries
from worker_service.hrnn.sessions import FEATURES, FIRST

_QUERIES_PER_BATCH = 256
#: Steps per call of the model: bounds the memory that long histories take.
_STEPS_PER_CALL = 256


@dataclass(frozen=True)
class QueryBatch:
    """Queries side by side, histories moved to the right and padded on the left.

    Attributes:
        items: Catalogue numbers [T, B], 0 for padding.
        features: [T, B, 4]; padding counts as a first event, so that nothing is carried out of it.
        empty: Whether a history has no event [B].
        ask_features: [B, 4].
        relevant: Whether an item is among the truth [B, N].
    """

    items: Tensor
    features: Tensor
    empty: Tensor
    ask_features: Tensor
    relevant: Tensor


def batches(queries: Queries, catalogue_size: int, device: str) -> Iterator[QueryBatch]:
    """Groups queries of similar length."""
    for start in range(0, len(queries), _QUERIES_PER_BATCH):
        members = range(start, min(start + _QUERIES_PER_BATCH, len(queries)))
        longest = max(1, len(queries.items[members[-1]]))
        items = np.zeros((longest, len(members)), np.int64)
        features = np.zeros((longest, len(members), FEATURES), np.float32)
        features[..., FIRST] = 1.0
        relevant = np.zeros((len(members), catalogue_size), np.bool_)
        for column, query in enumerate(members):
            length = len(queries.items[query])
            if length:
                items[-length:, column] = queries.items[query]
                features[-length:, column] = queries.features[query]
            relevant[column, queries.truth[query] - 1] = True
        empty = np.array([len(queries.items[query]) == 0 for query in members])
        yield QueryBatch(
            torch.from_numpy(items).to(device),
            torch.from_numpy(features).to(device),
            torch.from_numpy(empty).to(device),
            torch.from_numpy(queries.ask_features[start : members[-1] + 1]).to(device),
            torch.from_numpy(relevant).to(device),
        )


@torch.no_grad()
def model_scores(model: HrnnModel, batch: QueryBatch) -> Tensor:
    """Scores of all items after the histories of a batch [B, N]; dropout is off."""
    state = model.initial_state(batch.items.shape[1])
    for start in range(0, len(batch.items), _STEPS_PER_CALL):
        steps = slice(start, start + _STEPS_PER_CALL)
        _, state = model.encode(batch.items[steps], batch.features[steps], state)
    known = (~batch.empty).to(state.hidden.dtype)[:, None]
    state = HrnnState(state.hidden * known, state.user * known)
    return model.scores(model.ask(model.output(state), batch.ask_features))


def evaluate(
    score: Callable[[QueryBatch], Tensor], queries: Queries, catalogue_size: int, total_items: int, device: str
) -> Mapping[str, float]:
    """Ranks the whole catalogue for every query and measures the top 25; nothing is filtered.

    Args:
        score: Gives the scores of all items for a batch [B, N].
        queries: At least one.
        catalogue_size: N.
        total_items: Items of the interactions, the whole of ``coverage``.
        device: Where batches are made.

    Raises:
        InvalidObjectiveError: When a score is NaN or infinite.
    """
    relevance: list[NDArray[np.bool_]] = []
    recommended = torch.zeros(catalogue_size, dtype=torch.bool, device=device)
    for batch in batches(queries, catalogue_size, device):
        scores = score(batch)
        if not bool(torch.isfinite(scores).all()):
            raise InvalidObjectiveError("the model's scores became NaN or infinite; a lower learning_rate may help")
        relevance.append(relevance_of_lists(scores, batch.relevant).cpu().numpy())
        recommended[scores.topk(min(LIST_LENGTH, catalogue_size), dim=1).indices.flatten()] = True
    coverage = float(recommended.sum()) / total_items
    return {**ranking_metrics(np.concatenate(relevance)), "coverage": coverage}
