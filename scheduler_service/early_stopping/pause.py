"""Pauses training jobs at the level up to which they were proposed."""

from __future__ import annotations

from hrnn_tuner.domain.early_stopping import HyperbandConfig
from hrnn_tuner.domain.training_job import PAUSED
from scheduler_service.early_stopping.contract import Decision, Peers, Point, StoppingRule


class PauseRule(StoppingRule):
    """Stops each training job at its own level, whatever it has reached there: the strategy says which ones go on.

    Args:
        config: Minimum and maximum of epochs.
    """

    name = PAUSED
    averages = False

    def __init__(self, config: HyperbandConfig) -> None:
        self._levels = (*config.levels, config.max_resource)

    def pool(self, number: int) -> int:  # noqa: ARG002 - all are compared
        """There is one."""
        return 0

    def level(self, number: int, epoch: int) -> int | None:  # noqa: ARG002 - the same for all
        """The highest level that is not above the epoch."""
        return max((level for level in self._levels if level <= epoch), default=None)

    def decide(self, point: Point, peers: Peers) -> Decision:  # noqa: ARG002 - its own level alone counts
        """See `StoppingRule.decide`."""
        if point.until is None or point.epoch < point.until:
            return Decision(False, self.name, f"it was proposed for {point.until} epochs")
        figures = {"epoch": float(point.epoch), "value": point.value, "until_epoch": float(point.until)}
        return Decision(True, self.name, f"it has come to epoch {point.until}, for which it was proposed", figures)
