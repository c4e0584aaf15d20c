"""Fits the hyperparameters of a Gaussian process: the most likely ones, by a closed form of likelihood and gradient.

Automatic differentiation would take several times as long for the few hundred results of a tuning job. All products and
factors of matrices are torch's, which keeps to the number of threads that it is told, as numpy's do not.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from scipy.optimize import minimize
from torch import Tensor

from scheduler_service.strategies.bayesian.recipe import Kernel
from scheduler_service.strategies.results import Floats

#: Steps of L-BFGS-B; more improve the likelihood by less than a hundredth and take several times as long.
_ITERATIONS = 40
#: It ends when a step improves the likelihood by less than this part of it.
_TOLERANCE = 1e-7
#: Of the logarithm of a length scale or noise: far beyond what the priors allow.
_LARGEST_LOGARITHM = 20.0


@dataclass(frozen=True)
class LogNormal:
    """A prior of a positive hyperparameter.

    Attributes:
        location: Mean of its logarithm.
        scale: Standard deviation of its logarithm.
        minimum: Smallest value that the hyperparameter takes.
    """

    location: float
    scale: float
    minimum: float

    @property
    def mode(self) -> float:
        """Where the density is largest."""
        return math.exp(self.location - self.scale**2)

    def log_density(self, logarithms: Floats) -> tuple[float, Floats]:
        """Sum over hyperparameters, up to a constant, of the density of each; and its gradient by the logarithms."""
        away = (logarithms - self.location) / self.scale
        return float(-(logarithms + away**2 / 2).sum()), -1.0 - away / self.scale


@dataclass(frozen=True)
class Hyperparameters:
    """Of a Gaussian process with a constant mean and a kernel of variance 1.

    Attributes:
        length_scales: One per column.
        noise: Variance of the noise.
        mean: The constant mean.
    """

    length_scales: Floats
    noise: float
    mean: float


class MarginalLikelihood:
    """The density of targets and hyperparameters, given rows: Rasmussen and Williams (2006), sections 5.4.1 and 5.5."""

    def __init__(
        self, kernel: Kernel, rows: Floats, targets: Floats, length_scale: LogNormal, noise: LogNormal
    ) -> None:
        """Takes rows of shape (n, columns), targets of shape (n,), and the priors of length scales and noise."""
        self._kernel, self._rows, self._targets = kernel, torch.from_numpy(rows), torch.from_numpy(targets)
        self._length_scale, self._noise = length_scale, noise

    def largest(self) -> Hyperparameters | None:
        """The hyperparameters that make it largest, searched from the modes of the priors; None if that fails."""
        columns = self._rows.shape[1]
        start = np.log([*([self._length_scale.mode] * columns), self._noise.mode])
        minima = np.log([*([self._length_scale.minimum] * columns), self._noise.minimum])

        def negative(logarithms: Floats) -> tuple[float, Floats]:
            value, gradient = self.at(logarithms)
            return -value, -gradient

        try:
            found = minimize(
                negative,
                np.maximum(start, minima),
                jac=True,
                method="L-BFGS-B",
                bounds=[(low, _LARGEST_LOGARITHM) for low in minima],
                options={"maxiter": _ITERATIONS, "ftol": _TOLERANCE},
            )
            return self._hyperparameters(found.x)
        except np.linalg.LinAlgError:
            return None

    def at(self, logarithms: Floats) -> tuple[float, Floats]:
        """Logarithm of the density, up to a constant, per row; and its gradient.

        The mean is the most likely one for these length scales and noise, so it adds nothing to the gradient.

        Args:
            logarithms: Of the length scales and the noise, shape (columns + 1,).

        Raises:
            np.linalg.LinAlgError: When the covariance is not positive definite in double precision.
        """
        scaled = self._rows / torch.from_numpy(np.exp(logarithms[:-1]))
        covariance, slope = _covariance(self._kernel, scaled)
        noise = math.exp(logarithms[-1])
        inverse, log_determinant = _inverse(covariance, noise)
        residuals = self._targets - _mean(inverse, self._targets)
        solved = inverse @ residuals
        likelihood = -0.5 * (float(residuals @ solved) + log_determinant)
        # The derivative by a hyperparameter is half the trace of this times the derivative of the covariance.
        outer = torch.outer(solved, solved) - inverse
        weights = outer * slope
        by_length_scale = (weights.sum(1) @ scaled**2 - ((weights @ scaled) * scaled).sum(0)).numpy()
        by_noise = 0.5 * noise * float(outer.trace())
        prior, prior_slope = self._length_scale.log_density(logarithms[:-1])
        noise_prior, noise_slope = self._noise.log_density(logarithms[-1:])
        gradient = np.concatenate((by_length_scale + prior_slope, by_noise + noise_slope))
        count = len(self._targets)
        return (likelihood + prior + noise_prior) / count, gradient / count

    def _hyperparameters(self, logarithms: Floats) -> Hyperparameters:
        """With the mean that belongs to length scales and noise."""
        length_scales, noise = np.exp(logarithms[:-1]), math.exp(logarithms[-1])
        covariance, _ = _covariance(self._kernel, self._rows / torch.from_numpy(length_scales))
        return Hyperparameters(length_scales, noise, float(_mean(_inverse(covariance, noise)[0], self._targets)))


def _covariance(kernel: Kernel, scaled: Tensor) -> tuple[Tensor, Tensor]:
    """Of the values at rows that were divided by the length scales, and what its derivatives have in common.

    The derivative by the logarithm of a length scale is the latter times the squared differences of that column.
    """
    squares = (scaled**2).sum(1)
    distances = (squares[:, None] + squares - 2.0 * scaled @ scaled.T).clamp_min(0.0)
    if kernel is Kernel.RBF:
        covariance = torch.exp(-0.5 * distances)
        return covariance, covariance
    root = torch.sqrt(5.0 * distances)
    decay = torch.exp(-root)
    return (1.0 + root + root**2 / 3.0) * decay, 5.0 / 3.0 * (1.0 + root) * decay


def _inverse(covariance: Tensor, noise: float) -> tuple[Tensor, float]:
    """The inverse of the covariance with noise, and the logarithm of its determinant."""
    noisy = covariance + noise * torch.eye(len(covariance), dtype=covariance.dtype)
    factor, failed = torch.linalg.cholesky_ex(noisy)
    if failed:
        raise np.linalg.LinAlgError("the covariance is not positive definite")
    return torch.cholesky_inverse(factor), 2.0 * float(factor.diagonal().log().sum())


def _mean(inverse: Tensor, targets: Tensor) -> Tensor:
    """The most likely constant mean."""
    weights = inverse.sum(0)
    return weights @ targets / weights.sum()
