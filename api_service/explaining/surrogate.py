"""A Gaussian process of numpy alone: what is asked of it here is no proposal, and torch would not fit into the API.

Its kernel is Matérn's of smoothness 5/2 with a length scale for each range (Rasmussen and Williams, Gaussian processes
for machine learning, 2006, equations 4.17 and 5.1). The length scales and the noise are those of the largest posterior
density. The prior of the length scales grows with the number of ranges, so that many ranges do not hide that few of
them matter: Hvarfner, Hellsten and Nardi, Vanilla Bayesian optimization performs great in high dimensions (2024).
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from api_service.explaining.encoding import Floats

#: Prior of the logarithm of a length scale: mean without the part that grows with the ranges, and deviation.
_LENGTH_PRIOR = (math.sqrt(2.0), math.sqrt(3.0))
#: Prior of the logarithm of the noise's share: noise variance over that of the function.
_NOISE_PRIOR = (-4.0, 2.0)
_LENGTH_BOUNDS = (math.log(0.05), math.log(100.0))
_NOISE_BOUNDS = (math.log(1e-4), math.log(100.0))
_ITERATIONS = 80


class Surrogate:
    """Fitted to targets at rows; knows them again up to the noise."""

    def __init__(self, rows: Floats, axes: NDArray[np.intp], targets: Floats) -> None:
        """Fits.

        Args:
            rows: Shape (n, columns).
            axes: The range of each column, shape (columns,).
            targets: Shape (n,), of mean 0 and variance 1, or all 0.
        """
        self._rows, self._axes, self._targets = rows, axes, targets
        self._squares = _squares(rows, axes)
        log_lengths, log_noise = self._searched()
        self._lengths = np.exp(log_lengths)
        self._inverse, self._weights = self._solved(self._lengths, math.exp(log_noise))
        self._variance = max(float(targets @ self._weights) / len(targets), 1e-12)

    @property
    def explained_variance(self) -> float:
        """1 minus the mean square of the leave-one-out residuals over that of the targets; 0 for equal targets."""
        total = float(np.square(self._targets).sum())
        residuals = self._weights / np.diag(self._inverse)  # Rasmussen and Williams 2006, equation 5.12
        return 1.0 - float(np.square(residuals).sum()) / total if total > 0 else 0.0

    def mean(self, rows: Floats) -> Floats:
        """Predicted targets at rows, shape (m,)."""
        means: Floats = self._cross(rows) @ self._weights
        return means

    def deviation(self, rows: Floats) -> Floats:
        """What is not known of the function there, without noise, as one standard deviation; shape (m,)."""
        cross = self._cross(rows)
        left = 1.0 - ((cross @ self._inverse) * cross).sum(1)
        deviations: Floats = np.sqrt(self._variance * np.maximum(left, 0.0))
        return deviations

    def _cross(self, rows: Floats) -> Floats:
        """Correlations of rows with those that were fitted, shape (m, n)."""
        lengths = self._lengths[self._axes]
        here, there = rows / lengths, self._rows / lengths
        squares = np.square(here).sum(1)[:, None] + np.square(there).sum(1)[None, :] - 2.0 * here @ there.T
        return _matern(np.maximum(squares, 0.0))[0]

    def _solved(self, lengths: Floats, noise: float) -> tuple[Floats, Floats]:
        """Inverse of the covariance in units of the function's variance, and its product with the targets."""
        kernel, _ = _matern(np.tensordot(1.0 / np.square(lengths), self._squares, axes=1))
        inverse = np.asarray(np.linalg.inv(kernel + noise * np.eye(len(kernel))), dtype=np.float64)
        return inverse, inverse @ self._targets

    def _searched(self) -> tuple[Floats, float]:
        """Logarithms of length scales and noise, by resilient back-propagation.

        Igel and Hüsken, Improving the Rprop learning algorithm (2000), iRprop-: only the signs of the gradient count.
        """
        ranges = len(self._squares)
        lower = np.array([_LENGTH_BOUNDS[0]] * ranges + [_NOISE_BOUNDS[0]])
        upper = np.array([_LENGTH_BOUNDS[1]] * ranges + [_NOISE_BOUNDS[1]])
        point = np.array([math.log(0.5 * math.sqrt(max(ranges, 1)))] * ranges + [math.log(0.1)])
        steps, before = np.full(len(point), 0.2), np.zeros(len(point))
        best, found = -math.inf, point
        for _ in range(_ITERATIONS):
            value, gradient = self._log_density(point)
            if value > best:
                best, found = value, point
            agreed = gradient * before
            steps = np.clip(np.where(agreed > 0, 1.2 * steps, np.where(agreed < 0, 0.5 * steps, steps)), 1e-4, 1.0)
            before = np.where(agreed < 0, 0.0, gradient)
            point = np.clip(point + np.sign(before) * steps, lower, upper)
        return found[:-1], float(found[-1])

    def _log_density(self, point: Floats) -> tuple[float, Floats]:
        """Logarithm of the posterior density up to a constant, and its gradient.

        The function's variance is the most likely one given the others, which leaves n/2 log(y' C^-1 y) + log|C|/2.
        """
        count, ranges = len(self._targets), len(self._squares)
        lengths, noise = np.exp(point[:-1]), math.exp(point[-1])
        kernel, slope = _matern(np.tensordot(1.0 / np.square(lengths), self._squares, axes=1))
        covariance = kernel + noise * np.eye(count)
        inverse = np.linalg.inv(covariance)
        weights = inverse @ self._targets
        fit = max(float(self._targets @ weights), 1e-12)
        _, log_determinant = np.linalg.slogdet(covariance)
        outer = count / fit * np.outer(weights, weights) - inverse
        by_length = np.tensordot(self._squares, outer * slope, axes=2) / np.square(lengths) / 2.0
        gradient = np.append(by_length, noise * np.trace(outer) / 2.0)
        means = np.append(np.full(ranges, _LENGTH_PRIOR[0] + 0.5 * math.log(max(ranges, 1))), _NOISE_PRIOR[0])
        variances = np.square(np.append(np.full(ranges, _LENGTH_PRIOR[1]), _NOISE_PRIOR[1]))
        value = -0.5 * count * math.log(fit) - 0.5 * float(log_determinant)
        value -= 0.5 * float((np.square(point - means) / variances).sum())
        return value, gradient - (point - means) / variances


def _squares(rows: Floats, axes: NDArray[np.intp]) -> Floats:
    """Squared distances between rows in each range, shape (ranges, n, n)."""
    found = np.zeros((int(axes.max(initial=-1)) + 1, len(rows), len(rows)))
    for column, axis in enumerate(axes):
        found[axis] += np.square(rows[:, column, None] - rows[None, :, column])
    return found


def _matern(squares: Floats) -> tuple[Floats, Floats]:
    """The kernel at squared scaled distances, and minus twice its derivative by these."""
    distance = np.sqrt(5.0 * squares)
    decay = np.exp(-distance)
    return (1.0 + distance + np.square(distance) / 3.0) * decay, 5.0 / 3.0 * (1.0 + distance) * decay
