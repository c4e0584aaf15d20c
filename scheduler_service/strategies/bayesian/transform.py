"""Transforms of the objective values that make them easier to model, and their inverses."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np

from scheduler_service.strategies.bayesian.recipe import Transform
from scheduler_service.strategies.results import Floats

#: Exponents that are tried for Yeo and Johnson's transform; finer steps make no difference that results can tell.
_EXPONENTS = np.linspace(-3.0, 5.0, 161)
#: Interquartile range of the normal distribution in standard deviations.
_NORMAL_IQR = 1.349
_TINY = 1e-12


class ObjectiveTransform(ABC):
    """An increasing function, fitted on the observed values."""

    @abstractmethod
    def forward(self, values: Floats) -> Floats:
        """From objective values to what the model sees."""

    @abstractmethod
    def inverse(self, values: Floats) -> Floats:
        """Back; what is outside of the image gives infinities or the nearest value."""


def fitted(kind: Transform, values: Floats) -> ObjectiveTransform:
    """A transform fitted on at least one finite value."""
    if kind is Transform.YEO_JOHNSON:
        return YeoJohnson.fitted(values)
    if kind is Transform.STANDARDIZE:
        return Linear.standardizing(values)
    if kind is Transform.RANK:
        return Rank.fitted(values)
    return Linear(0.0, 1.0)


@dataclass(frozen=True)
class Linear(ObjectiveTransform):
    """Subtracts ``centre`` and divides by ``spread``."""

    centre: float
    spread: float

    @classmethod
    def standardizing(cls, values: Floats) -> Linear:
        """To mean 0 and variance 1; equal values all become 0."""
        return cls(float(values.mean()), float(values.std()) or 1.0)

    @classmethod
    def robust(cls, values: Floats) -> Linear:
        """To median 0 and the interquartile range of the standard normal distribution: single outliers do not count."""
        low, centre, high = np.quantile(values, (0.25, 0.5, 0.75))
        spread = float(high - low) / _NORMAL_IQR
        return cls(float(centre), spread or float(values.std()) or 1.0)

    def forward(self, values: Floats) -> Floats:
        """See `ObjectiveTransform`."""
        return np.asarray((values - self.centre) / self.spread, dtype=np.float64)

    def inverse(self, values: Floats) -> Floats:
        """See `ObjectiveTransform`."""
        return np.asarray(values * self.spread + self.centre, dtype=np.float64)


@dataclass(frozen=True)
class YeoJohnson(ObjectiveTransform):
    """Makes skewed values nearly normal: loss outliers come closer, differences near the best come apart.

    Yeo and Johnson, A new family of power transformations to improve normality or symmetry, Biometrika 87 (2000),
    between two linear steps.
    """

    before: Linear
    exponent: float
    after: Linear

    @classmethod
    def fitted(cls, values: Floats) -> YeoJohnson:
        """By maximum likelihood of the exponent."""
        before = Linear.robust(values)
        scaled = before.forward(values)
        slope = np.sign(scaled) * np.log1p(np.abs(scaled))
        best, best_likelihood = 1.0, -np.inf
        for exponent in _EXPONENTS:
            variance = _yeo_johnson(scaled, exponent).var()
            if not _TINY < variance < np.inf:
                continue
            likelihood = -0.5 * len(values) * np.log(variance) + (exponent - 1.0) * slope.sum()  # their equation 3.1
            if likelihood > best_likelihood:
                best, best_likelihood = float(exponent), likelihood
        return cls(before, best, Linear.standardizing(_yeo_johnson(scaled, best)))

    def forward(self, values: Floats) -> Floats:
        """See `ObjectiveTransform`."""
        return self.after.forward(_yeo_johnson(self.before.forward(values), self.exponent))

    def inverse(self, values: Floats) -> Floats:
        """See `ObjectiveTransform`."""
        return self.before.inverse(_inverse_yeo_johnson(self.after.inverse(values), self.exponent))


@dataclass(frozen=True)
class Rank(ObjectiveTransform):
    """Maps the ordered values to quantiles of the standard normal distribution, linearly in between."""

    values: Floats
    quantiles: Floats

    @classmethod
    def fitted(cls, values: Floats) -> Rank:
        """Equal values share the mean of their ranks."""
        from scipy.special import ndtri  # comes with botorch; no other transform needs it

        distinct, counts = np.unique(values, return_counts=True)
        ranks = np.cumsum(counts) - (counts + 1) / 2
        quantiles = ndtri((ranks + 0.5) / len(values))
        return cls(distinct, Linear.standardizing(np.repeat(quantiles, counts)).forward(quantiles))

    def forward(self, values: Floats) -> Floats:
        """See `ObjectiveTransform`."""
        return np.interp(values, self.values, self.quantiles)

    def inverse(self, values: Floats) -> Floats:
        """See `ObjectiveTransform`."""
        return np.interp(values, self.quantiles, self.values)


def _yeo_johnson(values: Floats, exponent: float) -> Floats:
    """Their equation 2.1."""
    size = np.log1p(np.abs(values))
    power = np.where(values >= 0, exponent, 2.0 - exponent)
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
        moved = np.where(np.abs(power) < _TINY, size, np.expm1(power * size) / power)
    return np.where(values >= 0, moved, -moved)


def _inverse_yeo_johnson(values: Floats, exponent: float) -> Floats:
    """The inverse of `_yeo_johnson`, which has no values beyond -1 / power; they become infinite."""
    size = np.abs(values)
    power = np.where(values >= 0, exponent, 2.0 - exponent)
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
        logarithm = np.where(np.abs(power) < _TINY, size, np.log1p(np.maximum(power * size, -1.0)) / power)
        moved = np.expm1(logarithm)
    return np.where(values >= 0, moved, -moved)
