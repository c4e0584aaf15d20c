"""Softmax cross entropy against sampled negatives, for catalogues too large to score at every event."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from worker_service.hrnn.network.loss import ExtraScores

#: Negatives are drawn in proportion to count^0.75, between uniform and popularity.
_COUNT_EXPONENT = 0.75


class Negatives(NamedTuple):
    """What a sampler drew.

    Attributes:
        rows: The distinct rows of the catalogue, ascending [S].
        correction: What is added to their scores, so that the sum of their exponentials estimates that of all items
            (the logQ correction): log(draws of this one) - log(q * draws), q its probability in one draw [S].
    """

    rows: Tensor
    correction: Tensor


class NegativeSampler:
    """Draws negatives with replacement.

    Args:
        counts: Plain events per item [N], on the device of the training.
        generator: A random generator of that device.
    """

    def __init__(self, counts: Tensor, generator: torch.Generator) -> None:
        shares = counts.double().clamp(min=1.0).pow(_COUNT_EXPONENT)
        self._cumulative = (shares / shares.sum()).cumsum(0)
        self._log_shares = (shares / shares.sum()).log().float()
        self._generator = generator

    def draw(self, size: int) -> Negatives:
        """Makes ``size`` draws."""
        points = torch.rand(size, generator=self._generator, device=self._cumulative.device, dtype=torch.float64)
        drawn = torch.searchsorted(self._cumulative, points).clamp(max=len(self._cumulative) - 1)
        rows, times = torch.unique(drawn, return_counts=True)
        return Negatives(rows, times.log().float() - self._log_shares[rows] - math.log(size))


def sampled_softmax_loss(
    queries: Tensor,
    table: Tensor,
    bias: Tensor,
    targets: Tensor,
    weights: Tensor,
    negatives: Negatives,
    extra: ExtraScores | None = None,
) -> Tensor:
    """Like `loss.full_softmax_loss`, with the sum over the other items estimated from negatives that all rows share.

    A negative that is the row's own target is masked. With a growing number of draws the loss becomes the full one.

    Args:
        queries: q [M, H].
        table: E [N, H].
        bias: [N].
        targets: Rows of ``table`` [M].
        weights: [M].
        negatives: The sample.
        extra: What is added to some of the scores.
    """
    rows, correction = negatives
    own = (queries * functional.embedding(targets, table)).sum(dim=1) + bias[targets]
    others = torch.addmm(bias[rows] + correction, queries, functional.embedding(rows, table).T)
    if extra is not None:
        hits = (extra.column == targets[extra.row]).nonzero().squeeze(1)
        own = own.index_add(0, extra.row[hits], extra.value[hits])
        place = torch.searchsorted(rows, extra.column).clamp_(max=len(rows) - 1)
        drawn = (rows[place] == extra.column).nonzero().squeeze(1)
        others = others.index_put((extra.row[drawn].long(), place[drawn]), extra.value[drawn], accumulate=True)
    others = others.masked_fill(targets[:, None] == rows, float("-inf"))
    normaliser = torch.logsumexp(torch.cat((own[:, None], others), dim=1), dim=1)
    return (weights * (normaliser - own)).sum()
