"""Measures anything that scores items, on held-out events."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from hrnn_tuner.algorithms.contract import InvalidObjectiveError
from worker_service.hrnn.data.queries import Queries
from worker_service.hrnn.evaluation.metrics import LIST_LENGTH, metrics_by_query, relevance_of_lists

_QUERIES_PER_BATCH = 256

#: Gives the scores of all N items for Q queries [Q, N].
Scorer = Callable[[Queries], Tensor]


@dataclass(frozen=True, eq=False)
class Evaluation:
    """How well the lists for Q queries hit what came next.

    Attributes:
        relevance: Whether the item at each place of a query's list is relevant, bool [Q, 25].
        truth_sizes: Items to be found for each query, those outside the catalogue included, int64 [Q].
        users: User number of each query, int64 [Q].
        coverage: Items in any of the lists / items of the interactions.
    """

    relevance: NDArray[np.bool_]
    truth_sizes: NDArray[np.int64]
    users: NDArray[np.int64]
    coverage: float

    @cached_property
    def by_query(self) -> Mapping[str, NDArray[np.float64]]:
        """Every metric that is a mean over queries, by name, with its value for every query [Q]."""
        return metrics_by_query(self.relevance, self.truth_sizes)

    def per_query(self, name: str) -> NDArray[np.float64]:
        """One metric's value for every query [Q].

        Raises:
            ValueError: For a name that is no mean over queries, as ``coverage``.
        """
        found = self.by_query.get(name)
        if found is None:
            raise ValueError(f"no metric {name!r} of single queries; known: {', '.join(self.by_query)}")
        return found

    def metrics(self) -> dict[str, float]:
        """Every metric by name: the means over queries, and ``coverage``."""
        return {**{name: float(values.mean()) for name, values in self.by_query.items()}, "coverage": self.coverage}


def evaluate(score: Scorer, queries: Queries, catalogue_size: int, total_items: int) -> Evaluation:
    """Ranks the whole catalogue for every query and looks at the top 25; nothing is filtered.

    Args:
        score: What is measured.
        queries: At least one.
        catalogue_size: N.
        total_items: Items of the interactions, the whole of ``coverage``.

    Raises:
        ValueError: When there are no queries.
        InvalidObjectiveError: When a score is NaN or infinite.
    """
    if not len(queries):
        raise ValueError("there are no queries to evaluate")
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
    return Evaluation(np.concatenate(relevance), queries.truth_sizes, queries.users, coverage)


def _relevant(queries: Queries, scores: Tensor) -> Tensor:
    """Whether an item is among the truth, bool like ``scores`` [Q, N]."""
    rows = np.repeat(np.arange(len(queries)), [len(truth) for truth in queries.truth])
    columns = np.concatenate(queries.truth) - 1
    relevant = torch.zeros_like(scores, dtype=torch.bool)
    relevant[torch.from_numpy(rows).to(scores.device), torch.from_numpy(columns).to(scores.device)] = True
    return relevant
