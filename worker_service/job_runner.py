"""Runs one training job inside the trainer process, from the trainer's first line to the published artifact."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path

import structlog

from hrnn_tuner.algorithms.contract import Trainer
from hrnn_tuner.failpoints import failpoint
from worker_service.artifacts import publish
from worker_service.checkpoint_store import UnusableCheckpoint, download
from worker_service.environment import environment
from worker_service.failures import classify
from worker_service.messages import JobEnded, PipeMessage, RunJob, Stage
from worker_service.training_context import PipeContext, StopFlag

_log = structlog.get_logger(__name__)

#: A store that does not answer is asked again; without the checkpoint every epoch has to be trained again.
_DOWNLOAD_BACK_OFF_S = (1.0, 5.0)


class JobRunner:
    """Hosts the trainers of one process; runs one job at a time on the caller's thread."""

    def __init__(
        self,
        trainers: Mapping[str, Trainer],
        *,
        device: str,
        cache_dir: Path,
        stop: StopFlag,
        send: Callable[[PipeMessage], None],
    ) -> None:
        """Takes trainers by the name of their algorithm; one that is asked for must be ready to train."""
        self._trainers = trainers
        self._device = device
        self._cache_dir = cache_dir
        self._stop = stop
        self._send = send

    def run(self, job: RunJob) -> JobEnded:
        """Runs a job and says how it ended; only what is no `Exception` gets out.

        What the trainer raises is the job's failure. What goes wrong around it, like a model that cannot be written, is
        this worker's, and another one may do better.
        """
        try:
            return self._run(job)
        except Exception as error:  # noqa: BLE001 - whatever it is, the supervisor must hear of an end
            failure = classify(error)
            _log.error("training job broke off", training_job=job.name, reason=failure.reason, exc_info=error)
            if failure.cause == "OUT_OF_MEMORY":
                return JobEnded(job.job, "FAILED", failure.cause, failure.reason)
            return JobEnded(job.job, "LOST", reason=failure.reason, retiring=failure.poisons)

    def _run(self, job: RunJob) -> JobEnded:
        if job.algorithm not in self._trainers:
            installed = ", ".join(self._trainers) or "none"
            reason = f"algorithm {job.algorithm!r} is not installed on this worker; installed: {installed}"
            return JobEnded(job.job, "LOST", reason=reason)
        trainer = self._trainers[job.algorithm]
        self._send(Stage(job.job, "DOWNLOADING"))
        context = PipeContext(job, device=self._device, cache_dir=self._cache_dir, stop=self._stop, send=self._send)
        self._fetch_checkpoint(job, context)
        try:
            with environment(job.environment):
                trainer.train(context)
        except Exception as error:  # noqa: BLE001 - third-party code: whatever it raises is this job's result
            return self._failed(job, error)
        final = context.best.metrics
        if context.stop_seen and (not self._stop.keep or final is None or not any(context.artifact_dir.iterdir())):
            return JobEnded(job.job, "STOPPED")
        if final is None:
            return JobEnded(job.job, "FAILED", "INVALID_OBJECTIVE", context.best.complaint)
        self._send(Stage(job.job, "UPLOADING"))
        publish(context.artifact_dir, job.artifact_uri, fingerprint=job.fingerprint, tag=job.partial_tag)
        failpoint("upload.placed")
        return JobEnded(job.job, "STOPPED" if context.stop_seen else "COMPLETED", metrics=final)

    def _fetch_checkpoint(self, job: RunJob, context: PipeContext) -> None:
        """Gets the checkpoint from which the job goes on; without it the job starts from the beginning, and says so."""
        if job.resume_from is None or context.checkpoint_dir is None:
            return
        for back_off_s in (*_DOWNLOAD_BACK_OFF_S, None):
            try:
                download(job.resume_from, context.checkpoint_dir)
                context.resuming = True
            except UnusableCheckpoint as error:
                context.not_resumed(str(error))
            except Exception as error:  # noqa: BLE001 - stores raise anything
                if back_off_s is None:
                    context.not_resumed(f"checkpoint {job.resume_from.uri} cannot be read: {error}")
                else:
                    time.sleep(back_off_s)
                    continue
            return

    def _failed(self, job: RunJob, error: Exception) -> JobEnded:
        """What the trainer's exception means."""
        failure = classify(error)
        if failure.expected:
            _log.info("training job failed", training_job=job.name, reason=failure.reason)
        else:
            _log.error("training job failed", training_job=job.name, reason=failure.reason, exc_info=error)
        return JobEnded(job.job, "FAILED", failure.cause, failure.reason, retiring=failure.poisons)
