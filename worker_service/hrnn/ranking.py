"""Lists of recommendations from shares of the items."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from hrnn_tuner.algorithms.contract import AlgorithmError, Recommendation


def popularity_shares(item_counts: Tensor, recommendable: Tensor | None = None) -> Tensor:
    """Shares of the items in the training events [N]; one event more for each, so that none is zero.

    Args:
        item_counts: Events per item [N].
        recommendable: Which items take part, bool [N]; None for all.
    """
    counts = item_counts + 1.0
    if recommendable is not None:
        counts = counts * recommendable
    return counts / counts.sum()


def best_items(items: Sequence[str], shares: Tensor, k: int, left_out: Tensor | None = None) -> list[Recommendation]:
    """The items with the largest shares.

    Args:
        items: ITEM_ID by row [N].
        shares: Share of each item [N].
        k: Length of the list, at least 1; shorter when there are not as many items.
        left_out: Items that are not to stand in it, bool [N]; None for none.

    Raises:
        AlgorithmError: When ``k`` is below 1.
    """
    if k < 1:
        raise AlgorithmError(f"the number of recommendations is {k}; allowed: at least 1")
    ranked = shares if left_out is None else torch.where(left_out, -1.0, shares)
    best = ranked.topk(min(k, len(ranked)))
    rows = [row for row, value in zip(best.indices.tolist(), best.values.tolist(), strict=True) if value >= 0]
    return [Recommendation(items[row], float(shares[row])) for row in rows]
