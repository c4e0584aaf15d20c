"""Runs one training job inside the trainer process, from the trainer's first line to the published artifact."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import structlog

from hrnn_tuner.algorithms.contract import Trainer
from hrnn_tuner.failpoints import failpoint
from worker_service.artifacts import publish
from worker_service.environment import environment
from worker_service.failures import classify
from worker_service.messages import JobEnded, PipeMessage, RunJob, Stage
from worker_service.training_context import PipeContext, StopFlag

_log = structlog.get_logger(__name__)


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
        """Takes warm trainers by the name of their algorithm."""
        self._trainers = trainers
        self._device = device
        self._cache_dir = cache_dir
        self._stop = stop
        self._send = send

    def run(self, job: RunJob) -> JobEnded:
        """Runs a job and says how it ended; only what is no `Exception` gets out."""
        try:
            return self._run(job)
        except Exception as error:  # noqa: BLE001 - third-party code: whatever it raises is this job's result
            failure = classify(error)
            if failure.expected:
                _log.info("training job failed", training_job=job.name, reason=failure.reason)
            else:
                _log.error("training job failed", training_job=job.name, reason=failure.reason, exc_info=error)
            return JobEnded(job.job, "FAILED", failure.cause, failure.reason, retiring=failure.poisons)

    def _run(self, job: RunJob) -> JobEnded:
        trainer = self._trainers.get(job.algorithm)
        if trainer is None:
            installed = ", ".join(self._trainers) or "none"
            reason = f"algorithm {job.algorithm!r} is not installed on this worker; installed: {installed}"
            return JobEnded(job.job, "FAILED", "ALGORITHM_ERROR", reason)
        self._send(Stage(job.job, "DOWNLOADING"))
        context = PipeContext(job, device=self._device, cache_dir=self._cache_dir, stop=self._stop, send=self._send)
        with environment(job.environment):
            trainer.train(context)
        final = context.best.metrics
        if context.stop_seen and (not self._stop.keep or final is None or not any(context.artifact_dir.iterdir())):
            return JobEnded(job.job, "STOPPED")
        if final is None:
            return JobEnded(job.job, "FAILED", "INVALID_OBJECTIVE", context.best.complaint)
        self._send(Stage(job.job, "UPLOADING"))
        publish(context.artifact_dir, job.artifact_uri, fingerprint=job.fingerprint, tag=job.partial_tag)
        failpoint("upload.placed")
        return JobEnded(job.job, "STOPPED" if context.stop_seen else "COMPLETED", metrics=final)
