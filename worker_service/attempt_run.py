"""Runs one attempt on a slot: waits for the scheduler's consent, hands it to the trainer, reports what comes of it."""

from __future__ import annotations

import shutil
import time
from collections.abc import Sequence
from pathlib import Path

import structlog

from hrnn_tuner.domain.checkpoint import Checkpoint
from hrnn_tuner.failpoints import failpoint
from hrnn_tuner.settings import Settings
from hrnn_tuner.telemetry.worker_metrics import EPOCHS
from hrnn_tuner.v1.queue_pb2 import AttemptReport
from worker_service import convert
from worker_service.artifacts import discard_partial
from worker_service.attempt import Attempt, Attempts
from worker_service.checkpoint_uploader import CheckpointUploader
from worker_service.departure import Departure
from worker_service.inbox import Inbox
from worker_service.locations import forbidden_location
from worker_service.log_buffer import Line, LogBuffer
from worker_service.log_lines import Mask, Source
from worker_service.messages import CheckpointSaved, EpochMetrics, JobEnded, Point, Resumed, RunJob, Stage
from worker_service.metric_buffer import MetricBuffer
from worker_service.observation import Observation, observed
from worker_service.reports import Reporter
from worker_service.scratch import Scratch
from worker_service.trainer_host import TrainerHost

_log = structlog.get_logger(__name__)

