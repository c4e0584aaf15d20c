"""The acquisition function: how much improvement a point promises."""

from __future__ import annotations

import math

import numpy as np
import torch
from botorch.models import SingleTaskGP
from botorch.utils.sampling import draw_sobol_normal_samples
from torch import Tensor

from scheduler_service.strategies.results import Floats

#: Joint draws of the values at baseline and pending points, over which the improvement is averaged.
_DRAWS = 128
_CHUNK = 1_024
#: Variance that is added to the values at baseline and pending points, so that nearly equal points can be told apart
#: in double precision.
_JITTER = 1e-6
_LEAST_VARIANCE = 1e-9
#: Below it, the second of two terms that nearly cancel out is replaced by its limit.
_FAR = -1e5


class Acquisition:
    """Logarithm of the noisy expected improvement over the best of observed and pending points.

    The values at baseline and pending points are not known, only their distribution, from which they are drawn
    together: Letham et al., Constrained Bayesian optimization with noisy experiments (2019). So no made-up values
    enter the model, and a point next to a pending one promises little. Given a draw, the value anywhere else is normal
    and its expected improvement has a closed form, whose logarithm has a gradient everywhere: Ament et al., Unexpected
    improvements to expected improvement for Bayesian optimization (2023).
    """

    def __init__(self, model: SingleTaskGP, baseline: Floats, pending: Floats, seed: int) -> None:
        """Takes the model, the rows that may be the best so far, those in flight, and the seed of the draws."""
        observed, drawn = model.train_inputs[0], torch.from_numpy(np.concatenate((baseline, pending)))
        count = len(observed)
        self._mean, self._kernel = model.mean_module, model.covar_module
        self._rows = torch.cat((observed, drawn))
        with torch.no_grad():
            noise = torch.full((len(self._rows),), _JITTER, dtype=observed.dtype)
            noise[:count] = model.likelihood.noise
            factor = torch.linalg.cholesky(self._covariance(self._rows) + torch.diag(noise))
            # Draws of all values are the factor times independent ones; those of the observed values are known.
            residuals = (model.train_targets - self._mean(observed)).unsqueeze(-1)
            known = torch.linalg.solve_triangular(factor[:count, :count], residuals, upper=False)
            normal = draw_sobol_normal_samples(len(drawn), _DRAWS, dtype=observed.dtype, seed=seed).T
            independent = torch.cat((known.expand(-1, _DRAWS), normal))
            values = self._mean(drawn).unsqueeze(-1) + factor[count:] @ independent
            self._best = values.max(0).values
            self._inverse = torch.linalg.solve_triangular(
                factor, torch.eye(len(factor), dtype=factor.dtype), upper=False
            )
            self._weights = self._inverse.T @ independent

    def values(self, rows: Floats) -> Floats:
        """Shape (m,) for rows of shape (m, columns)."""
        with torch.no_grad():
            starts = range(0, len(rows), _CHUNK)
            values: Floats = torch.cat([self._at(torch.from_numpy(rows[at : at + _CHUNK])) for at in starts]).numpy()
        return np.nan_to_num(values, nan=-np.inf, neginf=-np.inf)

    def gradients(self, rows: Floats) -> tuple[Floats, Floats]:
        """Values as in `values`, and their gradients, shape (m, columns)."""
        x = torch.from_numpy(rows).requires_grad_(True)
        values = self._at(x)
        (gradients,) = torch.autograd.grad(values.sum(), x)
        return values.detach().numpy(), np.nan_to_num(gradients.numpy())

    def _at(self, x: Tensor) -> Tensor:
        """The mean over draws of the expected improvement given a draw."""
        covariance = self._covariance(x)
        means = self._mean(x).unsqueeze(-1) + covariance @ self._weights
        variance = 1.0 - (covariance @ self._inverse.T).square().sum(-1, keepdim=True)
        deviation = variance.clamp_min(_LEAST_VARIANCE).sqrt()
        improvement = _log_improvement((means - self._best) / deviation).logsumexp(-1)
        value: Tensor = improvement - math.log(_DRAWS) + deviation.log().squeeze(-1)
        return value

    def _covariance(self, x: Tensor) -> Tensor:
        """Of the values, without noise, at some points with those at all known ones; the kernel's variance is 1."""
        covariance: Tensor = self._kernel(x, self._rows).to_dense()
        return covariance


def _log_improvement(z: Tensor) -> Tensor:
    """Logarithm of the expected positive part of a normal variable with mean z and variance 1.

    That is the density at z plus z times the distribution function. Far below 0 both nearly cancel out, so the density
    is taken out of them.
    """
    near, below = z.clamp_min(-1.0), z.clamp(_FAR, -1.0)
    near_value = (torch.exp(-0.5 * near.square()) / math.sqrt(2.0 * math.pi) + near * torch.special.ndtr(near)).log()
    ratio = below * torch.special.erfcx(-below / math.sqrt(2.0)) * math.sqrt(0.5 * math.pi)
    rest = torch.where(below > _FAR, torch.log1p(ratio.clamp_min(-1.0 + 1e-12)), -2.0 * (-below).log())
    far_value = rest - 0.5 * z.square() - 0.5 * math.log(2.0 * math.pi)
    return torch.where(z > -1.0, near_value, far_value)
