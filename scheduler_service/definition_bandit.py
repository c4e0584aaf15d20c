"""Shares a tuning job's training jobs among its definitions.

What counts is the best value, not the mean: the definition is wanted from which the best of the training jobs to come
can be expected. Each one's values are taken as draws from a normal distribution that is not known; its mean and
variance are drawn from what the values so far leave possible (Thompson sampling with a normal-inverse-gamma prior), and
the definition with the largest expected maximum under its draw comes next. Values enter as normal scores of their ranks
over all definitions, so that units and outliers do not matter.
"""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

#: Training jobs that each definition gets before any is preferred, if the limit allows so many.
MINIMUM = 3
#: Of so many training jobs to come the best is looked for, at most.
_HORIZON = 10
#: The prior is worth so many values of the mean 0 and the variance 1 that normal scores have.
_PRIOR_VALUES = 1.0
_PRIOR_SHAPE = 1.5


@dataclass(frozen=True)
class Standing:
    """How far a definition has come.

    Attributes:
        launched: Its training jobs so far.
        values: Final objective values of those that ended, larger is better; minus infinity for none.
        room: Training jobs that its search space still has; None for any number.
    """

    launched: int
    values: tuple[float, ...]
    room: int | None = None


def choose_definition(standings: Sequence[Standing], remaining: int, seed: str) -> int | None:
    """Chooses the definition of the next training job.

    Args:
        standings: One for each definition.
        remaining: Training jobs that the tuning job may still launch, this one included.
        seed: Of the draw; another one for each training job.

    Returns:
        Its place; None when no search space has a point left.
    """
    open_places = [place for place, standing in enumerate(standings) if standing.room is None or standing.room > 0]
    if not open_places:
        return None
    least = min(open_places, key=lambda place: standings[place].launched)
    total = remaining + sum(standing.launched for standing in standings)
    if standings[least].launched < min(MINIMUM, total // len(standings)):
        return least
    rng = random.Random(seed)
    expected = NormalDist().inv_cdf(1 - 1 / (1 + max(2, min(remaining, _HORIZON))))
    promise = {}
    for place, scores in enumerate(_normal_scores(standings)):
        mean, deviation = _drawn(scores, rng)  # also where nothing is left, so that each draw is the same for all
        promise[place] = mean + deviation * expected
    return max(open_places, key=lambda place: promise[place])


def _normal_scores(standings: Sequence[Standing]) -> list[list[float]]:
    """The values as quantiles of the normal distribution by their ranks over all definitions; ties share a rank.

    They are sorted, as the last bit of a sum depends on the order.
    """
    pooled = sorted(value for standing in standings for value in standing.values)
    normal = NormalDist()
    scores: dict[float, float] = {}
    rank = 0
    for value, group in itertools.groupby(pooled):
        size = len(list(group))
        scores[value] = normal.inv_cdf((rank + size / 2) / len(pooled))
        rank += size
    return [sorted(scores[value] for value in standing.values) for standing in standings]


def _drawn(scores: Sequence[float], rng: random.Random) -> tuple[float, float]:
    """Mean and standard deviation, drawn from their posterior.

    Posterior of the normal-inverse-gamma prior: Murphy, Conjugate Bayesian analysis of the Gaussian distribution
    (2007), section 6.
    """
    count = len(scores)
    mean = sum(scores) / count if count else 0.0
    squares = sum((score - mean) ** 2 for score in scores)
    weight = _PRIOR_VALUES + count
    shape = _PRIOR_SHAPE + count / 2
    rate = _PRIOR_SHAPE + squares / 2 + _PRIOR_VALUES * count * mean**2 / (2 * weight)
    variance = rate / rng.gammavariate(shape, 1.0)
    return rng.gauss(count * mean / weight, math.sqrt(variance / weight)), math.sqrt(variance)
