"""The best training job of a tuning job, and the best one over it and its warm-start parents."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from hrnn_tuner.domain.objective import Objective
from hrnn_tuner.domain.training_job import TrainingJob
from hrnn_tuner.domain.tuning_job import TuningJob
from hrnn_tuner.domain.warm_start import WarmStartType
from hrnn_tuner.store import StoredParent, Transaction


@dataclass(frozen=True)
class Best:
    """What is shown of the best training jobs.

    Attributes:
        own: The tuning job's best; None without one.
        overall: The best over the tuning job and its parents; None without one, and when the data may differ.
        overall_of: Name of the tuning job of ``overall``.
    """

    own: TrainingJob | None = None
    overall: TrainingJob | None = None
    overall_of: str = ""


def counts_parents(job: TuningJob) -> bool:
    """Whether the training jobs of parents count among the best: those with identical data do."""
    warm_start = job.spec.warm_start
    return warm_start is not None and warm_start.type is WarmStartType.IDENTICAL_DATA_AND_ALGORITHM


def parents_of(tx: Transaction, job: TuningJob) -> list[StoredParent]:
    """The parents whose training jobs count among the best."""
    return tx.parents.of(job.id) if counts_parents(job) else []


def best_of(tx: Transaction, job: TuningJob) -> Best:
    """The best training jobs as they are now."""
    own = None if job.best_number is None else tx.training_jobs.get(job.id, job.best_number)
    return with_parents(job, own, parents_of(tx, job))


def with_parents(job: TuningJob, own: TrainingJob | None, parents: Iterable[StoredParent]) -> Best:
    """The best over a tuning job and its parents; ties go to the parents, in the order given."""
    candidates = [(stored.best, stored.parent.name) for stored in parents]
    if not candidates:
        return Best(own)
    overall: tuple[TrainingJob, str] | None = None
    for candidate, name in (*candidates, (own, job.spec.name)):
        if candidate is not None and (overall is None or _is_better(job.spec.objective, candidate, overall[0])):
            overall = (candidate, name)
    return Best(own) if overall is None else Best(own, *overall)


def _is_better(objective: Objective, one: TrainingJob, other: TrainingJob) -> bool:
    """Whether a training job is strictly better than another; both have values."""
    values = one.final_objective, other.final_objective
    return values[0] is not None and values[1] is not None and objective.is_better(values[0], values[1])
