"""What a watch has shown so far, built from its events alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from hrnn_tuner.cli.output import objective_text, short_name, values_text
from hrnn_tuner.client import is_terminal
from hrnn_tuner.v1.training_job_pb2 import TRAINING_JOB_STATE_IN_PROGRESS, SecondaryState, TrainingJob
from hrnn_tuner.v1.tuning_job_pb2 import CompletionReason, TuningJob, TuningJobState
from hrnn_tuner.v1.tuning_service_pb2 import Decision, MetricBatch, WatchTuningJobResponse


def objective_metric(job: TuningJob, training_job: TrainingJob | None = None) -> str:
    """The metric by which training jobs are compared; empty in a listing, which leaves definitions out."""
    definitions = job.spec.training_job_definitions
    names = {definition.definition_name: definition.objective.metric_name for definition in definitions}
    if training_job is not None and training_job.definition_name in names:
        return names[training_job.definition_name]
    return definitions[0].objective.metric_name if definitions else ""


@dataclass
class WatchState:
    """A tuning job with its training jobs, as the last event left them.

    Attributes:
        job: The tuning job; None before its first event.
        training_jobs: By number.
        last_objective: Epoch and value of the last objective metric by training job name.
        deleted: Whether the tuning job was deleted.
    """

    job: TuningJob | None = None
    training_jobs: dict[int, TrainingJob] = field(default_factory=dict)
    last_objective: dict[str, tuple[int, float]] = field(default_factory=dict)
    deleted: bool = False

    def apply(self, event: WatchTuningJobResponse) -> list[str]:
        """Takes in one event.

        Returns:
            What is new about it, as lines for people; none for an update that changes nothing they would notice.
        """
        kind = event.WhichOneof("event")
        if kind == "tuning_job":
            return list(self._apply_tuning_job(event.tuning_job))
        if kind == "training_job":
            return list(self._apply_training_job(event.training_job))
        if kind == "metrics":
            return list(self._apply_metrics(event.metrics))
        if kind == "decision":
            return [_decision_line(event.decision)]
        if kind == "deleted":
            self.deleted = True
            return ["the tuning job was deleted"]
        return []

    @property
    def best_number(self) -> int | None:
        """Number of the best training job so far; the server decides it."""
        best = self.job is not None and self.job.HasField("best_training_job")
        return self.job.best_training_job.number if self.job is not None and best else None

    @property
    def ended(self) -> int:
        """How many training jobs have ended."""
        if self.job is None:
            return 0
        counters = self.job.training_job_state_counters
        return counters.completed + counters.non_retryable_error + counters.stopped

    def metric_of(self, training_job: TrainingJob) -> str:
        """The objective metric of a training job; empty before the tuning job is known."""
        return "" if self.job is None else objective_metric(self.job, training_job)

    def _apply_tuning_job(self, job: TuningJob) -> Iterator[str]:
        """Reports a changed state and a new best."""
        before, best_before = self.job, self.best_number
        self.job = job
        if before is None or before.state != job.state:
            reason = short_name(CompletionReason, job.completion_reason)
            why = f" ({reason})" if job.completion_reason else f" ({job.failure_reason})" if job.failure_reason else ""
            yield f"{job.name}: {short_name(TuningJobState, job.state)}{why}"
        if self.best_number not in {None, best_before} or (is_terminal(job) and self.best_number is not None):
            best = job.best_training_job
            yield f"{job.name}: best so far is {best.name}, {self.metric_of(best)}={objective_text(best)}"

    def _apply_training_job(self, job: TrainingJob) -> Iterator[str]:
        """Reports a changed phase, the hyperparameters at the first sight, and how it ended."""
        before = self.training_jobs.get(job.number)
        self.training_jobs[job.number] = job
        if before is None:
            yield f"{job.name}: {values_text(job.tuned_hyperparameters)}"
        if before is not None and (before.secondary_state, before.attempt) == (job.secondary_state, job.attempt):
            return
        line = f"{job.name}: {short_name(SecondaryState, job.secondary_state)}"
        if job.attempt > 1 and job.state == TRAINING_JOB_STATE_IN_PROGRESS:
            line += f" (attempt {job.attempt})"
        if job.HasField("final_objective_value"):
            line += f", {self.metric_of(job)}={objective_text(job)}"
        yield line + (f": {job.failure_reason}" if job.failure_reason else "")

    def _apply_metrics(self, batch: MetricBatch) -> Iterator[str]:
        """Reports the objective of each epoch."""
        job = next((job for job in self.training_jobs.values() if job.name == batch.training_job_name), TrainingJob())
        if batch.HasField("superseded_after"):
            self.last_objective.pop(batch.training_job_name, None)
            yield f"{batch.training_job_name}: goes on after epoch {batch.superseded_after}"
        for point in batch.points:
            if point.metric_name == self.metric_of(job):
                self.last_objective[batch.training_job_name] = (point.step, point.value)
                yield f"{batch.training_job_name}: epoch {point.step}, {point.metric_name}={point.value:.6g}"


def _decision_line(decision: Decision) -> str:
    """One entry of the decision log."""
    about = f" training job {decision.training_job_number}" if decision.training_job_number else ""
    figures = "".join(f" {name}={value:.6g}" for name, value in sorted(decision.figures.items()))
    return f"decided: {decision.kind}{about}: {decision.explanation}{figures}"
