"""Which epoch of a training job counts: the best one by the objective metric."""

from __future__ import annotations

import math
from collections.abc import Mapping

from hrnn_tuner.domain.objective import Objective, ObjectiveType


class BestEpoch:
    """Keeps the metrics of the best epoch so far; NaN and infinities never win, ties go to the earlier epoch."""

    def __init__(self, objective_metric: str, *, maximize: bool) -> None:
        """Starts without an epoch."""
        self._objective = Objective(ObjectiveType.MAXIMIZE if maximize else ObjectiveType.MINIMIZE, objective_metric)
        self._seen = False
        self._best: dict[str, float] | None = None

    def add(self, metrics: Mapping[str, float]) -> None:
        """Takes the metrics of the next epoch."""
        name = self._objective.metric_name
        if name not in metrics:
            return
        self._seen = True
        value = metrics[name]
        if not math.isfinite(value):
            return
        if self._best is None or self._objective.is_better(value, self._best[name]):
            self._best = dict(metrics)

    @property
    def metrics(self) -> dict[str, float] | None:
        """Every metric of the best epoch, or None when no epoch had a finite objective."""
        return self._best

    @property
    def complaint(self) -> str:
        """Says why there is no best epoch."""
        name = self._objective.metric_name
        if not self._seen:
            return f"the objective metric {name!r} was never reported"
        return f"the objective metric {name!r} was NaN or infinite in every epoch"
