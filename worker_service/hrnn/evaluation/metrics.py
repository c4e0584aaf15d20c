"""Ranking metrics of top-25 lists, as the published recommendation service defines them and as papers do."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from hrnn_tuner.algorithms.declarations.metrics import CUTOFFS

#: Length of the lists that are measured.
LIST_LENGTH = 25


def relevance_of_lists(scores: Tensor, relevant: Tensor) -> Tensor:
    """Where the relevant items stand in each query's list, counted conservatively.

    Among equal scores the relevant items stand last, so that a model that scores all alike is not lucky. For a query
    with one relevant item its rank is the number of items that score no less, itself included.

    Args:
        scores: [Q, N].
        relevant: True for relevant items, bool [Q, N].

    Returns:
        bool [Q, 25], the best place first; False behind the end of a short catalogue.
    """
    length = min(LIST_LENGTH, scores.shape[1])
    lowest = float("-inf")
    others = scores.masked_fill(relevant, lowest).topk(length, dim=1).values
    own = scores.masked_fill(~relevant, lowest).topk(length, dim=1).values
    real = own > lowest
    # Place of the j-th best relevant item: the j better relevant ones, and every other item that scores no less.
    above = torch.searchsorted(-others, -own, right=True)  # both ascend after the sign change
    place = above + torch.arange(length, device=scores.device)
    result = torch.zeros(len(scores), LIST_LENGTH, dtype=torch.bool, device=scores.device)
    query, rank = torch.nonzero(real & (place < length), as_tuple=True)
    result[query, place[query, rank]] = True
    return result


def metrics_by_query(relevance: NDArray[np.bool_], truth_sizes: NDArray[np.int64]) -> dict[str, NDArray[np.float64]]:
    """Every metric that is a mean over queries, by name, each with its value for every query [Q].

    * precision_at_K = relevant items in the top K / K;
    * hit_rate_at_K = 1 when the top K has a relevant item;
    * recall_at_K = relevant items in the top K / items of the truth;
    * normalized_discounted_cumulative_gain_at_K = sum of 1 / log2(1 + rank) over the relevant items in the top K,
      divided by the same sum with these items moved to the front; 0 without any;
    * ndcg_truth_at_K = the same sum, divided by that of a list with min(K, items of the truth) of them in front, which
      is what papers call NDCG: it also sees what the list lacks;
    * mean_reciprocal_rank_at_25 = 1 / rank of the first relevant item in the top 25; 0 without any.

    Args:
        relevance: Whether the item at each place is relevant, [Q, 25].
        truth_sizes: Items to be found for each query, at least 1, those outside the catalogue included [Q].
    """
    discounts = 1.0 / np.log2(np.arange(2, LIST_LENGTH + 2))
    ideal = np.concatenate(([0.0], np.cumsum(discounts)))
    result: dict[str, NDArray[np.float64]] = {}
    for k in CUTOFFS:
        top = relevance[:, :k]
        hits = top.sum(axis=1)
        gain = (top * discounts[:k]).sum(axis=1)
        result[f"precision_at_{k}"] = hits / k
        result[f"hit_rate_at_{k}"] = (hits > 0).astype(np.float64)
        result[f"recall_at_{k}"] = hits / truth_sizes
        result[f"normalized_discounted_cumulative_gain_at_{k}"] = gain / np.maximum(ideal[hits], discounts[k - 1])
        result[f"ndcg_truth_at_{k}"] = gain / ideal[np.minimum(k, truth_sizes)]
    first = np.where(relevance.any(axis=1), relevance.argmax(axis=1) + 1.0, np.inf)
    result[f"mean_reciprocal_rank_at_{LIST_LENGTH}"] = 1.0 / first
    return result