SHUT_DOWN = "worker shut down"
#: Warm-ups in a row that may fail before an attempt that waits for one is given to another worker.
_WARM_UP_TRIES = 3
#: Ends after which another attempt may follow, for which a checkpoint that is on its way is worth a moment.
_GOES_ON = frozenset({convert.Outcome.OUTCOME_LOST, convert.Outcome.OUTCOME_FAILED})
_LAST_UPLOAD_S = 2.0
#: The training job that goes on from a paused one would have to train again what is not uploaded.
_UPLOAD_OF_PAUSED_S = 60.0


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
        departure: Departure,
    ) -> None:
        """Takes the slot's parts; ``departure`` says when the worker shuts down."""
        self._attempt = attempt
        self._worker_id = worker_id
        self._settings = settings
        self._attempts = attempts
        self._reporter = reporter
        self._scratch = scratch
        self._host = host
        self._inbox = inbox
        self._departure = departure
        self._uploads = CheckpointUploader(
            attempt.assignment.checkpoint_uri,
            earlier=attempt.assignment.resume_from,
            on_uploaded=self._report_checkpoint,
            on_idle=attempt.wake,
        )
        self._metrics = MetricBuffer(self._report_points, time.monotonic)
        self._mask = Mask(attempt.assignment.environment.values())
        self._log = LogBuffer(self._report_log, wake=attempt.wake)
        self._uploading = False
        self._keeping = False
        self._kill_at: float | None = None
        self._saved_for_departure = False

    def run(self) -> None:
        """Runs the attempt to its end; the end is queued for the scheduler when this returns."""
        with observed(self._attempt) as observation:
            self._note(f"attempt {self._attempt.key.attempt} on worker {self._worker_id}")
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
        name = convert.Outcome.Name(ending.ended.outcome).removeprefix("OUTCOME_")
        self._note(": ".join(filter(None, [f"attempt {key.attempt} ended as {name}", ending.ended.failure_reason])))
        self._log.flush()
        failpoint("attempt.ended")
        observation.outcome = name.lower()
        # Its lease is extended until the scheduler can know the end: the broker may be away for longer than a lease.
        self._attempt.ending = ending
        self._reporter.submit(self._attempt, ending, on_confirmed=lambda: self._attempts.close(key))
        outcome = convert.Outcome.Name(ending.ended.outcome)
        _log.info("attempt ended", attempt=str(key), outcome=outcome, reason=ending.ended.failure_reason)

    def _run(self) -> AttemptReport | None:
        """Says how the attempt ended; None for nothing to report."""
        self._await_go()
        if self._interrupted():
            return self._interruption()
        complaint = forbidden_location(self._attempt.assignment, self._settings)
        if complaint is not None:  # the API let it pass: this worker's settings are other ones
            return convert.lost(complaint)
        if not self._host.ensure_warm(self._interrupted, tries=_WARM_UP_TRIES):
            return self._interruption() if self._interrupted() else convert.lost(self._host.ended)
        work_dir = self._scratch.new()
        try:
            ending = self._train(work_dir)
            if ending is not None and ending.ended.outcome in _GOES_ON:
                self._uploads.finish(_LAST_UPLOAD_S)
            elif ending is not None and self._attempt.assignment.pauses:
                self._uploads.finish(_UPLOAD_OF_PAUSED_S)
            return ending
        finally:
            self._host.end_listening()
            self._uploads.close()
            shutil.rmtree(work_dir, ignore_errors=True)
            discard_partial(self._attempt.assignment.artifact_uri, self._worker_id)

    def _interrupted(self) -> bool:
        return self._stopping or self._attempt.superseded or self._departure.requested

    @property
    def _stopping(self) -> bool:
        """Whether the scheduler wants it stopped before it has begun: only a checkpoint can hold a model to keep."""
        keeps = self._attempt.assignment.resume_from is not None
        return self._attempt.stop or (self._attempt.stop_and_keep and not keeps)

    def _interruption(self) -> AttemptReport | None:
        """The end of an attempt that was broken off. Where the worker leaves, another may still keep the model."""
        if self._attempt.superseded:
            return None
        leaves = self._departure.requested and not self._attempt.stop
        return convert.handed_back(SHUT_DOWN) if leaves else convert.stopped()

    def _await_go(self) -> None:
        """Waits for the scheduler's consent, but not for long: a scheduler that is away must not stop the fleet."""
        deadline = time.monotonic() + self._settings.worker_go_wait_s
        told = self._attempt
        while not (told.go or told.stop_and_keep or self._interrupted()) and time.monotonic() < deadline:
            self._host.accept(self._inbox.get(deadline))

    def _train(self, work_dir: Path) -> AttemptReport | None:
        job = self._order(work_dir)
        self._host.run(job, self._log.add, self._mask)
        failpoint("attempt.ordered")
        while True:
            self._pass_commands_on(job.job)
            if self._must_kill():
                self._host.discard("stopped")
                return self._interruption()
            message = self._host.accept(self._inbox.get(self._next_deadline()))
            self._log.flush_if_due()
            if isinstance(message, JobEnded) and message.job == job.job:
                return self._outcome(message)
            if not self._host.warm:
                return self._death()
            self._relay(message)

    def _pass_commands_on(self, job: int) -> None:
        """Tells the trainer to stop, and the uploader which checkpoints are not needed any more."""
        self._uploads.recorded(self._attempt.recorded_step)
        if (self._kill_at is None or self._keeping) and (self._attempt.stop or self._attempt.superseded):
            self._host.stop_job(job, keep=False)
            self._kill_at, self._keeping = time.monotonic() + self._settings.worker_stop_grace_s, False
        elif self._kill_at is None and self._attempt.stop_and_keep:
            self._host.stop_job(job, keep=True)
            self._kill_at, self._keeping = time.monotonic() + self._settings.worker_early_stop_grace_s, True

    def _must_kill(self) -> bool:
        """Whether the trainer has no more time; an upload that must not appear gets none."""
        overdue = self._kill_at is not None and time.monotonic() >= self._kill_at
        saved = self._saved_for_departure and self._uploads.idle
        unsaved = self._departure.requested and not self._attempt.assignment.checkpoint_uri  # and it will not be
        return overdue or self._departure.due or saved or unsaved or (self._attempt.superseded and self._uploading)

    def _next_deadline(self) -> float | None:
        deadlines = (self._kill_at, self._metrics.deadline, self._log.deadline, self._departure.deadline)
        return min((at for at in deadlines if at is not None), default=None)

    def _death(self) -> AttemptReport | None:
        """The end of an attempt whose trainer process ended by itself, perhaps while it kept the model."""
        if self._attempt.superseded or self._attempt.stop:
            return self._interruption()
        if self._host.out_of_memory:
            return convert.failed("OUT_OF_MEMORY", self._host.ended)
        return convert.lost(self._host.ended)

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
            checkpoints=bool(wanted.checkpoint_uri),
            resume_from=wanted.resume_from,
        )

    def _relay(self, message: object) -> None:
        """Passes what the trainer said on to the scheduler, unless it no longer counts."""
        if isinstance(message, Stage) and not self._attempt.superseded:
            self._note(message.stage)
            self._uploading = message.stage == "UPLOADING"
            self._metrics.flush()
            self._reporter.submit(self._attempt, convert.progressed(message.stage))
        elif isinstance(message, EpochMetrics):
            EPOCHS.inc()
            figures = " ".join(f"{name}={value:.6g}" for name, value in message.metrics.items())
            self._note(f"epoch {message.step}: {figures}")
            self._metrics.add(message.step, message.metrics)
        elif isinstance(message, Resumed) and not self._attempt.superseded:
            self._reporter.submit(self._attempt, convert.resumed(message.step, message.problem))
        elif isinstance(message, CheckpointSaved):
            self._metrics.flush()  # a recorded checkpoint stands for the metrics up to its step
            self._uploads.offer(message.step, Path(message.folder))
            # A trainer that was just told to go on is broken off once its state is safe.
            self._saved_for_departure = self._departure.requested
        self._metrics.flush_if_due()

    def _report_checkpoint(self, checkpoint: Checkpoint) -> None:
        """Called on the uploader's thread."""
        if not self._attempt.superseded:
            self._reporter.submit(self._attempt, convert.checkpointed(checkpoint))

    def _report_points(self, points: Sequence[Point]) -> None:
        if not self._attempt.superseded:
            self._reporter.submit(self._attempt, convert.metrics(points), points=len(points))

    def _note(self, text: str) -> None:
        """Writes a line of the worker's own into the training job's log."""
        self._log.add(Source.WORKER, self._mask.applied(text))

    def _report_log(self, lines: Sequence[Line]) -> None:
        if self._attempt.superseded:
            self._log.confirmed()  # nobody wants them
        else:
            self._reporter.submit(self._attempt, convert.log(lines), on_confirmed=self._log.confirmed)

    def _outcome(self, ended: JobEnded) -> AttemptReport | None:
        if ended.outcome == "COMPLETED":
            return convert.completed(self._attempt.assignment.artifact_uri, ended.metrics or {})
        if ended.outcome == "STOPPED" and ended.metrics is not None:
            return convert.stopped_and_kept(self._attempt.assignment.artifact_uri, ended.metrics)
        if ended.outcome == "STOPPED":
            return self._interruption()
        if ended.outcome == "LOST":
            return convert.lost(ended.reason)
        return convert.failed(ended.cause, ended.reason)
