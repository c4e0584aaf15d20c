"""A training job: its row as a frozen value, and the changes that it can go through."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from hrnn_tuner.domain.checkpoint import Checkpoint
from hrnn_tuner.domain.search_space import Value
from hrnn_tuner.domain.states import (
    SECONDARY_TRANSITIONS,
    FailureCause,
    IllegalTransition,
    ObjectiveStatus,
    SecondaryState,
    TrainingJobState,
    state_of,
)

REASON_MAX_CHARACTERS = 1024
#: The stopping rule of a training job whose runtime is used up.
MAX_RUNTIME_RULE = "MAX_RUNTIME_EXCEEDED"
#: The stopping rule of a training job that pauses at a level, and may be continued by another one.
PAUSED = "PAUSED"


@dataclass(frozen=True)
class Transition:
    """One step in a training job's life."""

    state: SecondaryState
    at: datetime
    attempt: int
    message: str = ""


@dataclass(frozen=True)
class Proposal:
    """A hyperparameter set and why it was proposed.

    Attributes:
        hyperparameters: The tuned ones.
        strategy: Who proposed it.
        seed: Of the tuning job.
        explanation: Why, for people.
        figures: The numbers behind it, by name.
        continues: Number of the training job with the same hyperparameters that this one goes on from; 0 for none.
        origin: Number of the first training job of those that continue each other; 0 when this is the first.
        until_epoch: The epoch after which it pauses; None when it trains to its end.
    """

    hyperparameters: Mapping[str, Value]
    strategy: str
    seed: int
    explanation: str = ""
    figures: Mapping[str, float] = field(default_factory=dict)
    continues: int = 0
    origin: int = 0
    until_epoch: int | None = None


