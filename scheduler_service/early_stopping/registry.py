"""Which stopping rule a tuning job has."""

from __future__ import annotations

from dataclasses import dataclass

from hrnn_tuner.domain.early_stopping import EarlyStoppingType
from hrnn_tuner.domain.tuning_job import TuningJobSpec
from scheduler_service.early_stopping.contract import StoppingRule
from scheduler_service.early_stopping.hyperband import HyperbandRule
from scheduler_service.early_stopping.median import MedianRule
from scheduler_service.early_stopping.pause import PauseRule


@dataclass(frozen=True)
class MedianActivation:
    """From when on the median rule applies; the operator's settings."""

    min_epoch: int
    min_training_jobs: int


def rule_of(spec: TuningJobSpec, activation: MedianActivation) -> StoppingRule | None:
    """The stopping rule that a tuning job asked for; None when its training jobs run to their end."""
    if spec.hyperband is not None and spec.strategy.promotes:
        return PauseRule(spec.hyperband)
    if spec.hyperband is not None:
        return HyperbandRule(spec.hyperband, spec.seed)
    if spec.early_stopping is EarlyStoppingType.AUTO:
        return MedianRule(
            spec.objective, min_epoch=activation.min_epoch, min_training_jobs=activation.min_training_jobs
        )
    return None
