"""Measures anything that scores items, on held-out events."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from hrnn_tuner.algorithms.contract import InvalidObjectiveError
from worker_service.hrnn.data.queries import Queries
from worker_service.hrnn.evaluation.metrics import LIST_LENGTH, ranking_metrics, relevance_of_lists

_QUERIES_PER_BATCH = 256

#: Gives the scores of all N items for Q queries [Q, N].
Scorer = Callable[[Queries], Tensor]


def evaluate(score: Scorer, queries: Queries, catalogue_size: int, total_items: int) -> Mapping[str, float]:
    """Ranks the whole catalogue for every query and measures the top 25; nothing is filtered.

    Args:
        score: What is measured.
        queries: At least one.
        catalogue_size: N.
        total_items: Items of the interactions, the whole of ``coverage``.

    Raises:
        InvalidObjectiveError: When a score is NaN or infinite.
    """
    relevance: list[NDArray[np.bool_]] = []
    recommended = np.zeros(catalogue_size, np.bool_)
    for start in range(0, len(queries), _QUERIES_PER_BATCH):
        part = queries[start : start + _QUERIES_PER_BATCH]
        scores = score(part)
        if not bool(torch.isfinite(scores).all()):
            raise InvalidObjectiveError("the model's scores became NaN or infinite; a lower learning_rate may help")
        relevance.append(relevance_of_lists(scores, _relevant(part, scores)).cpu().numpy())
        best = scores.topk(min(LIST_LENGTH, catalogue_size), dim=1).indices
        recommended[best.flatten().cpu().numpy()] = True
    coverage = float(recommended.sum()) / total_items
    return {**ranking_metrics(np.concatenate(relevance)), "coverage": coverage}


def _relevant(queries: Queries, scores: Tensor) -> Tensor:
    """Whether an item is among the truth, bool like ``scores`` [Q, N]."""
    sizes = [len(truth) for truth in queries.truth]
    rows = np.repeat(np.arange(len(queries)), sizes)
    columns = np.concatenate(queries.truth) - 1 if sizes else np.zeros(0, np.int64)
    relevant = torch.zeros_like(scores, dtype=torch.bool)
    relevant[torch.from_numpy(rows).to(scores.device), torch.from_numpy(columns).to(scores.device)] = True
    return relevant
