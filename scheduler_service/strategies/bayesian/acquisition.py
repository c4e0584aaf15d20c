"""The acquisition function: how much improvement a point promises."""

from __future__ import annotations

import numpy as np
import torch
from botorch.acquisition.logei import qLogNoisyExpectedImprovement
from botorch.models import SingleTaskGP
from botorch.sampling.normal import SobolQMCNormalSampler

from scheduler_service.strategies.results import Floats

#: Joint draws of the values at baseline and pending points, over which the improvement is averaged.
_DRAWS = 128
_CHUNK = 1_024


class Acquisition:
    """Logarithm of the noisy expected improvement over the best of observed and pending points.

    Ament et al., Unexpected improvements to expected improvement for Bayesian optimization (2023). The values of
    pending points are integrated out like the noise of the observed ones, so no made-up values enter the model and a
    point next to a pending one promises little.
    """

    def __init__(self, model: SingleTaskGP, baseline: Floats, pending: Floats, seed: int) -> None:
        """Takes the model, the rows that may be the best so far, those in flight, and the seed of the draws."""
        self._function = qLogNoisyExpectedImprovement(
            model,
            torch.from_numpy(baseline),
            sampler=SobolQMCNormalSampler(torch.Size([_DRAWS]), seed=seed),
            X_pending=torch.from_numpy(pending) if len(pending) else None,
            prune_baseline=True,
        )

    def values(self, rows: Floats) -> Floats:
        """Shape (m,) for rows of shape (m, columns)."""
        with torch.no_grad():
            starts = range(0, len(rows), _CHUNK)
            chunks = [self._function(torch.from_numpy(rows[at : at + _CHUNK]).unsqueeze(-2)) for at in starts]
        values: Floats = torch.cat(chunks).numpy()
        return np.nan_to_num(values, nan=-np.inf, neginf=-np.inf)

    def gradients(self, rows: Floats) -> tuple[Floats, Floats]:
        """Values as in `values`, and their gradients, shape (m, columns)."""
        x = torch.from_numpy(rows).unsqueeze(-2).requires_grad_(True)
        values = self._function(x)
        (gradients,) = torch.autograd.grad(values.sum(), x)
        return values.detach().numpy(), np.nan_to_num(gradients.squeeze(-2).numpy())