@dataclass(frozen=True)
class TrainingJob:
    """One hyperparameter set of a tuning job and what became of it.

    Attributes:
        tuning_job_id: The tuning job.
        number: Position in it, counting from 1.
        name: ``<tuning job>-<number>-<8 hex digits>``.
        definition_name: The definition it was launched from.
        proposal: The tuned hyperparameters and why.
        hyperparameters: All of them: tuned, static, defaults.
        secondary: What it is doing; the state follows from it.
        attempt: Current attempt, counting from 1.
        token: Fencing token of the current attempt.
        worker_id: Worker of the current attempt; empty until one took it.
        seen_at: When its worker was last heard of; None while no worker has it.
        transitions: Its life so far.
        created_at: When it was decided.
        started_at: When a worker first took it.
        ended_at: When it ended.
        final_objective: Finite value of the objective metric at the kept epoch, the best one; None without a model.
        final_metrics: All metrics at the kept epoch.
        failure_cause: Why it failed, or why its last attempt was lost.
        failure_reason: The same for people.
        artifact_uri: Where its model is; empty until completed, or stopped with a model.
        tags: Copied from the tuning job at launch.
        stopping_rule: The rule that stops it and keeps its model; empty when none does. Another attempt that only has
            to keep the model in the checkpoint has it from its beginning.
        failures: Causes of the attempts that failed; one that was handed back is not among them.
        checkpoint: The last one that was confirmed, from which the next attempt goes on.
        leaves_checkpoints: Whether its checkpoint folder may hold something.
        runtime_s: Seconds that workers spent on its earlier attempts.
        deadline_at: When the current attempt uses up the training job's runtime; None without a limit or a worker.
    """

    tuning_job_id: str
    number: int
    name: str
    definition_name: str
    proposal: Proposal
    hyperparameters: Mapping[str, Value]
    secondary: SecondaryState
    attempt: int
    token: str
    created_at: datetime
    worker_id: str = ""
    seen_at: datetime | None = None
    transitions: tuple[Transition, ...] = ()
    started_at: datetime | None = None
    ended_at: datetime | None = None
    final_objective: float | None = None
    final_metrics: Mapping[str, float] = field(default_factory=dict)
    failure_cause: FailureCause | None = None
    failure_reason: str = ""
    artifact_uri: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    stopping_rule: str = ""
    failures: tuple[FailureCause, ...] = ()
    checkpoint: Checkpoint | None = None
    leaves_checkpoints: bool = False
    runtime_s: float = 0.0
    deadline_at: datetime | None = None

    @property
    def state(self) -> TrainingJobState:
        """State; follows from the secondary state."""
        return state_of(self.secondary)

    @property
    def active(self) -> bool:
        """Whether it holds one of the tuning job's parallel places."""
        return not self.state.terminal

    @property
    def dispatched(self) -> bool:
        """Whether a worker has the current attempt."""
        return self.active and self.worker_id != ""

    @property
    def waiting_since(self) -> datetime:
        """When the task of the current attempt was enqueued, or the training job was decided."""
        waiting = {SecondaryState.PENDING, SecondaryState.QUEUED, SecondaryState.RESTARTING}
        return next((step.at for step in reversed(self.transitions) if step.state in waiting), self.created_at)

    @property
    def objective_status(self) -> ObjectiveStatus:
        """Whether it has an objective value."""
        if self.active:
            return ObjectiveStatus.PENDING
        return ObjectiveStatus.FAILED if self.final_objective is None else ObjectiveStatus.SUCCEEDED

    def enter(self, secondary: SecondaryState, now: datetime, message: str = "") -> TrainingJob:
        """Enters another secondary state.

        Raises:
            IllegalTransition: When the table does not allow it.
        """
        if secondary not in SECONDARY_TRANSITIONS[self.secondary]:
            raise IllegalTransition(f"{self.name}: {self.secondary.value} -> {secondary.value}")
        step = Transition(secondary, now, self.attempt, message)
        entered = replace(self, secondary=secondary, transitions=(*self.transitions, step))
        return entered if entered.active else replace(entered, ended_at=now)

    def queued(self, now: datetime) -> TrainingJob:
        """The broker has its task. Unchanged when a worker was faster, or a stop."""
        waiting = self.secondary in {SecondaryState.PENDING, SecondaryState.RESTARTING}
        return self.enter(SecondaryState.QUEUED, now) if waiting else self

    def started(self, worker_id: str, now: datetime, max_runtime_s: int | None = None) -> TrainingJob:
        """A worker took the current attempt; ``max_runtime_s`` is what all attempts together may take."""
        taken = replace(self, worker_id=worker_id, seen_at=now, started_at=self.started_at or now)
        if self.secondary is SecondaryState.STOPPING:
            return taken
        if max_runtime_s is not None:
            # Without any time left it starts all the same: from its checkpoint it can still leave a model.
            left = timedelta(seconds=max(0.0, max_runtime_s - self.runtime_s))
            taken = replace(taken, deadline_at=now + left)
        return taken.enter(SecondaryState.STARTING, now)

    def checkpointed(self, checkpoint: Checkpoint) -> TrainingJob:
        """A checkpoint was confirmed; an earlier one than the known changes nothing."""
        if self.checkpoint is not None and checkpoint.step <= self.checkpoint.step:
            return self
        return replace(self, checkpoint=checkpoint, leaves_checkpoints=True)

    def progressed(self, secondary: SecondaryState, now: datetime) -> TrainingJob:
        """Its worker entered a phase; unchanged when that is behind it."""
        return self.enter(secondary, now) if secondary in SECONDARY_TRANSITIONS[self.secondary] else self

    def completed(
        self, objective: float | None, metrics: Mapping[str, float], artifact_uri: str, now: datetime
    ) -> TrainingJob:
        """It ended with a model; a missing or non-finite objective makes it a failure."""
        if objective is None or not math.isfinite(objective):
            return self.failed(FailureCause.INVALID_OBJECTIVE, f"the final objective value is {objective}", now)
        done = replace(
            self,
            final_objective=objective,
            final_metrics=dict(metrics),
            artifact_uri=artifact_uri,
            failure_cause=None,
            failure_reason="",
            stopping_rule="",  # it came too late
        )
        return done.enter(SecondaryState.COMPLETED, now)

    def failed(self, cause: FailureCause, reason: str, now: datetime) -> TrainingJob:
        """It failed for good."""
        reason = reason[:REASON_MAX_CHARACTERS]
        ended = replace(self, failure_cause=cause, failure_reason=reason, stopping_rule="")
        return ended.enter(SecondaryState.FAILED, now, reason)

    def stop_requested(self, reason: str, now: datetime) -> TrainingJob:
        """A stop was asked for: terminal at once when no worker has it, otherwise when its worker says so.

        One that is being stopped early need not keep its model any more.
        """
        if not self.active:
            return self
        asked = replace(self, stopping_rule="") if self.stopping_rule else self
        if self.secondary is SecondaryState.STOPPING:
            return asked
        return asked.enter(SecondaryState.STOPPING if self.dispatched else SecondaryState.STOPPED, now, reason)

    def stopped_early(self, rule: str, reason: str, now: datetime) -> TrainingJob:
        """A rule wants no more epochs of it, but the model of the best one; its worker will say when that is done.

        Unchanged when no worker has it, or when it was asked to stop already.
        """
        if not self.dispatched or self.secondary is SecondaryState.STOPPING:
            return self
        return replace(self, stopping_rule=rule).enter(SecondaryState.STOPPING, now, reason[:REASON_MAX_CHARACTERS])

    def stopped(self, now: datetime, message: str = "") -> TrainingJob:
        """It ended without a model because it was told to stop."""
        early = SecondaryState.STOPPED if self.stopping_rule == "" else SecondaryState.EARLY_STOPPED
        state = SecondaryState.MAX_RUNTIME_EXCEEDED if self.stopping_rule == MAX_RUNTIME_RULE else early
        return self.enter(state, now, message)

    def kept(self, objective: float, metrics: Mapping[str, float], artifact_uri: str, now: datetime) -> TrainingJob:
        """It was stopped by a rule, and the model of its best epoch so far was kept."""
        model = replace(self, final_objective=objective, final_metrics=dict(metrics), artifact_uri=artifact_uri)
        return replace(model, failure_cause=None, failure_reason="").stopped(now)

    def lost(self, cause: FailureCause, reason: str, *, max_attempts: int, token: str, now: datetime) -> TrainingJob:
        """The current attempt failed: another one follows if its cause, the retry strategy and stops allow.

        One that was keeping its model is not over: the rule that stopped it wants the model. Only when no other attempt
        is allowed does it end without.
        """
        job = self._left_behind()
        if self._ends_when_broken_off:
            return job.stopped(now, reason[:REASON_MAX_CHARACTERS])
        job = replace(job, failures=(*self.failures, cause))
        refusal = job._refusal(cause, max_attempts)
        if refusal is None:
            reason = reason[:REASON_MAX_CHARACTERS]
            return replace(job._again(reason, token, now), failure_cause=cause, failure_reason=reason)
        reason = f"{reason}{refusal}"
        if self.secondary is SecondaryState.STOPPING:
            return job.stopped(now, reason[:REASON_MAX_CHARACTERS])
        return job.failed(cause, reason, now)

    def handed_back(self, reason: str, *, token: str, now: datetime) -> TrainingJob:
        """Its worker cannot go on through no fault of anybody: another attempt follows, and none has failed."""
        job, reason = self._left_behind(), reason[:REASON_MAX_CHARACTERS]
        return job.stopped(now, reason) if self._ends_when_broken_off else job._again(reason, token, now)

    def _refusal(self, cause: FailureCause, max_attempts: int) -> str | None:
        """What is to be added to the reason of its last failure when no other attempt is allowed; None when one is."""
        if cause.max_retries == 0:
            return ""
        if cause.max_retries is not None and self.failures.count(cause) > cause.max_retries:
            return f" (for the {self.failures.count(cause)}. time)"
        if len(self.failures) >= max_attempts:
            return f" (attempt {len(self.failures)} of {max_attempts})"
        return None

    def judged_anew(self) -> TrainingJob:
        """It trains again what a rule has judged, and the rule will judge it again; unchanged while it is stopped."""
        return self if self.secondary is SecondaryState.STOPPING else replace(self, stopping_rule="")

    @property
    def _ends_when_broken_off(self) -> bool:
        """Whether no other attempt can follow this one: nobody wants a model, or there is no time left for one."""
        if self.secondary is not SecondaryState.STOPPING:
            return False
        return not self.stopping_rule or (self.stopping_rule == MAX_RUNTIME_RULE and self.checkpoint is None)

    def _left_behind(self) -> TrainingJob:
        """A worker that broke off may have left a checkpoint that it could not tell about."""
        return replace(self, leaves_checkpoints=self.leaves_checkpoints or self.dispatched)

    def _again(self, reason: str, token: str, now: datetime) -> TrainingJob:
        """The next attempt."""
        taken_at = next(
            (
                step.at
                for step in reversed(self.transitions)
                if step.state is SecondaryState.STARTING and step.attempt == self.attempt
            ),
            None,
        )
        # After a silence the time counts up to the last sign of life.
        spent = 0.0 if taken_at is None else ((self.seen_at or now) - taken_at).total_seconds()
        return replace(
            self.enter(SecondaryState.RESTARTING, now, reason),
            attempt=self.attempt + 1,
            token=token,
            worker_id="",
            seen_at=None,
            runtime_s=self.runtime_s + spent,
            deadline_at=None,
        )
