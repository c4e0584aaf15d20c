"""A tuning job: what was asked for, and its state, as frozen values."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from hrnn_tuner.domain.access import DEFAULT_PROJECT
from hrnn_tuner.domain.autotune import AutotuneChoice
from hrnn_tuner.domain.completion import CompletionCriteria, CompletionDetails
from hrnn_tuner.domain.data_channel import DataChannel
from hrnn_tuner.domain.early_stopping import EarlyStoppingType, HyperbandConfig
from hrnn_tuner.domain.objective import Objective
from hrnn_tuner.domain.search_space import SearchSpace, Value
from hrnn_tuner.domain.states import (
    TUNING_JOB_TRANSITIONS,
    CompletionReason,
    IllegalTransition,
    ObjectiveStatus,
    TrainingJobState,
    TuningJobState,
)
from hrnn_tuner.domain.training_job import REASON_MAX_CHARACTERS, TrainingJob
from hrnn_tuner.domain.warm_start import WarmStart


class StrategyName(enum.Enum):
    """The strategies of the contract."""

    BAYESIAN = "BAYESIAN"
    RANDOM = "RANDOM"
    HYPERBAND = "HYPERBAND"
    ASHA = "ASHA"
    BAYESIAN_ASHA = "BAYESIAN_ASHA"

    @property
    def promotes(self) -> bool:
        """Whether training jobs pause, and the best of them are continued."""
        return self in {StrategyName.ASHA, StrategyName.BAYESIAN_ASHA}

    @property
    def has_levels(self) -> bool:
        """Whether training jobs are compared at levels of epochs, by which most of them end early."""
        return self.promotes or self is StrategyName.HYPERBAND

    GRID = "GRID"
    SOBOL = "SOBOL"


@dataclass(frozen=True)
class ResourceLimits:
    """Bounds of a tuning job; the runtime is in seconds of wall clock, None for no limit."""

    max_training_jobs: int
    max_parallel: int
    max_runtime_s: int | None = None


@dataclass(frozen=True)
class TrainingJobDefinition:
    """An algorithm with its data, fixed hyperparameters and search space; every default is filled in.

    ``max_runtime_s`` is for one training job, all attempts together, None for no limit. ``checkpoint_uri`` is empty
    when checkpoints are kept below ``output_uri``.
    """

    name: str
    algorithm: str
    objective: Objective
    static_hyperparameters: Mapping[str, Value]
    default_hyperparameters: Mapping[str, Value]
    space: SearchSpace
    channels: Mapping[str, DataChannel]
    output_uri: str
    resource_class: str
    max_attempts: int
    environment: Mapping[str, str] = field(default_factory=dict)
    max_runtime_s: int | None = None
    checkpoint_uri: str = ""

    def resolve(self, tuned: Mapping[str, Value]) -> dict[str, Value]:
        """All hyperparameters of a training job: defaults, overridden by static, overridden by tuned ones."""
        return {**self.default_hyperparameters, **self.static_hyperparameters, **tuned}


@dataclass(frozen=True)
class TuningJobSpec:
    """What a user asked for; every default is filled in.

    ``definitions`` has at least one entry. ``hyperband`` is there with the strategies that compare
    training jobs at levels of epochs, and no others.
    """

    name: str
    strategy: StrategyName
    limits: ResourceLimits
    seed: int
    definitions: tuple[TrainingJobDefinition, ...]
    weight: int = 1
    autotune: bool = False
    warm_start: WarmStart | None = None
    early_stopping: EarlyStoppingType = EarlyStoppingType.OFF
    hyperband: HyperbandConfig | None = None
    completion: CompletionCriteria = field(default_factory=CompletionCriteria)

    def definition(self, name: str) -> TrainingJobDefinition:
        """The definition of this name."""
        return next(item for item in self.definitions if item.name == name)

    @property
    def pauses_at(self) -> tuple[int, ...]:
        """The epochs at which training jobs pause and may be continued by others; empty with most strategies."""
        if self.hyperband is None or not self.strategy.promotes:
            return ()
        return (*self.hyperband.levels, self.hyperband.max_resource)

    @property
    def objective(self) -> Objective:
        """By which the best training job is selected; definitions that share a tuning job are comparable."""
        return self.definitions[0].objective


@dataclass(frozen=True)
class Counters:
    """Training jobs by state and by objective status; ``retryable`` is a part of ``in_progress``."""

    completed: int = 0
    in_progress: int = 0
    retryable: int = 0
    non_retryable: int = 0
    stopped: int = 0
    objective_succeeded: int = 0
    objective_pending: int = 0
    objective_failed: int = 0

    @property
    def launched(self) -> int:
        """Number of training jobs."""
        return self.completed + self.in_progress + self.non_retryable + self.stopped

    def moved(self, before: TrainingJob | None, after: TrainingJob) -> Counters:
        """The counters after one training job changed; ``before`` is None when it is new."""
        change = dict(vars(self))
        if before is not None:
            for name in _counted_as(before):
                change[name] -= 1
        for name in _counted_as(after):
            change[name] += 1
        return Counters(**change)


_BY_STATE = {
    TrainingJobState.IN_PROGRESS: "in_progress",
    TrainingJobState.STOPPING: "in_progress",
    TrainingJobState.COMPLETED: "completed",
    TrainingJobState.FAILED: "non_retryable",
    TrainingJobState.STOPPED: "stopped",
}
_BY_OBJECTIVE = {
    ObjectiveStatus.SUCCEEDED: "objective_succeeded",
    ObjectiveStatus.PENDING: "objective_pending",
    ObjectiveStatus.FAILED: "objective_failed",
}


def _counted_as(job: TrainingJob) -> list[str]:
    """The counters to which a training job contributes."""
    names = [_BY_STATE[job.state], _BY_OBJECTIVE[job.objective_status]]
    if job.active and job.failures:
        names.append("retryable")
    return names


@dataclass(frozen=True)
class TuningJob:
    """A tuning job's row.

    Attributes:
        id: Unique, never used again.
        spec: What was asked for.
        state: State.
        created_at: When it was created.
        updated_at: When anything about it last changed.
        revision: Number of the last entry in its event log.
        counters: Training jobs by state.
        completion_reason: Why it ends; set before the state when training jobs still have to end.
        failure_reason: Why it failed.
        ended_at: When it ended.
        best_number: Number of the best training job, None without one.
        best_value: Its objective value.
        completion_details: How far it is from its completion criteria.
        tags: Current tags.
        warnings: What its sender was warned of.
        choices: What the service chose in its sender's place.
        log_starts_after: Revision up to which the event log was removed; 0 when it is complete.
        trace: Trace context of the request that created it (W3C traceparent), or empty.
        project: Whose it is; its name is unique there.
    """

    id: str
    spec: TuningJobSpec
    state: TuningJobState
    created_at: datetime
    updated_at: datetime
    revision: int = 0
    counters: Counters = field(default_factory=Counters)
    completion_reason: CompletionReason | None = None
    failure_reason: str = ""
    ended_at: datetime | None = None
    best_number: int | None = None
    best_value: float | None = None
    completion_details: CompletionDetails = field(default_factory=CompletionDetails)
    tags: Mapping[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    choices: tuple[AutotuneChoice, ...] = ()
    trace: str = ""
    project: str = DEFAULT_PROJECT
    log_starts_after: int = 0

    @property
    def launching(self) -> bool:
        """Whether training jobs may still be launched."""
        return self.state is TuningJobState.IN_PROGRESS and self.completion_reason is None

    @property
    def wanted(self) -> int:
        """How many training jobs its limits allow to launch now."""
        if not self.launching:
            return 0
        limits = self.spec.limits
        room = limits.max_parallel - self.counters.in_progress
        return max(0, min(room, limits.max_training_jobs - self.counters.launched))

    def enter(self, state: TuningJobState, now: datetime) -> TuningJob:
        """Enters another state.

        Raises:
            IllegalTransition: When the table does not allow it.
        """
        if state not in TUNING_JOB_TRANSITIONS[self.state]:
            raise IllegalTransition(f"{self.spec.name}: {self.state.value} -> {state.value}")
        entered = replace(self, state=state)
        return replace(entered, ended_at=now) if state.terminal else entered

    def with_best(self, candidate: TrainingJob) -> TuningJob:
        """Takes an ended training job into account; ties go to the lower number, whatever the order of arrival."""
        value = candidate.final_objective
        if value is None:
            return self
        if self.best_value is not None and self.best_number is not None:
            tie = value == self.best_value and candidate.number < self.best_number
            if not tie and not self.spec.objective.is_better(value, self.best_value):
                return self
        return replace(self, best_number=candidate.number, best_value=value)

    def settled(self, now: datetime) -> TuningJob:
        """Ends the job when nothing is left to do: no active training job, and none to come."""
        if self.counters.in_progress:
            return self
        if self.state is TuningJobState.STOPPING:
            return self.enter(TuningJobState.STOPPED, now)
        if self.state is not TuningJobState.IN_PROGRESS:
            return self
        reason = self.completion_reason
        if reason is None and self.counters.launched >= self.spec.limits.max_training_jobs:
            reason = CompletionReason.MAX_JOBS
        if reason is None:
            return self
        ended = replace(self, completion_reason=reason)
        if self.counters.objective_succeeded == 0 and self.counters.non_retryable > 0:
            text = f"none of {self.counters.launched} training jobs produced an objective value"
            return replace(ended, failure_reason=text[:REASON_MAX_CHARACTERS]).enter(TuningJobState.FAILED, now)
        return ended.enter(TuningJobState.COMPLETED, now)
