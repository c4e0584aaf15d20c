"""Training jobs as rows, and back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import Row

from hrnn_tuner.domain.states import FailureCause, SecondaryState
from hrnn_tuner.domain.training_job import TrainingJob
from hrnn_tuner.store import codec

#: The columns that can change, and their values.
CHANGING: Mapping[str, Callable[[TrainingJob], Any]] = {
    "state": lambda job: job.state.value,
    "secondary": lambda job: job.secondary.value,
    "attempt": lambda job: job.attempt,
    "token": lambda job: job.token,
    "worker_id": lambda job: job.worker_id,
    "seen_at": lambda job: job.seen_at,
    "transitions": lambda job: codec.transitions_to_json(job.transitions),
    "started_at": lambda job: job.started_at,
    "ended_at": lambda job: job.ended_at,
    "final_objective": lambda job: job.final_objective,
    "final_metrics": lambda job: dict(job.final_metrics),
    "failure_cause": lambda job: None if job.failure_cause is None else job.failure_cause.value,
    "failure_reason": lambda job: job.failure_reason,
    "artifact_uri": lambda job: job.artifact_uri,
    "stopping_rule": lambda job: job.stopping_rule,
    "failures": lambda job: [cause.value for cause in job.failures],
    "checkpoint": lambda job: codec.checkpoint_to_json(job.checkpoint),
    "leaves_checkpoints": lambda job: job.leaves_checkpoints,
    "runtime_s": lambda job: job.runtime_s,
    "deadline_at": lambda job: job.deadline_at,
}


def fixed(job: TrainingJob) -> dict[str, Any]:
    """The columns that never change."""
    return {
        "tuning_job_id": job.tuning_job_id,
        "number": job.number,
        "name": job.name,
        "name_key": job.name.lower(),
        "definition_name": job.definition_name,
        "proposal": codec.proposal_to_json(job.proposal),
        "hyperparameters": dict(job.hyperparameters),
        "created_at": job.created_at,
        "tags": dict(job.tags),
    }


def changing(job: TrainingJob) -> dict[str, Any]:
    """The columns that can change."""
    return {name: value_of(job) for name, value_of in CHANGING.items()}


def to_job(row: Row[Any]) -> TrainingJob:
    """A row as a value."""
    return TrainingJob(
        tuning_job_id=row.tuning_job_id,
        number=row.number,
        name=row.name,
        definition_name=row.definition_name,
        proposal=codec.proposal_from_json(row.proposal),
        hyperparameters=row.hyperparameters,
        secondary=SecondaryState(row.secondary),
        attempt=row.attempt,
        token=row.token,
        worker_id=row.worker_id,
        seen_at=row.seen_at,
        transitions=codec.transitions_from_json(row.transitions),
        created_at=row.created_at,
        started_at=row.started_at,
        ended_at=row.ended_at,
        final_objective=row.final_objective,
        final_metrics=row.final_metrics,
        failure_cause=None if row.failure_cause is None else FailureCause(row.failure_cause),
        failure_reason=row.failure_reason,
        artifact_uri=row.artifact_uri,
        tags=row.tags,
        stopping_rule=row.stopping_rule,
        failures=tuple(FailureCause(cause) for cause in row.failures),
        checkpoint=codec.checkpoint_from_json(row.checkpoint),
        leaves_checkpoints=row.leaves_checkpoints,
        runtime_s=row.runtime_s,
        deadline_at=row.deadline_at,
    )
