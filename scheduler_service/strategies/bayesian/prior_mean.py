"""What warm-start parents say, as the mean function of a Gaussian process."""

from __future__ import annotations

import torch
from botorch.models import SingleTaskGP
from gpytorch.means import Mean
from torch import Tensor

from scheduler_service.strategies.results import Floats
from scheduler_service.strategies.transfer import TransferPrior

#: Squared distances below it have no gradient: the kernel's is 0 there, the root's infinite.
_LEAST_SQUARE = 1e-16


def with_prior_mean(process: SingleTaskGP, prior: TransferPrior, rows: Floats, targets: Floats) -> None:
    """Turns a process of what a prior leaves of targets into one of the targets themselves.

    Args:
        process: Fitted on ``targets - prior.mean(rows)``.
        prior: What parents say.
        rows: Shape (n, columns).
        targets: Shape (n,).
    """
    process.mean_module = _PriorMean(process.mean_module, prior, torch.from_numpy(rows))
    process.set_train_data(targets=torch.from_numpy(targets), strict=True)  # type: ignore[operator]  # its types miss it
    process.eval()


class _PriorMean(Mean):  # type: ignore[misc]  # gpytorch has no types
    """The mean of a process of residuals plus `TransferPrior.mean`, with gradients."""

    def __init__(self, residual: Mean, prior: TransferPrior, rows: Tensor) -> None:
        """Takes the mean of the residuals, the prior, and the rows of the results."""
        super().__init__()
        self._residual = residual
        self._scale = prior.slope * max(prior.weights)
        self._centre = prior.centre
        total = sum(prior.weights)
        self._models = [
            (torch.from_numpy(model.points), torch.from_numpy(model.coefficients) * (weight / total), model.length)
            for model, weight in zip(prior.models, prior.weights, strict=True)
            if model is not None
        ]
        self._rows = rows
        self._at_rows = self._said(rows)

    def forward(self, x: Tensor) -> Tensor:
        """Means of shape (..., m) at rows of shape (..., m, columns).

        To predict, a process puts all its own rows before each of those that are asked for; there the means are known.
        """
        count = len(self._rows)
        first, rest = x[..., :count, :], x[..., count:, :]
        if len(rest) and first.shape[-2] == count and bool((first == self._rows).all()):
            prior = torch.cat((self._at_rows.expand(*x.shape[:-2], count), self._said(rest)), dim=-1)
        else:
            prior = self._said(x)
        means: Tensor = self._residual(x)
        return means + prior

    def _said(self, x: Tensor) -> Tensor:
        """What the parents say, of shape (..., m)."""
        blend = torch.zeros(x.shape[:-1], dtype=x.dtype)
        for points, coefficients, length in self._models:
            squares = x.square().sum(-1, keepdim=True) + points.square().sum(-1) - 2.0 * x @ points.T
            distance = (5.0 * squares.clamp_min(_LEAST_SQUARE)).sqrt() / length
            kernel = (1.0 + distance + distance.square() / 3.0) * torch.exp(-distance)
            blend = blend + kernel @ coefficients
        shifted: Tensor = self._scale * (blend - self._centre)
        return shifted
