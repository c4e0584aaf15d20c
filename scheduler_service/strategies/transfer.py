"""How much to believe of what warm-start parents with other data found out, and what follows for a model.

Results of parents with identical data are own results, see `History.known`: everything here leaves them out, so that
all parents of a history can be given.

A model-based strategy uses it in three steps:

1. `starting_configurations` gives the first hyperparameter sets to try: the parents' best ones, but at most a tenth of
   the budget. An initial design that follows should fill the space as if there were no parents: only results apart
   from where the parents lead tell whether they mislead.
2. `transfer_prior` fits one model per parent, weighs each by how well it ranks the strategy's own results, and gives a
   mean function in the scale of these results.
3. The strategy models what is left, ``targets - prior.mean(rows)``, and adds ``prior.mean`` to its predictions. With
   no weight left the mean is 0, and everything is as without parents.

The weights follow the idea of ranking-weighted ensembles (Feurer, Letham, Bakshy 2018, "Scalable meta-learning for
Bayesian optimization"): only the order of results counts, because other data give other values. They differ in that a
parent must rank better than chance, beyond what luck explains, and not better than the other models.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from hrnn_tuner.domain.objective import Objective, ObjectiveType
from scheduler_service.strategies.bayesian.encoding import Encoding
from scheduler_service.strategies.parents import ParentTrial, ParentTrials

Array: TypeAlias = NDArray[np.float64]

#: Largest share of the budget that is spent on the parents' best configurations before own results count.
STARTING_SHARE = 0.1
#: Fewer observations of a parent say nothing about the space.
LEAST_OBSERVATIONS = 4
#: A parent's model is fitted to so many of its trials at most: fitting takes their number to the third power.
MOST_OBSERVATIONS = 250
#: What is believed of a parent before there are own results: as if this many had been ranked, and this share of their
#: pairs had been in its order.
PRIOR_RESULTS = 3.0
PRIOR_AGREEMENT = 0.8
#: How far above chance, in standard errors, the agreement must be.
STANDARD_ERRORS = 1.0
_LENGTHS = (0.15, 0.3, 0.6, 1.2)
_NOISES = (0.01, 0.1, 0.5)


def normal_scores(values: Sequence[float], objective: Objective) -> Array:
    """Values as the normal quantiles of their ranks (Blom 1958), larger for better; equal ones have the same score."""
    given = np.asarray(values, dtype=np.float64)
    better = given if objective.type is ObjectiveType.MAXIMIZE else -given
    _, position, counts = np.unique(better, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[position]  # of equal ones the mean of their ranks
    normal = NormalDist()
    quantiles = (ranks - 0.375) / (len(given) + 0.25)
    return np.array([normal.inv_cdf(float(quantile)) for quantile in quantiles], dtype=np.float64)


class Start(NamedTuple):
    """One of the first configurations to try.

    Attributes:
        parent: Position of the parent that has it, counting from 1.
        trial: What the parent found out about it.
    """

    parent: int
    trial: ParentTrial


def starting_configurations(objective: Objective, parents: Sequence[ParentTrials], budget: int) -> list[Start]:
    """The parents' best configurations in the space, in turn from each: a tenth of the budget, but at least one.

    Args:
        objective: Metric and direction.
        parents: What they found out.
        budget: Number of training jobs of the tuning job.
    """
    most = max(1, math.floor(STARTING_SHARE * budget))
    sign = -1.0 if objective.type is ObjectiveType.MAXIMIZE else 1.0
    ranked = [sorted(parent.hints, key=lambda trial: (sign * (trial.value or 0.0), trial.number)) for parent in parents]
    chosen: list[Start] = []
    for place in range(max(map(len, ranked), default=0)):
        for parent, trials in enumerate(ranked, start=1):
            if len(chosen) == most:
                return chosen
            known = [start.trial.configuration for start in chosen]
            if place < len(trials) and trials[place].configuration not in known:
                chosen.append(Start(parent, trials[place]))
    return chosen


@dataclass(frozen=True)
class TransferPrior:
    """What the parents say, in the scale of own results.

    Attributes:
        weights: How far each parent is believed, in the order given: 0 not at all, 1 fully.
        models: The parents' models; None for one without weight.
        centre: Mean of the parents' prediction at the own results.
        slope: What a step in the parents' prediction is worth in own results.
    """

    weights: tuple[float, ...]
    models: tuple[ParentModel | None, ...]
    centre: float
    slope: float

    def mean(self, rows: Array) -> Array:
        """The prior mean at encoded configurations, of shape (number, columns); 0 where no parent is believed."""
        return self.slope * max(self.weights, default=0.0) * (_blend(self.models, self.weights, rows) - self.centre)


def transfer_prior(
    encoding: Encoding, objective: Objective, rows: Array, targets: Array, parents: Sequence[ParentTrials]
) -> TransferPrior:
    """Weighs parents by how well they rank own results.

    Args:
        encoding: How configurations of the search space become rows.
        objective: Metric and direction of the parents' values.
        rows: Where own results lie, of shape (number, columns).
        targets: Own results, larger for better, standardised: mean 0 and variance 1, or normal scores.
        parents: What they found out; what lies outside of the space is left out.
    """
    fitted = [_fit(encoding, objective, parent.hints) for parent in parents]
    weights = tuple(0.0 if model is None else _weight(model.predict(rows), targets) for model in fitted)
    models = tuple(model if weight > 0 else None for model, weight in zip(fitted, weights, strict=True))
    if len(targets) == 0 or not any(weights):
        return TransferPrior(weights, models, 0.0, 1.0)
    blend = _blend(models, weights, rows)
    centred = blend - blend.mean()
    # Least squares for the slope, drawn to 1 by the weight of one result.
    slope = (1.0 + float(centred @ (targets - targets.mean()))) / (1.0 + float(centred @ centred))
    return TransferPrior(weights, models, float(blend.mean()), max(0.0, slope))


def agreement(predictions: Array, targets: Array) -> float:
    """Share of the pairs of own results that predictions put into their order; ties among predictions count half.

    One half without a pair of different results.
    """
    above = np.sign(targets[:, None] - targets[None, :])
    said = np.sign(predictions[:, None] - predictions[None, :])
    pairs = np.triu(above != 0, k=1)
    if not pairs.any():
        return 0.5
    return float(((above * said)[pairs] + 1.0).mean() / 2.0)


def _weight(predictions: Array, targets: Array) -> float:
    """How far a parent is believed: from 0 where it ranks as chance does to 1 where it never errs.

    Pairs share their results, so that n results count as n - 1 trials of the agreement, not as n (n - 1) / 2.
    """
    results = max(0.0, len(targets) - 1.0)
    share = (PRIOR_RESULTS * PRIOR_AGREEMENT + results * agreement(predictions, targets)) / (PRIOR_RESULTS + results)
    doubt = STANDARD_ERRORS * math.sqrt(results) / (PRIOR_RESULTS + results) / 2.0
    return float(max(0.0, 2.0 * (share - doubt) - 1.0))


@dataclass(frozen=True)
class ParentModel:
    """A Gaussian process' mean.

    Attributes:
        points: Encoded configurations, of shape (number, columns).
        coefficients: One for each.
        length: Length scale of the kernel.
    """

    points: Array
    coefficients: Array
    length: float

    def predict(self, rows: Array) -> Array:
        """Normal scores at some points."""
        return _kernel(rows, self.points, self.length) @ self.coefficients


def _kernel(one: Array, other: Array, length: float) -> Array:
    """Matérn kernel of smoothness 5/2 (Rasmussen and Williams 2006, equation 4.17)."""
    squares = np.square(one).sum(1)[:, None] + np.square(other).sum(1)[None, :] - 2.0 * one @ other.T
    distance = np.sqrt(5.0 * np.maximum(squares, 0.0)) / length
    kernel: Array = (1.0 + distance + np.square(distance) / 3.0) * np.exp(-distance)
    return kernel


def _fit(encoding: Encoding, objective: Objective, trials: Sequence[ParentTrial]) -> ParentModel | None:
    """The model of a parent with the best leave-one-out predictions; None for too few observations."""
    if len(trials) < LEAST_OBSERVATIONS:
        return None
    if len(trials) > MOST_OBSERVATIONS:  # evenly over the time of the search
        trials = [trials[index] for index in np.linspace(0, len(trials) - 1, MOST_OBSERVATIONS).astype(int)]
    points = encoding.of([trial.configuration for trial in trials]).rows
    scores = normal_scores([trial.value for trial in trials if trial.value is not None], objective)
    dimension = math.sqrt(max(1, len(encoding.space.ranges)))  # distances in a cube grow with its dimension
    fits = []
    for length in (dimension * entry for entry in _LENGTHS):
        kernel = _kernel(points, points, length)
        for noise in _NOISES:
            inverse = np.linalg.inv(kernel + noise * np.eye(len(points)))
            coefficients = inverse @ scores
            # Residual of each point without it (Rasmussen and Williams 2006, equation 5.12).
            error = float(np.square(coefficients / np.diag(inverse)).mean())
            fits.append((error, length, coefficients))
    _, length, coefficients = min(fits, key=lambda fit: fit[0])
    return ParentModel(points, coefficients, length)


def _blend(models: Sequence[ParentModel | None], weights: Sequence[float], rows: Array) -> Array:
    """Predictions of several models by their weights; 0 without any."""
    total = sum(weights)
    blend = np.zeros(len(rows))
    for model, weight in zip(models, weights, strict=True):
        if model is not None and weight > 0:
            blend += weight / total * model.predict(rows)
    return blend
