"""Softmax cross entropy against sampled negatives, for catalogues too large to score at every event."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional

#: From this size of the catalogue on, ``loss=auto`` samples.
FULL_SOFTMAX_ITEMS = 50_000
#: Negatives are drawn in proportion to count^0.75, between uniform and popularity.
_COUNT_EXPONENT = 0.75


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

    def draw(self, size: int) -> tuple[Tensor, Tensor]:
        """Draws S items; returns their numbers [S] and the log probabilities of drawing them [S]."""
        points = torch.rand(size, generator=self._generator, device=self._cumulative.device, dtype=torch.float64)
        drawn = torch.searchsorted(self._cumulative, points).clamp(max=len(self._cumulative) - 1)
        return drawn, self._log_shares[drawn]


def sampled_softmax_loss(
    queries: Tensor,
    table: Tensor,
    bias: Tensor,
    targets: Tensor,
    weights: Tensor,
    negatives: Tensor,
    log_shares: Tensor,
) -> Tensor:
    """Like `loss.full_softmax_loss`, with the sum over the other items estimated from S shared negatives.

    Each negative's score is corrected by -log(S q), q its probability of being drawn (the logQ correction), which makes
    the estimated sum unbiased; a negative that is the event's own target is masked. With growing S the loss becomes the
    full one.

    Args:
        queries: q [M, H].
        table: E [N, H].
        bias: [N].
        targets: Rows of ``table`` [M].
        weights: [M].
        negatives: Rows of ``table`` [S].
        log_shares: log q of the negatives [S].
    """
    own = (queries * functional.embedding(targets, table)).sum(dim=1) + bias[targets]
    corrected = bias[negatives] - log_shares - math.log(len(negatives))
    others = torch.addmm(corrected, queries, functional.embedding(negatives, table).T)
    others = others.masked_fill(targets[:, None] == negatives, float("-inf"))
    normaliser = torch.logsumexp(torch.cat((own[:, None], others), dim=1), dim=1)
    return (weights * (normaliser - own)).sum()
