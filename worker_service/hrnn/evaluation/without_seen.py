"""Moves what a user already used behind everything else."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from worker_service.hrnn.data.queries import Queries
from worker_service.hrnn.evaluation.evaluate import Scorer


class WithoutSeen:
    """A scorer whose lists hold no item of the query's history, as far as the catalogue has others.

    Nothing is filtered by default: where people come back to items, a filter removes what should be recommended. It is
    here for comparisons with numbers that were measured so.

    Args:
        score: What is filtered.
    """

    def __init__(self, score: Scorer) -> None:
        self._score = score

    def __call__(self, queries: Queries) -> Tensor:
        """Scores [Q, N]."""
        scores = self._score(queries).clone()
        rows = torch.from_numpy(np.repeat(np.arange(len(queries)), [len(items) for items in queries.items]))
        seen = torch.from_numpy(np.concatenate(queries.items) - 1)
        lowest = scores.amin() - 1  # finite, as `evaluate` demands
        scores[rows.to(scores.device), seen.to(scores.device)] = lowest
        return scores
