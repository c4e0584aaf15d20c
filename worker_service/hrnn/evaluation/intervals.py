"""How sure a measured number is: bootstrap intervals over users.

Users are drawn with replacement, each with all of their queries, because queries of one user are alike: to count them
as independent would make an interval too narrow. An interval holds the middle 95% of the means of the draws
(Efron & Tibshirani 1993, chapter 13, the percentile interval).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from worker_service.hrnn.evaluation.evaluate import Evaluation

#: Draws of a bootstrap.
RESAMPLES = 1_000
_CONFIDENCE = 0.95
#: Users drawn at once, over all resamples of a block: bounds the memory.
_DRAWS_PER_BLOCK = 2_000_000


@dataclass(frozen=True)
class Interval:
    """A mean over queries with its 95% interval."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True)
class Difference(Interval):
    """The mean of a difference with its 95% interval."""

    @property
    def excludes_zero(self) -> bool:
        """Whether the interval lies on one side of 0: only then is one of the two better."""
        return not self.low <= 0.0 <= self.high


def bootstrap_interval(
    values: NDArray[np.float64], users: NDArray[np.int64], resamples: int = RESAMPLES, seed: int = 0
) -> Interval:
    """The mean over queries and its 95% interval.

    Args:
        values: A value per query, at least one [Q].
        users: User number of each query [Q].
        resamples: Draws.
        seed: Equal seeds give equal intervals.
    """
    mean, low, high = _intervals(values[:, None], users, resamples, seed)[0]
    return Interval(mean, low, high)


def metric_intervals(evaluation: Evaluation, resamples: int = RESAMPLES, seed: int = 0) -> Mapping[str, Interval]:
    """Every metric that is a mean over queries, by name, with its interval; all from the same draws."""
    values = np.stack(list(evaluation.by_query.values()), axis=1)
    found = _intervals(values, evaluation.users, resamples, seed)
    return {name: Interval(*bounds) for name, bounds in zip(evaluation.by_query, found, strict=True)}


def paired_difference(
    first: Evaluation, second: Evaluation, name: str, resamples: int = RESAMPLES, seed: int = 0
) -> Difference:
    """How much better the first does than the second in one metric, query by query.

    Args:
        first: Measured on the same queries as ``second``.
        second: What it is compared with.
        name: A metric that is a mean over queries.
        resamples: Draws.
        seed: Equal seeds give equal intervals.

    Raises:
        ValueError: When the two were measured on different queries.
    """
    same = np.array_equal(first.users, second.users) and np.array_equal(first.truth_sizes, second.truth_sizes)
    if not same:
        raise ValueError("the two evaluations are of different queries")
    differences = first.per_query(name) - second.per_query(name)
    return Difference(*_intervals(differences[:, None], first.users, resamples, seed)[0])


def _intervals(
    values: NDArray[np.float64], users: NDArray[np.int64], resamples: int, seed: int
) -> list[tuple[float, float, float]]:
    """Mean, lower and upper bound of each of M columns of values [Q, M]."""
    _, own = np.unique(users, return_inverse=True)
    sums = np.zeros((int(own.max()) + 1, values.shape[1] + 1))
    np.add.at(sums, own, np.column_stack((values, np.ones(len(values)))))  # the last column counts queries
    drawn = np.concatenate([times @ sums for times in _times_drawn(len(sums), resamples, seed)])
    means = drawn[:, :-1] / drawn[:, -1:]
    low, high = np.quantile(means, [(1 - _CONFIDENCE) / 2, (1 + _CONFIDENCE) / 2], axis=0)
    return list(zip(values.mean(axis=0).tolist(), low.tolist(), high.tolist(), strict=True))


def _times_drawn(users: int, resamples: int, seed: int) -> Iterator[NDArray[np.float64]]:
    """How often each user is drawn in each resample, in blocks of some resamples [r, users]."""
    rng = np.random.default_rng(seed)
    block = max(1, _DRAWS_PER_BLOCK // users)
    for start in range(0, resamples, block):
        size = min(block, resamples - start)
        draws = rng.integers(users, size=(size, users)) + np.arange(size)[:, None] * users
        yield np.bincount(draws.ravel(), minlength=size * users).reshape(size, users).astype(np.float64)
