"""What one report of a worker does to its tuning job. Fencing is here."""

from __future__ import annotations

import enum
import math
from collections.abc import Callable
from dataclasses import dataclass

from hrnn_tuner.domain.checkpoint import Checkpoint
from hrnn_tuner.domain.states import FailureCause, SecondaryState
from hrnn_tuner.domain.training_job import REASON_MAX_CHARACTERS, TrainingJob
from hrnn_tuner.store import JobChange, MetricPoint, Transaction
from hrnn_tuner.v1 import queue_pb2, training_job_pb2
from scheduler_service import convert
from scheduler_service.planner import Planner

_Outcome = queue_pb2.AttemptEnded.Outcome
_Command = queue_pb2.Control.Command


class Verdict(enum.Enum):
    """What became of a report."""

    APPLIED = "applied"
    STALE = "stale"  #: of an attempt that does not count any more


@dataclass(frozen=True)
class Reply:
    """A command that the worker of a report should get once the transaction is committed."""

    worker_id: str
    command: queue_pb2.Control

    @staticmethod
    def of(report: queue_pb2.AttemptReport, command: queue_pb2.Control.Command, *, step: int = 0) -> Reply:
        """The answer to a report."""
        return Reply(report.worker_id, queue_pb2.Control(ref=report.ref, command=command, step=step))


def may_go_back(report: queue_pb2.AttemptReport) -> bool:
    """Whether its training job may be trained again from an earlier step, so that later ones do not count any more."""
    match report.WhichOneof("event"):
        case "ended":
            return report.ended.outcome not in {_Outcome.OUTCOME_COMPLETED, _Outcome.OUTCOME_STOPPED}
        case "resumed":
            return bool(report.resumed.problem)
        case _:
            return False


