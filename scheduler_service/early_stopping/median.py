"""The median rule, as SageMaker automatic model tuning publishes it for early stopping AUTO."""

from __future__ import annotations

from hrnn_tuner.domain.objective import Objective
from scheduler_service.early_stopping.contract import Decision, Peers, Point, StoppingRule


class MedianRule(StoppingRule):
    """Stops a training job whose value after an epoch is worse than the median of the others' means up to that epoch.

    What counts of the training job itself is this one value, not the best so far or the mean as in other services. When
    the rule begins to apply is not published; here the operator sets it.

    Args:
        objective: The direction.
        min_epoch: The first epoch after which it stops anything.
        min_training_jobs: Fewest other training jobs with a value after that epoch.
    """

    name = "MEDIAN"
    averages = True

    def __init__(self, objective: Objective, *, min_epoch: int, min_training_jobs: int) -> None:
        self._objective = objective
        self._min_epoch = min_epoch
        self._min_training_jobs = min_training_jobs

    def pool(self, number: int) -> int:  # noqa: ARG002 - there is one
        """All training jobs are compared."""
        return 0

    def level(self, number: int, epoch: int) -> int | None:  # noqa: ARG002 - the same for all
        """Every epoch."""
        return epoch

    def decide(self, point: Point, peers: Peers) -> Decision:
        """See `StoppingRule.decide`."""
        figures = {"epoch": float(point.epoch), "value": point.value}
        if point.epoch < self._min_epoch:
            return Decision(False, self.name, f"before epoch {self._min_epoch}", figures)
        others = peers.count()
        figures["training_jobs"] = float(others)
        if others < self._min_training_jobs:
            text = f"{others} others have come to epoch {point.epoch}, fewer than {self._min_training_jobs}"
            return Decision(False, self.name, text, figures)
        median = peers.median()
        figures["median"] = median
        stop = self._objective.is_better(median, point.value)
        text = (
            f"{point.value:.6g} after epoch {point.epoch} is {'' if stop else 'not '}worse than {median:.6g}, "
            f"the median of the means of {others} others up to there"
        )
        return Decision(stop, self.name, text, figures)
