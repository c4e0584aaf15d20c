"""The same items for everybody: what is used most, at all or lately."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from worker_service.hrnn.data.queries import Queries
from worker_service.hrnn.data.recency import HALF_LIVES_DAYS, decay
from worker_service.hrnn.evaluation.baselines.events import TrainingEvents
from worker_service.hrnn.evaluation.evaluate import evaluate

#: Breaks ties of scores by popularity; far below any difference between scores that is not rounding.
_TIE_BREAK = 1e-9


class Popularity:
    """Items by their number of training events.

    Attributes:
        shares: The counts, scaled to at most 1/2, so that any score of 1 and more stands above them, float64 [N].
    """

    def __init__(self, events: TrainingEvents) -> None:
        self.shares = _shares(events, None)

    def __call__(self, queries: Queries) -> Tensor:
        """Scores [Q, N]."""
        return torch.from_numpy(self.shares).expand(len(queries), -1)

    def below(self, own: NDArray[np.float64]) -> Tensor:
        """Puts the items without a score behind those with one, and breaks ties, by popularity.

        Args:
            own: Scores, 0 for items without one and else positive [Q, N].
        """
        ranked = np.where(own > 0, 1.0 + own + _TIE_BREAK * self.shares, self.shares)
        return torch.from_numpy(ranked)


class DecayedPopularity:
    """Items by their number of training events, each of which counts half as much after every half-life.

    Args:
        events: The training events.
        half_life_days: The half-life.
    """

    def __init__(self, events: TrainingEvents, half_life_days: float) -> None:
        self.half_life_days = half_life_days
        self._scores = torch.from_numpy(_shares(events, half_life_days))

    def __call__(self, queries: Queries) -> Tensor:
        """Scores [Q, N]."""
        return self._scores.expand(len(queries), -1)


def best_half_life(
    events: TrainingEvents,
    validation: Queries,
    half_lives_days: Iterable[float] = HALF_LIVES_DAYS,
    metric: str = "normalized_discounted_cumulative_gain_at_10",
) -> float:
    """The half-life whose decayed popularity does best on the validation queries; the shorter one of two equals."""

    def gain(half_life_days: float) -> float:
        score = DecayedPopularity(events, half_life_days)
        return float(evaluate(score, validation, events.size, events.size).per_query(metric).mean())

    return max(sorted(half_lives_days), key=gain)


def _shares(events: TrainingEvents, half_life_days: float | None) -> NDArray[np.float64]:
    """Events per item, decayed by age unless ``half_life_days`` is None, scaled to at most 1/2 [N]."""
    weights = None if half_life_days is None else decay(events.time, int(events.time.max()), half_life_days)
    counts = np.bincount(events.item, weights, minlength=events.size + 1)[1:].astype(np.float64)
    shares: NDArray[np.float64] = counts / (2.0 * counts.max())
    return shares