class ReportApplier:
    """Applies reports about attempts, in order, within a change of their tuning job."""

    def __init__(self, planner: Planner, *, log_bytes: int) -> None:
        """Takes the planner, which enqueues the next attempt of a lost one, and how much log an attempt may keep."""
        self._planner = planner
        self._log_bytes = log_bytes

    def apply(
        self, tx: Transaction, change: JobChange, report: queue_pb2.AttemptReport, reply: Callable[[Reply], None]
    ) -> Verdict:
        """Applies one report.

        It counts only if training job, attempt, token and worker match the row and its state is not terminal. A late
        or repeated one changes nothing and is never an error.
        """
        job = change.training_job(report.ref.number)
        if job is None or not self._current(job, report):
            if report.WhichOneof("event") != "ended":
                reply(Reply.of(report, _Command.COMMAND_SUPERSEDED))
            return Verdict.STALE
        if not job.worker_id:  # whatever comes first says that the worker has it
            limit = change.job.spec.definition(job.definition_name).max_runtime_s
            started = job.started(report.worker_id, change.now, limit)
            change.put(job, started)
            job = started
        else:
            job = change.renew_lease(job)
        match report.WhichOneof("event"):
            case "started":
                stopping = job.secondary is SecondaryState.STOPPING
                reply(Reply.of(report, convert.stop_command(job) if stopping else _Command.COMMAND_GO))
            case "progressed":
                name = training_job_pb2.SecondaryState.Name(report.progressed.secondary_state)
                state = SecondaryState(name.removeprefix("SECONDARY_STATE_"))
                change.put(job, job.progressed(state, change.now))
            case "metrics":
                points = [
                    MetricPoint(point.metric_name, point.step, point.value, job.attempt, change.now)
                    for point in report.metrics.points
                ]
                change.add_metrics(job, points)
            case "resumed":
                resumed = self._resume(tx, change, job, report.resumed)
                if resumed.secondary is SecondaryState.STOPPING:
                    reply(Reply.of(report, convert.stop_command(resumed)))
            case "checkpointed":
                found = report.checkpointed.checkpoint
                change.record_checkpoint(job, Checkpoint(found.step, found.uri, found.digest))
                reply(Reply.of(report, _Command.COMMAND_CHECKPOINT_RECORDED, step=found.step))
            case "log":
                self._log(tx, change, job, report.log)
            case "ended":
                self._end(tx, change, job, report.ended)
        return Verdict.APPLIED

    def _current(self, job: TrainingJob, report: queue_pb2.AttemptReport) -> bool:
        """Whether a report is about the attempt that counts, from the worker that has it."""
        same_attempt = job.attempt == report.ref.attempt and job.token == report.ref.token
        return same_attempt and job.active and job.worker_id in {"", report.worker_id}

    def _log(self, tx: Transaction, change: JobChange, job: TrainingJob, log: queue_pb2.AttemptLog) -> None:
        """Keeps lines of the log; no event tells so."""
        lines = convert.log_lines(log, job.attempt)
        if lines and self._log_bytes:
            tx.logs.add(change.job.id, job.number, lines, keep_bytes=self._log_bytes)

    def _resume(
        self, tx: Transaction, change: JobChange, job: TrainingJob, resumed: queue_pb2.AttemptResumed
    ) -> TrainingJob:
        """Takes note of where an attempt begins; a checkpoint that is of no use costs all epochs, and that is said.

        One that was lost while it kept its model, with all that is needed in its checkpoint, has nothing left to train.
        Returns the training job, which its worker is to stop if it is stopping.
        """
        if resumed.problem:
            text = f"attempt {job.attempt} starts from the beginning: {resumed.problem}"
            change.decide("CHECKPOINT_UNUSABLE", job.number, text[:REASON_MAX_CHARACTERS])
            self._planner.rewind(tx, change, change.record_checkpoint(job, None), 0)
            return job
        text = f"attempt {job.attempt} goes on after step {resumed.step}"
        if job.stopping_rule and job.secondary is not SecondaryState.STOPPING:
            text = f"attempt {job.attempt} keeps the model of step {resumed.step}: {job.stopping_rule} had stopped it"
            before, job = job, job.stopped_early(job.stopping_rule, text, change.now)
            change.put(before, job)
        change.decide("RESUMED", job.number, text)
        return job

    def _end(self, tx: Transaction, change: JobChange, job: TrainingJob, ended: queue_pb2.AttemptEnded) -> None:
        """Ends the attempt, and with it the training job unless it is tried again."""
        definition = change.job.spec.definition(job.definition_name)
        objective = ended.final_metrics.get(definition.objective.metric_name)
        uri = convert.artifact_uri(definition.output_uri, change.job, job)
        match ended.outcome:
            case _Outcome.OUTCOME_COMPLETED:
                change.put(job, job.completed(objective, ended.final_metrics, uri, change.now))
            case _Outcome.OUTCOME_STOPPED if job.secondary is SecondaryState.STOPPING:
                if job.stopping_rule and ended.artifact_uri and objective is not None and math.isfinite(objective):
                    change.put(job, job.kept(objective, ended.final_metrics, uri, change.now))
                else:
                    change.put(job, job.stopped(change.now))
            case _Outcome.OUTCOME_FAILED:
                self._planner.retry(tx, change, job, _cause(ended), ended.failure_reason or "no reason given")
            case _Outcome.OUTCOME_HANDED_BACK:
                self._planner.hand_on(tx, change, job, ended.failure_reason or "its worker shuts down")
            case _:
                reason = ended.failure_reason or "the worker gave the training job back"
                self._planner.retry(tx, change, job, FailureCause.WORKER_LOST, reason)


def _cause(ended: queue_pb2.AttemptEnded) -> FailureCause:
    """Why an attempt failed; an unknown cause is the algorithm's."""
    name = training_job_pb2.FailureCause.Name(ended.failure_cause).removeprefix("FAILURE_CAUSE_")
    try:
        return FailureCause(name)
    except ValueError:
        return FailureCause.ALGORITHM_ERROR
