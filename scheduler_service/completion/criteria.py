"""Applies the completion criteria of a tuning job, in the transaction in which training jobs end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from hrnn_tuner.domain.objective import Objective, ObjectiveType
from hrnn_tuner.domain.states import CompletionReason
from hrnn_tuner.domain.training_job import TrainingJob
from hrnn_tuner.domain.trial import Trial
from hrnn_tuner.store import JobChange
from scheduler_service.completion.convergence import QUIET_TRAINING_JOBS, RANK, has_converged, left_to_find
from scheduler_service.completion.improvement import counted


def reaches(objective: Objective, value: float, target: float) -> bool:
    """Whether a value is the target or better."""
    return value >= target if objective.type is ObjectiveType.MAXIMIZE else value <= target


class Completion:
    """Ends tuning jobs early. Thread-safe; keeps no state between calls."""

    def __init__(self, min_relative_improvement: float) -> None:
        """Takes the share of the best absolute value by which another one must be better to be an improvement."""
        self._share = min_relative_improvement

    def apply(self, change: JobChange) -> None:
        """Takes the training jobs into account that ended with an objective value in a change.

        They count in the order in which they ended. What happens to those that still run is in the contract at
        TuningJobCompletionCriteria.
        """
        for job in change.valued:
            self._count(change, job)
        details = change.job.completion_details
        if change.valued and details.converged_at is None and details.not_improving >= QUIET_TRAINING_JOBS:
            self._detect(change)

    def _count(self, change: JobChange, ended: TrainingJob) -> None:
        """Takes one training job into account.

        One that paused counts only if it reached the target: what it shows of its hyperparameters is not the last.
        """
        spec, value = change.job.spec, ended.final_objective
        assert value is not None, "it ended with one"
        criteria = spec.completion
        if criteria.target_value is not None and reaches(spec.objective, value, criteria.target_value):
            figures = {"value": value, "target": criteria.target_value}
            self._end(change, CompletionReason.TARGET_REACHED, f"{ended.name} reached the target", figures)
        if Trial.of(ended.number, ended.proposal, ended.secondary, value).may_go_on(spec.pauses_at):
            return
        details = counted(change.job.completion_details, spec.objective, value, self._share)
        change.job = replace(change.job, completion_details=details)
        quiet, limit = details.not_improving, criteria.max_not_improving
        if limit is not None and quiet >= limit:
            text = f"{quiet} training jobs in a row did not improve the objective by {self._share:.2%} or more"
            figures = {"training_jobs": float(quiet), "min_relative_improvement": self._share}
            self._end(change, CompletionReason.NO_IMPROVEMENT, text, figures | _best(details.last_improvement))

    def _detect(self, change: JobChange) -> None:
        """Looks whether the search has converged, and ends the tuning job if it was asked to end then."""
        job = change.job
        values = job.completion_details.best_values
        dimensions = max(1, len(job.spec.definitions[0].space.ranges))
        if not has_converged(job.completion_details.not_improving, values, dimensions, self._share):
            return
        change.job = replace(job, completion_details=replace(job.completion_details, converged_at=change.now))
        figures = {"best": values[0], f"best_{RANK}": values[-1], "left_to_find": left_to_find(values, dimensions)}
        if job.spec.completion.on_convergence:
            self._end(change, CompletionReason.CONVERGED, "the search has converged", figures)
        else:
            change.decide("CONVERGENCE_DETECTED", 0, "the search has converged; it goes on as was asked for", figures)

    def _end(self, change: JobChange, reason: CompletionReason, text: str, figures: Mapping[str, float]) -> None:
        """Launches no more training jobs, unless another reason came first."""
        if not change.job.launching:
            return
        change.job = replace(change.job, completion_reason=reason)
        change.decide(reason.value, 0, text, figures)
        if reason is CompletionReason.TARGET_REACHED:
            for job in change.active():
                change.put(job, job.stop_requested("the tuning job has reached its target", change.now))


def _best(value: float | None) -> dict[str, float]:
    """The last improvement as a figure."""
    return {} if value is None else {"last_improvement": value}
