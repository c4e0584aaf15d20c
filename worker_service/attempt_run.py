"""Runs one attempt on a slot: waits for the scheduler's consent, hands it to the trainer, reports what comes of it."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import structlog

from hrnn_tuner.domain.uris import is_allowed
from hrnn_tuner.settings import Settings
from hrnn_tuner.telemetry.worker_metrics import EPOCHS
from hrnn_tuner.v1.queue_pb2 import AttemptReport
from worker_service import convert
from worker_service.artifacts import discard_partial
from worker_service.attempt import Attempt, Attempts
from worker_service.inbox import Inbox
from worker_service.messages import EpochMetrics, JobEnded, Point, RunJob, Stage
from worker_service.metric_buffer import MetricBuffer
from worker_service.observation import Observation, observed
from worker_service.reports import Reporter
from worker_service.scratch import Scratch
from worker_service.trainer_host import TrainerHost

_log = structlog.get_logger(__name__)

SHUT_DOWN = "worker shut down"
#: Warm-ups in a row that may fail before an attempt that waits for one is given to another worker.
_WARM_UP_TRIES = 3


def forbidden_location(attempt: Attempt, settings: Settings) -> str | None:
    """Says which of an assignment's locations lies outside the operator's prefixes; None when all are allowed."""
    readable = settings.data_prefixes
    for name, channel in attempt.assignment.channels.items():
        if not is_allowed(channel.uri, readable):
            return f"channel {name!r}: {channel.uri!r} is not below an allowed prefix; allowed: {list(readable)}"
    writable = (*readable, *filter(None, [settings.artifacts_url]))
    uri = attempt.assignment.artifact_uri
    if not is_allowed(uri, writable):
        return f"artifact: {uri!r} is not below an allowed prefix; allowed: {list(writable)}"
    return None


class AttemptRun:
    """One attempt on one slot; `run` is called once, on the slot's thread."""

    def __init__(
        self,
        attempt: Attempt,
        *,
        worker_id: str,
        settings: Settings,
        attempts: Attempts,
        reporter: Reporter,
        scratch: Scratch,
        host: TrainerHost,
        inbox: Inbox,
        quitting: threading.Event,
    ) -> None:
        """Takes the slot's parts; ``quitting`` is set when the worker shuts down."""
        self._attempt = attempt
        self._worker_id = worker_id
        self._settings = settings
        self._attempts = attempts
        self._reporter = reporter
        self._scratch = scratch
        self._host = host
        self._inbox = inbox
        self._quitting = quitting
        self._metrics = MetricBuffer(self._report_points, time.monotonic)
        self._uploading = False

    def run(self) -> None:
        """Runs the attempt to its end; the end is queued for the scheduler when this returns."""
        with observed(self._attempt) as observation:
            self._run_to_end(observation)

    def _run_to_end(self, observation: Observation) -> None:
        """Runs the attempt and says how it ended."""
        ending = self._run()
        key = self._attempt.key
        if ending is None or self._attempt.superseded:
            self._attempts.close(key)
            _log.info("attempt superseded", attempt=str(key))
            return
        self._metrics.flush()
        observation.outcome = convert.Outcome.Name(ending.ended.outcome).removeprefix("OUTCOME_").lower()
        # Its lease is extended until the scheduler can know the end: the broker may be away for longer than a lease.
        self._reporter.submit(self._attempt, ending, on_confirmed=lambda: self._attempts.close(key))
        outcome = convert.Outcome.Name(ending.ended.outcome)
        _log.info("attempt ended", attempt=str(key), outcome=outcome, reason=ending.ended.failure_reason)

    def _run(self) -> AttemptReport | None:
        """Says how the attempt ended; None for nothing to report."""
        self._await_go()
        if self._interrupted():
            return self._interruption()
        complaint = forbidden_location(self._attempt, self._settings)
        if complaint is not None:
            return convert.failed("ALGORITHM_ERROR", complaint)
        if not self._host.ensure_warm(self._interrupted, tries=_WARM_UP_TRIES):
            return self._interruption() if self._interrupted() else convert.lost(self._host.ended)
        work_dir = self._scratch.new()
        try:
            return self._train(work_dir)
        finally:
            shutil.rmtree(work_dir, ignore_errors=True)
            discard_partial(self._attempt.assignment.artifact_uri, self._worker_id)

    def _interrupted(self) -> bool:
        return self._attempt.stop or self._attempt.superseded or self._quitting.is_set()

    def _interruption(self) -> AttemptReport | None:
        """The end of an attempt that was broken off."""
        if self._attempt.superseded:
            return None
        return convert.stopped() if self._attempt.stop else convert.lost(SHUT_DOWN)

    def _await_go(self) -> None:
        """Waits for the scheduler's consent, but not for long: a scheduler that is away must not stop the fleet."""
        deadline = time.monotonic() + self._settings.worker_go_wait_s
        while not self._attempt.go and not self._interrupted() and time.monotonic() < deadline:
            self._host.accept(self._inbox.get(deadline))

    def _train(self, work_dir: Path) -> AttemptReport | None:
        job = self._order(work_dir)
        self._host.run(job)
        kill_at: float | None = None
        while True:
            if kill_at is None and (self._attempt.stop or self._attempt.superseded):
                self._host.stop_job(job.job)
                kill_at = time.monotonic() + self._settings.worker_stop_grace_s
            if self._must_kill(kill_at):
                self._host.discard("stopped")
                return self._interruption()
            message = self._host.accept(self._inbox.get(self._next_deadline(kill_at)))
            if isinstance(message, JobEnded) and message.job == job.job:
                return self._outcome(message)
            if not self._host.warm:
                return self._interruption() if self._interrupted() else convert.lost(self._host.ended)
            self._relay(message)

    def _must_kill(self, kill_at: float | None) -> bool:
        """Whether the trainer has no more time; an upload that must not appear gets none."""
        overdue = kill_at is not None and time.monotonic() >= kill_at
        return overdue or self._quitting.is_set() or (self._attempt.superseded and self._uploading)

    def _next_deadline(self, kill_at: float | None) -> float | None:
        return min((at for at in (kill_at, self._metrics.deadline) if at is not None), default=None)

    def _order(self, work_dir: Path) -> RunJob:
        wanted = self._attempt.assignment
        return RunJob(
            job=self._host.next_job(),
            name=wanted.training_job_name,
            algorithm=wanted.algorithm,
            hyperparameters=wanted.hyperparameters,
            channels=wanted.channels,
            objective_metric=wanted.objective_metric,
            maximize=wanted.maximize,
            seed=wanted.seed,
            split_seed=wanted.split_seed,
            artifact_uri=wanted.artifact_uri,
            environment=wanted.environment,
            work_dir=str(work_dir),
            fingerprint=wanted.key.fingerprint,
            partial_tag=self._worker_id,
        )

    def _relay(self, message: object) -> None:
        """Passes what the trainer said on to the scheduler, unless it no longer counts."""
        if isinstance(message, Stage) and not self._attempt.superseded:
            self._uploading = message.stage == "UPLOADING"
            self._metrics.flush()
            self._reporter.submit(self._attempt, convert.progressed(message.stage))
        elif isinstance(message, EpochMetrics):
            EPOCHS.inc()
            self._metrics.add(message.step, message.metrics)
        self._metrics.flush_if_due()

    def _report_points(self, points: Sequence[Point]) -> None:
        if not self._attempt.superseded:
            self._reporter.submit(self._attempt, convert.metrics(points), points=len(points))

    def _outcome(self, ended: JobEnded) -> AttemptReport | None:
        if ended.outcome == "COMPLETED":
            return convert.completed(self._attempt.assignment.artifact_uri, ended.metrics or {})
        if ended.outcome == "STOPPED":
            return self._interruption()
        return convert.failed(ended.cause, ended.reason)
