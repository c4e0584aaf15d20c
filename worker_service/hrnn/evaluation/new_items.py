"""How well lists that hold new items only find the new items that people turned to."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from worker_service.hrnn.data.queries import Queries
from worker_service.hrnn.evaluation.evaluate import Scorer, evaluate


def new_item_figures(score: Scorer, queries: Queries, new: Tensor) -> dict[str, Any]:
    """Figures of lists that are restricted to new items, as JSON values.

    Args:
        score: Scores all items.
        queries: Of which those count whose truth holds a new item; their other truth does not count.
        new: Which items are new, bool [N].

    Returns:
        ``count`` of new items, number of ``queries`` that count, and their ``metrics``; None without any query.
    """
    wanted = new.numpy()
    truth = [found[wanted[found - 1]] for found in queries.truth]
    asked = np.flatnonzero([len(found) for found in truth])
    count = int(wanted.sum())
    if not len(asked):
        return {"count": count, "queries": 0, "metrics": None}
    kept = tuple(truth[place] for place in asked)
    sizes = np.array([len(found) for found in kept])
    restricted = replace(queries.chosen(asked), truth=kept, truth_sizes=sizes)

    def among_new(part: Queries) -> Tensor:
        scores = score(part)
        return torch.where(new.to(scores.device), scores, scores.amin() - 1)

    metrics = evaluate(among_new, restricted, len(wanted), count).metrics()
    return {"count": count, "queries": len(asked), "metrics": metrics}
